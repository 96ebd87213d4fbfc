//! A learned loss: the decoder of an autoencoder is the generator of a critic that sees digits and reconstructions.
//!
//! Loss of the autoencoder: ‖x − x̂‖² + softplus(−C(x̂)); of the critic C, in turns with it: softplus(−C(x)) + softplus(C(x̂))
//! (after Larsen et al. 2016, whose critic also compares features). The squared error alone is least at the mean of all
//! digits that a code could stand for, and a mean is a blur, which the critic knows from a digit. Look at what a *fresh*
//! critic makes of held-out digits: the more nearly 2 JSD − 2 log 2 is −2 log 2 = −1.386, the less it can tell; and at the
//! error, which pays for it. The classic mistake is to swap the roles: then the decoder gives itself away.

use common::{Defaults, Study};
use diabolo::Model;
use diabolo::data::{Array, Data};
use diabolo::nn::{dense, discriminator_loss, non_saturating_loss, squared_error};
use diabolo::prelude::*;

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(relu(dense(x, 128)), 8)
}

#[decoder]
pub fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    sigmoid(dense(relu(dense(z, 128)), 64))
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

#[network]
pub fn critic(x: Tensor<B, 64>) -> Tensor<B> {
    squeeze(dense(relu(dense(relu(dense(x, 128)), 64)), 1))
}

/// A critic that had no part in training.
#[network]
fn fresh(x: Tensor<B, 64>) -> Tensor<B> {
    squeeze(dense(relu(dense(relu(dense(x, 128)), 64)), 1))
}

/// The squared error alone.
#[loss]
pub fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

#[loss(trains(encode, decode))]
pub fn rebuild(x: Tensor<B, 64>, #[default(1.0)] weight: f32) -> Tensor<B> {
    let y = reconstruct(x);
    let error = squared_error(y, x);
    let unconvincing = non_saturating_loss(critic(y));
    error + weight * unconvincing
}

#[loss(trains(critic))]
pub fn criticise(x: Tensor<B, 64>) -> Tensor<B> {
    discriminator_loss(critic(x), critic(reconstruct(x)))
}

#[loss]
pub fn tell_apart(x: Tensor<B, 64>, made: Tensor<B, 64>) -> Tensor<B> {
    discriminator_loss(fresh(x), fresh(made))
}

/// What a fresh critic reaches on digits that it has not seen, between −2 log 2 and 0.
pub fn told_apart(model: &Model, data: &Data, held_out: &Data, seed: u64) -> diabolo::Result<f64> {
    let beside = |data: &Data| {
        let x: Array<f32> = data.array("x")?;
        Data::from_array("x", x)?.with("made", &[64], model.run(reconstruct, data)?.into_values())
    };
    let trainer = Trainer::new(tell_apart).optimizer(Adam::new(1e-3)).batch(64).epochs(10).seed(seed).quiet();
    Ok(-trainer.fit(&beside(data)?)?.mean(tell_apart, &beside(held_out)?)?.loss)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("learned_loss", Defaults { epochs: 60, batch: 64, lr: 1e-3 })?;
    let adam = Adam { b1: 0.5, ..Adam::new(study.trial.flags.lr as f32) };
    let schedule = Schedule::Cosine { warmup: 0.0 };
    let plain = study.fit(Trainer::new(vanilla).schedule(schedule))?;
    let trainer = Trainer::alternate((rebuild { weight: 1.0 }, criticise)).optimizers((adam, adam));
    let learned = study.trial.fit_with(trainer.schedule(schedule), &study.digits.train)?;

    let mut errors = Vec::new();
    println!();
    for (name, model) in [("squared error", &plain), ("learned loss", &learned)] {
        let value = told_apart(model, &study.digits.train, &study.digits.test, study.trial.flags.seed)?;
        println!("{name}: a fresh critic reaches {value:.3} on test digits");
        let outputs = study.on_test(model, reconstruct)?;
        study.picture(&name.replace(' ', "-"), &outputs)?;
        errors.push((name, study.squared_error(&outputs)?));
    }
    study.conclude(&errors, 8)
}
