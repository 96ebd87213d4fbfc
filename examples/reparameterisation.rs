//! Two estimates of the gradient of an expectation: through the sample, and through its density.
//!
//! ∂E z² by the parameters of z ~ N(μ, σ²) is (2μ, 2σ). *Reparameterised*, z = μ + σε, one differentiates z² itself
//! (Kingma and Welling 2014); by the *score function*, z² ∂ log p(z) (Williams 1992), which needs no derivative of what
//! is averaged, and pays for it in variance. Look at the standard errors: how many times more samples the second takes.
//! The classic mistake is to optimise over ε: one optimises μ and σ, averaged over ε.

use common::{Defaults, Trial};
use diabolo::kernels::Float;
use diabolo::nn::log_normal;
use diabolo::prelude::*;
use diabolo::report::Figures;

/// What is averaged.
#[function]
fn value(z: Tensor<B, 1>) -> Tensor<B> {
    sum_squares(z)
}

/// By μ and by σ, one sample a row.
#[function]
pub fn reparameterised(mean: Tensor<B, 1>, deviation: Tensor<B, 1>) -> (Tensor<B, 1>, Tensor<B, 1>) {
    let noise = normal_like(mean);
    (grad(|m| value(m + deviation * noise), mean), grad(|s| value(mean + s * noise), deviation))
}

/// The same by the score function.
#[function]
pub fn score_function(mean: Tensor<B, 1>, deviation: Tensor<B, 1>) -> (Tensor<B, 1>, Tensor<B, 1>) {
    let z = mean + deviation * normal_like(mean);
    let weight = unsqueeze(value(z), 1);
    let by_mean = grad(|m| log_normal(z, mean = m, logvar = 2.0 * log(deviation)), mean);
    let by_deviation = grad(|s| log_normal(z, mean = mean, logvar = 2.0 * log(s)), deviation);
    (weight * by_mean, weight * by_deviation)
}

/// So many rows of μ and σ.
pub fn parameters(rows: usize, mean: f64, deviation: f64) -> diabolo::Result<Data> {
    Data::new().with("mean", &[1], vec![mean; rows])?.with("deviation", &[1], vec![deviation; rows])
}

/// The mean of samples, and its standard error.
pub fn estimate<F: Float>(samples: &Array<F>) -> (f64, f64) {
    let n = samples.rows() as f64;
    let values = || samples.values().iter().map(|v| v.to_f64());
    let mean = values().sum::<f64>() / n;
    (mean, (values().map(|v| (v - mean).powi(2)).sum::<f64>() / n / n).sqrt())
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("reparameterisation", Defaults::default())?;
    let rows = if trial.flags.smoke { 20_000 } else { 1_000_000 };
    let (mean, deviation) = (1.5, 0.7);
    let data = parameters(rows, mean, deviation)?;
    let model = Model::<f32>::untrained(reparameterised, trial.flags.seed)?;
    let (through, density) = (model.run(reparameterised, &data)?, model.run(score_function, &data)?);
    let mut figures = Figures::new("standard error of one sample, relative to the gradient");
    for (name, truth, through, density) in
        [("by μ", 2.0 * mean, &through.0, &density.0), ("by σ", 2.0 * deviation, &through.1, &density.1)]
    {
        let ((a, a_error), (b, b_error)) = (estimate(through), estimate(density));
        println!(
            "{name}: {truth} in truth, {a:.4} ± {a_error:.4} reparameterised, {b:.4} ± {b_error:.4} by the score function"
        );
        let one = |error: f64| error * (rows as f64).sqrt() / truth;
        figures = figures.row(&format!("{name}, reparameterised"), one(a_error));
        figures = figures.row(&format!("{name}, score function"), one(b_error));
    }
    trial.conclude(&figures)
}
