//! A name that nothing declares, in an operation and as an argument.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn first(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let h = relu(x);
    dense(exp(hh), 8)
}

#[encoder]
fn second(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let h = relu(x);
    dense(hh, 8)
}

fn main() {}
