//! Denoising: from a noisy image to the clean one.
//!
//! Loss: E‖x − r(x + ε)‖², ε ~ N(0, σ²I) (Vincent et al. 2008). The best linear r is known: R = Σ(Σ + σ²I)⁻¹, which
//! leaves σ² tr R. Look at how close training comes to it, and at the deep network, which does better than any linear
//! one. The classic mistake is to compare with the noisy image: then the best r does nothing.

use common::{Defaults, Study};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;

/// The standard deviation of the noise.
#[constant]
pub const SIGMA: f64 = 0.3;

#[network]
fn filter(x: Tensor<B, 64>) -> Tensor<B, 64> {
    dense(x, 64, bias = false)
}

#[network]
fn denoise(x: Tensor<B, 64>) -> Tensor<B, 64> {
    sigmoid(dense(relu(dense(relu(dense(x, 256)), 256)), 64))
}

#[function]
fn noisy(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x + SIGMA * normal_like(x)
}

#[loss]
pub fn denoising(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(denoise(noisy(x)), x)
}

/// The same for a matrix, with ten draws of noise for every image.
#[loss]
pub fn linear(x: Tensor<B, 64>) -> Tensor<B> {
    let clean = repeat(x, 10);
    mean(squared_error(filter(noisy(clean)), clean), axis = rows)
}

/// What `linear` estimates, without a draw: ‖x − Rx‖² + σ²‖R‖².
#[loss]
pub fn risk(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(filter(x), x) + SIGMA * SIGMA * sum_squares(jacobian(filter, x))
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("denoising", Defaults { epochs: 100, batch: 64, lr: 1e-3 })?;
    let (train, test) = (&study.digits.train, &study.digits.test);
    let mean = train.mean("x")?;
    let centred = train.center("x", &mean)?;
    let trainer = Trainer::new(linear).precision::<f64>().seed(study.trial.flags.seed);
    let (matrix, _) = trainer.full_batch(Lbfgs { gradient: 1e-6, ..Lbfgs::new() }).fit(&centred)?;

    let noise = SIGMA * SIGMA;
    let least: f64 = study.pca(64)?.eigenvalues().iter().map(|value| value * noise / (value + noise)).sum();
    let reached = matrix.mean(risk, &centred)?.loss;
    println!("\nlinear, exact risk on the training images: {reached:.5}");
    println!(
        "the best matrix has                        {least:.5}: {:+.2} %\n",
        100.0 * (reached / least - 1.0)
    );

    let model = study.fit(Trainer::new(denoising).schedule(Schedule::Cosine { warmup: 0.02 }))?;
    let inputs = model.run(noisy, test)?;
    let outputs = model.run(denoise, &inputs)?;
    let clean = test.array::<f32>("x")?;
    let strips = [&clean, &inputs, &outputs].map(|images| images.iter().take(24).collect());
    diabolo::report::strips(study.trial.run.path("denoised.png"), &strips, study.digits.shape)?;
    study.trial.conclude(
        &diabolo::report::Figures::new("squared error per test image")
            .row("deep network", study.squared_error(&outputs)?)
            .row("linear", matrix.mean(risk, &test.center("x", &mean)?)?.loss)
            .row("the noisy image itself", study.squared_error(&inputs)?),
    )
}
