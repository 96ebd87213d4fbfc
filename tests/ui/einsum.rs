//! Labels that do not fit.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>, w: Tensor<32, 8>) -> Tensor<B, 8> {
    einsum("bi,io->bo", x, w)
}

fn main() {}
