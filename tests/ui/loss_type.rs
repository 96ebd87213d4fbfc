//! A loss is a value per sample, or a Scalar.
use diabolo::prelude::*;

#[loss]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x
}

fn main() {}
