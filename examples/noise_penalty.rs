//! Noise in the input is a penalty on derivatives.
//!
//! E‖x − r(x + σε)‖² = ‖x − r‖² + σ² (‖∂r‖² − (x − r)ᵀΔr) + O(σ⁴), ε ~ N(0, I) (Bishop 1995, Alain and Bengio 2014).
//! The left side is a quadrature here, exact to order σ⁴; the right side is written with `jacobian` alone. Look at how
//! the difference falls with σ: as σ⁴, and only as σ² where Δr is left out, which is the classic mistake.

use common::{Defaults, Trial};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

#[network]
pub fn reconstruct(x: Tensor<B, 2>) -> Tensor<B, 2> {
    dense(tanh(dense(x, 16)), 2)
}

/// Points around a parabola.
#[function]
pub fn parabola() -> Tensor<B, 2> {
    let t: Tensor<B, 1> = 2.0 * uniform() - 1.0;
    concat(t, square(t)) + 0.1 * normal()
}

#[loss]
pub fn denoising(x: Tensor<B, 2>, #[default(0.2)] sigma: f32) -> Tensor<B> {
    squared_error(reconstruct(x + sigma * normal_like(x)), x)
}

/// The mean of `denoising` over its noise, by the rule of Gauss and Hermite: nodes −√3, 0, √3 along each axis with weights
/// 1/6, 2/3, 1/6, exact for polynomials of the noise up to degree 5.
#[loss]
pub fn averaged(x: Tensor<B, 2>, sigma: f32) -> Tensor<B> {
    let mut mean: Tensor<B> = zeros();
    for i in 0..3 {
        for j in 0..3 {
            let across: Tensor<1> = constant(1.7320508075688772 * (1.0 * i - 1.0));
            let along: Tensor<1> = constant(1.7320508075688772 * (1.0 * j - 1.0));
            let weight = (if i == 1 { 4.0 } else { 1.0 }) * (if j == 1 { 4.0 } else { 1.0 }) / 36.0;
            mean += weight * squared_error(reconstruct(x + sigma * concat(across, along)), x);
        }
    }
    mean
}

/// Its expansion: `laplacian` 0 leaves Δr out.
#[loss]
pub fn expansion(x: Tensor<B, 2>, sigma: f32, #[default(1.0)] laplacian: f32) -> Tensor<B> {
    let left = x - reconstruct(x);
    // A closure sees what is around it as a constant: the Laplacian of Σ leftₖ rₖ is leftᵀΔr.
    let hessian = jacobian(|x| grad(|x| dot(left, reconstruct(x)), x), x);
    let trace = einsum("bij,ij->b", hessian, identity());
    let slope = sum_squares(jacobian(reconstruct, x));
    sum_squares(left) + sigma * sigma * (slope - laplacian * trace)
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("noise_penalty", Defaults { epochs: 40, batch: 128, lr: 5e-3 })?;
    let rows = if trial.flags.smoke { 300 } else { 2000 };
    let points = Model::<f64>::untrained(parabola, trial.flags.seed)?.run(parabola, &rows)?;
    let data = Data::from_array("x", points)?;
    let model = trial.fit(Trainer::new(denoising { sigma: 0.2 }).precision::<f64>(), &data)?;

    let sigmas: Vec<f32> = (0..9).map(|i| 0.005 * 2f32.powf(0.5 * i as f32)).collect();
    let (mut whole, mut slopes) = (Vec::new(), Vec::new());
    for &sigma in &sigmas {
        let exact = model.mean(averaged { sigma }, &data)?.loss;
        let error = |laplacian| Ok((exact - model.mean(expansion { sigma, laplacian }, &data)?.loss).abs());
        let (with, without): (f64, f64) = (error(1.0)?, error(0.0)?);
        println!("σ = {sigma:.3}: off by {with:.2e}, without Δr by {without:.2e}");
        whole.push((f64::from(sigma).log10(), with.log10()));
        slopes.push((f64::from(sigma).log10(), without.log10()));
    }
    let order = |line: &[(f64, f64)]| (line[8].1 - line[0].1) / (line[8].0 - line[0].0);
    println!("\norder in σ {:.3}, in theory 4; without Δr {:.3}, in theory 2", order(&whole), order(&slopes));
    let last = (10f64.powf(whole[8].1), 10f64.powf(slopes[8].1));
    let (axes, series) = (["log σ", "log error"], [("the expansion", whole), ("without Δr", slopes)]);
    report::curve(trial.run.path("orders.png"), "what the expansion leaves", axes, &series)?;
    trial.conclude(
        &Figures::new("error at the largest σ").row("the expansion", last.0).row("without Δr", last.1),
    )
}
