//! A size that was not compiled, where Rust knows it.
use diabolo::prelude::*;

#[encoder]
fn encode<#[values(2, 4)] const K: usize>(x: Tensor<B, 8>) -> Tensor<B, K> {
    slice(x, end = K)
}

fn main() {
    let _ = Model::<f32>::untrained(encode::<3>, 1);
}
