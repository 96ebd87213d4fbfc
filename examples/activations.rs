//! Gaussians through every activation of the language.
//!
//! h ~ N(b, AAᵀ), X = g(h): the change of variables for a strictly monotone g, p_X = p_h(g⁻¹) |dg⁻¹|; for ReLU there is
//! no density: P(X = 0) = Φ(−μ/s), E X = μ Φ(μ/s) + s φ(μ/s). Look at the samples' means beside those of a quadrature
//! that is written with the same functions. The classic mistake is a density where g is flat: mass sits on a point.

use common::{Defaults, Trial};
use diabolo::prelude::*;
use diabolo::report::Figures;

pub const NAMES: [&str; 10] =
    ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus", "erf", "soft_threshold"];

#[network]
fn matrix() -> Tensor<3, 3> {
    param(normal_init(0.7))
}

#[network]
fn shift() -> Tensor<3> {
    param(normal_init(0.5))
}

/// h ~ N(b, AAᵀ).
#[function]
pub fn gaussian() -> Tensor<B, 3> {
    let z: Tensor<B, 3> = normal();
    einsum("bk,dk->bd", z, matrix()) + shift()
}

/// All of them, one after the other.
#[function]
pub fn activated(h: Tensor<B, 3>) -> Tensor<B, 30> {
    concat(
        relu(h),
        leaky_relu(h),
        elu(h),
        gelu(h),
        silu(h),
        tanh(h),
        sigmoid(h),
        softplus(h),
        erf(h),
        soft_threshold(h, 0.5),
    )
}

/// E g(b + s t), t ~ N(0, 1): a sum over steps of 1/40 from −8 to 8.
#[function]
pub fn expected() -> Tensor<B, 30> {
    let deviation = sqrt(sum(square(matrix()), axis = 2));
    let mut mean: Tensor<B, 30> = zeros();
    for i in 0..641 {
        let t = i / 40.0 - 8.0;
        let h: Tensor<B, 3> = zeros() + (shift() + t * deviation);
        mean += exp(-0.5 * square(t)) / (40.0 * sqrt(6.283185307179586)) * activated(h);
    }
    mean
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("activations", Defaults::default())?;
    let rows = if trial.flags.smoke { 10_000 } else { 1_000_000 };
    let model = Model::<f32>::untrained(gaussian, trial.flags.seed)?;
    let h = model.run(gaussian, &rows)?;
    let (samples, exact) = (model.run(activated, &h)?, model.run(expected, &1)?);
    let mut distance = Figures::new("largest distance of the three means from theory");
    for (i, name) in NAMES.iter().enumerate() {
        let mean = |at: usize| samples.iter().map(|x| f64::from(x[at])).sum::<f64>() / rows as f64;
        let (means, theory) = ([3 * i, 3 * i + 1, 3 * i + 2].map(mean), &exact.values()[3 * i..3 * i + 3]);
        println!("E {name:15} {means:8.4?}, in theory {theory:8.4?}");
        let apart = means.iter().zip(theory).map(|(mean, theory)| (mean - f64::from(*theory)).abs());
        distance = distance.row(name, apart.fold(0.0, f64::max));
    }
    trial.conclude(&distance)
}
