//! Words that work element by element: how many they take, and of what.
use diabolo::prelude::*;

#[function]
fn none(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x + relu()
}

#[function]
fn two(x: Tensor<B, 64>) -> Tensor<B, 64> {
    relu(x, 0.1)
}

#[function]
fn one_of_three(x: Tensor<B, 64>) -> Tensor<B, 64> {
    select(x, 1.0)
}

#[function]
fn named(x: Tensor<B, 64>) -> Tensor<B, 64> {
    pow(x, exponent = 2.0)
}

#[function]
fn text(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x + exp("h")
}

#[function]
fn not_called(x: Tensor<B, 64>) -> Tensor<B, 64> {
    tanh(exp) + x
}

#[function]
fn tuple(x: Tensor<B, 64>) -> Tensor<B, 64> {
    tanh((x, x))
}

#[function]
fn shapes(x: Tensor<B, 64>, y: Tensor<B, 32>) -> Tensor<B, 64> {
    max(x, y)
}

fn main() {}
