//! Words that cross the rows of the batch.
use diabolo::prelude::*;

#[function]
fn of_a_weight(w: Tensor<8>) -> Tensor<8> {
    mean(batch(w), axis = 1)
}

#[function]
fn of_further_rows(x: Tensor<B, 8>) -> Tensor<8> {
    batch_mean(repeat(x, 4))
}

#[function]
fn of_a_number() -> Scalar {
    batch_mean(0.5)
}

#[function]
fn along_an_axis(x: Tensor<B, 8>) -> Tensor<8> {
    batch_mean(x, axis = 1)
}

#[function]
fn as_rows(x: Tensor<B, 8>) -> Tensor<B, 8> {
    batch(x)
}

#[function]
fn mapped(x: Tensor<B, 8>) -> Tensor<Rows<B, 4>> {
    spread(repeat(x, 4))
}

#[function]
fn spread(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(x - batch_mean(x))
}

fn main() {}
