//! The last axes of the other value.
use diabolo::prelude::*;

#[function]
fn channels(bias: Tensor<4>, h: Tensor<B, 4, 8>) -> Tensor<B, 4, 8> {
    h + expand_like(bias, h)
}

#[function]
fn fewer_axes(x: Tensor<B, 4, 8>, h: Tensor<B, 8>) -> Tensor<B, 8> {
    expand_like(x, h)
}

#[function]
fn like_what(x: Tensor<B, 4>) -> Tensor<B, 4> {
    expand_like(x)
}

fn main() {}
