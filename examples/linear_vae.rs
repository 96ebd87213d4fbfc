//! The linear VAE, which learns its noise: probabilistic PCA, found by sampling.
//!
//! Loss: −E log N(x; Wz + b, γ²I) + KL(q(z|x) ‖ N(0, I)), with γ² learned beside W and b. The best linear encoder with one
//! variance a unit loses nothing (Lucas et al. 2019, "Don't blame the ELBO!"): the maximum of the evidence bound *is*
//! the likelihood of probabilistic PCA (Tipping and Bishop 1999, equations 7 and 8), −½ (d log 2π + Σ_{i≤k} log λᵢ +
//! (d − k) log γ² + d) at γ² = the mean of the other eigenvalues. Look at how near it comes. The classic mistake is to
//! drop the constants of the density: with γ² learned, d log γ is none.

use common::{Defaults, Study};
use diabolo::nn::{dense, gaussian_nll, kl_normal};
use diabolo::prelude::*;
use diabolo::report::Figures;

/// The means, and the log-variances, which are those of every image.
#[encoder]
pub fn encode(x: Tensor<B, 64>) -> (Tensor<B, 8>, Tensor<B, 8>) {
    let mean = dense(x, 8);
    let logvar: Tensor<8> = param(zeros());
    (mean, expand_like(logvar, mean))
}

/// The mean of an image, and log γ².
#[decoder]
pub fn decode(z: Tensor<B, 8>) -> (Tensor<B, 64>, Scalar) {
    let logvar: Scalar = param(zeros());
    (dense(z, 64), logvar)
}

/// The loss, given the noise: reconstruction and KL.
#[function]
pub fn objective(x: Tensor<B, 64>, noise: Tensor<B, 8>) -> (Tensor<B>, Tensor<B>) {
    let (mean, logvar) = encode(x);
    let (image, gamma) = decode(mean + exp(0.5 * logvar) * noise);
    (gaussian_nll(image, x, logvar = gamma), kl_normal(mean, logvar))
}

#[loss]
pub fn linear_vae(x: Tensor<B, 64>) -> Tensor<B> {
    let (recon, kl) = objective(x, normal());
    recon + kl
}

/// Fifty draws an image, so that the bound is known to a thousandth.
#[function]
pub fn bound(x: Tensor<B, 64>) -> Tensor<B> {
    let (recon, kl) = objective(repeat(x, 50), normal());
    -mean(recon + kl, axis = rows)
}

/// The log-likelihood of probabilistic PCA with k components on its own data, a sample: the bound's upper bound.
pub fn likelihood(eigenvalues: &[f64], k: usize) -> f64 {
    let d = eigenvalues.len() as f64;
    let noise = eigenvalues[k..].iter().sum::<f64>() / (d - k as f64);
    let logs: f64 = eigenvalues[..k].iter().map(|l| l.ln()).sum();
    -0.5 * (d * std::f64::consts::TAU.ln() + logs + (d - k as f64) * noise.ln() + d)
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let (mean, _) = encode(x);
    let (image, _) = decode(mean);
    image
}

#[function]
fn sample() -> Tensor<B, 64> {
    let z: Tensor<B, 8> = normal();
    let (image, gamma) = decode(z);
    image + exp(0.5 * gamma) * normal_like(image)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("linear_vae", Defaults { epochs: 300, batch: 64, lr: 5e-3 })?;
    let model = study.fit(Trainer::new(linear_vae).schedule(Schedule::Cosine { warmup: 0.02 }))?;
    let eigenvalues = study.pca(64)?.eigenvalues().to_vec();
    let noise = eigenvalues[8..].iter().sum::<f64>() / 56.0;
    println!(
        "\nγ² {:.6}, and {noise:.6} is the mean of the eigenvalues left out\n",
        model.parameter("decode.logvar")?.values()[0].exp()
    );
    study.picture("reconstructions", &study.on_test(&model, reconstruct)?)?;
    study.samples(&model, sample)?;
    let train = model.run(bound, &study.digits.train)?.mean();
    let figures = Figures::new("nats a sample (of a density: more is better)").higher_is_better();
    study.trial.conclude(
        &figures
            .row("evidence bound, training images", train)
            .row("probabilistic PCA, training images", likelihood(&eigenvalues, 8))
            .row("evidence bound, test images", model.run(bound, &study.digits.test)?.mean()),
    )
}
