//! A function and a constant of plain Rust: rustc's own words.
use diabolo::nn::dense;
use diabolo::prelude::*;

const LATENT: usize = 8;

fn double(x: f32) -> f32 {
    2.0 * x
}

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, LATENT> {
    dense(x, LATENT)
}

#[function]
fn doubled(x: Tensor<B, 64>) -> Tensor<B, 64> {
    double(x)
}

fn main() {
    double(1.0);
}
