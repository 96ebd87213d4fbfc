//! Recurrent autoencoders: an image read line by line, remembered in 8 numbers, and written line by line.
//!
//! Loss: Σ_t ‖x_t − x̂_t‖² over the eight lines x_t of a digit. The encoder is the last state of a loop over the lines, the
//! decoder a loop that is given the code at every step (Srivastava et al. 2015; the cells: GRU of Cho et al. 2014, LSTM of
//! Hochreiter and Schmidhuber 1997). `scan` and the layers over it run for any number of steps; gradients go back
//! through all of them. Look at both beside PCA with as many numbers.

use common::{Defaults, Study};
use diabolo::nn::{dense, gru, lstm, squared_error};
use diabolo::prelude::*;

#[encoder]
pub fn read_gru(x: Tensor<B, 8, 8>) -> Tensor<B, 8> {
    dense(last(gru(x, 64)), 8)
}

#[decoder]
pub fn write_gru(z: Tensor<B, 8>) -> Tensor<B, 8, 8> {
    dense(gru(at_every_step(z), 64), 8)
}

#[encoder]
pub fn read_lstm(x: Tensor<B, 8, 8>) -> Tensor<B, 8> {
    dense(last(lstm(x, 64)), 8)
}

#[decoder]
pub fn write_lstm(z: Tensor<B, 8>) -> Tensor<B, 8, 8> {
    dense(lstm(at_every_step(z), 64), 8)
}

/// The code, once for each of the eight lines.
#[function]
fn at_every_step(z: Tensor<B, 8>) -> Tensor<B, 8, 8> {
    unsqueeze(z, 1) + zeros()
}

#[function]
pub fn by_gru(x: Tensor<B, 64>) -> Tensor<B, 64> {
    flatten(write_gru(read_gru(reshape(x, 8, 8))))
}

#[function]
pub fn by_lstm(x: Tensor<B, 64>) -> Tensor<B, 64> {
    flatten(write_lstm(read_lstm(reshape(x, 8, 8))))
}

#[loss]
pub fn gated(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(by_gru(x), x)
}

#[loss]
pub fn remembering(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(by_lstm(x), x)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("recurrent", Defaults { epochs: 40, batch: 64, lr: 3e-3 })?;
    let (gru, lstm) = (study.train(gated)?, study.train(remembering)?);
    let (gru, lstm) = (study.on_test(&gru, by_gru)?, study.on_test(&lstm, by_lstm)?);
    study.picture("gru", &gru)?;
    study.picture("lstm", &lstm)?;
    study.conclude(
        &[("GRU, 8 numbers", study.squared_error(&gru)?), ("LSTM, 8 numbers", study.squared_error(&lstm)?)],
        8,
    )
}
