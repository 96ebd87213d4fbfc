//! Rows 13 and 17: the linear denoiser, and noise as a penalty on derivatives.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | the noisy image as the target | `the_risk_on_digits…` | risk + 293 %: R = I |
//! | one draw an image for ten | `the_risk_on_digits…` | risk + 1.50 % |
//! | noise of standard deviation σ² | `the_matrix_is_that_of_wiener…` | R off by 0.293 |
//! | uniform noise, whose mean is not zero | `the_matrix_is_that_of_wiener…` | R off by 0.423 |
//! | + (x − r)ᵀΔr | `noise_is_a_penalty…` | order 1.99 |
//! | ½‖∂r‖² | `noise_is_a_penalty…` | order 2.00 |
//!
//! A target with fresh noise of its own is no mistake: the best r stays the same (Lehtinen et al. 2018), risk + 0.79 %.

use common as _;
use diabolo::Model;
use diabolo::data::{Array, Data, digits};
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{array, centred, column, eigen, matrix, moments};
use faer::{Mat, Scale, Side};

#[allow(dead_code)]
#[path = "../../../examples/denoising.rs"]
mod denoising;
#[allow(dead_code)]
#[path = "../../../examples/noise_penalty.rs"]
mod noise_penalty;

/// A small case with a planted covariance.
mod planted {
    use diabolo::nn::{dense, squared_error};
    use diabolo::prelude::*;

    #[constant]
    pub const SIGMA: f64 = 0.5;

    #[network]
    pub fn mixing() -> Tensor<4, 4> {
        param(normal_init(0.7))
    }

    #[function]
    pub fn draw() -> Tensor<B, 4> {
        let z: Tensor<B, 4> = normal();
        einsum("bk,dk->bd", z, mixing())
    }

    #[network]
    pub fn filter(x: Tensor<B, 4>) -> Tensor<B, 4> {
        dense(x, 4, bias = false)
    }

    #[loss]
    pub fn linear(x: Tensor<B, 4>) -> Tensor<B> {
        let clean = repeat(x, 10);
        mean(squared_error(filter(clean + SIGMA * normal_like(clean)), clean), axis = rows)
    }
}

/// tr (I − R)Σ(I − R)ᵀ + σ²‖R‖² of x̂ = Rx.
fn exact_risk(r: &Mat<f64>, covariance: &Mat<f64>, sigma: f64) -> f64 {
    let rest = Mat::<f64>::identity(r.nrows(), r.nrows()) - r;
    let product = &rest * covariance * rest.transpose();
    (0..r.nrows()).map(|i| product[(i, i)]).sum::<f64>() + sigma * sigma * r.squared_norm_l2()
}

/// Σ(Σ + σ²I)⁻¹.
fn wiener(covariance: &Mat<f64>, sigma: f64) -> Mat<f64> {
    let n = covariance.nrows();
    let noisy = covariance + Mat::<f64>::identity(n, n) * Scale(sigma * sigma);
    use faer::linalg::solvers::Solve;
    let factor = noisy.llt(Side::Lower).expect("positive definite");
    factor.solve(covariance).transpose().to_owned()
}

#[test]
fn the_risk_on_digits_is_within_a_percent_of_the_best_matrix() {
    let sigma = denoising::SIGMA;
    let (x, _) = centred(column(&digits().train, "x").as_ref());
    let data = Data::from_array("x", array(x.as_ref())).unwrap();
    let covariance = moments(x.as_ref(), x.as_ref());
    let trainer = Trainer::new(denoising::linear).precision::<f64>().seed(7).quiet();
    let method = Lbfgs { gradient: 1e-6, ..Lbfgs::new() };
    let (model, end) = trainer.full_batch(method).fit(&data).unwrap();
    // `dense` is x W: R is the transpose.
    let r = matrix(&model.parameter("filter.dense0.weight").unwrap()).transpose().to_owned();
    let (reached, least) =
        (exact_risk(&r, &covariance, sigma), exact_risk(&wiener(&covariance, sigma), &covariance, sigma));
    let sum: f64 = eigen(covariance.as_ref()).0.iter().map(|v| v * sigma * sigma / (v + sigma * sigma)).sum();
    println!("{end}; exact risk {reached:.6}, least {least:.6}: {:+.3} %", 100.0 * (reached / least - 1.0));
    assert!((least / sum - 1.0).abs() < 1e-10, "{least} and {sum}");
    assert!((1.0 - 1e-10..1.01).contains(&(reached / least)), "{reached} and {least}");
    // What the example prints is this risk.
    let said = model.mean(denoising::risk, &data).unwrap().loss;
    assert!((said / reached - 1.0).abs() < 1e-12, "{said} and {reached}");
}

/// Relative differences, in the norm of Frobenius, of R from Σ(Σ + σ²I)⁻¹ and of (R − I)/σ² from the score's matrix
/// −(Σ + σ²I)⁻¹, with Σ = AAᵀ as it was planted.
fn planted_case(seed: u64) -> (f64, f64) {
    let sigma = planted::SIGMA;
    let source = Model::<f64>::untrained(planted::draw, 3).unwrap();
    let a = matrix(&source.parameter("mixing.weight").unwrap());
    let covariance = &a * a.transpose();
    let points = source.seed(seed).run(planted::draw, &50_000).unwrap();
    let trainer = Trainer::new(planted::linear).precision::<f64>().seed(seed).quiet();
    let (model, _) = trainer
        .full_batch(Lbfgs { gradient: 1e-6, ..Lbfgs::new() })
        .fit(&Data::from_array("x", points).unwrap())
        .unwrap();
    let r = matrix(&model.parameter("filter.dense0.weight").unwrap()).transpose().to_owned();
    let exact = wiener(&covariance, sigma);
    let apart = (&r - &exact).norm_l2();
    let score = (Mat::<f64>::identity(4, 4) - &exact).norm_l2();
    (apart / exact.norm_l2(), apart / score)
}

/// Over 20 seeds R is off by 0.0041 at most, the score by 0.0076.
#[test]
fn the_matrix_is_that_of_wiener_for_a_planted_covariance() {
    let (matrix, score) = planted_case(1);
    println!("R off by {matrix:.5}, the score by {score:.5}");
    assert!(matrix < 0.01, "{matrix}");
    assert!(score < 0.01, "{score}");
}

#[test]
#[ignore = "a spread, for the comment at the fixed seed"]
fn over_twenty_seeds_the_matrix_is_that_of_wiener() {
    let cases: Vec<(f64, f64)> = (0..20).map(planted_case).collect();
    let most = |of: fn(&(f64, f64)) -> f64| cases.iter().map(of).fold(0.0, f64::max);
    println!("{cases:.5?}\nlargest: {:.5}, {:.5}", most(|c| c.0), most(|c| c.1));
    assert!(most(|c| c.0) < 0.01 && most(|c| c.1) < 0.01);
}

/// Nodes and weights for the mean of a function of a standard normal number, of so many points (Golub and Welsch 1969).
fn gauss_hermite(points: usize) -> Vec<(f64, f64)> {
    let jacobi =
        Mat::from_fn(points, points, |i, j| if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 });
    let (nodes, vectors) = eigen(jacobi.as_ref());
    (0..points).map(|i| (nodes[i], vectors[(0, i)].powi(2))).collect()
}

/// The slope of the line through points, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>()
        / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

#[test]
fn noise_is_a_penalty_to_the_fourth_order_and_without_the_laplacian_to_the_second() {
    let source = Model::<f64>::untrained(noise_penalty::parabola, 7).unwrap();
    let points = source.run(noise_penalty::parabola, &1000).unwrap();
    let data = Data::from_array("x", points.clone()).unwrap();
    let trainer = Trainer::new(noise_penalty::denoising { sigma: 0.2 }).precision::<f64>().epochs(20).seed(7);
    let model = trainer.optimizer(Adam::new(5e-3)).quiet().fit(&data).unwrap();
    let rule = gauss_hermite(20);
    let total: f64 = rule.iter().map(|(x, w)| x.powi(4) * w).sum();
    assert!((total - 3.0).abs() < 1e-10, "the fourth moment of a normal number is 3: {total}");

    let (mut whole, mut without) = (Vec::new(), Vec::new());
    for step in 0..8 {
        let sigma = 0.005 * 2f64.powf(0.5 * f64::from(step));
        let mut mean = 0.0;
        for (a, first) in &rule {
            for (b, second) in &rule {
                let noise = [sigma * a, sigma * b];
                let moved = points.values().iter().enumerate().map(|(i, x)| x + noise[i % 2]).collect();
                let outputs = model
                    .run(noise_penalty::reconstruct, &Array::new(points.shape(), moved).unwrap())
                    .unwrap();
                let squares = outputs.values().iter().zip(points.values()).map(|(r, x)| (r - x) * (r - x));
                mean += first * second * squares.sum::<f64>() / points.rows() as f64;
            }
        }
        let left = |laplacian: f32| {
            let expansion = noise_penalty::expansion { sigma: sigma as f32, laplacian };
            (mean - model.mean(expansion, &data).unwrap().loss).abs()
        };
        println!("σ = {sigma:.4}: {:.3e}, without Δr {:.3e}", left(1.0), left(0.0));
        whole.push((sigma.ln(), left(1.0).ln()));
        without.push((sigma.ln(), left(0.0).ln()));
    }
    let (whole, without) = (slope(&whole), slope(&without));
    println!("orders {whole:.3} and {without:.3}");
    assert!((whole - 4.0).abs() < 0.2, "{whole}");
    assert!((without - 2.0).abs() < 0.2, "{without}");
}
