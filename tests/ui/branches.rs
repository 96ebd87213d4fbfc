//! Both sides of an `if`, and what it asks.
use diabolo::prelude::*;

#[function]
fn one_side(x: Tensor<B, 4>) -> Tensor<B, 4> {
    if training() { tanh(x) }
}

#[function]
fn other_shapes(x: Tensor<B, 4>) -> Tensor<B, 4> {
    if training() { x } else { sum(x) }
}

#[function]
fn a_number(x: Tensor<B, 4>) -> Tensor<B, 4> {
    if 1 { x } else { -x }
}

#[function]
fn two_tensors(x: Tensor<B, 4>, y: Tensor<B, 4>) -> Tensor<B, 4> {
    if x > 0.0 && y > 0.0 { x } else { y }
}

#[function]
fn a_pattern(x: Tensor<B, 4>) -> Tensor<B, 4> {
    if let y = x { y } else { x }
}

#[function]
fn a_hyperparameter(x: Tensor<B, 4>, t: f32) -> Tensor<B, 4> {
    if t > 0.5 { x } else { -x }
}

fn main() {}
