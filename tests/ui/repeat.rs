//! A further row axis, which somebody has to reduce.
use diabolo::prelude::*;

#[function]
fn without_rows(w: Tensor<8>) -> Tensor<8> {
    repeat(w, 4)
}

#[function]
fn never(x: Tensor<B, 8>) -> Tensor<Rows<B, 0>, 8> {
    repeat(x, 0)
}

#[function]
fn half(x: Tensor<B, 8>) -> Tensor<Rows<B, 2>, 8> {
    repeat(x, 0.5)
}

#[function]
fn by_a_tensor(x: Tensor<B, 8>) -> Tensor<Rows<B, 2>, 8> {
    repeat(x, x)
}

#[loss]
fn not_reduced(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(repeat(x, 4))
}

#[function]
fn with_what_has_none(x: Tensor<B, 8>) -> Tensor<Rows<B, 4>, 8> {
    repeat(x, 4) + repeat(x, 5)
}

#[function]
fn with_the_batch(x: Tensor<B, 8>) -> Tensor<Rows<B, 4>, 8> {
    repeat(x, 4) - x
}

fn main() {}
