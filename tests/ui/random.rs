//! Random numbers take no parameters of a distribution.
use diabolo::prelude::*;

#[function]
fn deviation(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + normal(0.0, 0.1)
}

#[function]
fn like_nothing(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + normal_like()
}

#[function]
fn bounds(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + uniform_like(x, -1.0, 1.0)
}

#[function]
fn like_a_function(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + uniform_like(tanh)
}

#[function]
fn of_a_flag(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x * bernoulli(true)
}

fn main() {}
