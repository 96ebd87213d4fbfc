//! Windows that do not fit, and steps that are none.
use diabolo::nn::{conv, conv_transpose, conv1d, max_pool};
use diabolo::prelude::*;

#[encoder]
fn larger_than_the_image(x: Tensor<B, 1, 3, 8>) -> Tensor<B, 4, 1, 4> {
    conv(x, channels = 4, kernel = 7, padding = 1)
}

#[encoder]
fn dilated_beyond(x: Tensor<B, 1, 8>) -> Tensor<B, 4, 1> {
    conv1d(x, channels = 4, kernel = 3, dilation = 4)
}

#[encoder]
fn of_a_vector(x: Tensor<B, 64>) -> Tensor<B, 4, 6, 6> {
    conv(x, channels = 4, kernel = 3)
}

#[encoder]
fn without_a_step(x: Tensor<B, 1, 8, 8>) -> Tensor<B, 4, 6, 6> {
    conv(x, channels = 4, kernel = 3, stride = 0)
}

#[encoder]
fn padded_backwards(x: Tensor<B, 1, 8, 8>) -> Tensor<B, 4, 4, 4> {
    conv(x, channels = 4, kernel = 3, padding = -1)
}

#[encoder]
fn without_channels(x: Tensor<B, 1, 8, 8>) -> Tensor<B, 4, 6, 6> {
    conv(x, kernel = 3)
}

#[decoder]
fn padded_by_a_step(z: Tensor<B, 4, 4, 4>) -> Tensor<B, 1, 11, 11> {
    conv_transpose(z, channels = 1, kernel = 3, stride = 2, output_padding = 2)
}

#[encoder]
fn other_positions(x: Tensor<B, 1, 8, 8>) -> Tensor<B, 4, 4, 4> {
    conv(x, channels = 4, kernel = 3, stride = 2)
}

#[function]
fn steps_of_a_length_that_a_run_knows(x: Tensor<B, 2, T>) -> Tensor<B, 2, T, 3> {
    window(x, axis = 2, kernel = 3, stride = 2)
}

#[function]
fn three_kernels(x: Tensor<B, 1, 8, 8>) -> Tensor<B, 1, 4, 4> {
    max_pool(x, kernel = (2, 2, 2), stride = 2)
}

#[function]
fn pieces_without_an_axis(x: Tensor<B, 8>) -> Tensor<B, 8> {
    fold(x, axis = 1)
}

fn main() {}
