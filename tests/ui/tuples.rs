//! As many values as are declared.
use diabolo::prelude::*;

#[function]
fn two_for_one(x: Tensor<B, 4>) -> Tensor<B, 4> {
    (x, x)
}

#[function]
fn one_for_two(x: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4>) {
    x
}

#[function]
fn three_for_two(x: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4>) {
    (x, x, x)
}

#[function]
fn second_of_another_shape(x: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4>) {
    (x, sum(x))
}

#[function]
fn sum_of_two(x: Tensor<B, 4>) -> Tensor<B, 4> {
    two(x) + x
}

#[function]
fn two(x: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B>) {
    (x, sum(x))
}

#[function]
fn two_to_one(x: Tensor<B, 4>) -> Tensor<B, 4> {
    one(two(x))
}

#[function]
fn one(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn nothing(x: Tensor<B, 4>) -> () {
    x
}

fn main() {}
