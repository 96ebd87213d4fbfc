//! Closures are for words that take a function.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let g = (|y| 2.0 * y)(x);
    println!("{g}");
    g
}

fn main() {}
