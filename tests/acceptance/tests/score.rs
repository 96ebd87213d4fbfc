//! Rows 14, 14b and 15: the vector field of a denoiser, the manifold, and sampling by a score.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | noise of 0.8 σ | `the_field_of_a_mixture…` | relative error 0.119 |
//! | the noisy point as the target | `the_field_of_a_mixture…` | relative error 1.000 |
//! | the score of p, not of p_σ | `the_field_of_a_mixture…` | (−9.0, −8.1), (−1.4, −1.5) expected |
//! | another matrix on the way back | `tied_weights…` | curl 0.28 |
//! | a loss without noise | `denoising_brings_points_back…` | cosine 0.988 |
//! | a target of radius 1.1 | `denoising_brings_points_back…` | cosine 0.660 |
//! | √ε in the place of √(2ε) | `langevin_s_variance…`, `langevin_finds_the_weights…` | 0.501 of theory; weight 0.145 |
//! | 0.9 ε in front of the score | `langevin_s_variance…` | 1.087 of theory |
//! | equal weights in the density | `langevin_finds_the_weights…` | 0.497 |

use common as _;
use diabolo::Model;
use diabolo::data::{Array, Data};
use diabolo::prelude::*;
use diabolo_acceptance::statistics::{mean_and_variance, normal_cdf, normals};

#[allow(dead_code)]
#[path = "../../../examples/langevin.rs"]
mod langevin;
#[allow(dead_code)]
#[path = "../../../examples/manifold.rs"]
mod manifold;
#[allow(dead_code)]
#[path = "../../../examples/score.rs"]
mod score;

const SIGMA: f64 = score::SIGMA;

fn planted<I>(seed: u64, rows: usize, function: I) -> Array<f64>
where
    I: diabolo::program::IntoRoot + Copy,
    I::Root: diabolo::program::Root<Results<f64> = Array<f64>>,
{
    Model::<f64>::untrained(function, seed).unwrap().run(function, &rows).unwrap()
}

fn fit<L: Loss>(loss: Trainer<L>, points: Array<f64>, seed: u64) -> Model<f64> {
    let trainer = loss.precision::<f64>().optimizer(Adam::new(1e-2)).epochs(60).seed(seed).quiet();
    let settled = Schedule::Cosine { warmup: 0.02 };
    trainer.schedule(settled).fit(&Data::from_array("x", points).unwrap()).unwrap()
}

/// ∇ log p_σ of the mixture: the centres less the point, weighted by how likely each made it.
fn exact_score(y: &[f64]) -> [f64; 2] {
    let variance = score::SPREAD.powi(2) + SIGMA * SIGMA;
    let centres =
        [0.0, 1.0, 2.0].map(|i| (i * std::f64::consts::TAU / 3.0).sin_cos()).map(|(s, c)| [1.5 * c, 1.5 * s]);
    let weights =
        centres.map(|m| (-((y[0] - m[0]).powi(2) + (y[1] - m[1]).powi(2)) / (2.0 * variance)).exp());
    let total: f64 = weights.iter().sum();
    [0, 1].map(|d| {
        centres.iter().zip(weights).map(|(m, w)| w * (m[d] - y[d])).sum::<f64>() / (total * variance)
    })
}

/// Fresh points of the mixture with their noise.
fn noised(rows: usize, seed: u64) -> Array<f64> {
    let points = planted(seed, rows, score::mixture);
    let noise = normals(2 * rows, seed ^ 99);
    Array::new(points.shape(), points.values().iter().zip(noise).map(|(x, e)| x + SIGMA * e).collect())
        .unwrap()
}

fn mixture_model(seed: u64) -> Model<f64> {
    fit(Trainer::new(score::denoising), planted(seed, 8000, score::mixture), seed)
}

/// The relative errors of the field at fresh noised points, without and with tied weights.
fn field_errors(model: &Model<f64>, points: &Array<f64>) -> (f64, f64) {
    let exact: Vec<f64> = points.iter().flat_map(exact_score).collect();
    let relative = |r: Array<f64>| {
        let field = r.values().iter().zip(points.values()).map(|(r, y)| (r - y) / (SIGMA * SIGMA));
        let error: f64 = field.zip(&exact).map(|(f, s)| (f - s).powi(2)).sum();
        (error / exact.iter().map(|s| s * s).sum::<f64>()).sqrt()
    };
    (relative(model.run(score::denoise, points).unwrap()), relative(model.run(score::tied, points).unwrap()))
}

/// Over 20 seeds 0.035 to 0.045, with tied weights 0.051 to 0.064.
#[test]
fn the_field_of_a_mixture_is_its_score() {
    let points = noised(5000, 1);
    let model = mixture_model(7);
    let by_grad = model.run(score::score, &points).unwrap();
    for (y, s) in points.iter().zip(by_grad.iter()) {
        let exact = exact_score(y);
        assert!(
            (0..2).all(|d| (s[d] - exact[d]).abs() < 1e-12),
            "the example's own score: {s:?} and {exact:?}"
        );
    }
    let (free, tied) = field_errors(&model, &points);
    println!("relative error {free:.4}, with tied weights {tied:.4}");
    assert!(free < 0.10 && tied < 0.10, "{free} and {tied}");
}

#[test]
fn tied_weights_make_the_field_that_of_an_energy() {
    let points = noised(5000, 1);
    let model = mixture_model(7);
    let (curl, none) = model.run(score::curls, &points).unwrap();
    let most = |curls: &Array<f64>| curls.values().iter().copied().fold(0.0, f64::max);
    println!("largest curl {:.1e}, with tied weights {:.1e}", most(&curl), most(&none));
    assert!(most(&none) < 1e-12, "{:e}", most(&none));
    assert!(most(&curl) > 1e-2, "without tied weights there is a curl: {:e}", most(&curl));
    energy_of(&model, &points);
}

/// The energy of the tied network, ½‖y‖² − cᵀy − Σ sₖ log cosh(wₖᵀy + bₖ), falls along r(y) − y.
fn energy_of(model: &Model<f64>, points: &Array<f64>) {
    let of = |path: &str| model.parameter(path).unwrap().into_values();
    let (w, b, s, c) = (of("tied.weight"), of("tied.bias"), of("tied.scale"), of("tied.shift"));
    let energy = |y: [f64; 2]| {
        let unit = |k: usize| s[k] * (w[2 * k] * y[0] + w[2 * k + 1] * y[1] + b[k]).cosh().ln();
        0.5 * (y[0] * y[0] + y[1] * y[1]) - c[0] * y[0] - c[1] * y[1] - (0..s.len()).map(unit).sum::<f64>()
    };
    let r = model.run(score::tied, points).unwrap();
    for (y, r) in points.iter().zip(r.iter()).take(200) {
        let h = 1e-4;
        let slopes = [
            (energy([y[0] + h, y[1]]) - energy([y[0] - h, y[1]])) / (2.0 * h),
            (energy([y[0], y[1] + h]) - energy([y[0], y[1] - h])) / (2.0 * h),
        ];
        let apart = (0..2).map(|d| (r[d] - y[d] + slopes[d]).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-6, "{apart:e} at {y:?}");
    }
}

/// Mean distances to the circle before and after, and the mean cosine of the ways with the normal.
fn circle_case(seed: u64) -> (f64, f64, f64) {
    let model = fit(Trainer::new(manifold::denoising), planted(seed, 8000, manifold::circle), seed);
    let noisy = model
        .clone()
        .seed(seed ^ 99)
        .run(manifold::noisy, &planted(seed ^ 98, 5000, manifold::circle))
        .unwrap();
    let outputs = model.run(manifold::project, &noisy).unwrap();
    let distance = |p: &[f64]| (p[0].hypot(p[1]) - 1.0).abs();
    let mean = |points: &Array<f64>| points.iter().map(distance).sum::<f64>() / points.rows() as f64;
    let (before, after) = (mean(&noisy), mean(&outputs));
    // Nearer than half the noise there is no way worth a direction.
    let cosines: Vec<f64> = noisy
        .iter()
        .zip(outputs.iter())
        .filter(|(y, _)| distance(y) > 0.05)
        .map(|(y, r)| {
            let (way, radius) = ([r[0] - y[0], r[1] - y[1]], y[0].hypot(y[1]));
            (way[0] * y[0] + way[1] * y[1]) / (radius * way[0].hypot(way[1])) * (1.0 - radius).signum()
        })
        .collect();
    let cosine = cosines.iter().sum::<f64>() / cosines.len() as f64;
    // What the example prints: every way counts by its length.
    let said = model.run(manifold::distance, &outputs).unwrap().mean();
    let (length, straight) = model.run(manifold::way, &noisy).unwrap();
    assert!((said - after).abs() < 1e-12, "{said} and {after}");
    assert!(straight.mean() / length.mean() > 0.99, "{}", straight.mean() / length.mean());
    (before, after, cosine)
}

/// Over 20 seeds the distance falls 14.2 times or more, and the cosine is 0.9985 or more.
#[test]
fn denoising_brings_points_back_to_the_circle_straight() {
    let (before, after, cosine) = circle_case(7);
    println!("distance {before:.5} to {after:.5}, cosine {cosine:.5}");
    assert!(after < before / 5.0, "{before} and {after}");
    assert!(cosine > 0.99, "{cosine}");
}

/// The variance of 10⁵ chains in the end, relative to 1/(p(1 − εp/2)).
fn stationary_variance(precision: f32, step: f32, seed: u64) -> f64 {
    let model = Model::<f64>::untrained(langevin::start, seed).unwrap();
    let chains = model.run(langevin::start, &100_000).unwrap();
    let ends = model.iterate(langevin::gaussian_step { precision, step }, chains, 200).unwrap();
    let (p, e) = (f64::from(precision), f64::from(step));
    mean_and_variance(ends.values()).1 * p * (1.0 - e * p / 2.0)
}

/// Over 20 seeds at p = 4 it is off by 0.94 % at most.
#[test]
fn langevin_s_variance_is_the_one_of_its_step() {
    for (precision, step) in [(4.0, 0.1), (1.0, 0.05), (0.5, 1.0)] {
        let relative = stationary_variance(precision, step, 7);
        println!("p = {precision}, ε = {step}: {relative:.4} of theory");
        assert!((relative - 1.0).abs() < 0.02, "p = {precision}, ε = {step}: {relative}");
    }
}

/// The weight of the left Gaussian, from the share of chains below 0.
fn left_weight(seed: u64, chains: usize) -> f64 {
    let model = Model::<f64>::untrained(langevin::start, seed).unwrap();
    let start = model.run(langevin::start, &chains).unwrap();
    let ends = model.iterate(langevin::mixture_step { step: 0.01 }, start, 5000).unwrap();
    let below = ends.values().iter().filter(|x| **x < 0.0).count() as f64 / chains as f64;
    // Of the left Gaussian Φ(2) lies below 0, of the right one Φ(−2).
    (below - normal_cdf(-2.0)) / (normal_cdf(2.0) - normal_cdf(-2.0))
}

/// Over 20 seeds 0.290 to 0.316.
#[test]
fn langevin_finds_the_weights_of_a_mixture() {
    let weight = left_weight(7, 4000);
    println!("weight {weight:.4}");
    assert!((weight - 0.3).abs() < 0.03, "{weight}");
}

#[test]
#[ignore = "a spread, for the comment at the fixed seed"]
fn over_twenty_seeds_langevin_keeps_to_its_theory() {
    let variances: Vec<f64> = (0..20).map(|seed| stationary_variance(4.0, 0.1, seed)).collect();
    let weights: Vec<f64> = (0..20).map(|seed| left_weight(seed, 4000)).collect();
    let most = |values: &[f64], middle: f64| values.iter().map(|v| (v - middle).abs()).fold(0.0, f64::max);
    println!("variance {variances:.4?}\nweight {weights:.4?}");
    println!("furthest: {:.4}, {:.4}", most(&variances, 1.0), most(&weights, 0.3));
    assert!(most(&variances, 1.0) < 0.02 && most(&weights, 0.3) < 0.03);
}

#[test]
#[ignore = "a spread, for the comment at the fixed seed"]
fn over_twenty_seeds_fields_are_scores_and_lead_to_the_circle() {
    let errors: Vec<(f64, f64)> =
        (0..20).map(|seed| field_errors(&mixture_model(seed), &noised(5000, 1))).collect();
    let circles: Vec<(f64, f64, f64)> = (0..20).map(circle_case).collect();
    println!("errors {errors:.3?}");
    let largest = errors.iter().fold((0.0f64, 0.0f64), |most, e| (most.0.max(e.0), most.1.max(e.1)));
    let least =
        circles.iter().fold((f64::MAX, f64::MAX), |least, c| (least.0.min(c.0 / c.1), least.1.min(c.2)));
    println!(
        "largest {largest:.4?}; the distance falls {:.2} times or more, cosine from {:.5}",
        least.0, least.1
    );
    assert!(largest.0 < 0.10 && largest.1 < 0.10 && least.0 > 5.0 && least.1 > 0.99);
}
