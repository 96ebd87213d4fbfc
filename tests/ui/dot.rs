//! Two values that have not the same features.
use diabolo::prelude::*;

#[function]
fn sizes(x: Tensor<B, 8>, y: Tensor<B, 4>) -> Tensor<B> {
    dot(x, y)
}

#[function]
fn one(x: Tensor<B, 8>) -> Tensor<B> {
    dot(x)
}

#[function]
fn a_function(x: Tensor<B, 8>) -> Tensor<B> {
    dot(x, square)
}

fn main() {}
