//! Axes that repeat have size 1.
use diabolo::prelude::*;

#[function]
fn features(x: Tensor<B, 64>, y: Tensor<B, 32>) -> Tensor<B, 64> {
    x + y
}

#[function]
fn weight(x: Tensor<B, 4, 8>, w: Tensor<4>) -> Tensor<B, 4, 8> {
    w * x
}

#[function]
fn batches(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x + batch(x)
}

#[function]
fn result(x: Tensor<B, 8>) -> Tensor<B, 8> {
    sum(x)
}

#[function]
fn runs_know(x: Tensor<B, T, 4>, y: Tensor<B, 6, 4>) -> Tensor<B, T, 4> {
    x + y
}

fn main() {}
