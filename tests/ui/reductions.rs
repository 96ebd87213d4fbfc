//! Axes that a value does not have.
use diabolo::prelude::*;

#[function]
fn from_zero(x: Tensor<B, 8, 4>) -> Tensor<B, 4> {
    sum(x, axis = 0)
}

#[function]
fn beyond(x: Tensor<B, 8, 4>) -> Tensor<B, 8> {
    mean(x, axis = 3)
}

#[function]
fn backwards(x: Tensor<B, 8, 4>) -> Tensor<B, 8> {
    max(x, axis = -1)
}

#[function]
fn no_further_rows(x: Tensor<B, 8>) -> Tensor<8> {
    mean(x, axis = rows)
}

#[function]
fn twice(x: Tensor<B, 8, 4>) -> Tensor<B> {
    mean(x, axis = (1, 1))
}

#[function]
fn half(x: Tensor<B, 8>) -> Tensor<B, 8> {
    softmax(x, axis = 0.5)
}

#[function]
fn misspelt(x: Tensor<B, 8>) -> Tensor<B> {
    logsumexp(x, axes = 1)
}

#[function]
fn along_what(x: Tensor<B, 8, 4>) -> Tensor<B, 8> {
    sum_squares(x, axis = 2)
}

#[function]
fn a_word_as_a_value(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x * rows
}

#[function]
fn a_word_called(x: Tensor<B, 8>) -> Tensor<B> {
    sum(x, axis = rows())
}

fn main() {}
