//! Rows 22, 24 and 25: what a linear VAE keeps of each principal component, and what it keeps without its KL term.
//!
//! Expectations over the noise are exact (`with_exact_noise`), minima are found over all rows in f64, eigenvalues are faer's.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | `samples`: no KL term | unit variance | E∘D is not even symmetric |
//! | `samples`: KL without its ½ | unit variance | gains off by 0.22 |
//! | `samples`: γ² for 2γ² | unit variance; standard error; scale; trained | gains off by 0.16; ratio 2.00; 50.3 for 22.5; excess 1.06 |
//! | `samples`: noise of deviation 2 | unit variance; standard error; scale; trained | gains off by 0.48; ratio 2.25; 90.0 for 22.5; excess 0.0518 |
//! | `samples`: a sum over the samples, not the mean | standard error | ratios 1.0, 4.0, 16.0, 63.8 |
//! | `samples`: the KL term left in `without_kl` | trained | excess 0.72 |
//! | `beta`: β left out | units of β | β = 5: off by 0.79 |
//! | `beta`: σ = exp(logvar) | units of β | off by 0.12 |
//! | `beta`: γ² for 2γ² | units of β | off by 0.10 |

use common as _;
use diabolo::Model;
use diabolo::data::{Array, Data, digits};
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{column, difference, eigen, matrix, moments};
use diabolo_acceptance::noise::with_exact_noise;

#[allow(dead_code)]
#[path = "../../../examples/beta.rs"]
mod beta;
#[allow(dead_code)]
#[path = "../../../examples/samples.rs"]
mod samples;

/// The loss of `samples`, of given noise.
#[loss]
fn unit_variance(x: Tensor<B, 64>, noise: Tensor<B, 8>, variance: f32) -> Tensor<B> {
    samples::misfit(x, noise, variance) + samples::divergence(x)
}

#[loss]
fn without_kl(x: Tensor<B, 64>, noise: Tensor<B, 8>, #[default(0.05)] variance: f32) -> Tensor<B> {
    samples::misfit(x, noise, variance)
}

/// The loss of `beta`, of given noise.
#[loss]
fn beta_vae(x: Tensor<B, 64>, noise: Tensor<B, 6>, beta: f32, #[default(0.05)] variance: f32) -> Tensor<B> {
    let (recon, kl) = beta::objective(x, noise, beta, variance);
    recon + kl
}

/// Optdigits, centred, and the eigenvalues of its covariance.
fn centred_digits() -> (Data, Vec<f64>) {
    let train = digits().train;
    let train = train.center("x", &train.mean("x").unwrap()).unwrap();
    let x = column(&train, "x");
    let (eigenvalues, _) = eigen(moments(x.as_ref(), x.as_ref()).as_ref());
    (train, eigenvalues)
}

fn thorough() -> Lbfgs {
    Lbfgs { iterations: 5000, gradient: 1e-5, change: 0.0, ..Lbfgs::new() }
}

/// The gains, falling: the eigenvalues of z ↦ E(D(z)), which are those of the reconstruction map that are not 0.
fn gains(model: &Model<f64>) -> Vec<f64> {
    let (a, b) =
        (model.parameter("decode.dense0.weight").unwrap(), model.parameter("encode.dense0.weight").unwrap());
    let map = matrix(&a) * matrix(&b);
    // At the minimum it is symmetric; elsewhere `eigen` would find other numbers.
    assert!(difference(map.as_ref(), map.transpose()) < 1e-3);
    eigen(map.as_ref()).0
}

fn worst(found: &[f64], expected: impl Iterator<Item = f64>) -> f64 {
    found.iter().zip(expected).fold(0.0, |worst, (found, expected)| worst.max((found - expected).abs()))
}

#[test]
fn the_gains_of_unit_variance() {
    let (train, eigenvalues) = centred_digits();
    let data = with_exact_noise(&train, 8, 1);
    let minimum = |variance: f32| {
        let trainer = Trainer::new(unit_variance { variance }).precision::<f64>().seed(2).quiet();
        trainer.full_batch(thorough()).fit(&data).unwrap().0
    };
    let model = minimum(0.05);
    let gamma = f64::from(0.05f32).sqrt();
    assert!(eigenvalues[7] > gamma * gamma);
    let found = gains(&model);
    let off = worst(&found, eigenvalues.iter().map(|lambda| (1.0 - gamma / lambda.sqrt()).max(0.0)));
    println!("{found:.5?}, off by {off:.1e}");
    assert!(off < 1e-4, "{off:e}");
    // With γ = 1, above every √λ, no code is worth its noise.
    let found = gains(&minimum(1.0));
    assert!(eigenvalues[0] < 1.0 && found.iter().all(|gain| gain.abs() < 1e-4), "{found:?}");
}

/// The standard error of the mean over N samples, from twenty draws, over what theory says, for N = 1, 4, 16, 64.
fn standard_errors(seed: u64) -> [f64; 4] {
    let (train, _) = centred_digits();
    let trainer =
        Trainer::new(samples::unit_variance::<1>).optimizer(Adam::new(1e-2)).batch(64).epochs(40).seed(seed);
    let model = trainer.quiet().fit(&train).unwrap();
    // Of ‖r − Bε‖²/2γ² for r = x − D(E(x)): (4 ‖Bᵀr‖² + 2 ‖BᵀB‖²) / 4γ⁴.
    let b = matrix(&model.parameter("decode.dense0.weight").unwrap());
    let r = column(&train, "x") - matrix(&model.run(samples::reconstruct, &train).unwrap());
    let (seen, gram) = (
        (&r * b.transpose()).squared_norm_l2() / train.rows() as f64,
        (&b * b.transpose()).squared_norm_l2(),
    );
    let theory = ((seen + 0.5 * gram) / f64::from(0.05f32).powi(2)).sqrt();
    [1, 4, 16, 64].map(|samples| {
        let draws: Vec<Array<f32>> = (0..20)
            .map(|draw| {
                let model = model.clone().seed(1000 * seed + draw);
                model.run(samples::averaged { N: samples, variance: 0.05 }, &train).unwrap()
            })
            .collect();
        let variance = |row: usize| {
            let values = || draws.iter().map(|draw| f64::from(draw.values()[row]));
            let mean = values().sum::<f64>() / 20.0;
            values().map(|value| (value - mean).powi(2)).sum::<f64>() / 19.0
        };
        let found = ((0..train.rows()).map(variance).sum::<f64>() / train.rows() as f64).sqrt();
        found * (samples as f64).sqrt() / theory
    })
}

// Over twenty seeds: from 0.994 to 1.008.
#[test]
fn the_standard_error_falls_with_the_root_of_the_samples() {
    let ratios = standard_errors(7);
    println!("{ratios:.4?}");
    assert!(ratios.iter().all(|ratio| (ratio - 1.0).abs() < 0.02), "{ratios:?}");
}

#[test]
#[ignore = "the spread of a statistical proof"]
fn over_twenty_seeds_the_standard_error() {
    let all: Vec<f64> = (0..20).flat_map(standard_errors).map(|ratio| ratio - 1.0).collect();
    println!(
        "from {:+.4} to {:+.4}",
        all.iter().copied().fold(f64::MAX, f64::min),
        all.iter().copied().fold(f64::MIN, f64::max)
    );
}

#[test]
fn without_kl_what_noise_costs_vanishes_with_the_scale() {
    let (train, _) = centred_digits();
    let data = with_exact_noise(&train, 8, 4);
    let mut model = Model::<f64>::untrained(without_kl, 5).unwrap();
    let (encoder, decoder) = ("encode.dense0.weight", "decode.dense0.weight");
    let (b, a) = (model.parameter(encoder).unwrap(), model.parameter(decoder).unwrap());
    let scaled = |array: &Array<f64>, by: f64| {
        Array::new(array.shape(), array.values().iter().map(|v| v * by).collect()).unwrap()
    };
    let squares: f64 = a.values().iter().map(|v| v * v).sum();
    let plain = model.mean(samples::plain, &data).unwrap().loss;
    for c in [1.0, 3.0, 10.0] {
        model.set_parameter(encoder, &scaled(&b, c)).unwrap();
        model.set_parameter(decoder, &scaled(&a, 1.0 / c)).unwrap();
        let variance = f64::from(0.05f32);
        let cost = 2.0 * variance * model.mean(without_kl, &data).unwrap().loss - plain;
        let expected = squares / (c * c);
        assert!((cost - expected).abs() < 1e-10 * expected.max(1.0), "{c}: {cost} and {expected}");
    }
}

/// What Adam reaches without the KL term in 20,000 steps from 0.01, above the least error of 8 numbers, relative.
///
/// At a constant rate, batches of 64 leave 0.21, of their own jitter; all rows at once 0.014.
fn excess(seed: u64) -> f64 {
    let (train, eigenvalues) = centred_digits();
    let trainer =
        Trainer::new(samples::without_kl).optimizer(Adam::new(0.01)).batch(64).epochs(334).seed(seed);
    let mut training = trainer.schedule(Schedule::Cosine { warmup: 0.0 }).quiet().start(&train).unwrap();
    for _ in 0..20_000 {
        training.step().unwrap();
    }
    let data = with_exact_noise(&train, 8, seed);
    let loss = training.model().unwrap().mean(without_kl, &data).unwrap().loss;
    let least: f64 = eigenvalues[8..].iter().sum();
    2.0 * f64::from(0.05f32) * loss / least - 1.0
}

// Over twenty seeds: from 0.0304 to 0.0306.
#[test]
fn without_kl_training_ends_at_the_plain_autoencoder() {
    let excess = excess(7);
    println!("{excess:.4}");
    assert!(excess > 0.0 && excess < 0.05, "{excess}");
}

#[test]
#[ignore = "the spread of a statistical proof"]
fn over_twenty_seeds_without_kl() {
    let all: Vec<f64> = (0..20).map(excess).collect();
    println!("{all:.4?}");
}

#[test]
fn the_gains_and_the_units_of_beta() {
    let (train, eigenvalues) = centred_digits();
    let data = with_exact_noise(&train, 6, 1);
    for beta in [1.0, 5.0, 9.5, 15.0] {
        let trainer = Trainer::new(beta_vae { beta, variance: 0.05 }).precision::<f64>().seed(2).quiet();
        let (model, _) = trainer.full_batch(thorough()).fit(&data).unwrap();
        let noise = f64::from(beta) * f64::from(0.05f32);
        let off = worst(&gains(&model), eigenvalues.iter().map(|lambda| (1.0 - noise / lambda).max(0.0)));
        let nats = beta::falling(&model.run(beta::information, &train).unwrap());
        let theory = || eigenvalues.iter().map(|lambda| 0.5 * (lambda / noise).ln().max(0.0));
        println!("β = {beta}: gains off by {off:.1e}, nats {nats:.5?} off by {:.1e}", worst(&nats, theory()));
        assert!(off < 1e-4 && worst(&nats, theory()) < 1e-4, "β = {beta}: {off:e}");
        for (nats, lambda) in nats.iter().zip(&eigenvalues) {
            assert_eq!(*nats > 1e-3, *lambda > noise, "{nats} nats at λ = {lambda}, βγ² = {noise}");
        }
    }
}
