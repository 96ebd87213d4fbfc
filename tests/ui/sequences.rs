//! The steps of a sequence, and its last one.
use diabolo::nn::gru;
use diabolo::prelude::*;

#[function]
fn last_of_none(x: Tensor<B>) -> Tensor<B> {
    last(x)
}

#[function]
fn last_two(x: Tensor<B, T, 4>) -> Tensor<B, 4> {
    last(x, 2)
}

#[function]
fn whole(x: Tensor<B, T, 4>) -> Tensor<B, 4> {
    scan(|h, x_t| h + x_t, zeros(), x)
}

#[function]
fn which_way(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(|h, x_t| h + x_t, zeros(), x, reverse = 1)
}

#[function]
fn two_states(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(|h, x_t| (h + x_t, x_t), zeros(), x)
}

#[function]
fn from_nothing(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(|h, x_t| h + x_t, x)
}

#[encoder]
fn of_a_vector(x: Tensor<B, 8>) -> Tensor<B, 8, 4> {
    gru(x, 4)
}

#[function]
fn over_a_number(x: Tensor<B, 4>) -> Tensor<B, 4> {
    last(scan(|h, t| h + t, x, 16))
}

fn main() {}
