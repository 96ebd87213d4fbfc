//! Recursion has no end when functions are inlined.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    0.5 * f(x)
}

#[function]
fn g(x: Tensor<B, 64>) -> Tensor<B, 64> {
    h(x)
}

#[function]
fn h(x: Tensor<B, 64>) -> Tensor<B, 64> {
    g(x)
}

#[function]
fn user(x: Tensor<B, 64>) -> Tensor<B, 64> {
    f(h(x))
}

fn main() {}
