//! `if` chooses while compiling.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    if x > 0.0 { x } else { -x }
}

fn main() {}
