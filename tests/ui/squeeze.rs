//! Axes of size 1, which a value has or gets.
use diabolo::prelude::*;

#[function]
fn none(x: Tensor<B, 8>) -> Tensor<B, 8> {
    squeeze(x)
}

#[function]
fn larger(x: Tensor<B, 8, 1>) -> Tensor<B, 8> {
    squeeze(x, axis = 1)
}

#[function]
fn nowhere(x: Tensor<B, 8>) -> Tensor<B, 8, 1> {
    unsqueeze(x)
}

#[function]
fn too_far(x: Tensor<B, 8>) -> Tensor<B, 8, 1> {
    unsqueeze(x, axis = 3)
}

#[function]
fn before_the_rows(x: Tensor<B, 8>) -> Tensor<B, 8> {
    unsqueeze(x, axis = rows)
}

fn main() {}
