//! Where nothing fixes a shape, the error shows how to annotate.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let noise = normal();
    x + sum(noise)
}

fn main() {}
