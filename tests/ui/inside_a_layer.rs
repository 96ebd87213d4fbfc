//! A mistake that only a call makes is told at the call, and where it is in the layer.
use diabolo::prelude::*;

#[layer]
fn rotate(x: Tensor<B, I>) -> Tensor<B, I> {
    let weight: Tensor<I, I> = param(orthogonal());
    einsum("bi,ij->bj", sum(x), weight)
}

#[network]
fn turned(x: Tensor<B, 8>) -> Tensor<B, 8> {
    rotate(x)
}

fn main() {}
