//! Arguments that an attribute does not have.
use diabolo::prelude::*;

#[encoder(trains(encode))]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x
}

#[loss(train = encode)]
fn size(x: Tensor<B, 64>) -> Tensor<B> {
    sum_squares(encode(x))
}

fn main() {}
