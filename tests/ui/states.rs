//! What a state is not.
use diabolo::prelude::*;

#[state]
fn usage() -> Tensor<4> {
    2.0
}

#[state]
fn counts(n: usize) -> Tensor<4> {
    zeros()
}

#[state]
fn code() -> Tensor<B, 4> {
    zeros()
}

#[network]
fn ok() -> Tensor<4> {
    param(zeros())
}

fn main() {
    let _ = ok;
}
