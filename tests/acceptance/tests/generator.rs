//! Rows 18, 19 and 37: what decoders and activations make of Gaussians.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | noise of standard deviation γ² | `a_decoder_s_samples…` | covariance off by 0.027 |
//! | softplus in the place of ReLU | `a_decoder_s_samples…` | mean off by 0.496 |
//! | codes of standard deviation 1.05 | `a_trained_decoder_s_samples…` | mean off by 0.016, covariance by 0.093 |
//! | 0.05 added to every pixel | `a_trained_decoder_s_samples…` | mean off by 0.127 |
//! | the ends of a way exchanged; a factor added to, not set | `ways_end_at_reconstructions…` | fails |
//! | AᵀA in the place of AAᵀ | `gaussians_through_activations…`, `relu_puts…`, `strictly_monotone…` | covariance off by 1.07; mean 0.619, 0.650 expected; p = 6e-6 |
//! | SiLU and GELU exchanged | `gaussians_through_activations…` | covariance off by 0.083 |
//! | tanh(1.05 h) | `strictly_monotone_activations…` | p = 1e-9 |
//! | max(h, 0.05) in the place of ReLU | `relu_puts_the_mass…` | P(X = 0) = 0 |

use common as _;
use diabolo::Model;
use diabolo::data::{Array, digits};
use diabolo::kernels::Float;
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{centred, matrix, moments};
use diabolo_acceptance::statistics::{kolmogorov_smirnov, mean_and_variance, normal_cdf};
use faer::Mat;
use statrs::function::erf::erf;

#[allow(dead_code)]
#[path = "../../../examples/activations.rs"]
mod activations;
#[allow(dead_code)]
#[path = "../../../examples/generation.rs"]
mod generation;
#[allow(dead_code)]
#[path = "../../../examples/generator.rs"]
mod generator;

/// φ.
fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// E ReLU(u) of u ~ N(μ, s²).
fn relu_mean(mean: f64, deviation: f64) -> f64 {
    if deviation == 0.0 {
        return mean.max(0.0);
    }
    mean * normal_cdf(mean / deviation) + deviation * normal_density(mean / deviation)
}

/// Mean and covariance of ReLU(u), u ~ N(μ, C).
///
/// E ReLU(uᵢ) ReLU(uⱼ) is an integral over uᵢ > 0 of uᵢ E(ReLU(uⱼ) | uᵢ), which is smooth there: Simpson's rule.
fn relu_moments(mean: &[f64], covariance: &Mat<f64>) -> (Vec<f64>, Mat<f64>) {
    const STEPS: usize = 400;
    let deviation: Vec<f64> = (0..mean.len()).map(|i| covariance[(i, i)].sqrt()).collect();
    let first: Vec<f64> = mean.iter().zip(&deviation).map(|(m, s)| relu_mean(*m, *s)).collect();
    let product = |i: usize, j: usize| {
        let (from, to) = (0.0f64.max(mean[i] - 9.0 * deviation[i]), mean[i] + 9.0 * deviation[i]);
        if to <= 0.0 {
            return 0.0;
        }
        let slope = covariance[(i, j)] / covariance[(i, i)];
        let rest = (covariance[(j, j)] - slope * covariance[(i, j)]).max(0.0).sqrt();
        let value = |u: f64| {
            u * relu_mean(mean[j] + slope * (u - mean[i]), rest)
                * normal_density((u - mean[i]) / deviation[i])
                / deviation[i]
        };
        let step = (to - from) / STEPS as f64;
        let weight = |k: usize| if k == 0 || k == STEPS { 1.0 } else { 2.0 + 2.0 * (k % 2) as f64 };
        (0..=STEPS).map(|k| weight(k) * value(from + k as f64 * step)).sum::<f64>() * step / 3.0
    };
    let moments = Mat::from_fn(mean.len(), mean.len(), |i, j| product(i, j) - first[i] * first[j]);
    (first, moments)
}

/// Mean and covariance of A₂ ReLU(A₁z + b₁) + b₂ for z ~ N(0, I), from the parameters of two dense layers.
fn decoder_moments<F: Float>(model: &Model<F>, layers: [&str; 2]) -> (Vec<f64>, Mat<f64>) {
    let parameter = |layer: &str, name: &str| matrix(&model.parameter(&format!("{layer}.{name}")).unwrap());
    let [first, second] = layers;
    let (a1, b1) = (parameter(first, "weight"), parameter(first, "bias"));
    let (a2, b2) = (parameter(second, "weight"), parameter(second, "bias"));
    let b1: Vec<f64> = (0..b1.nrows()).map(|i| b1[(i, 0)]).collect();
    let (h, covariance) = relu_moments(&b1, &(a1.transpose() * &a1));
    let mean =
        (0..a2.ncols()).map(|d| b2[(d, 0)] + h.iter().enumerate().map(|(k, h)| h * a2[(k, d)]).sum::<f64>());
    (mean.collect(), a2.transpose() * covariance * &a2)
}

/// How far samples' mean and covariance are from theory, relative to its norm.
fn apart<F: Float>(samples: &Array<F>, mean: &[f64], covariance: &Mat<f64>) -> (f64, f64) {
    let (rest, found) = centred(matrix(samples).as_ref());
    let distance: f64 = found.iter().zip(mean).map(|(a, b)| (a - b).powi(2)).sum();
    let size: f64 = mean.iter().map(|m| m * m).sum();
    let spread = moments(rest.as_ref(), rest.as_ref());
    ((distance / size).sqrt(), (spread - covariance).norm_l2() / covariance.norm_l2())
}

/// Row 18, at a seed of the noise.
fn generator_case(seed: u64) -> (f64, f64) {
    let model = Model::<f64>::untrained(generator::sample, 7).unwrap();
    let (mean, mut covariance) = decoder_moments(&model, ["first.dense0", "second.dense0"]);
    (0..2).for_each(|d| covariance[(d, d)] += generator::GAMMA * generator::GAMMA);
    let said = model.run(generator::mean_of_samples, &1).unwrap();
    (0..2).for_each(|d| assert!((said.values()[d] - mean[d]).abs() < 1e-9, "{said:?} and {mean:?}"));
    apart(&model.seed(seed).run(generator::sample, &1_000_000).unwrap(), &mean, &covariance)
}

/// Over 20 seeds off by 0.0017 and 0.0029 at most.
#[test]
fn a_decoder_s_samples_have_the_moments_of_theory() {
    let (mean, covariance) = generator_case(1);
    println!("mean off by {mean:.5}, covariance by {covariance:.5}");
    assert!(mean < 0.01 && covariance < 0.01, "{mean} and {covariance}");
}

/// Row 37, the same of a trained decoder of 64 pixels, at a seed of the noise.
fn trained_case(model: &Model, seed: u64) -> (f64, f64) {
    let (mean, covariance) = decoder_moments(model, ["decode.dense0", "decode.dense1"]);
    apart(&model.clone().seed(seed).run(generation::sample, &500_000).unwrap(), &mean, &covariance)
}

/// Over 20 seeds off by 0.0011 and 0.0056 at most.
#[test]
fn a_trained_decoder_s_samples_have_the_moments_of_theory() {
    let (mean, covariance) = trained_case(&trained(), 1);
    println!("mean off by {mean:.5}, covariance by {covariance:.5}");
    assert!(mean < 0.01 && covariance < 0.01, "{mean} and {covariance}");
}

fn trained() -> Model {
    let trainer =
        Trainer::new(generation::vae).optimizer(Adam::new(2e-3)).batch(64).epochs(10).seed(7).quiet();
    trainer.fit(&digits().train).unwrap()
}

#[test]
fn ways_end_at_reconstructions_and_a_factor_moves_alone() {
    let model = trained();
    let (from, to) =
        (digits().test.take(20).unwrap(), digits().test.select(&(20..40).collect::<Vec<_>>()).unwrap());
    let (a, b) = (from.array::<f32>("x").unwrap(), to.array::<f32>("x").unwrap());
    let at = |share: f32| {
        let share = Array::new(&[20, 1], vec![share; 20]).unwrap();
        model.run(generation::between, &[("from", &a), ("to", &b), ("share", &share)]).unwrap()
    };
    let rebuilt = |x: &Array<f32>| model.run(generation::reconstruct, x).unwrap();
    let most = |x: &Array<f32>, y: &Array<f32>| {
        x.values().iter().zip(y.values()).map(|(x, y)| (x - y).abs()).fold(0.0f32, f32::max)
    };
    assert!(most(&at(0.0), &rebuilt(&a)) < 1e-6 && most(&at(1.0), &rebuilt(&b)) < 1e-6);
    // Half way, the code is the mean of both codes.
    let (ca, _) = model.run(generation::encode, &a).unwrap();
    let (cb, _) = model.run(generation::encode, &b).unwrap();
    let middle = ca.values().iter().zip(cb.values()).map(|(a, b)| 0.5 * (a + b)).collect();
    let middle = model.run(generation::decode, &Array::new(&[20, 8], middle).unwrap()).unwrap();
    assert!(most(&at(0.5), &middle) < 1e-5);

    for factor in 0..8 {
        let mut moved = ca.values().to_vec();
        moved.iter_mut().skip(factor).step_by(8).for_each(|z| *z = 1.5);
        let expected = model.run(generation::decode, &Array::new(&[20, 8], moved).unwrap()).unwrap();
        let factor = Array::new(&[20], vec![factor as f32; 20]).unwrap();
        let value = Array::new(&[20, 1], vec![1.5f32; 20]).unwrap();
        let found =
            model.run(generation::traverse, &[("x", &a), ("factor", &factor), ("value", &value)]).unwrap();
        assert!(most(&found, &expected) < 1e-5);
    }
}

/// An activation by its formula, and its inverse where it is strictly monotone.
struct Activation {
    name: &'static str,
    value: fn(f64) -> f64,
    inverse: Option<fn(f64) -> f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

const ACTIVATIONS: [Activation; 10] = [
    Activation { name: "relu", value: |x| x.max(0.0), inverse: None },
    Activation {
        name: "leaky_relu",
        value: |x| if x > 0.0 { x } else { 0.01 * x },
        inverse: Some(|y| if y > 0.0 { y } else { 100.0 * y }),
    },
    Activation {
        name: "elu",
        value: |x| if x > 0.0 { x } else { x.exp_m1() },
        inverse: Some(|y| if y > 0.0 { y } else { y.ln_1p() }),
    },
    Activation { name: "gelu", value: |x| x * normal_cdf(x), inverse: None },
    Activation { name: "silu", value: |x| x * sigmoid(x), inverse: None },
    Activation { name: "tanh", value: f64::tanh, inverse: Some(f64::atanh) },
    Activation { name: "sigmoid", value: sigmoid, inverse: Some(|y| (y / (1.0 - y)).ln()) },
    Activation { name: "softplus", value: |x| x.exp().ln_1p(), inverse: Some(|y| y.exp_m1().ln()) },
    // The inverse by bisection: none is at hand that is not erf's own.
    Activation { name: "erf", value: erf, inverse: Some(|y| bisect(erf, y)) },
    Activation { name: "soft_threshold", value: |x| x.signum() * (x.abs() - 0.5).max(0.0), inverse: None },
];

fn bisect(rising: fn(f64) -> f64, y: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if rising(middle) < y { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Shift and matrix of h ~ N(b, AAᵀ).
fn gaussian(model: &Model<f64>) -> (Vec<f64>, Mat<f64>) {
    let a = matrix(&model.parameter("matrix.weight").unwrap());
    (model.parameter("shift.weight").unwrap().into_values(), &a * a.transpose())
}

/// Mean and covariance of g(h), by sums over a fine grid for each pair.
fn transformed(g: fn(f64) -> f64, mean: &[f64], covariance: &Mat<f64>) -> (Vec<f64>, Mat<f64>) {
    const STEP: f64 = 0.04;
    let grid: Vec<(f64, f64)> =
        (-200..=200).map(|i| STEP * f64::from(i)).map(|t| (t, STEP * normal_density(t))).collect();
    let deviation = |i: usize| covariance[(i, i)].sqrt();
    let first: Vec<f64> =
        (0..3).map(|i| grid.iter().map(|(t, w)| w * g(mean[i] + deviation(i) * t)).sum::<f64>()).collect();
    let product = |i: usize, j: usize| {
        // hⱼ given hᵢ; on the diagonal nothing is left over.
        let slope = covariance[(i, j)] / deviation(i);
        let rest = (covariance[(j, j)] - slope * slope).max(0.0).sqrt();
        let inner = |t: f64| grid.iter().map(|(u, w)| w * g(mean[j] + slope * t + rest * u)).sum::<f64>();
        grid.iter().map(|(t, w)| w * g(mean[i] + deviation(i) * t) * inner(*t)).sum::<f64>()
    };
    (first.clone(), Mat::from_fn(3, 3, |i, j| product(i, j) - first[i] * first[j]))
}

#[test]
fn gaussians_through_activations_have_the_covariance_of_theory() {
    let model = Model::<f64>::untrained(activations::gaussian, 7).unwrap();
    let (mean, covariance) = gaussian(&model);
    let h = model.run(activations::gaussian, &400_000).unwrap();
    let off = apart(&h, &mean, &covariance).1;
    assert!(off < 0.01, "of h itself: {off}");
    let values = model.run(activations::activated, &h).unwrap();
    let expected = model.run(activations::expected, &1).unwrap();
    for (i, activation) in ACTIVATIONS.iter().enumerate() {
        assert_eq!(activation.name, activations::NAMES[i]);
        let (mean, covariance) = transformed(activation.value, &mean, &covariance);
        let own = values.iter().flat_map(|row| row[3 * i..3 * i + 3].to_vec()).collect();
        let (_, off) = apart(&Array::new(&[values.rows(), 3], own).unwrap(), &mean, &covariance);
        println!("{:15} covariance off by {off:.5}", activation.name);
        assert!(off < 0.01, "{}: {off}", activation.name);
        for (d, mean) in mean.iter().enumerate() {
            let said = expected.values()[3 * i + d];
            assert!(
                (said - mean).abs() < 1e-3,
                "{}: the example says {said}, {mean} is right",
                activation.name
            );
        }
    }
}

/// The probability of Kolmogorov and Smirnov for every coordinate of each strictly monotone activation.
fn probabilities(seed: u64) -> Vec<(&'static str, f64)> {
    let model = Model::<f64>::untrained(activations::gaussian, 7).unwrap().seed(seed);
    let (mean, covariance) = gaussian(&model);
    let h = model.run(activations::gaussian, &20_000).unwrap();
    let values = model.run(activations::activated, &h).unwrap();
    let mut found = Vec::new();
    for (i, activation) in ACTIVATIONS.iter().enumerate() {
        let Some(inverse) = activation.inverse else { continue };
        for d in 0..3 {
            let samples: Vec<f64> = values.iter().map(|row| row[3 * i + d]).collect();
            let cdf = |y: f64| normal_cdf((inverse(y) - mean[d]) / covariance[(d, d)].sqrt());
            found.push((activation.name, kolmogorov_smirnov(&samples, cdf).1));
        }
    }
    found
}

/// Over 20 seeds, two of 60 values of p are below 0.05; they are uniform with p = 0.95.
#[test]
fn strictly_monotone_activations_have_the_distribution_of_theory() {
    for (name, p) in probabilities(1) {
        println!("{name:12} p = {p:.3}");
        assert!(p > 0.01, "{name}: {p}");
    }
}

#[test]
fn relu_puts_the_mass_of_the_left_tail_on_zero() {
    let model = Model::<f64>::untrained(activations::gaussian, 7).unwrap();
    let (mean, covariance) = gaussian(&model);
    let h = model.run(activations::gaussian, &400_000).unwrap();
    let values = model.run(activations::activated, &h).unwrap();
    for d in 0..3 {
        let own: Vec<f64> = values.iter().map(|row| row[d]).collect();
        let zeros = own.iter().filter(|x| **x == 0.0).count() as f64 / own.len() as f64;
        let deviation = covariance[(d, d)].sqrt();
        let (share, expected) = (normal_cdf(-mean[d] / deviation), relu_mean(mean[d], deviation));
        let found = mean_and_variance(&own).0;
        println!("P(X = 0) {zeros:.4} and {share:.4}; E X {found:.4} and {expected:.4}");
        assert!((zeros / share - 1.0).abs() < 0.01 && (found / expected - 1.0).abs() < 0.01);
    }
}

#[test]
#[ignore = "a spread, for the comment at the fixed seed"]
fn over_twenty_seeds_distributions_are_those_of_theory() {
    let model = trained();
    let planted: Vec<(f64, f64)> = (0..20).map(generator_case).collect();
    let digits: Vec<(f64, f64)> = (0..20).map(|seed| trained_case(&model, seed)).collect();
    for (name, cases) in [("planted", planted), ("trained", digits)] {
        let most = |of: fn(&(f64, f64)) -> f64| cases.iter().map(of).fold(0.0, f64::max);
        println!("moments of the {name} decoder, furthest: {:.5}, {:.5}", most(|c| c.0), most(|c| c.1));
        assert!(most(|c| c.0) < 0.01 && most(|c| c.1) < 0.01, "{name}");
    }
    // The activations of one coordinate share their samples, and nearly their p: leaky_relu stands for all of them.
    let of_one =
        |seed| probabilities(seed).into_iter().filter(|(name, _)| *name == "leaky_relu").map(|(_, p)| p);
    let all: Vec<f64> = (0..20).flat_map(of_one).collect();
    let small = all.iter().filter(|p| **p < 0.05).count();
    let (distance, joint) = kolmogorov_smirnov(&all, |p| p.clamp(0.0, 1.0));
    println!(
        "{} values of p, {small} below .05; they are uniform with p = {joint:.3} (distance {distance:.3})",
        all.len()
    );
    assert!(joint > 0.01, "{joint}");
}
