//! A flag, known while compiling.
use diabolo::prelude::*;

#[function]
fn not_called(x: Tensor<B, 8>) -> Tensor<B, 8> {
    if training { 2.0 * x } else { x }
}

#[function]
fn with_a_value(x: Tensor<B, 8>) -> Tensor<B, 8> {
    if training(x) { 2.0 * x } else { x }
}

#[function]
fn as_a_number(x: Tensor<B, 8>) -> Tensor<B, 8> {
    training() * x
}

#[network]
fn other_parameters(x: Tensor<B, 8>) -> Tensor<B, 8> {
    if training() {
        let scale: Tensor<8> = param(ones());
        scale * x
    } else {
        x
    }
}

fn main() {}
