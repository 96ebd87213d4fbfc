//! What `update` replaces, and where.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[state]
fn usage() -> Tensor<4> {
    zeros()
}

/// Two states, and one mistake.
#[layer]
fn centred(x: Tensor<B, I>) -> Tensor<B, I> {
    let mean: Tensor<I> = state(zeros());
    let square_mean: Tensor<I> = state(ones());
    update(mean, batch_mean(x));
    update(square_mean, batch_mean(square(x)));
    (x - mean) / sqrt(square_mean - square(mean))
}

#[encoder]
fn encode(x: Tensor<B, 4>) -> Tensor<B, 4> {
    centred(dense(x, 4))
}

#[loss]
fn with_rows(x: Tensor<B, 4>) -> Tensor<B> {
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
