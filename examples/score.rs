//! What a denoiser knows: the score of the noised data, and an energy.
//!
//! Where r minimises E‖x − r(x + ε)‖², (r(y) − y)/σ² = ∇ log p_σ(y), the score of p ∗ N(0, σ²I) (Miyasawa 1961, Vincent
//! 2011, Alain and Bengio 2014). Look at the relative error of this field for a mixture of three Gaussians, whose score
//! `grad` gives exactly (a cosine in its place would pass any scale), and at the network with tied weights, which is the
//! gradient of an energy, where another one has a curl. The classic mistake is the score of p for that of p_σ.

use common::{Defaults, Trial};
use diabolo::nn::{dense, pairwise_squares, squared_error};
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

/// The noise in training.
#[constant]
pub const SIGMA: f64 = 0.5;
/// A third of a turn, and the standard deviation of each Gaussian.
#[constant]
pub const THIRD: f64 = 2.0943951023931953;
#[constant]
pub const SPREAD: f64 = 0.3;

/// Three Gaussians around a triangle, as likely as one another.
#[function]
pub fn mixture() -> Tensor<B, 2> {
    let third: Tensor<B, 1> = floor(3.0 * uniform());
    1.5 * concat(cos(THIRD * third), sin(THIRD * third)) + SPREAD * normal()
}

/// log p_σ of the mixture, up to a constant.
#[function]
pub fn log_density(y: Tensor<B, 2>) -> Tensor<B> {
    let angle = unsqueeze(THIRD * range(3), 2);
    let centres: Tensor<3, 2> = 1.5 * concat(cos(angle), sin(angle), axis = 2);
    logsumexp(pairwise_squares(y, centres) * (-0.5 / (SPREAD * SPREAD + SIGMA * SIGMA)))
}

#[network]
pub fn denoise(y: Tensor<B, 2>) -> Tensor<B, 2> {
    dense(tanh(dense(tanh(dense(y, 64)), 64)), 2)
}

/// One matrix both ways, so that the Jacobian Wᵀ diag(s (1 − h²)) W is symmetric. Without the scale s, a unit that is to
/// move y by |w| could not do so over a shorter way than 1/|w|.
#[network]
pub fn tied(y: Tensor<B, 2>) -> Tensor<B, 2> {
    let weight: Tensor<128, 2> = param(normal_init(1.0));
    let bias: Tensor<128> = param(normal_init(1.0));
    let scale: Tensor<128> = param(constant(0.03));
    let shift: Tensor<2> = param(zeros());
    let h = tanh(einsum("bd,kd->bk", y, weight) + bias);
    einsum("bk,kd->bd", scale * h, weight) + shift
}

/// Both networks learn the same; neither touches the other.
#[loss]
pub fn denoising(x: Tensor<B, 2>) -> Tensor<B> {
    let y = x + SIGMA * normal_like(x);
    let free = squared_error(denoise(y), x);
    let symmetric = squared_error(tied(y), x);
    free + symmetric
}

/// ∇ log p_σ.
#[function]
pub fn score(y: Tensor<B, 2>) -> Tensor<B, 2> {
    grad(log_density, y)
}

/// ‖(r(y) − y)/σ² − s‖² of both at noised points, and ‖s‖² to compare them with, s = ∇ log p_σ(y).
#[loss]
pub fn field(x: Tensor<B, 2>) -> Tensor<B> {
    let y = x + SIGMA * normal_like(x);
    let s = score(y);
    let free = sum_squares((denoise(y) - y) / (SIGMA * SIGMA) - s);
    let symmetric = sum_squares((tied(y) - y) / (SIGMA * SIGMA) - s);
    let exact = sum_squares(s);
    free + symmetric + exact
}

/// |∂r₁/∂y₂ − ∂r₂/∂y₁| of both: zero everywhere if there is an energy.
#[function]
pub fn curls(y: Tensor<B, 2>) -> (Tensor<B>, Tensor<B>) {
    (asymmetry(jacobian(denoise, y)), asymmetry(jacobian(tied, y)))
}

#[function]
fn asymmetry(a: Tensor<B, 2, 2>) -> Tensor<B> {
    max(abs(flatten(a - transpose(a))))
}

/// A point on the way from y to r(y).
#[function]
fn on_the_way(y: Tensor<B, 2>, share: Tensor<B, 1>) -> Tensor<B, 2> {
    y + share * (denoise(y) - y)
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("score", Defaults { epochs: 60, batch: 128, lr: 1e-2 })?;
    let rows = if trial.flags.smoke { 500 } else { 8000 };
    let points = Model::<f32>::untrained(mixture, trial.flags.seed)?.run(mixture, &rows)?;
    let data = Data::from_array("x", points)?;
    let model = trial.fit(Trainer::new(denoising).schedule(Schedule::Cosine { warmup: 0.02 }), &data)?;

    let (free, symmetric) = model.run(curls, &data.array("x")?)?;
    println!("\nmean curl {:.1e}, with tied weights {:.1e}", free.mean(), symmetric.mean());
    draw_field(&model, trial.run.path("field.png"))?;
    let squares = model.mean(field, &data)?;
    let relative = |part: &str| match (squares.part(part), squares.part("exact")) {
        (Some(error), Some(exact)) => (error / exact).sqrt(),
        _ => f64::NAN,
    };
    trial.conclude(
        &Figures::new("relative error of the score, at noised points")
            .row("free network", relative("free"))
            .row("tied weights", relative("symmetric")),
    )
}

/// Strokes from points of a grid to where the denoiser sends them; their heads have label 1.
fn draw_field(model: &Model, path: std::path::PathBuf) -> diabolo::Result<()> {
    const STROKE: usize = 24;
    let side = || (0..14).map(|i| 0.4 * i as f32 - 2.6);
    let tails: Vec<[f32; 2]> = side().flat_map(|x| side().map(move |y| [x, y])).collect();
    let shares: Vec<f32> = (0..STROKE).map(|i| i as f32 / (STROKE - 1) as f32).collect();
    let rows = tails.len() * STROKE;
    let y = Array::new(&[rows, 2], tails.iter().flat_map(|tail| tail.repeat(STROKE)).collect())?;
    let share = Array::new(&[rows, 1], shares.repeat(tails.len()))?;
    let points = model.run(on_the_way, &[("y", &y), ("share", &share)])?;
    let labels: Vec<f32> = share.values().iter().map(|share| (1.3 * share).floor()).collect();
    report::scatter(path, "from y (0) to r(y) (1)", &points, &labels)
}
