//! Where a derivative by hand is written, and what it is not.
use diabolo::prelude::*;

#[network(backward = triple)]
fn of_a_network(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let scale: Tensor<8> = param(ones());
    scale * x
}

#[function]
fn triple(x: Tensor<B, 8>, adjoint: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * adjoint
}

#[function(backward = |x, a| a)]
fn a_closure(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function(backward(triple))]
fn with_parentheses(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function(backward = tripled)]
fn misspelt(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function(backward = tanh)]
fn a_word(x: Tensor<B, 8>) -> Tensor<B, 8> {
    tanh(x)
}

#[function(backward = triple)]
fn by_hand(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function]
fn in_a_loop(x: Tensor<B, T, 8>) -> Tensor<B, T, 8> {
    scan(|h, x_t| by_hand(h) + x_t, zeros(), x)
}

fn main() {}
