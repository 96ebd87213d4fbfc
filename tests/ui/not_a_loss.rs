//! Only a loss trains.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(x, 8)
}

fn train(_: impl Loss) {}

fn main() {
    train(encode());
}
