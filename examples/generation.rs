//! What a trained decoder can draw: samples, ways from one digit to another, and what each factor does.
//!
//! A VAE whose decoder is the generator z ~ N(0, I), x ~ N(A₂ ReLU(A₁z + b₁) + b₂, γ²I) (Kingma and Welling 2014):
//! ‖x − x̂‖²/2γ² + KL. Look at `samples.png`; at `between.png`, straight ways in the code from the digit on the left to the
//! one on the right; and at `factors.png`, one line a factor, from −2.5 to 2.5, around one digit. A line along which
//! nothing changes is a factor that the KL term has switched off.

use common::{Defaults, Study};
use diabolo::nn::{dense, kl_normal, squared_error};
use diabolo::prelude::*;
use diabolo::report;

/// The decoder's standard deviation.
#[constant]
pub const GAMMA: f64 = 0.2;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> (Tensor<B, 8>, Tensor<B, 8>) {
    let h = relu(dense(x, 128));
    (dense(h, 8), dense(h, 8)) // mean, log-variance
}

#[decoder]
pub fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128)), 64)
}

#[loss]
pub fn vae(x: Tensor<B, 64>) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let error = squared_error(decode(z), x);
    let kl = kl_normal(mean, logvar);
    error / (2.0 * GAMMA * GAMMA) + kl
}

/// The mean of x for a code of the prior: what a picture of a sample shows.
#[function]
pub fn sample() -> Tensor<B, 64> {
    let z: Tensor<B, 8> = normal();
    decode(z)
}

/// The image a share of the way from the code of one to the code of the other.
#[function]
pub fn between(from: Tensor<B, 64>, to: Tensor<B, 64>, share: Tensor<B, 1>) -> Tensor<B, 64> {
    let (a, _) = encode(from);
    let (b, _) = encode(to);
    decode((1.0 - share) * a + share * b)
}

/// The image with one factor of its code set to a value.
#[function]
pub fn traverse(x: Tensor<B, 64>, factor: Index<B>, value: Tensor<B, 1>) -> Tensor<B, 64> {
    let (mean, _) = encode(x);
    let chosen = one_hot(factor, 8);
    decode((1.0 - chosen) * mean + chosen * value)
}

/// The reconstruction from the mean code.
#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let (mean, _) = encode(x);
    decode(mean)
}

/// Images in a line of a picture.
const STEPS: usize = 12;

fn main() -> diabolo::Result<()> {
    let study = Study::begin("generation", Defaults { epochs: 150, batch: 64, lr: 2e-3 })?;
    let model = study.train(vae)?;
    println!("\nper test image: {}", model.mean(vae, &study.digits.test)?);
    study.samples(&model, sample)?;

    // Eight lines of images each: pairs of digits, and factors of one digit.
    let place = |i: usize| (i / STEPS, (i % STEPS) as f32 / (STEPS - 1) as f32);
    let along = |value: fn(f32) -> f32| -> diabolo::Result<Array<f32>> {
        Array::new(&[8 * STEPS, 1], (0..8 * STEPS).map(|i| value(place(i).1)).collect())
    };
    let digits = |row: fn(usize) -> usize| -> diabolo::Result<Array<f32>> {
        let rows: Vec<usize> = (0..8 * STEPS).map(|i| row(place(i).0)).collect();
        study.digits.test.select(&rows)?.array("x")
    };
    let (from, to) = (digits(|line| 2 * line)?, digits(|line| 2 * line + 1)?);
    let ways = model.run(between, &[("from", &from), ("to", &to), ("share", &along(|t| t)?)])?;
    report::grid(study.trial.run.path("between.png"), &ways, study.digits.shape, STEPS)?;

    let factor = Array::new(&[8 * STEPS], (0..8 * STEPS).map(|i| place(i).0 as f32).collect())?;
    let (x, value) = (digits(|_| 0)?, along(|t| 5.0 * t - 2.5)?);
    let lines = model.run(traverse, &[("x", &x), ("factor", &factor), ("value", &value)])?;
    report::grid(study.trial.run.path("factors.png"), &lines, study.digits.shape, STEPS)?;

    let outputs = study.on_test(&model, reconstruct)?;
    study.picture("reconstructions", &outputs)?;
    study.conclude(&[("VAE, 8 means", study.squared_error(&outputs)?)], 8)
}
