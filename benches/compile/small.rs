// The first example of the README: two layers each way.
use diabolo::nn::{bce_with_logits, dense};
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 32> {
    dense(relu(dense(x, 256)), 32)
}

#[decoder]
fn decode(z: Tensor<B, 32>) -> Tensor<B, 784> {
    dense(relu(dense(z, 256)), 784)
}

#[loss]
fn vanilla(x: Tensor<B, 784>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

fn main() -> diabolo::Result<()> {
    let data = diabolo::data::Data::new().with("x", &[784], vec![0.5f32; 784 * 128])?;
    Trainer::new(vanilla).epochs(1).quiet().fit(&data)?;
    Ok(())
}
