//! Arguments that a function does not have, has twice, or lacks.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(dense(dense(x, 8, width = 3), out = 8, out = 9))
}

fn main() {}
