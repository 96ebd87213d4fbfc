//! A function that is not imported: rustc's own words.
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(x, 8)
}

fn main() {}
