//! What a parameter starts with, and its shape.
use diabolo::prelude::*;

#[network]
fn from_a_value(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight: Tensor<8> = param(x);
    weight * x
}

#[network]
fn from_nothing(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight: Tensor<8> = param();
    weight * x
}

#[network]
fn not_called(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight: Tensor<8> = param(kaiming);
    weight * x
}

#[network]
fn with_rows(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight: Tensor<B, 8> = param(ones());
    weight * x
}

#[network]
fn of_no_shape(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight = param(kaiming());
    sum(weight) * x
}

#[network]
fn as_long_as_the_data(x: Tensor<B, T, 8>) -> Tensor<B, T, 8> {
    let weight: Tensor<T, 8> = param(ones());
    weight * x
}

#[function]
fn in_a_function(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight: Tensor<8> = param(ones());
    weight * x
}

#[network]
fn by_a_shape(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let weight = param(8, 8);
    einsum("bi,ij->bj", x, weight)
}

fn main() {}
