//! Arguments that a function does not have, or lacks.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(x, 8, width = 3)
}

#[encoder]
fn short(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(x)
}

fn main() {}
