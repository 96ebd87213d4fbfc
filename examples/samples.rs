//! A VAE whose code has unit variance, with N samples an image, and what it becomes without its KL term.
//!
//! Loss: (1/N) Σₛ ‖x − G(μ + εₛ)‖²/2γ² + ½‖μ‖², εₛ ~ N(0, I), γ² fixed. With linear networks the gain of principal
//! component i, the eigenvalue of the reconstruction map, is (1 − γ/√λᵢ)₊; the standard error of the sum falls like N^−½.
//! The classic mistake is to leave out the KL term ½‖μ‖²: the encoder then grows until noise means nothing, by
//! L(A/c, cB) − L_AE = ‖A‖²/2γ²c², and what is left is the plain autoencoder, from whose prior nothing can be drawn.

use common::{Defaults, Study};
use diabolo::Result;
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::Figures;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(x, 8, bias = false)
}

#[decoder]
pub fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(z, 64, bias = false)
}

/// −log N(x; G(μ + ε), γ² I), less its constant.
#[function]
pub fn misfit(x: Tensor<B, 64>, noise: Tensor<B, 8>, variance: f32) -> Tensor<B> {
    squared_error(decode(encode(x) + noise), x) / (2.0 * variance)
}

/// Its mean over N samples.
#[function]
pub fn averaged<#[values(1, 4, 16, 64)] const N: usize>(x: Tensor<B, 64>, variance: f32) -> Tensor<B> {
    mean(misfit(repeat(x, N), normal(), variance), axis = rows)
}

/// KL(N(μ, I) ‖ N(0, I)).
#[loss]
pub fn divergence(x: Tensor<B, 64>) -> Tensor<B> {
    0.5 * sum_squares(encode(x))
}

#[loss]
pub fn unit_variance<#[values(1, 4, 16, 64)] const N: usize>(
    x: Tensor<B, 64>,
    #[default(0.05)] variance: f32,
) -> Tensor<B> {
    let recon = averaged::<N>(x, variance);
    let kl = divergence(x);
    recon + kl
}

/// The mistake.
#[loss]
pub fn without_kl(x: Tensor<B, 64>, #[default(0.05)] variance: f32) -> Tensor<B> {
    misfit(x, normal(), variance)
}

#[loss]
pub fn plain(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

/// The standard error of an image's reconstruction term: from what two draws differ by.
fn standard_error(model: &Model, samples: usize, data: &Data) -> Result<f64> {
    let draw = |seed| model.clone().seed(seed).run(averaged { N: samples, variance: 0.05 }, data);
    let (a, b) = (draw(1)?, draw(2)?);
    let squares = a.values().iter().zip(b.values()).map(|(a, b)| f64::from(a - b).powi(2));
    Ok((squares.sum::<f64>() / (2 * a.rows()) as f64).sqrt())
}

fn main() -> Result<()> {
    let mut study = Study::begin("samples", Defaults { epochs: 334, batch: 64, lr: 1e-2 })?;
    let pca = study.pca(8)?;
    study.digits.train = study.digits.train.center("x", pca.mean())?;
    let train = &study.digits.train;
    let cosine = Schedule::Cosine { warmup: 0.0 };

    let model = study.fit(Trainer::new(unit_variance::<4>).schedule(cosine))?;
    println!("\ncomponent  eigenvalue   gain  (1 − γ/√λ)₊");
    for (i, (gain, lambda)) in
        study.gains(&model, reconstruct, &pca)?.iter().zip(pca.eigenvalues()).enumerate()
    {
        let theory = (1.0 - (0.05 / lambda).sqrt()).max(0.0);
        println!("{:9}  {lambda:10.4}  {gain:5.3}  {theory:11.3}", i + 1);
    }
    println!("\nsamples  standard error of an image's reconstruction term, nats");
    for samples in [1, 4, 16, 64] {
        let error = standard_error(&model, samples, train)?;
        println!("{samples:7}  {error:.4} = {:.4} / √N", error * (samples as f64).sqrt());
    }
    println!();

    let plainly = study.fit(Trainer::new(plain).schedule(cosine))?;
    let mistaken = study.fit(Trainer::new(without_kl).schedule(cosine))?;
    let size = |model: &Model| Ok::<_, diabolo::Error>(2.0 * model.mean(divergence, train)?.loss / 8.0);
    println!("\nE μ² of a unit of the code, whose noise has variance 1");
    let theory = pca.eigenvalues()[..8].iter().map(|lambda| (lambda / 0.05).sqrt() - 1.0).sum::<f64>() / 8.0;
    println!("  with the KL term    {:8.3} (√λ/γ − 1, on average: {theory:.3})", size(&model)?);
    println!("  without it          {:8.3}", size(&mistaken)?);

    // 2γ² times the reconstruction term.
    let error = |model: &Model| Ok::<_, diabolo::Error>(0.1 * model.mean(without_kl, train)?.loss);
    let figures = Figures::new("squared error per training image, through the noise")
        .row("without the KL term", error(&mistaken)?)
        .row("with it", error(&model)?)
        .row("plain autoencoder, no noise", plainly.mean(plain, train)?.loss)
        .row("the least, Σ of the eigenvalues left out", study.pca(64)?.eigenvalues()[8..].iter().sum());
    study.trial.conclude(&figures)
}
