//! The variational autoencoder, with β.
//!
//! Loss: −E log p(x|z) + β KL(q(z|x) ‖ N(0, I)), in nats a sample (Kingma and Welling 2014; β: Higgins et
//! al. 2017). Look at `recon` and `kl` as they are traded, and at digits that were never drawn by a hand.
//! The classic mistake is to average one part over pixels and sum the other: here both are sums.

use common::{Defaults, Study};
use diabolo::nn::{bce_with_logits, dense, kl_normal};
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> (Tensor<B, 8>, Tensor<B, 8>) {
    let h = relu(dense(x, 128));
    (dense(h, 8), dense(h, 8)) // mean, log-variance
}

#[decoder]
fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128)), 64) // logits
}

#[loss]
pub fn beta_vae(x: Tensor<B, 64>, #[default(1.0)] beta: f32) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);
    let kl = kl_normal(mean, logvar);
    recon + beta * kl
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let (mean, _) = encode(x);
    sigmoid(decode(mean))
}

#[function]
fn sample() -> Tensor<B, 64> {
    let z: Tensor<B, 8> = normal();
    sigmoid(decode(z))
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("vae", Defaults { epochs: 150, batch: 64, lr: 2e-3 })?;
    let model = study.train(beta_vae)?;
    println!("\nnats per test image: {}", model.mean(beta_vae, &study.digits.test)?);
    let outputs = study.on_test(&model, reconstruct)?;
    study.picture("reconstructions", &outputs)?;
    study.samples(&model, sample)?;
    study.conclude(&[("VAE, 8 means", study.squared_error(&outputs)?)], 8)
}
