//! The first autoencoder: 64 pixels through 8 numbers and back, on real digits.
//!
//! Loss: the squared error ‖x − D(E(x))‖², summed over pixels. Look at the figure beside PCA with the same
//! 8 numbers, and at the pictures: inputs above reconstructions.

use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(relu(dense(x, 128)), 8)
}

#[decoder]
fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128)), 64)
}

#[loss]
pub fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[function]
fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

fn main() -> diabolo::Result<()> {
    common::run("first", Defaults { epochs: 150, batch: 64, lr: 2e-3 }, |study| {
        let model = study.train(vanilla)?;
        let images = model.run(reconstruct, &study.test)?;
        study.reconstructions("reconstructions", &images)?;
        study.figures(&[("autoencoder", model.mean(vanilla, &study.test)?.loss)], Compare::SquaredError { k: 8 })?;
        study.save(&model)
    })
}
