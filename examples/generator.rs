//! A decoder alone is a distribution: Gaussian noise through one hidden layer, and noise on top.
//!
//! z ~ N(0, I), x ~ N(A₂ ReLU(A₁z + b₁) + b₂, γ²I), as in the decoder of Kingma and Welling (2014). Its mean is known:
//! A₂ m + b₂ with mᵢ = μᵢ Φ(μᵢ/sᵢ) + sᵢ φ(μᵢ/sᵢ), where μ = b₁ and sᵢ² = (A₁A₁ᵀ)ᵢᵢ. Look at the samples' mean beside it.
//! The classic mistake is γ in the place of γ², and a decoder's output without its noise taken for a sample.

use common::{Defaults, Trial};
use diabolo::nn::dense;
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

/// The standard deviation of what the decoder does not explain.
#[constant]
pub const GAMMA: f64 = 0.3;

#[network]
pub fn first(z: Tensor<B, 3>) -> Tensor<B, 8> {
    dense(z, 8, init = normal_init(1.0))
}

#[network]
pub fn second(h: Tensor<B, 8>) -> Tensor<B, 2> {
    dense(h, 2, init = normal_init(0.5))
}

#[function]
pub fn sample() -> Tensor<B, 2> {
    let z: Tensor<B, 3> = normal();
    second(relu(first(z))) + GAMMA * normal()
}

/// The mean of `sample`: the pre-activation of every unit is Gaussian, and A₁ is the Jacobian of the first layer.
#[function]
pub fn mean_of_samples() -> Tensor<B, 2> {
    let origin: Tensor<B, 3> = zeros();
    let mean = first(origin);
    let deviation = sqrt(sum(square(jacobian(first, origin)), axis = 2));
    let t = mean / deviation;
    let below = 0.5 * (1.0 + erf(t / sqrt(2.0)));
    let density = exp(-0.5 * square(t)) / sqrt(6.283185307179586);
    second(mean * below + deviation * density)
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("generator", Defaults::default())?;
    let rows = if trial.flags.smoke { 10_000 } else { 1_000_000 };
    let model = Model::<f32>::untrained(sample, trial.flags.seed)?;
    let samples = model.run(sample, &rows)?;
    let exact = model.run(mean_of_samples, &1)?;
    let mut distance = Figures::new("relative distance of the samples' mean from theory");
    for axis in 0..2 {
        let mean = samples.iter().map(|x| f64::from(x[axis])).sum::<f64>() / rows as f64;
        let theory = f64::from(exact.values()[axis]);
        println!("x{axis}: mean {mean:.4}, in theory {theory:.4}");
        distance = distance.row(&format!("x{axis}"), (mean / theory - 1.0).abs());
    }
    let shown = 4000.min(rows);
    report::scatter(trial.run.path("samples.png"), "samples", samples.iter().take(shown), &vec![0.0; shown])?;
    trial.conclude(&distance)
}
