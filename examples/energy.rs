//! A sigmoid autoencoder with tied weights is the energy of a belief net.
//!
//! p(x) ∝ Σ_h exp(−½‖x − c‖² + hᵀ(Wx + b)) over binary h is exp(−F), F = ½‖x − c‖² − Σ softplus(Wx + b), and its slope
//! is the autoencoder: r(x) − x = −∇F, r(x) = c + Wᵀ σ(Wx + b) (Vincent 2011). Look at how exactly `grad` agrees, at how
//! many digits have less energy than their own pixels in another order, and at what noise settles to where energy is low.

use common::{Defaults, Study};
use diabolo::nn::{langevin, squared_error};
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

/// The standard deviation of the noise in training: (r(x) − x)/σ² is the score then.
#[constant]
pub const SIGMA: f64 = 0.3;

#[network]
fn weight() -> Tensor<128, 64> {
    param(normal_init(0.1))
}

#[network]
fn hidden_bias() -> Tensor<128> {
    param(zeros())
}

#[network]
fn visible_bias() -> Tensor<64> {
    param(zeros())
}

#[function]
fn hidden(x: Tensor<B, 64>) -> Tensor<B, 128> {
    einsum("bd,kd->bk", x, weight()) + hidden_bias()
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    visible_bias() + einsum("bk,kd->bd", sigmoid(hidden(x)), weight())
}

#[function]
pub fn free_energy(x: Tensor<B, 64>) -> Tensor<B> {
    0.5 * squared_error(x, visible_bias() + zeros()) - sum(softplus(hidden(x)))
}

#[loss]
pub fn denoising(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x + SIGMA * normal_like(x)), x)
}

/// The largest element of r(x) − x + ∇F(x).
#[function]
pub fn gap(x: Tensor<B, 64>) -> Tensor<B> {
    max(abs(reconstruct(x) - x + grad(free_energy, x)))
}

/// A step of Langevin's towards lower energy.
#[function]
fn settle(x: Tensor<B, 64>, step: f32) -> Tensor<B, 64> {
    langevin(|x| (reconstruct(x) - x) / (SIGMA * SIGMA), x, step)
}

/// Where noise starts.
#[function]
fn noise() -> Tensor<B, 64> {
    0.5 + 0.5 * normal()
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("energy", Defaults { epochs: 200, batch: 64, lr: 2e-3 })?;
    let model = study.fit(Trainer::new(denoising).schedule(Schedule::Cosine { warmup: 0.02 }))?;
    let test = study.digits.test.array::<f32>("x")?;
    let gaps = study.on_test(&model, gap)?;
    println!(
        "\nlargest element of r(x) − x + ∇F(x): {:.1e}",
        gaps.values().iter().fold(0.0f32, |a, b| a.max(*b))
    );

    let order = (0..64).map(|i| (29 * i + 11) % 64);
    let mixed = test.iter().flat_map(|image| order.clone().map(|i| image[i])).collect();
    let (real, mixed) =
        (model.run(free_energy, &test)?, model.run(free_energy, &Array::new(test.shape(), mixed)?)?);
    let lower = real.values().iter().zip(mixed.values()).filter(|(real, mixed)| real < mixed).count();
    println!("energy falls from another order to the digit for {lower} of {}", test.rows());

    let start = model.run(noise, &24)?;
    let steps = if study.trial.flags.smoke { 10 } else { 300 };
    let settled = model.iterate(settle { step: 0.02 }, start.clone(), steps)?;
    let clean = model.run(reconstruct, &settled)?;
    let strips = [&start, &settled, &clean].map(|images| images.iter().collect());
    report::strips(study.trial.run.path("settled.png"), &strips, study.digits.shape)?;
    study.trial.conclude(
        &Figures::new("mean free energy of the test images")
            .row("digits", real.mean())
            .row("their pixels in another order", mixed.mean()),
    )
}
