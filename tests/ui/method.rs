//! A method where Diabolo has a function.
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x.relu()
}

fn main() {}
