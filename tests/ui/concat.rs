//! One after the other along an axis, alike in the others.
use diabolo::prelude::*;

#[function]
fn nothing(x: Tensor<B, 8>) -> Tensor<B, 8> {
    concat()
}

#[function]
fn which_axis(x: Tensor<B, 8, 4>, y: Tensor<B, 8, 4>) -> Tensor<B, 16, 4> {
    concat(x, y)
}

#[function]
fn other_axes(x: Tensor<B, 8, 4>, y: Tensor<B, 8, 3>) -> Tensor<B, 16, 4> {
    concat(x, y, axis = 1)
}

#[function]
fn fewer_axes(x: Tensor<B, 8, 4>, y: Tensor<B, 4>) -> Tensor<B, 9, 4> {
    concat(x, y, axis = 1)
}

#[function]
fn along_the_rows(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B, 8> {
    concat(x, y, axis = rows)
}

#[function]
fn as_one_tuple(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B, 16> {
    concat((x, y))
}

#[function]
fn total(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B, 8> {
    concat(x, y)
}

fn main() {}
