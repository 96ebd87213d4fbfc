//! Names that belong to the language, to its attributes and to Rust.
use diabolo::prelude::*;

#[function]
fn relu(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x
}

#[loss]
fn loss(x: Tensor<B, 64>) -> Tensor<B> {
    sum_squares(x)
}

#[function]
fn vec(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x
}

#[constant]
const K: usize = 3;

#[constant]
const latent: usize = 3;

fn main() {}
