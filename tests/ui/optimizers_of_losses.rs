//! As many optimizers and steps as losses.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> {
    dense(x, 2)
}

#[loss]
fn first(x: Tensor<B, 4>) -> Tensor<B> {
    sum_squares(encode(x))
}

#[loss]
fn second(x: Tensor<B, 4>) -> Tensor<B> {
    -sum(encode(x))
}

fn main() {
    let _ = Trainer::alternate((first, second)).optimizers((Adam::new(1e-3), Sgd::new(0.1), Sgd::new(0.1)));
    let _ = Trainer::alternate((first, second)).every((1, 2, 3));
}
