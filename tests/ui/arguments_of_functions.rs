//! What a function takes, as it is declared.
use diabolo::prelude::*;

#[function]
fn itself(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn apart((x, y): (Tensor<B, 4>, Tensor<B, 4>)) -> Tensor<B, 4> {
    x + y
}

#[function]
fn changeable(mut x: Tensor<B, 4>) -> Tensor<B, 4> {
    x = tanh(x);
    x
}

#[function]
fn twice(x: Tensor<B, 4>, x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn a_text(x: Tensor<B, 4>, name: &str) -> Tensor<B, 4> {
    inspect(name, x)
}

#[function]
fn a_moment(x: Tensor<B, 4>, m: Moment) -> Tensor<B, 4> {
    m * x
}

#[function]
fn with_an_attribute(#[serde(skip)] x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

fn main() {}
