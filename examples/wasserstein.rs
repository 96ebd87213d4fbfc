//! The Wasserstein GAN (Arjovsky et al. 2017): a critic that measures how far apart two distributions lie.
//!
//! Over critics f of slope at most 1, the largest E f(x) − E f(y) is the distance W₁. Two ways to bound the slope: clip
//! every weight, and divide by the steepest slope that f then has; or penalise (‖∇f‖ − 1)² between the samples
//! (Gulrajani et al. 2017), whose optimum lies above W₁ by ∫ΔF²/2λp̂, the less the larger λ is. In one dimension the
//! distance of N(0, 1) and N(μ, 1) is |μ|: look at both beside it. Then a generator finds N(2, ½²) by a clipped critic.
//! The classic mistake: λ large from the start holds a slope of the wrong sign at −1, for the way to 1 leads through 0.

use common::{Defaults, Trial};
use diabolo::Model;
use diabolo::data::{Array, Data};
use diabolo::nn::{dense, gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss};
use diabolo::prelude::*;
use diabolo::projection::clip;
use diabolo::report::Figures;

/// Clipped rectifiers have their corners within ±1 of what they are given: a sixth of the line.
#[network]
pub fn critic(x: Tensor<B, 1>) -> Tensor<B> {
    squeeze(dense(relu(dense(relu(dense(x / 6.0, 32)), 32)), 1))
}

#[function]
pub fn slope(x: Tensor<B, 1>) -> Tensor<B> {
    abs(squeeze(grad(critic, x)))
}

/// N(shift, 1) against N(0, 1); every step draws fresh samples. Needs a bound on the critic.
#[loss]
pub fn bounded(shift: f32) -> Tensor<B> {
    let x: Tensor<B, 1> = normal();
    let y: Tensor<B, 1> = normal();
    wasserstein_critic_loss(critic(x + shift), critic(y))
}

#[loss]
pub fn penalised(shift: f32, #[default(100.0)] lambda: f32) -> Tensor<B> {
    let x: Tensor<B, 1> = normal();
    let x = x + shift;
    let y: Tensor<B, 1> = normal();
    let distance = critic(x) - critic(y);
    lambda * gradient_penalty(critic, x, y) - distance
}

#[network]
pub fn generate(z: Tensor<B, 1>) -> Tensor<B, 1> {
    dense(z, 1)
}

#[function]
pub fn made() -> Tensor<B, 1> {
    generate(normal())
}

#[loss(trains(critic))]
pub fn criticise() -> Tensor<B> {
    let x: Tensor<B, 1> = normal();
    wasserstein_critic_loss(critic(2.0 + 0.5 * x), critic(made()))
}

#[loss(trains(generate))]
pub fn deceive() -> Tensor<B> {
    wasserstein_generator_loss(critic(made()))
}

/// From 0.1 to 100 over the first half of training: a slope finds its sign before its size is held.
pub fn rising(share: f64) -> f64 {
    0.1 * 1000f64.powf((2.0 * share).min(1.0))
}

/// The mean difference that a clipped critic makes, divided by its steepest slope within ±8.
pub fn distance(model: &Model, shift: f32, samples: usize) -> diabolo::Result<f64> {
    let line = Array::new(&[1601, 1], (0..1601).map(|i| i as f32 / 100.0 - 8.0).collect())?;
    let steepest = model.run(slope, &line)?.into_values().into_iter().fold(0.0, f32::max);
    Ok(-model.mean(bounded { shift }, &samples)?.loss / f64::from(steepest))
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("wasserstein", Defaults { epochs: 20, batch: 256, lr: 1e-3 })?;
    let rate = trial.flags.lr as f32;
    let rows = Data::without_columns(if trial.flags.smoke { 256 } else { 25_600 });
    for shift in [0.5, 1.0, 2.0] {
        let trainer =
            Trainer::new(bounded { shift }).optimizer(RmsProp::new(rate)).project(critic, clip(0.1));
        let model = trial.fit_with(trainer, &rows)?.seed(1);
        let clipped = distance(&model, shift, 100_000)?;
        let loss = penalised { shift, lambda: 100.0 };
        let model = trial.fit(Trainer::new(loss).anneal("lambda", rising), &rows)?.seed(1);
        let means = model.mean(loss, &100_000usize)?;
        let penalised = means.part("distance").unwrap_or(f64::NAN);
        println!("\nW₁ = {shift}: clipped {clipped:.4}, penalised {penalised:.4}\n");
    }

    let trainer = Trainer::alternate((criticise, deceive))
        .optimizers((RmsProp::new(rate), RmsProp::new(rate)))
        .every((5, 1))
        .project(critic, clip(0.1));
    let model = trial.fit_with(trainer, &rows)?;
    let points = model.run(made, &100_000usize)?;
    let mean = points.mean();
    let spread =
        points.values().iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / points.rows() as f64;
    let figures = Figures::new("N(2, 0.5²) by a generator: off by").row("mean", (mean - 2.0).abs());
    trial.conclude(&figures.row("standard deviation", (spread.sqrt() - 0.5).abs()))
}
