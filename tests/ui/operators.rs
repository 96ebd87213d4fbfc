//! Operators that tensors do not have.
use diabolo::prelude::*;

#[function]
fn bits(x: Tensor<B, 4>, y: Tensor<B, 4>) -> Tensor<B, 4> {
    x & y
}

#[function]
fn not(x: Tensor<B, 4>) -> Tensor<B, 4> {
    !x
}

#[function]
fn both(x: Tensor<B, 4>, y: Tensor<B, 4>) -> Tensor<B, 4> {
    x && y
}

#[function]
fn of_a_text(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x + "one"
}

#[function]
fn of_a_function(x: Tensor<B, 4>) -> Tensor<B, 4> {
    -tanh * x
}

#[function]
fn remainder(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x % 2.0
}

#[function]
fn in_place(x: Tensor<B, 4>) -> Tensor<B, 4> {
    z += x;
    x
}

#[function]
fn by_zero(x: Tensor<B, 4>) -> Tensor<B, 4> {
    reshape(x, 4 / 0)
}

#[function]
fn product_of_matrices(a: Tensor<8, 4>, b: Tensor<4, 8>) -> Tensor<8, 8> {
    a * b
}

fn main() {}
