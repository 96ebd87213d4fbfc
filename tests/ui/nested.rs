//! A chain that nests deeper than the compiler's stack.
use diabolo::prelude::*;

#[function]
fn f(x: Tensor<B, 64>) -> Tensor<B, 64> {
    ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((
        x
    ))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
}

fn main() {}
