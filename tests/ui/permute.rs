//! Every feature axis once.
use diabolo::prelude::*;

#[function]
fn one_left_out(x: Tensor<B, 8, 4, 2>) -> Tensor<B, 2, 8> {
    permute(x, 3, 1)
}

#[function]
fn twice(x: Tensor<B, 8, 4>) -> Tensor<B, 8, 8> {
    permute(x, 1, 1)
}

#[function]
fn with_the_rows(x: Tensor<B, 8, 4>) -> Tensor<B, 4, 8> {
    permute(x, 0, 2, 1)
}

#[function]
fn a_vector(x: Tensor<B, 8>) -> Tensor<B, 8> {
    transpose(x)
}

#[function]
fn forgotten(x: Tensor<B, 8, 4>) -> Tensor<B, 8, 4> {
    transpose(x)
}

fn main() {}
