//! Padding, windows and folds.
use diabolo::prelude::*;

#[function]
fn pad_where(x: Tensor<B, 8>) -> Tensor<B, 10> {
    pad(x, before = 1, after = 1)
}

#[function]
fn pad_backwards(x: Tensor<B, 8>) -> Tensor<B, 7> {
    pad(x, axis = 1, after = -1)
}

#[function]
fn pad_the_rows(x: Tensor<B, 8>) -> Tensor<B, 8> {
    pad(x, axis = rows, before = 1)
}

#[function]
fn pad_with_what(x: Tensor<B, 8>) -> Tensor<B, 9> {
    pad(x, axis = 1, before = 1, value = 0.5)
}

#[function]
fn window_of_nothing(x: Tensor<B, 8>) -> Tensor<B, 8, 0> {
    window(x, axis = 1, kernel = 0)
}

#[function]
fn window_of_what(x: Tensor<B, 8>) -> Tensor<B, 6, 3> {
    window(x, axis = 1, stride = 2)
}

#[function]
fn window_of_half(x: Tensor<B, 8>) -> Tensor<B, 6, 3> {
    window(x, axis = 1, kernel = 3, stride = 0.5)
}

#[function]
fn fold_of_unknown_pieces(x: Tensor<B, 4, T>) -> Tensor<B, 8> {
    fold(x, axis = 1)
}

#[function]
fn fold_into(x: Tensor<B, 6, 3>) -> Tensor<B, 6> {
    fold(x, axis = 1)
}

fn main() {}
