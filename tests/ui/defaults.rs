//! What an argument is where nobody gives it.
use diabolo::prelude::*;

#[function]
fn a_text(x: Tensor<B, 4>, #[default("0.1")] lambda: f32) -> Tensor<B, 4> {
    lambda * x
}

#[function]
fn a_call(x: Tensor<B, 4>, #[default(exp(1.0))] lambda: f32) -> Tensor<B, 4> {
    lambda * x
}

#[function]
fn nothing(x: Tensor<B, 4>, #[default()] lambda: f32) -> Tensor<B, 4> {
    lambda * x
}

#[function]
fn with_a_sign(x: Tensor<B, 4>, #[default = 0.1] lambda: f32) -> Tensor<B, 4> {
    lambda * x
}

#[loss]
fn of_the_data(#[default(0.0)] x: Tensor<B, 4>) -> Tensor<B> {
    sum(x)
}

#[layer]
fn half(x: Tensor<B, 4>, #[default(0.5)] n: usize) -> Tensor<B, 4> {
    n * x
}

#[network]
fn uses_half(x: Tensor<B, 4>) -> Tensor<B, 4> {
    half(x)
}

#[layer]
fn started(x: Tensor<B, 4>, #[default(0.5)] init: Initial) -> Tensor<B, 4> {
    let weight: Tensor<4> = param(init);
    weight * x
}

#[network]
fn uses_started(x: Tensor<B, 4>) -> Tensor<B, 4> {
    started(x)
}

#[function]
fn a_function(x: Tensor<B, 4>, #[default(1.0)] f: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>) -> Tensor<B, 4> {
    f(x)
}

fn main() {}
