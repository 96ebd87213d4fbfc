//! The adversarial autoencoder (Makhzani et al. 2016): a code that a discriminator takes for the prior.
//!
//! Three losses in turns: ‖x − D(E(x))‖² trains encoder and decoder; the discriminator's cross-entropy between z ~ N(0, I)
//! and the codes trains the discriminator; −log of what it says of the codes trains the encoder. No density of the code
//! is needed, only samples of the prior. Look at the scatter of the codes of test digits, coloured by digit, beside those of
//! the plain autoencoder, and at digits decoded from the prior. The classic mistake is to swap the roles of the last
//! two losses: each says whom it `trains`.

use common::{Defaults, Study};
use diabolo::nn::{dense, discriminator_loss, mmd, non_saturating_loss, squared_error};
use diabolo::prelude::*;
use diabolo::report::scatter;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 2> {
    dense(relu(dense(x, 128)), 2)
}

#[decoder]
fn decode(z: Tensor<B, 2>) -> Tensor<B, 64> {
    dense(relu(dense(relu(dense(z, 128)), 128)), 64)
}

#[network]
fn judge(z: Tensor<B, 2>) -> Tensor<B> {
    squeeze(dense(relu(dense(relu(dense(z, 64)), 64)), 1))
}

#[loss(trains(encode, decode))]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[loss(trains(judge))]
pub fn discriminate(x: Tensor<B, 64>) -> Tensor<B> {
    discriminator_loss(judge(normal()), judge(encode(x)))
}

#[loss(trains(encode))]
pub fn deceive(x: Tensor<B, 64>) -> Tensor<B> {
    non_saturating_loss(judge(encode(x)))
}

#[function]
pub fn rebuild(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

#[function]
fn sample() -> Tensor<B, 64> {
    let z: Tensor<B, 2> = normal();
    decode(z)
}

/// The squared maximum mean discrepancy between codes and as many draws of the prior.
#[function]
fn off_the_prior(x: Tensor<B, 64>) -> Scalar {
    let z = encode(x);
    mmd(z, normal_like(z))
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("adversarial", Defaults { epochs: 200, batch: 128, lr: 2e-3 })?;
    let Study { trial, digits } = &study;
    let schedule = Schedule::Cosine { warmup: 0.0 };
    let plain = study.fit(Trainer::new(reconstruct).schedule(schedule))?;
    let rate = Adam::new(trial.flags.lr as f32);
    let wary = Adam { b1: 0.5, ..rate }; // adversaries turn: little momentum
    let losses = Trainer::alternate((reconstruct, discriminate, deceive)).optimizers((rate, wary, wary));
    let adversarial = trial.fit_with(losses.schedule(schedule), &digits.train)?;

    let labels = digits.test.array::<f32>("label")?;
    let mut errors = Vec::new();
    println!();
    for (name, model) in [("plain", &plain), ("adversarial", &adversarial)] {
        let off = model.run(off_the_prior, &digits.test)?.values()[0];
        println!("{name}: squared discrepancy of the test codes from the prior {off:.5}");
        let codes = study.on_test(model, encode)?;
        scatter(trial.run.path(&format!("{name}-codes.png")), name, &codes, labels.values())?;
        errors.push((name, study.squared_error(&study.on_test(model, rebuild)?)?));
    }
    study.samples(&adversarial, sample)?;
    study.conclude(&errors, 2)
}
