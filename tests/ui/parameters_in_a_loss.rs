//! Parameters belong to networks.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[loss]
fn size(x: Tensor<B, 64>) -> Tensor<B> {
    sum_squares(dense(x, 3))
}

fn main() {}
