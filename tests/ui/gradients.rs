//! What can be differentiated, and with respect to what.
use diabolo::prelude::*;

#[function]
fn a_value(x: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(sum(x), x)
}

#[function]
fn of_many(x: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(tanh, x)
}

#[function]
fn of_two(x: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(|x| (sum(x), mean(x)), x)
}

#[function]
fn without_rows(w: Tensor<8>, x: Tensor<B, 8>) -> Tensor<8> {
    grad(|w| dot(w, x), w)
}

#[function]
fn at_nothing(x: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(|x| sum(x))
}

#[function]
fn at_two(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(|x, y| dot(x, y), (x, y))
}

#[function]
fn of_two_arguments(x: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(distance, x)
}

#[function]
fn distance(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(x - y)
}

#[function]
fn of_other_sizes(x: Tensor<B, 4>) -> Tensor<B, 4> {
    grad(|x| distance(x, 0.0), x)
}

#[function]
fn at_a_flag(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + grad(sum, true)
}

fn main() {}
