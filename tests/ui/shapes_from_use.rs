//! Values whose shape comes from the use.
use diabolo::prelude::*;

#[function]
fn of_a_size(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + zeros(8)
}

#[function]
fn alone(x: Tensor<B, 8>) -> Tensor<B> {
    sum(x) + sum(ones())
}

#[function]
fn of_a_value(x: Tensor<B, 8>) -> Tensor<B, 8> {
    constant(x)
}

#[function]
fn not_square(x: Tensor<B, 8>) -> Tensor<8, 4> {
    identity()
}

#[function]
fn three_axes(x: Tensor<B, 8>) -> Tensor<8, 8, 8> {
    identity()
}

#[function]
fn two_of_them(x: Tensor<B, 8>) -> Tensor<B> {
    let noise = normal() + uniform();
    sum(x) + sum(noise)
}

fn main() {}
