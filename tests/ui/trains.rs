//! Which networks a loss trains.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> {
    dense(x, 2)
}

#[decoder]
fn decode(z: Tensor<B, 2>) -> Tensor<B, 4> {
    dense(z, 4)
}

#[function]
fn length(z: Tensor<B, 2>) -> Tensor<B> {
    sum_squares(z)
}

#[loss(trains(decode))]
fn never_called(x: Tensor<B, 4>) -> Tensor<B> {
    length(encode(x))
}

#[loss(trains(length))]
fn a_function(x: Tensor<B, 4>) -> Tensor<B> {
    length(encode(x))
}

#[loss(trains())]
fn nothing(x: Tensor<B, 4>) -> Tensor<B> {
    length(encode(x))
}

#[loss(trains = encode)]
fn with_a_sign(x: Tensor<B, 4>) -> Tensor<B> {
    length(encode(x))
}

#[loss(trains(encode), trains(decode))]
fn twice(x: Tensor<B, 4>) -> Tensor<B> {
    length(encode(x)) + sum(decode(encode(x)))
}

#[loss(trains(sum))]
fn a_word(x: Tensor<B, 4>) -> Tensor<B> {
    length(encode(x))
}

fn main() {}
