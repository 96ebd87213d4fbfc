//! How row axes are written.
use diabolo::prelude::*;

#[function]
fn no_batch(x: Tensor<Rows<50>, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn later(x: Tensor<4, Rows<B, 50>>) -> Tensor<B, 4> {
    x
}

#[function]
fn both(x: Tensor<B, Rows<B, 50>, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn a_type(x: Tensor<f32, B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn of_another_number(x: Tensor<Rows<B, 50>, 4>) -> Tensor<Rows<B, 20>, 4> {
    x
}

fn main() {}
