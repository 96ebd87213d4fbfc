//! A function that returns nothing, and one that says so only.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>) {
    x
}

#[function]
fn g(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let y = x;
}

fn main() {}
