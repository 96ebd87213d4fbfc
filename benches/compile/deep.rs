// LAYERS dense layers of one width.
use diabolo::nn::{bce_with_logits, dense};
use diabolo::prelude::*;

#[network]
fn reconstruct(x: Tensor<B, 784>) -> Tensor<B, 784> {
    let mut h = relu(dense(x, 256));
    for _ in 2..LAYERS {
        h = relu(dense(h, 256));
    }
    dense(h, 784)
}

#[loss]
fn deep(x: Tensor<B, 784>) -> Tensor<B> {
    bce_with_logits(reconstruct(x), x)
}

fn main() -> diabolo::Result<()> {
    let data = diabolo::data::Data::new().with("x", &[784], vec![0.5f32; 784 * 128])?;
    Trainer::new(deep).epochs(1).quiet().fit(&data)?;
    Ok(())
}
