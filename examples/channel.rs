//! Communication: an autoencoder whose code is a signal, with a noisy channel in its middle.
//!
//! Loss: the cross-entropy of the message that the receiver reads from y = z + s ε (O'Shea and Hoydis 2017). The sender
//! has mean power 1. One bit over one real number: theory says z = ±1, and Q(1/s) = P(N(0, 1) > 1/s) of the bits are
//! read wrongly. Look at the picture too: eight messages over two numbers. The classic mistake is to leave power
//! free: the sender then shouts, and no noise matters.

use common::{Defaults, Trial};
use diabolo::nn::{cross_entropy, dense};
use diabolo::prelude::*;
use diabolo::report::{Figures, scatter};

/// What is sent for each of M messages: K numbers, of mean power K over all messages.
#[network]
pub fn symbols<const M: usize, const K: usize>() -> Tensor<M, K> {
    let free: Tensor<M, K> = param(normal_init(1.0));
    free / sqrt(mean(square(free)))
}

#[encoder]
pub fn send<#[values(2, 8)] const M: usize, #[values(1, 2)] const K: usize>(
    message: Index<B>,
) -> Tensor<B, K> {
    gather(symbols::<M, K>(), message)
}

#[function]
pub fn channel(z: Tensor<B, K>, deviation: f32) -> Tensor<B, K> {
    z + deviation * normal_like(z)
}

/// Logits of the message.
#[decoder]
pub fn receive<const M: usize>(y: Tensor<B, K>) -> Tensor<B, M> {
    dense(relu(dense(y, 32)), M)
}

#[loss]
pub fn communicate<#[values(2, 8)] const M: usize, #[values(1, 2)] const K: usize>(
    message: Index<B>,
    #[default(0.5)] deviation: f32,
) -> Tensor<B> {
    let y = channel(send::<M, K>(message), deviation);
    cross_entropy(receive::<M>(y), message)
}

/// 1 where the receiver is wrong.
#[function]
pub fn wrong<#[values(2, 8)] const M: usize, #[values(1, 2)] const K: usize>(
    message: Index<B>,
    deviation: f32,
) -> Tensor<B> {
    let read = argmax(receive::<M>(channel(send::<M, K>(message), deviation)));
    number(read) != number(message)
}

/// What arrives.
#[function]
fn received<#[values(2, 8)] const M: usize, #[values(1, 2)] const K: usize>(
    message: Index<B>,
    deviation: f32,
) -> Tensor<B, K> {
    channel(send::<M, K>(message), deviation)
}

/// Q(t) = P(N(0, 1) > t).
#[function]
fn tail(t: Tensor<B>) -> Tensor<B> {
    0.5 - 0.5 * erf(t / sqrt(2.0))
}

/// So many rows of messages, all as often as each other.
pub fn messages(rows: usize, count: usize) -> diabolo::Result<Data> {
    Data::new().with("message", &[], (0..rows).map(|row| (row % count) as f32).collect())
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("channel", Defaults { epochs: 150, batch: 256, lr: 5e-3 })?;
    let cosine = Schedule::Cosine { warmup: 0.0 };
    let (bits, tests) = (messages(8192, 2)?, messages(1_000_000, 2)?);
    let model = trial.fit(Trainer::new(communicate::<2, 1>).schedule(cosine), &bits)?;
    println!("\nsent for 0 and for 1: {:.4?}", model.run(send::<2, 1>, &messages(2, 2)?)?.values());
    let mut figures = Figures::new("share of a million bits read wrongly");
    for deviation in [0.5, 1.0] {
        let theory = model.run(tail, &Array::new(&[1], vec![1.0 / deviation])?)?.mean();
        figures = figures
            .row(
                &format!("s = {deviation}, found"),
                model.run(wrong { M: 2, K: 1, deviation }, &tests)?.mean(),
            )
            .row(&format!("s = {deviation}, Q(1/s)"), theory);
    }

    let eight = messages(8192, 8)?;
    let model =
        trial.fit(Trainer::new(communicate { M: 8, K: 2, deviation: 0.25 }).schedule(cosine), &eight)?;
    let arrived = model.run(received { M: 8, K: 2, deviation: 0.15 }, &eight)?;
    let labels = eight.array::<f32>("message")?;
    scatter(trial.run.path("constellation.png"), "eight messages, two numbers", &arrived, labels.values())?;
    trial.conclude(&figures)
}
