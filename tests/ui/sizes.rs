//! Sizes that a call gives, and sizes that Rust gives.
use diabolo::prelude::*;

#[encoder]
fn encode<#[values(2, 4)] const K: usize>(x: Tensor<B, 8>) -> Tensor<B, K> {
    let weight: Tensor<8, K> = param(xavier());
    einsum("bi,io->bo", x, weight)
}

#[loss]
fn unsaid(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(encode(x))
}

#[loss]
fn twice(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(encode::<2, 4>(x))
}

#[encoder]
fn cut<#[values(2, 4, 16)] const K: usize>(x: Tensor<B, 8>) -> Tensor<B, K> {
    slice(x, end = K)
}

#[encoder]
fn listed<#[values(2, 2)] const K: usize>(x: Tensor<B, 8>) -> Tensor<B, K> {
    slice(x, end = K)
}

fn main() {}
