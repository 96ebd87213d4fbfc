// Two convolutions down, two up.
use diabolo::nn::{bce_with_logits, conv, conv_transpose, dense};
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 1, 28, 28>) -> Tensor<B, 32> {
    let h = relu(conv(x, channels = 16, kernel = 3, stride = 2, padding = 1));
    let h = relu(conv(h, channels = 32, kernel = 3, stride = 2, padding = 1));
    dense(flatten(h), 32)
}

#[decoder]
fn decode(z: Tensor<B, 32>) -> Tensor<B, 1, 28, 28> {
    let h: Tensor<B, 32, 7, 7> = reshape(relu(dense(z, 1568)));
    let h = relu(conv_transpose(h, channels = 16, kernel = 3, stride = 2, padding = 1, output_padding = 1));
    conv_transpose(h, channels = 1, kernel = 3, stride = 2, padding = 1, output_padding = 1)
}

#[loss]
fn convolutional(x: Tensor<B, 1, 28, 28>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

fn main() -> diabolo::Result<()> {
    let data = diabolo::data::Data::new().with("x", &[1, 28, 28], vec![0.5f32; 784 * 128])?;
    Trainer::new(convolutional).epochs(1).quiet().fit(&data)?;
    Ok(())
}
