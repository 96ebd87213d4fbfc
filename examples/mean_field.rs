//! Mean-field variational inference: independent Gaussians beside a target whose coordinates are not.
//!
//! Loss: KL(N(μ, diag σ²) ‖ p) = E[log q(z) − log p(z)] with z = μ + σε (Jordan et al. 1999; through samples, Kingma
//! and Welling 2014). Here p is a stationary walk of four steps: each zᵢ is N(1, 1), and neighbours are correlated by ρ.
//! Theory: μ is right and σᵢ² = 1/Λᵢᵢ, Λ the precision of p; at best ½ (Σ log Λᵢᵢ − log det Λ) nats remain. Look at
//! the variances: the mean field is sure where p is not. The classic mistake is to read σᵢ² as the variance of zᵢ,
//! which is 1 here: it is that of zᵢ once all others are known.

use common::{Defaults, Trial};
use diabolo::nn::log_normal;
use diabolo::prelude::*;
use diabolo::report::{Figures, scatter};

/// μ and log σ².
#[network]
pub fn posterior() -> (Tensor<4>, Tensor<4>) {
    let mean: Tensor<4> = param(zeros());
    let logvar: Tensor<4> = param(zeros());
    (mean, logvar)
}

/// log p: z₁ from N(1, 1), and zᵢ₊₁ from N(1 + ρ (zᵢ − 1), 1 − ρ²).
#[function]
pub fn log_target(z: Tensor<B, 4>, rho: f32) -> Tensor<B> {
    let forecast = 1.0 + rho * (slice(z, end = 3) - 1.0);
    let first = log_normal(slice(z, end = 1), mean = 1.0);
    first + log_normal(slice(z, start = 1), mean = forecast, logvar = log(1.0 - square(rho)))
}

/// log q(z) − log p(z), given the noise.
#[function]
pub fn divergence(noise: Tensor<B, 4>, rho: f32) -> Tensor<B> {
    let (mean, logvar) = posterior();
    let z = mean + exp(0.5 * logvar) * noise;
    log_normal(z, mean = mean, logvar = logvar) - log_target(z, rho)
}

#[loss]
pub fn mean_field(#[default(0.9)] rho: f32) -> Tensor<B> {
    divergence(normal(), rho)
}

/// The first two coordinates of samples of q.
#[function]
fn approximation() -> Tensor<B, 2> {
    let (mean, logvar) = posterior();
    let noise: Tensor<B, 4> = normal();
    slice(mean + exp(0.5 * logvar) * noise, end = 2)
}

/// The first two coordinates of samples of p.
#[function]
fn target(rho: f32) -> Tensor<B, 2> {
    let first: Tensor<B, 1> = normal();
    let second = rho * first + sqrt(1.0 - square(rho)) * normal_like(first);
    1.0 + concat(first, second)
}

/// The diagonal of Λ, the inverse of the covariance ρ^|i−j|, and log det Λ.
pub fn precision(rho: f64) -> ([f64; 4], f64) {
    let (end, inner) = (1.0 / (1.0 - rho * rho), (1.0 + rho * rho) / (1.0 - rho * rho));
    ([end, inner, inner, end], -3.0 * (1.0 - rho * rho).ln())
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("mean_field", Defaults { epochs: 300, batch: 512, lr: 0.03 })?;
    // The loss draws all that it needs; data only say how many rows an epoch has.
    let rows = Data::new().with("row", &[], vec![0.0f32; 4096])?;
    let model = trial.fit(Trainer::new(mean_field).schedule(Schedule::Cosine { warmup: 0.0 }), &rows)?;

    let (lambda, log_det) = precision(0.9);
    let (mean, logvar) = (model.parameter("posterior.mean")?, model.parameter("posterior.logvar")?);
    println!("\n      mean   variance   1/Λᵢᵢ   variance of zᵢ under p");
    for (i, lambda) in lambda.iter().enumerate() {
        let (mean, variance) = (mean.values()[i], logvar.values()[i].exp());
        println!("  z{}  {mean:.3}  {variance:8.4}  {:8.4}  {:6.1}", i + 1, 1.0 / lambda, 1.0);
    }

    let samples = [model.run(target { rho: 0.9 }, &2000)?, model.run(approximation, &2000)?];
    let labels = [vec![0.0f32; 2000], vec![1.0; 2000]].concat();
    let points = samples.iter().flatten();
    scatter(trial.run.path("samples.png"), "z₁ and z₂: target (0), mean field (1)", points, &labels)?;
    let least = 0.5 * (lambda.iter().map(|lambda| lambda.ln()).sum::<f64>() - log_det);
    let rows = if trial.flags.smoke { 10_000 } else { 4_000_000 };
    let figures = Figures::new("KL(q ‖ p), nats")
        .row("mean field, trained", model.mean(mean_field, &rows)?.loss)
        .row("the least, ½ (Σ log Λᵢᵢ − log det Λ)", least);
    trial.conclude(&figures)
}
