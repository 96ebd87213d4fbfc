//! Divergences between distributions, and what a model becomes that minimises one or the other.
//!
//! KL(p ‖ q) = Σ p log(p/q), which is not KL(q ‖ p) and may be infinite; JSD = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = ½ (p + q),
//! between 0 and log 2 (Lin 1991). Here q is one Gaussian and p a mixture of two, on a grid. Theory: the smallest KL(p ‖ q)
//! has the mean and the variance of p, so q covers both; the smallest KL(q ‖ p) hides in one of them (Minka 2005). Look
//! at the picture. The classic mistake is to say "the KL divergence of p and q": which one is the whole difference.

use common::{Defaults, Trial};
use diabolo::nn::{jensen_shannon, kl_categorical, log_normal_each};
use diabolo::prelude::*;
use diabolo::report::{Figures, curve};

#[network]
pub fn gaussian() -> (Scalar, Scalar) {
    let mean: Scalar = param(normal_init(0.5));
    let logvar: Scalar = param(zeros());
    (mean, logvar)
}

/// The probabilities of the grid's points under the Gaussian.
#[function]
pub fn fitted(grid: Tensor<B, 301>) -> Tensor<B, 301> {
    let (mean, logvar) = gaussian();
    softmax(log_normal_each(grid, mean, logvar), axis = 1)
}

/// KL(p ‖ q).
#[loss]
pub fn covering(grid: Tensor<B, 301>, p: Tensor<B, 301>) -> Tensor<B> {
    kl_categorical(p, fitted(grid))
}

/// KL(q ‖ p).
#[loss]
pub fn hiding(grid: Tensor<B, 301>, p: Tensor<B, 301>) -> Tensor<B> {
    kl_categorical(fitted(grid), p)
}

#[loss]
pub fn between(grid: Tensor<B, 301>, p: Tensor<B, 301>) -> Tensor<B> {
    jensen_shannon(p, fitted(grid))
}

/// Both KL divergences of two distributions, and the one of Jensen and Shannon.
#[function]
pub fn divergences(p: Tensor<B, 301>, q: Tensor<B, 301>) -> (Tensor<B>, Tensor<B>, Tensor<B>) {
    (kl_categorical(p, q), kl_categorical(q, p), jensen_shannon(p, q))
}

/// A grid from −6 to 6.
pub fn grid() -> Vec<f64> {
    (0..301).map(|i| -6.0 + 0.04 * f64::from(i)).collect()
}

/// Probabilities in proportion to a density at the points of the grid.
pub fn probabilities(density: impl Fn(f64) -> f64) -> Vec<f64> {
    let values: Vec<f64> = grid().into_iter().map(density).collect();
    let total: f64 = values.iter().sum();
    values.iter().map(|value| value / total).collect()
}

/// The density of N(mean, deviation²), less its constant.
pub fn normal(mean: f64, deviation: f64) -> impl Fn(f64) -> f64 {
    move |x| (-0.5 * ((x - mean) / deviation).powi(2)).exp() / deviation
}

/// The grid and the mixture on it: 0.4 of N(−2, 0.6²), 0.6 of N(1.5, 0.8²).
pub fn mixture() -> diabolo::Result<Data> {
    let (left, right) = (normal(-2.0, 0.6), normal(1.5, 0.8));
    let p = probabilities(|x| 0.4 * left(x) + 0.6 * right(x));
    Data::new().with("grid", &[301], grid())?.with("p", &[301], p)
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("divergences", Defaults { epochs: 1500, batch: 1, lr: 0.02 })?;
    let data = mixture()?;
    let cosine = Schedule::Cosine { warmup: 0.0 };
    let models = [
        ("least KL(p ‖ q)", trial.fit(Trainer::new(covering).schedule(cosine), &data)?),
        ("least KL(q ‖ p)", trial.fit(Trainer::new(hiding).schedule(cosine), &data)?),
        ("least JSD", trial.fit(Trainer::new(between).schedule(cosine), &data)?),
    ];
    let p = data.array::<f32>("p")?;
    let line = |p: &[f32]| grid().into_iter().zip(p.iter().map(|p| f64::from(p / 0.04))).collect::<Vec<_>>();
    let mut lines = vec![("p", line(p.values()))];
    println!("\n                    mean     sd   KL(p ‖ q)  KL(q ‖ p)     JSD   (log 2 = 0.693)");
    for (name, model) in &models {
        let q = model.run(fitted, &data)?;
        let (there, back, both) = model.run(divergences, &[("p", &p), ("q", &q)])?;
        let (mean, logvar) =
            (model.parameter("gaussian.mean")?.mean(), model.parameter("gaussian.logvar")?.mean());
        println!(
            "  {name:15}  {mean:6.3}  {:5.3}   {:9.4}  {:9.4}  {:6.4}",
            (0.5 * logvar).exp(),
            there.mean(),
            back.mean(),
            both.mean()
        );
        lines.push((name, line(q.values())));
    }
    let apart = |sign: f64| Array::new(&[1, 301], probabilities(|x| f64::from(u8::from(sign * x > 0.0))));
    let model = Model::<f64>::untrained(divergences, 0)?;
    let (there, back, both) = model.run(divergences, &[("p", &apart(-1.0)?), ("q", &apart(1.0)?)])?;
    println!("  nothing shared                   {:9}  {:9}  {:6.4}", there.mean(), back.mean(), both.mean());
    curve(trial.run.path("fits.png"), "One Gaussian for two", ["x", "density"], &lines)?;
    let mut figures = Figures::new("JSD to p, nats");
    for (name, model) in &models {
        figures = figures.row(name, model.mean(between, &data)?.loss);
    }
    trial.conclude(&figures)
}
