//! The wrong shape is told at the call, with both shapes.
use diabolo::nn::{bce_with_logits, dense};
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 20> {
    dense(x, 20)
}

#[decoder]
fn decode(z: Tensor<B, 32>) -> Tensor<B, 784> {
    dense(z, 784)
}

#[loss]
fn vanilla(x: Tensor<B, 784>) -> Tensor<B> {
    let z = encode(x);
    let recon = bce_with_logits(decode(z), x);
    recon
}

fn main() {}
