//! The first autoencoder: 64 pixels through 8 numbers and back, on real digits.
//!
//! Loss: the squared error ‖x − D(E(x))‖², summed over pixels. Look at the figure beside PCA with the same
//! 8 numbers, and at the picture: inputs above reconstructions.

use common::{Defaults, Study};
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

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

#[loss]
pub fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("first", Defaults { epochs: 300, batch: 64, lr: 2e-3 })?;
    let model = study.train(vanilla)?;
    let outputs = study.on_test(&model, reconstruct)?;
    study.picture("reconstructions", &outputs)?;
    study.conclude(&[("autoencoder, 8 numbers", study.squared_error(&outputs)?)], 8)
}
