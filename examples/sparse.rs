//! The sparse autoencoder: rectified units, an L1 penalty, and the bound without which it is vacuous.
//!
//! Loss: ‖x − ReLU(hW̃ + b̃)‖² + λ‖h‖₁, h = ReLU(xW + b) (Ng 2011; Bach et al. 2012 for the bound), where ‖w̃ⱼ‖ ≤ 1 for
//! what each unit draws. The classic mistake leaves the bound out: W shrinks, W̃ grows, every reconstruction stays as it
//! was, the penalty falls towards 0, and no unit falls silent. Look at the units that a digit switches on when λ = 0.2
//! is turned on in a trained autoencoder, with the bound and without it.

use common::{Defaults, Study};
use diabolo::nn::{dense, l1, squared_error};
use diabolo::prelude::*;
use diabolo::report::Figures;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 32> {
    relu(dense(x, 32))
}

/// What each unit draws, a row each.
#[network]
pub fn strokes() -> Tensor<32, 64> {
    param(fan_in(32))
}

#[decoder]
pub fn decode(h: Tensor<B, 32>) -> Tensor<B, 64> {
    let bias: Tensor<64> = param(zeros());
    relu(einsum("bk,kd->bd", h, strokes()) + bias)
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

/// ‖x − x̂‖².
#[loss]
pub fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

#[loss]
pub fn sparse(x: Tensor<B, 64>, #[default(0.2)] lambda: f32) -> Tensor<B> {
    let error = vanilla(x);
    let size = l1(encode(x));
    error + lambda * size
}

/// The number of units above zero.
#[loss]
pub fn active(x: Tensor<B, 64>) -> Tensor<B> {
    sum(gt(encode(x), 0.0))
}

/// Each stroke moved onto the unit ball.
#[function]
pub fn bounded(stroke: Tensor<B, 64>) -> Tensor<B, 64> {
    stroke / unsqueeze(max(sqrt(sum_squares(stroke)), 1.0), 1)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("sparse", Defaults { epochs: 100, batch: 64, lr: 2e-3 })?;
    let (train, test) = (&study.digits.train, &study.digits.test);
    let plain = study.fit(Trainer::new(vanilla).project(strokes, bounded))?;
    let with_bound =
        study.trial.resume(Trainer::new(sparse).project(strokes, bounded), plain.clone(), train)?;
    let without = study.trial.resume(Trainer::new(sparse), plain.clone(), train)?;

    let mut units = Figures::new("active units of 32 per test image");
    let mut errors = Vec::new();
    for (name, file, model) in [
        ("λ = 0", "strokes-free", plain),
        ("then λ = 0.2, bounded", "strokes-bounded", with_bound),
        ("then λ = 0.2, unbounded", "strokes-unbounded", without),
    ] {
        println!("{name}, on the test images: {}", model.mean(sparse, test)?);
        units = units.row(name, model.mean(active, test)?.loss);
        errors.push((name, model.mean(vanilla, test)?.loss));
        study.weights(file, &model.parameter("strokes.weight")?)?;
    }
    println!("\n{units}");
    study.conclude(&errors, 32)
}
