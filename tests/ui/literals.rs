//! Numbers and texts.
use diabolo::prelude::*;

#[function]
fn a_letter(x: Tensor<B, 4>) -> Tensor<B, 4> {
    'x' * x
}

#[function]
fn too_large(x: Tensor<B, 4>) -> Tensor<B, 4> {
    1e999 * x
}

#[function]
fn bytes(x: Tensor<B, 4>) -> Tensor<B, 4> {
    inspect(b"x", x)
}

#[function]
fn a_list(x: Tensor<B, 2>) -> Tensor<B, 2> {
    x + [1.0, 2.0]
}

#[function]
fn a_cast(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    x / (T as f32)
}

#[function]
fn a_text(x: Tensor<B, 4>) -> Tensor<B, 4> {
    "x"
}

#[function]
fn a_flag(x: Tensor<B, 4>) -> Tensor<B, 4> {
    true
}

fn main() {}
