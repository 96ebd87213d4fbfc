//! A convolutional autoencoder: strided convolutions down to two by two positions, and their transposes back up.
//!
//! 8 × 8 pixels → 16 maps of 4 × 4 → 32 of 2 × 2 → 8 numbers, and back. An element of a map is b + Σ W x over the 3 × 3
//! elements around it, with the same W everywhere (LeCun et al. 1989; as an autoencoder, Masci et al. 2011). Loss:
//! the squared error, summed over pixels. Look at the picture, and at its figure beside that of `first` for as many
//! numbers: dense layers with 18,760 parameters there, 11,753 here, and images too small for places to be alike.

use common::{Defaults, Study};
use diabolo::nn::{conv, conv_transpose, dense, squared_error};
use diabolo::prelude::*;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let h = relu(conv(reshape(x, 1, 8, 8), channels = 16, kernel = 3, stride = 2, padding = 1));
    let h = relu(conv(h, channels = 32, kernel = 3, stride = 2, padding = 1));
    dense(flatten(h), 8)
}

#[decoder]
pub fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    let h = reshape(relu(dense(z, 128)), 32, 2, 2);
    let h = conv_transpose(h, channels = 16, kernel = 3, stride = 2, padding = 1, output_padding = 1);
    flatten(conv_transpose(relu(h), channels = 1, kernel = 3, stride = 2, padding = 1, output_padding = 1))
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

#[loss]
pub fn convolutional(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("convolutional", Defaults { epochs: 150, batch: 64, lr: 2e-3 })?;
    let model = study.train(convolutional)?;
    let outputs = study.on_test(&model, reconstruct)?;
    study.picture("reconstructions", &outputs)?;
    study.conclude(&[("convolutional, 8 numbers", study.squared_error(&outputs)?)], 8)
}
