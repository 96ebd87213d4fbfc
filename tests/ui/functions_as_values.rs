//! Functions that are given to functions.
use diabolo::prelude::*;

#[function]
fn twice(x: Tensor<B, 4>, f: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>) -> Tensor<B, 4> {
    f(f(x))
}

#[function]
fn called_already(x: Tensor<B, 4>) -> Tensor<B, 4> {
    twice(x, tanh(x))
}

#[function]
fn of_two_arguments(x: Tensor<B, 4>) -> Tensor<B, 4> {
    twice(x, |a, b| a + b)
}

#[function]
fn a_word_of_two(x: Tensor<B, 4>) -> Tensor<B, 4> {
    twice(x, pow)
}

#[function]
fn to_another_shape(x: Tensor<B, 4>) -> Tensor<B, 4> {
    twice(x, |a| slice(a, end = 2))
}

#[function]
fn as_a_result(x: Tensor<B, 4>) -> Tensor<B, 4> {
    tanh
}

#[function]
fn names_no_argument(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let f = |a| 2.0 * a;
    f(a = x)
}

#[function]
fn of_a_tensor(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let h = tanh(x);
    h(x)
}

#[function]
fn hidden(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mean = 0.5 * x;
    x - mean(x)
}

fn main() {}
