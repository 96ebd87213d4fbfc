//! Rows that meet have no Jacobian row by row.
use diabolo::prelude::*;

#[function]
fn centred(x: Tensor<B, 8>) -> Tensor<B, 8> {
    x - mean(batch(x), axis = 1)
}

#[loss]
fn f(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(jacobian(centred, x))
}

fn main() {}
