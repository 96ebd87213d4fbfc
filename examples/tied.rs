//! Tied weights: the decoder is the encoder's transpose.
//!
//! Loss: ‖x − D(E(x))‖² with h = tanh(xW + b), x̂ = hWᵀ + c (Vincent et al. 2010, section 3). One matrix, half the weights. Its
//! gradient is the sum over both paths: as an encoder, and as a decoder. The classic mistake is to copy W
//! and to lose one of the two. Look at the figure beside the untied model, and at the shares of the two paths.

use common::{Defaults, Study};
use diabolo::nn::squared_error;
use diabolo::prelude::*;

#[network]
pub fn weight() -> Tensor<64, 16> {
    param(xavier())
}

/// The decoder's own matrix, where it has one.
#[network]
fn second() -> Tensor<64, 16> {
    param(xavier())
}

#[network]
fn code_bias() -> Tensor<16> {
    param(zeros())
}

#[network]
fn image_bias() -> Tensor<64> {
    param(zeros())
}

/// With these matrices, as rows of pixels, on both sides.
#[function]
fn through(x: Tensor<B, 64>, encoder: Tensor<64, 16>, decoder: Tensor<64, 16>) -> Tensor<B, 64> {
    let h = tanh(einsum("bd,dk->bk", x, encoder) + code_bias());
    einsum("bk,dk->bd", h, decoder) + image_bias()
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    through(x, weight(), weight())
}

#[loss]
pub fn tied(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

#[loss]
pub fn untied(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(through(x, weight(), second()), x)
}

/// The gradient of the mean loss by W: of the whole, through the encoder alone, through the decoder alone.
#[function]
pub fn slopes(x: Tensor<B, 64>) -> (Tensor<64, 16>, Tensor<64, 16>, Tensor<64, 16>) {
    let error = |encoder, decoder| batch_mean(squared_error(through(x, encoder, decoder), x));
    (
        grad(|w| error(w, w), weight()),
        grad(|w| error(w, weight()), weight()),
        grad(|w| error(weight(), w), weight()),
    )
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("tied", Defaults { epochs: 200, batch: 64, lr: 2e-3 })?;
    let model = study.train(tied)?;
    let free = study.train(untied)?;

    // Where training began, and in double precision: at the end the sum is nearly 0.
    let start = Model::<f64>::untrained(tied, study.trial.flags.seed)?;
    let (whole, encoder, decoder) = start.run(slopes, &study.digits.train)?;
    let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let parts = encoder.values().iter().zip(decoder.values());
    let rest: Vec<f64> = whole.values().iter().zip(parts).map(|(w, (e, d))| w - e - d).collect();
    println!(
        "\ngradient at the start {:.4}: {:.4} as an encoder, {:.4} as a decoder; the whole less both {:.1e}",
        norm(whole.values()),
        norm(encoder.values()),
        norm(decoder.values()),
        norm(&rest)
    );

    let outputs = study.on_test(&model, reconstruct)?;
    study.picture("reconstructions", &outputs)?;
    println!("weights: tied {}, untied {}", model.weights(), free.weights());
    let test = &study.digits.test;
    study.conclude(&[("tied", model.mean(tied, test)?.loss), ("untied", free.mean(untied, test)?.loss)], 16)
}
