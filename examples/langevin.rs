//! Langevin sampling: noise and the score are enough to draw from a density.
//!
//! x ← x + ε ∇ log p(x) + √(2ε) z, z ~ N(0, 1) (Roberts and Tweedie 1996). The score is `grad` of the log-density as it
//! is written down; no constant of it is needed. Look at the variance of a Gaussian of precision p, which is not 1/p but
//! 1/(p(1 − εp/2)) as no step is rejected, and at the weights of a mixture. The classic mistake is √ε for √(2ε).

use common::{Defaults, Trial};
use diabolo::nn::langevin;
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

#[function]
pub fn gaussian_step(x: Tensor<B, 1>, precision: f32, step: f32) -> Tensor<B, 1> {
    langevin(|x| grad(|x| -0.5 * precision * sum_squares(x), x), x, step)
}

/// log (0.3 N(x; −1, ½²) + 0.7 N(x; 1, ½²)), up to a constant.
#[function]
pub fn log_mixture(x: Tensor<B, 1>) -> Tensor<B> {
    let weight: Tensor<2> = 0.3 + 0.4 * range(2);
    let centre: Tensor<2> = 2.0 * range(2) - 1.0;
    logsumexp(log(weight) - 2.0 * square(x - centre))
}

#[function]
pub fn mixture_step(x: Tensor<B, 1>, step: f32) -> Tensor<B, 1> {
    langevin(|x| grad(log_mixture, x), x, step)
}

/// Where the chains start.
#[function]
pub fn start() -> Tensor<B, 1> {
    normal()
}

/// The density of the mixture.
#[function]
fn density(x: Tensor<B, 1>) -> Tensor<B> {
    exp(log_mixture(x) - 0.5 * log(1.5707963267948966)) // √(2π) · ½
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("langevin", Defaults::default())?;
    let (chains, steps) = if trial.flags.smoke { (1000, 50) } else { (100_000, 500) };
    let model = Model::<f32>::untrained(start, trial.flags.seed)?;
    let first = model.run(start, &chains)?;

    let (precision, step) = (4.0, 0.1);
    let gaussian = model.iterate(gaussian_step { precision, step }, first, steps)?;
    let variance = gaussian.values().iter().map(|x| f64::from(x * x)).sum::<f64>() / chains as f64;
    let (p, e) = (f64::from(precision), f64::from(step));
    let theory = 1.0 / (p * (1.0 - e * p / 2.0));
    println!("\nGaussian of precision {precision}, 1/p = {:.4}", 1.0 / p);
    println!("  variance after {steps} steps of {step}: {variance:.4}, in theory {theory:.4}");

    let (chains, steps) = (chains / 5, 10 * steps);
    let mixture = model.iterate(mixture_step { step: 0.01 }, model.run(start, &chains)?, steps)?;
    let right = (mixture.mean() + 1.0) / 2.0; // the mean is w − (1 − w)
    println!("mixture of weights 0.3 and 0.7");
    println!("  weights after {steps} steps of 0.01: {:.4} and {right:.4}\n", 1.0 - right);

    let places: Vec<f32> = (-60..60).map(|i| (i as f32 + 0.5) / 20.0).collect();
    let exact = model.run(density, &Array::new(&[places.len(), 1], places.clone())?)?;
    let counted = places.iter().map(|x| {
        let inside = mixture.values().iter().filter(|value| (*value - x).abs() <= 0.025).count();
        inside as f64 / (0.05 * chains as f64)
    });
    let line = |values: Vec<f64>| places.iter().map(|x| f64::from(*x)).zip(values).collect();
    let series = [
        ("chains", line(counted.collect())),
        ("density", line(exact.values().iter().map(|value| f64::from(*value)).collect())),
    ];
    report::curve(trial.run.path("mixture.png"), "0.3 N(−1, ½²) + 0.7 N(1, ½²)", ["x", "density"], &series)?;
    trial.conclude(
        &Figures::new("relative distance from theory")
            .row("variance of the Gaussian", (variance / theory - 1.0).abs())
            .row("weight of the mixture", (right / 0.7 - 1.0).abs()),
    )
}
