//! What is reserved says so.
use diabolo::prelude::*;

#[state]
fn usage() -> Tensor<64> {
    zeros()
}

#[function]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x - usage()
}

fn main() {}
