//! What a loop over steps cannot be.
use diabolo::prelude::*;

#[function]
fn shape(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    let start: Tensor<B, 3> = zeros();
    scan(|h, x_t| 0.5 * x_t, start, x)
}

#[function]
fn crossing(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(|h, x_t| x_t + h - batch_mean(h), zeros(), x)
}

#[function]
fn time(x: Tensor<B>) -> Tensor<B> {
    scan(|h, x_t| h + x_t, zeros(), x)
}

#[function]
fn lengths(x: Tensor<B, T, 4>, y: Tensor<B, 6, 4>) -> Tensor<B, T, 4> {
    scan(|h, (x_t, y_t)| h + x_t * y_t, zeros(), (x, y))
}

#[function]
fn arguments(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(|h| h, zeros(), x)
}

#[function]
fn callee(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(x, zeros(), x)
}

#[function]
fn watched(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    scan(|h, x_t| inspect("h", h + x_t), zeros(), x)
}

#[network]
fn parameters(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut h = x;
    for _ in 0..100 {
        let bias: Tensor<4> = param(zeros());
        h = tanh(h + bias);
    }
    h
}

fn main() {}
