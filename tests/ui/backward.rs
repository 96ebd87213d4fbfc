//! A derivative by hand that does not fit: said once, where it is declared, and not in what calls it.
use diabolo::prelude::*;

#[network]
fn encode(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let scale: Tensor<8> = param(ones());
    scale * x
}

#[function(backward = triple)]
fn f(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function]
fn triple(x: Tensor<B, 8>, adjoint: Tensor<B, 8>) -> Tensor<B> {
    sum(adjoint)
}

#[function(backward = encode)]
fn g(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function(backward = one)]
fn h(x: Tensor<B, 8>) -> Tensor<B, 8> {
    3.0 * x
}

#[function]
fn one(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x
}

#[loss]
fn total(x: Tensor<B, 8>) -> Tensor<B> {
    sum(f(x)) + sum(g(x)) + sum(h(x)) + sum(encode(x))
}

fn main() {}
