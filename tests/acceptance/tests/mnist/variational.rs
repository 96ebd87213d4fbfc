//! Row 21 at full size: the VAE 784-400-20 (Kingma and Welling 2014, with the layers of pytorch/examples), on grey pixels
//! and on binary ones. The two are different figures: the first is a cross-entropy, the second a likelihood.

use std::time::Instant;

use diabolo::data::Digits;
use diabolo::nn::{bce_with_logits, dense, kl_normal, log_bernoulli, log_normal};
use diabolo::prelude::*;
use diabolo_acceptance::datasets::mnist;
use diabolo_acceptance::statistics::{mean_and_variance, uniforms};

#[encoder]
fn encode(x: Tensor<B, 784>) -> (Tensor<B, 20>, Tensor<B, 20>) {
    let h = relu(dense(x, 400));
    (dense(h, 20), dense(h, 20))
}

#[decoder]
fn decode(z: Tensor<B, 20>) -> Tensor<B, 784> {
    dense(relu(dense(z, 400)), 784)
}

#[loss]
fn vae(x: Tensor<B, 784>) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);
    let kl = kl_normal(mean, logvar);
    recon + kl
}

/// log (1/500) Σ p(x, z) / q(z|x), z from q(z|x): a lower bound of log p(x) that rises to it with the number of samples
/// (Burda et al. 2016, equation 8).
#[function]
fn log_likelihood(x: Tensor<B, 784>) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let (m, v) = (repeat(mean, 500), repeat(logvar, 500));
    let z = m + exp(0.5 * v) * normal_like(m);
    let joint = log_bernoulli(decode(z), repeat(x, 500)) + log_normal(z);
    logsumexp(joint - log_normal(z, mean = m, logvar = v), axis = rows) - log(500.0)
}

const SEED: u64 = 7;

/// One sample, 10 epochs, batches of 128, Adam at 1e-3.
fn trained(images: &Digits) -> (Model, f64) {
    let start = Instant::now();
    let trainer = Trainer::new(vae).optimizer(Adam::new(1e-3)).batch(128).epochs(10).seed(SEED).quiet();
    let model = trainer.fit(&images.train).unwrap();
    (model, start.elapsed().as_secs_f64())
}

/// Each pixel is 1 with its grey value as probability: one draw, the same for ever.
fn binarised(data: &Data, seed: u64) -> Data {
    let images = data.array::<f32>("x").unwrap();
    let draw = |(row, image): (usize, &[f32])| -> Vec<f32> {
        let thresholds = uniforms(784, seed + row as u64);
        image.iter().zip(thresholds).map(|(grey, u)| f32::from(u8::from(u < f64::from(*grey)))).collect()
    };
    Data::new().with("x", &[784], images.iter().enumerate().flat_map(draw).collect()).unwrap()
}

#[test]
#[ignore = "minutes, and wants MNIST"]
fn the_vae_on_grey_pixels() {
    let Some(images) = mnist() else { return };
    let (model, seconds) = trained(&images);
    let test = model.mean(vae, &images.test).unwrap();
    println!("VAE 784-400-20, grey MNIST, 10 epochs, seed {SEED}: test {test}; {seconds:.1} s of training");
    assert!((test.loss - 105.6).abs() < 1.0, "{test}");
}

#[test]
#[ignore = "minutes, and wants MNIST"]
fn the_vae_on_binary_pixels() {
    let Some(mut images) = mnist() else { return };
    images.train = binarised(&images.train, 1_000_000);
    images.test = binarised(&images.test, 2_000_000);
    let (model, seconds) = trained(&images);
    let bound = model.mean(vae, &images.test).unwrap();
    println!(
        "VAE 784-400-20, MNIST binarised by one draw, 10 epochs, seed {SEED}: test {bound}; {seconds:.1} s of training"
    );
    let start = Instant::now();
    // Every fifth, since the first half of MNIST's test images is easier than the second.
    let some: Vec<usize> = (0..10_000).step_by(5).collect();
    let some = images.test.select(&some).unwrap();
    let likelihood = model.run(log_likelihood, &some).unwrap();
    let values: Vec<f64> = likelihood.values().iter().map(|v| f64::from(*v)).collect();
    let (mean, variance) = mean_and_variance(&values);
    println!(
        "log p(x) of {} test images, 500 importance samples each: {mean:.2} ± {:.2} nats; {:.1} s",
        values.len(),
        (variance / values.len() as f64).sqrt(),
        start.elapsed().as_secs_f64()
    );
    let bound = model.mean(vae, &some).unwrap().loss;
    // The gap is KL(q(z|x) ‖ p(z|x)), some nats for so wide a decoder.
    assert!(-mean < bound - 1.0 && -mean > bound - 15.0, "{mean}, and a bound of {}", -bound);
}
