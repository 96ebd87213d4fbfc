//! A part of an axis lies inside it.
use diabolo::prelude::*;

#[function]
fn beyond(x: Tensor<B, 8>) -> Tensor<B, 8> {
    slice(x, start = 4, end = 12)
}

#[function]
fn empty_backwards(x: Tensor<B, 8>) -> Tensor<B, 2> {
    slice(x, start = 4, end = 2)
}

#[function]
fn from_the_end(x: Tensor<B, 8>) -> Tensor<B, 1> {
    slice(x, start = -1)
}

#[function]
fn which_axis(x: Tensor<B, 8, 4>) -> Tensor<B, 2, 4> {
    slice(x, end = 2)
}

#[function]
fn of_the_rows(x: Tensor<B, 8>) -> Tensor<B, 8> {
    slice(x, axis = rows, end = 4)
}

#[function]
fn of_a_length_that_a_run_knows(x: Tensor<B, T, 4>) -> Tensor<B, 4, 4> {
    slice(x, axis = 1, end = 4)
}

#[function]
fn a_fraction(x: Tensor<B, 8>) -> Tensor<B, 4> {
    slice(x, end = 8 / 2.0)
}

#[function]
fn by_an_index(x: Tensor<B, 8>) -> Tensor<B> {
    x[0]
}

fn main() {}
