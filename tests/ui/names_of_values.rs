//! `let`: what is named, and in what type.
use diabolo::prelude::*;

#[function]
fn parts_of_one(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let (a, b) = tanh(x);
    a + b
}

#[function]
fn pair(x: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4>) {
    (x, tanh(x))
}

#[function]
fn three_of_two(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let (a, b, c) = pair(x);
    a + b + c
}

#[function]
fn one_of_two(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let a = pair(x);
    tanh(a)
}

#[function]
fn by_a_number(x: Tensor<B, 4>) -> Tensor<B, 4> {
    pair(x).0
}

#[function]
fn in_another_type(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let y: Tensor<B, 8> = tanh(x);
    slice(y, end = 4)
}

#[function]
fn as_a_number(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let y: f32 = sum(x);
    y * x
}

#[function]
fn without_a_value(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let y;
    x
}

#[function]
fn of_a_pattern(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let Some(y) = x;
    y
}

fn main() {}
