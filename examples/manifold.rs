//! Denoising is projection: points beside a circle go straight back to it.
//!
//! Loss: ‖x − r(x + ε)‖², x on the unit circle, ε ~ N(0, 0.1² I) (Vincent et al. 2008, figure 2). Look at the distance to
//! the circle before and after, and at the cosine between r(y) − y and the normal. The circle itself is not quite where
//! the points go: a mean over its arc lies inside of it, by about σ²/2.

use common::{Defaults, Trial};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

/// The standard deviation of the noise.
#[constant]
pub const SIGMA: f64 = 0.1;

#[function]
pub fn circle() -> Tensor<B, 2> {
    let angle: Tensor<B, 1> = 6.283185307179586 * uniform();
    concat(cos(angle), sin(angle))
}

#[function]
pub fn noisy(x: Tensor<B, 2>) -> Tensor<B, 2> {
    x + SIGMA * normal_like(x)
}

#[network]
pub fn project(y: Tensor<B, 2>) -> Tensor<B, 2> {
    dense(tanh(dense(tanh(dense(y, 64)), 64)), 2)
}

#[loss]
pub fn denoising(x: Tensor<B, 2>) -> Tensor<B> {
    squared_error(project(noisy(x)), x)
}

/// The distance to the circle.
#[function]
pub fn distance(y: Tensor<B, 2>) -> Tensor<B> {
    abs(sqrt(sum_squares(y)) - 1.0)
}

/// The length of the way from y to r(y), and how far it leads along the normal towards the circle.
#[function]
pub fn way(y: Tensor<B, 2>) -> (Tensor<B>, Tensor<B>) {
    let (radius, way) = (sqrt(sum_squares(y)), project(y) - y);
    (sqrt(sum_squares(way)), sign(1.0 - radius) * dot(way, y) / radius)
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("manifold", Defaults { epochs: 60, batch: 128, lr: 1e-2 })?;
    let rows = if trial.flags.smoke { 500 } else { 8000 };
    let points = Model::<f32>::untrained(circle, trial.flags.seed)?.run(circle, &rows)?;
    let data = Data::from_array("x", points)?;
    let model = trial.fit(Trainer::new(denoising).schedule(Schedule::Cosine { warmup: 0.02 }), &data)?;

    let inputs = model.run(noisy, &data)?;
    let outputs = model.run(project, &inputs)?;
    let (length, straight) = model.run(way, &inputs)?;
    println!("\ncosine of the ways with the normal: {:.4}", straight.mean() / length.mean());
    let shown = 1000.min(rows);
    let labels: Vec<f32> = [vec![0.0; shown], vec![1.0; shown]].concat();
    let both = inputs.iter().take(shown).chain(outputs.iter().take(shown));
    report::scatter(trial.run.path("circle.png"), "noisy (0), and denoised (1)", both, &labels)?;
    trial.conclude(
        &Figures::new("mean distance to the circle")
            .row("denoised", model.run(distance, &outputs)?.mean())
            .row("noisy", model.run(distance, &inputs)?.mean()),
    )
}
