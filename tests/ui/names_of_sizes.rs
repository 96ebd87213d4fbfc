//! Sizes that nothing says.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[constant]
const STEP: f32 = 0.5;

#[encoder]
fn of_a_number(x: Tensor<B, 8>) -> Tensor<B, STEP> {
    dense(x, STEP)
}

#[layer]
fn half(x: Tensor<B, I>) -> Tensor<B, { I / 2 }> {
    dense(x, I / 2)
}

#[encoder]
fn of_an_odd_size(x: Tensor<B, 7>) -> Tensor<B, 3> {
    half(x)
}

#[encoder]
fn of_nothing(x: Tensor<B, 8>) -> Tensor<B, 4> {
    dense(x, K)
}

#[encoder]
fn below_zero(x: Tensor<B, 8>) -> Tensor<B, { 4 - 8 }> {
    dense(x, 4)
}

#[encoder]
fn in_small_letters(x: Tensor<B, 8>) -> Tensor<B, latent> {
    dense(x, 4)
}

#[encoder]
fn of_the_batch(x: Tensor<B, 8>) -> Tensor<B, 4> {
    dense(x, B)
}

#[function]
fn of_two_minds(x: Tensor<B, K>, y: Tensor<B, K>) -> Tensor<B, K> {
    x + y
}

#[function]
fn uses_it(x: Tensor<B, 4>, y: Tensor<B, 8>) -> Tensor<B, 4> {
    of_two_minds(x, y)
}

fn main() {}
