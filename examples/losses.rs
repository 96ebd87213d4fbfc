//! Just change the loss: eight autoencoders over one encoder and one decoder.
//!
//! The networks are written once. Each loss below is one function of a few lines; the last one is of our
//! own. Look at the table: every model is judged by the same squared error on the test set.

use common::{Defaults, Study};
use diabolo::nn::{bce_with_logits, dense, huber, kl_normal, l1, squared_error};
use diabolo::prelude::*;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 16> {
    dense(relu(dense(x, 128)), 16)
}

#[decoder]
pub fn decode(z: Tensor<B, 16>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128)), 64) // logits
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    sigmoid(decode(encode(x)))
}

#[function]
fn sample() -> Tensor<B, 64> {
    let z: Tensor<B, 16> = normal();
    sigmoid(decode(z))
}

/// ‖x − x̂‖².
#[loss]
pub fn plain(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

/// The cross-entropy of grey pixels, from logits.
#[loss]
pub fn cross_entropy(x: Tensor<B, 64>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

/// A code with few active units.
#[loss]
pub fn sparse(x: Tensor<B, 64>, #[default(0.02)] lambda: f32) -> Tensor<B> {
    plain(x) + lambda * l1(encode(x))
}

/// The clean digit from a noisy one (Vincent et al. 2008).
#[loss]
pub fn denoising(x: Tensor<B, 64>, #[default(0.2)] sigma: f32) -> Tensor<B> {
    squared_error(reconstruct(x + sigma * normal_like(x)), x)
}

/// A code that does not move when the input trembles (Rifai et al. 2011).
#[loss]
pub fn contractive(x: Tensor<B, 64>, #[default(0.01)] lambda: f32) -> Tensor<B> {
    plain(x) + lambda * sum_squares(jacobian(encode, x))
}

/// A VAE whose code has unit variance, with β.
#[loss]
pub fn beta_vae(x: Tensor<B, 64>, #[default(0.5)] beta: f32) -> Tensor<B> {
    let mean = encode(x);
    let logvar: Tensor<B, 16> = zeros();
    let recon = bce_with_logits(decode(mean + normal_like(mean)), x);
    let kl = kl_normal(mean, logvar);
    recon + beta * kl
}

/// Squares for small errors, absolute values for large ones (Huber 1964).
#[loss]
pub fn robust(x: Tensor<B, 64>, #[default(0.3)] delta: f32) -> Tensor<B> {
    huber(reconstruct(x), x, delta)
}

/// Our own: errors on ink weigh four times as much as errors on paper.
#[loss]
pub fn ink(x: Tensor<B, 64>) -> Tensor<B> {
    let weight = 1.0 + 3.0 * x;
    sum(weight * square(reconstruct(x) - x))
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("losses", Defaults { epochs: 60, batch: 64, lr: 2e-3 })?;
    let models = [
        ("plain", study.train(plain)?),
        ("cross-entropy", study.train(cross_entropy)?),
        ("sparse, L1", study.train(sparse)?),
        ("denoising", study.train(denoising)?),
        ("contractive", study.train(contractive)?),
        ("VAE, β = 0.5", study.train(beta_vae)?),
        ("robust, Huber", study.train(robust)?),
        ("our own: ink", study.train(ink)?),
    ];
    let mut errors = Vec::new();
    for (name, model) in &models {
        let outputs = study.on_test(model, reconstruct)?;
        study.picture(&name.replace([' ', ',', ':', '.', '='], ""), &outputs)?;
        errors.push((*name, study.squared_error(&outputs)?));
    }
    study.samples(&models[5].1, sample)?;
    study.conclude(&errors, 16)
}
