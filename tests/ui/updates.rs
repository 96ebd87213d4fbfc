use diabolo::nn::{batch_norm, dense};
use diabolo::prelude::*;

#[state]
fn usage() -> Tensor<4> {
    zeros()
}

#[encoder]
fn encode(x: Tensor<B, 4>) -> Tensor<B, 4> {
    batch_norm(dense(x, 4))
}

#[loss]
fn rows(x: Tensor<B, 4>) -> Tensor<B> {
    update(usage(), 0.9 * usage() + 0.1 * x);
    sum(x)
}

#[loss]
fn twice(x: Tensor<B, 4>) -> Tensor<B> {
    sum(encode(x)) - sum(encode(2.0 * x))
}

#[loss]
fn differentiated(x: Tensor<B, 4>) -> Tensor<B> {
    sum_squares(grad(|y| sum(encode(y)), x))
}

#[loss]
fn no_state(x: Tensor<B, 4>) -> Tensor<B> {
    let h = sum(x);
    update(h, 0.0);
    h
}

#[loss]
fn owner(x: Tensor<B, 4>) -> Tensor<B> {
    let mean: Tensor<4> = state(zeros());
    sum(x - mean)
}

#[state]
fn update() -> Scalar {
    zeros()
}

fn main() {}
