//! A function returns what it says.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 20> {
    dense(x, 32)
}

fn main() {}
