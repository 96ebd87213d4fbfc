//! The deep autoencoder with cross-entropy: pixels as probabilities.
//!
//! Loss: −Σ x log x̂ + (1 − x) log(1 − x̂) in nats an image, x̂ = σ(l), computed from the logits l (Hinton and
//! Salakhutdinov 2006). Grey pixels keep it above 0: its floor is Σ H(x), the entropy of the image itself. Look at
//! the nats above the floor. Classic mistakes: to forget the minus sign, and to take the logarithm of a sigmoid
//! that has rounded to 0.

use common::{Defaults, Study};
use diabolo::nn::{bce, bce_with_logits, dense};
use diabolo::prelude::*;
use diabolo::report::Figures;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(relu(dense(relu(dense(x, 96)), 48)), 8)
}

/// The logits of the pixels.
#[decoder]
pub fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(relu(dense(z, 48)), 96)), 64)
}

#[loss]
pub fn cross_entropy(x: Tensor<B, 64>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    sigmoid(decode(encode(x)))
}

/// The least that any output can reach: each pixel predicts itself.
#[loss]
pub fn floor_of(x: Tensor<B, 64>) -> Tensor<B> {
    bce(x, x)
}

/// An image that answers whatever comes in.
#[network]
pub fn answer() -> Tensor<64> {
    param(zeros())
}

/// The nats of that answer.
#[loss]
pub fn answered(x: Tensor<B, 64>) -> Tensor<B> {
    bce(expand_like(answer(), x), x)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("cross_entropy", Defaults { epochs: 150, batch: 64, lr: 2e-3 })?;
    let (train, test) = (&study.digits.train, &study.digits.test);
    let model = study.train(cross_entropy)?;
    let outputs = study.on_test(&model, reconstruct)?;
    study.picture("reconstructions", &outputs)?;
    let mut mean = Model::<f32>::untrained(answered, 0)?;
    let image = train.mean("x")?.iter().map(|pixel| *pixel as f32).collect();
    mean.set_parameter("answer.weight", &Array::new(&[64], image)?)?;
    study.trial.conclude(
        &Figures::new("nats per test image")
            .row("autoencoder, 8 numbers", model.mean(cross_entropy, test)?.loss)
            .row("mean image", mean.mean(answered, test)?.loss)
            .row("floor", mean.mean(floor_of, test)?.loss),
    )
}
