//! The linear autoencoder finds the principal components.
//!
//! Loss: ‖x − ABx‖², no biases (Baldi and Hornik 1989). Its minimum on the training set is the sum of the
//! eigenvalues that are left out, Σ_{i>k} λᵢ; an eigendecomposition gives it exactly. Look at how close
//! training comes, and at the decoder's columns: they span the same space but need not be the components.

use common::{Defaults, Study};
use diabolo::nn::squared_error;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let weight: Tensor<64, 8> = param(xavier());
    einsum("bd,dk->bk", x, weight)
}

#[decoder]
fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    let weight: Tensor<8, 64> = param(xavier());
    einsum("bk,kd->bd", z, weight)
}

#[loss]
pub fn linear(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[function]
fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

fn main() -> diabolo::Result<()> {
    let mut study = Study::begin("pca", Defaults { epochs: 300, batch: 64, lr: 2e-3 })?;
    // The loss has no biases: both sides are centred by the training mean, and the mean is added back.
    let mean = study.digits.train.mean("x")?;
    let images = study.digits.clone();
    study.digits.train = images.train.center("x", &mean)?;
    study.digits.test = images.test.center("x", &mean)?;
    let model = study.fit(Trainer::new(linear).schedule(Schedule::Cosine { warmup: 0.02 }))?;

    let exact: f64 = study.pca(64)?.eigenvalues()[8..].iter().sum();
    let reached = model.mean(linear, &study.digits.train)?.loss;
    println!(
        "\ntraining loss {reached:.6}, the eigenvalues left out sum to {exact:.6}: {:+.1e} of it",
        reached / exact - 1.0
    );

    let mut outputs = study.on_test(&model, reconstruct)?;
    let error = study.squared_error(&outputs)?;
    let shifted = outputs
        .into_values()
        .chunks_exact(64)
        .flat_map(|image| {
            image.iter().zip(&mean).map(|(pixel, mean)| pixel + *mean as f32).collect::<Vec<_>>()
        })
        .collect();
    outputs = Array::new(&[images.test.rows(), 64], shifted)?;
    study.digits = images;
    study.picture("reconstructions", &outputs)?;
    study.conclude(&[("linear autoencoder, 8 numbers", error)], 8)
}
