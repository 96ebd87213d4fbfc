//! Words that give their value back.
use diabolo::prelude::*;

#[function]
fn no_name(x: Tensor<B, 8>) -> Tensor<B, 8> {
    inspect(x, x)
}

#[function]
fn only_a_name(x: Tensor<B, 8>) -> Tensor<B, 8> {
    inspect("x") + x
}

#[function]
fn other_shapes(q: Tensor<B, 8>, x: Tensor<B, 4>) -> Tensor<B, 8> {
    straight_through(q, x)
}

#[function]
fn two(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B, 8> {
    stop_gradient(x, y)
}

#[function]
fn a_function(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + stop_gradient(tanh)
}

#[function]
fn a_tuple(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let (a, b) = exact((x, x));
    a + b
}

fn main() {}
