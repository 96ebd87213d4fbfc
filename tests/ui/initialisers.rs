//! How a parameter starts is no value.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn a_number(x: Tensor<B, 8>) -> Tensor<B, 4> {
    dense(x, 4, init = 0.5)
}

#[encoder]
fn as_a_value(x: Tensor<B, 8>) -> Tensor<B, 8> {
    kaiming() * x
}

#[network]
fn with_a_size() -> Tensor<8, 8> {
    param(xavier(8))
}

#[network]
fn without_a_bound() -> Tensor<8, 8> {
    param(uniform_init())
}

#[network]
fn of_a_tensor(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight: Tensor<8> = param(normal_init(x));
    weight * x
}

#[network]
fn of_no_inputs() -> Tensor<8, 8> {
    param(fan_in(0))
}

#[network]
fn of_random_numbers() -> Tensor<8, 8> {
    param(normal())
}

fn main() {}
