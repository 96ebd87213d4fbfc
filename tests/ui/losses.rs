//! What a loss returns, and how it is called inside another.
use diabolo::nn::dense;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 8>) -> Tensor<B, 4> {
    dense(x, 4)
}

#[loss]
fn vanilla(x: Tensor<B, 8>, #[default(1.0)] beta: f32) -> Tensor<B> {
    beta * sum_squares(encode(x))
}

#[loss]
fn two_values(x: Tensor<B, 8>) -> (Tensor<B>, Tensor<B>) {
    (vanilla(x), vanilla(x))
}

#[loss]
fn of_further_rows(x: Tensor<B, 8>) -> Tensor<Rows<B, 4>> {
    sum(repeat(encode(x), 4))
}

#[loss]
fn another_name(x: Tensor<B, 8>) -> Tensor<B> {
    vanilla(x, gamma = 2.0)
}

#[loss]
fn without_data(x: Tensor<B, 8>) -> Tensor<B> {
    vanilla(beta = 2.0)
}

#[loss]
fn of_a_size(x: Tensor<B, 8>, n: usize) -> Tensor<B> {
    n * vanilla(x)
}

fn main() {
    let _ = Trainer::new(of_a_size);
}
