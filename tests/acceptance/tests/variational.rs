//! Rows 20, 21 and 23: mean field, the linear VAE with learned noise, and two estimates of a gradient.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | `mean_field`: σ = exp(logvar) in z | mean field | σ₀² Λ₀₀ = 1.03 |
//! | `mean_field`: the walk's steps with variance 1 − ρ | mean field | σ₀² Λ₀₀ = 0.974 |
//! | `mean_field`: half of log q | mean field | σ₀² Λ₀₀ = 0.5 |
//! | `linear_vae`: no KL term | linear VAE | "bound" 28.7 |
//! | `linear_vae`: γ = 1, not learned | linear VAE | bound −61.2 |
//! | `linear_vae`: σ = exp(logvar) in z | linear VAE | "bound" 20.2 |
//! | `reparameterisation`: log σ for log σ² in the score | estimates | −0.07 of 2σ |
//! | `reparameterisation`: ε² for ε | estimates | 5.1 of 2σ |
//! | `reparameterisation`: the score without its weight | estimates | −0.0002 of 2μ |

use common as _;
use diabolo::data::{Data, digits};
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{centred, column, eigen, matrix, moments};
use diabolo_acceptance::noise::with_exact_noise;
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};

#[allow(dead_code)]
#[path = "../../../examples/linear_vae.rs"]
mod linear_vae;
#[allow(dead_code)]
#[path = "../../../examples/mean_field.rs"]
mod mean_field;
#[allow(dead_code)]
#[path = "../../../examples/reparameterisation.rs"]
mod reparameterisation;

/// The loss of `mean_field`, of given noise.
#[loss]
fn given(noise: Tensor<B, 4>, rho: f32) -> Tensor<B> {
    mean_field::divergence(noise, rho)
}

/// The points ±2eᵢ: their mean is 0 and their covariance I, so that a quadratic form has its expectation over N(0, I)
/// as its mean over them.
fn cubature() -> Data {
    let point = |i: usize, j: usize| if i % 4 == j { if i < 4 { 2.0 } else { -2.0 } } else { 0.0 };
    Data::new().with("noise", &[4], (0..32).map(|at| point(at / 4, at % 4)).collect::<Vec<f64>>()).unwrap()
}

#[test]
fn the_mean_field_of_a_gaussian() {
    for rho in [0.3f32, 0.9] {
        let trainer = Trainer::new(given { rho }).precision::<f64>().quiet();
        let (model, end) = trainer
            .full_batch(Lbfgs { gradient: 1e-10, change: 0.0, ..Lbfgs::new() })
            .fit(&cubature())
            .unwrap();
        // Λ is the inverse of the covariance ρ^|i−j|.
        let covariance = Mat::from_fn(4, 4, |i, j| f64::from(rho).powi(i.abs_diff(j) as i32));
        let precision = covariance.llt(Side::Lower).unwrap().inverse();
        let (mean, logvar) =
            (model.parameter("posterior.mean").unwrap(), model.parameter("posterior.logvar").unwrap());
        for i in 0..4 {
            assert!((mean.values()[i] - 1.0).abs() < 1e-8, "{mean:?}");
            let ratio = logvar.values()[i].exp() * precision[(i, i)];
            assert!((ratio - 1.0).abs() < 1e-8, "σ{i}² Λ{i}{i} = {ratio}");
        }
        let logs: f64 = (0..4).map(|i| precision[(i, i)].ln()).sum();
        let least = 0.5 * (logs + covariance.determinant().ln());
        assert!((end.loss - least).abs() < 1e-10, "{end}, and {least}");
        // The loss that draws its noise is the same on average: its standard error is below 1.7 / √n there.
        let n = 400_000;
        let drawn = model.mean(mean_field::mean_field { rho }, &n).unwrap().loss;
        assert!((drawn - least).abs() < 4.0 * 1.7 / f64::from(n as u32).sqrt(), "{drawn} and {least}");
    }
}

/// The loss of `linear_vae`, of given noise.
#[loss]
fn linear(x: Tensor<B, 64>, noise: Tensor<B, 8>) -> Tensor<B> {
    let (recon, kl) = linear_vae::objective(x, noise);
    recon + kl
}

/// The mean log-likelihood of rows under N(b, C).
fn log_likelihood(x: &Mat<f64>, b: &[f64], covariance: &Mat<f64>) -> f64 {
    let (n, d) = (x.nrows(), x.ncols());
    let r = Mat::from_fn(n, d, |i, j| x[(i, j)] - b[j]);
    let inverse = covariance.llt(Side::Lower).unwrap().inverse();
    let scatter = moments(r.as_ref(), r.as_ref());
    let distance: f64 = (0..d).map(|i| (0..d).map(|j| inverse[(i, j)] * scatter[(j, i)]).sum::<f64>()).sum();
    let log_det: f64 = eigen(covariance.as_ref()).0.iter().map(|value| value.ln()).sum();
    -0.5 * (d as f64 * std::f64::consts::TAU.ln() + log_det + distance)
}

/// WᵀW + γ²I of a trained model (W has a row for each unit), and b.
fn marginal(model: &Model) -> (Vec<f64>, Mat<f64>) {
    let w = matrix(&model.parameter("decode.dense0.weight").unwrap());
    let gamma = f64::from(model.parameter("decode.logvar").unwrap().values()[0]).exp();
    let bias = model.parameter("decode.dense0.bias").unwrap();
    (
        bias.values().iter().map(|v| f64::from(*v)).collect(),
        w.transpose() * &w + Mat::<f64>::identity(64, 64) * faer::Scale(gamma),
    )
}

/// The exact evidence bound on the training images and the exact log-likelihood on the test images, after the training of
/// the example.
fn trained(seed: u64) -> (f64, f64) {
    let images = digits();
    let trainer =
        Trainer::new(linear_vae::linear_vae).optimizer(Adam::new(5e-3)).batch(64).epochs(300).seed(seed);
    let model = trainer.schedule(Schedule::Cosine { warmup: 0.02 }).quiet().fit(&images.train).unwrap();
    let bound = -model.mean(linear, &with_exact_noise(&images.train, 8, seed)).unwrap().loss;
    let (bias, covariance) = marginal(&model);
    (bound, log_likelihood(&column(&images.test, "x"), &bias, &covariance))
}

// Over twenty seeds: the bound from 14.202 to 14.228, the likelihood of the test images from 12.852 to 12.878.
#[test]
fn the_linear_vae_is_probabilistic_pca() {
    let images = digits();
    let x = column(&images.train, "x");
    let (r, mean) = centred(x.as_ref());
    let (eigenvalues, vectors) = eigen(moments(r.as_ref(), r.as_ref()).as_ref());
    // The maximum of the likelihood (Tipping and Bishop 1999): U (Λ − γ²) Uᵀ + γ² I.
    let gamma = eigenvalues[8..].iter().sum::<f64>() / 56.0;
    let best = Mat::from_fn(64, 64, |i, j| {
        let parts = (0..8).map(|k| vectors[(i, k)] * (eigenvalues[k] - gamma) * vectors[(j, k)]);
        parts.sum::<f64>() + if i == j { gamma } else { 0.0 }
    });
    let upper = log_likelihood(&x, &mean, &best);
    let of_test = log_likelihood(&column(&images.test, "x"), &mean, &best);
    println!("probabilistic PCA: {upper:.4} and {of_test:.4}");
    assert!((upper - linear_vae::likelihood(&eigenvalues, 8)).abs() < 1e-9);
    assert!((upper - 14.235).abs() < 5e-4 && (of_test - 12.863).abs() < 5e-4, "{upper}, {of_test}");

    let (bound, likelihood) = trained(7);
    println!("trained: {bound:.4} and {likelihood:.4}");
    assert!(bound > 14.185 && bound < upper, "{bound}");
    assert!((-likelihood + 12.863).abs() < 0.05, "{likelihood}");
}

#[test]
#[ignore = "the spread of a statistical proof"]
fn over_twenty_seeds_the_linear_vae() {
    for seed in 0..20 {
        let (bound, likelihood) = trained(seed);
        println!("seed {seed}: {bound:.4} and {likelihood:.4}");
    }
}

/// The estimates of ∂E z² by μ and by σ, relative to 2μ and 2σ, each with its standard error: reparameterised, score function.
fn estimates(mean: f64, deviation: f64, seed: u64) -> [[(f64, f64); 2]; 2] {
    use reparameterisation::{estimate, parameters, reparameterised, score_function};
    let data = parameters(1_000_000, mean, deviation).unwrap();
    let model = Model::<f64>::untrained(reparameterised, seed).unwrap();
    let (through, density) =
        (model.run(reparameterised, &data).unwrap(), model.run(score_function, &data).unwrap());
    let relative = |samples: &Array<f64>, truth: f64| {
        let (found, error) = estimate(samples);
        (found / truth, error / truth)
    };
    [through, density].map(|(by_mean, by_deviation)| {
        [relative(&by_mean, 2.0 * mean), relative(&by_deviation, 2.0 * deviation)]
    })
}

// Over twenty seeds: reparameterised, at most 0.0052 off; by the score function at most 2.52 standard errors (of 80
// estimates), each below 0.0101.
#[test]
fn both_estimates_of_a_gradient_are_right() {
    for (mean, deviation) in [(1.5, 0.7), (0.5, 1.0)] {
        let [through, density] = estimates(mean, deviation, 7);
        println!("({mean}, {deviation}): {through:.4?}, {density:.4?}");
        assert!(through.iter().all(|(found, _)| (found - 1.0).abs() < 0.01), "{through:?}");
        for (found, error) in density {
            assert!(error < 0.02 && (found - 1.0).abs() < 4.0 * error, "{found} ± {error}");
        }
    }
}

#[test]
#[ignore = "the spread of a statistical proof"]
fn over_twenty_seeds_both_estimates() {
    let (mut through_off, mut density_off, mut largest) = (0.0f64, 0.0f64, 0.0f64);
    for seed in 0..20 {
        for (mean, deviation) in [(1.5, 0.7), (0.5, 1.0)] {
            let [through, density] = estimates(mean, deviation, seed);
            for ((found, _), (by_density, error)) in through.into_iter().zip(density) {
                through_off = through_off.max((found - 1.0).abs());
                density_off = density_off.max(((by_density - 1.0) / error).abs());
                largest = largest.max(error);
            }
        }
    }
    println!("reparameterised: at most {through_off:.4} off");
    println!("score function: at most {density_off:.2} standard errors off, the largest {largest:.4}");
}
