//! As many elements as before.
use diabolo::prelude::*;

#[function]
fn fewer(x: Tensor<B, 64>) -> Tensor<B, 6, 10> {
    reshape(x)
}

#[function]
fn fewer_in_words(x: Tensor<B, 64>) -> Tensor<B, 6, 10> {
    reshape(x, 6, 10)
}

#[function]
fn into_what(x: Tensor<B, 64>) -> Tensor<B> {
    let y = reshape(x);
    sum(y)
}

#[function]
fn half(x: Tensor<B, 64>) -> Tensor<B, 32, 2> {
    reshape(x, 32, 0.5 * 4.0)
}

#[function]
fn negative(x: Tensor<B, 64>) -> Tensor<B, 64> {
    reshape(x, -1)
}

#[function]
fn other_rows(x: Tensor<Rows<B, 4>, 16>) -> Tensor<B, 64> {
    reshape(x)
}

fn main() {}
