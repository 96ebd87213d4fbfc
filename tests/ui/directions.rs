//! Derivatives along something, and all of them.
use diabolo::prelude::*;

#[function]
fn length(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(x)
}

#[function]
fn another_type(x: Tensor<B, 8>, v: Tensor<B, 4>) -> Tensor<B> {
    jvp(length, x, v)
}

#[function]
fn no_direction(x: Tensor<B, 8>) -> Tensor<B> {
    jvp(length, x)
}

#[function]
fn of_many(x: Tensor<B, 8>, v: Tensor<B, 8>) -> Tensor<B, 8> {
    hvp(tanh, x, v)
}

#[function]
fn along_two(x: Tensor<B, 8>, v: Tensor<B, 8>) -> Tensor<B, 8> {
    hvp(length, x, (v, v))
}

#[function]
fn other_rows(x: Tensor<B, 8>) -> Tensor<Rows<B, 4>, 8, 8> {
    jacobian(|x| repeat(x, 4), x)
}

#[function]
fn as_a_gradient(x: Tensor<B, 8>) -> Tensor<B, 8> {
    jacobian(tanh, x)
}

#[function]
fn of_a_value(x: Tensor<B, 8>) -> Tensor<B, 8, 8> {
    jacobian(tanh(x), x)
}

fn main() {}
