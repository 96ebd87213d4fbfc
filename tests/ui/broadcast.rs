//! Broadcasting is visible: the error says which axis to insert.
use diabolo::prelude::*;

#[function]
fn scaled(x: Tensor<B, 64>) -> Tensor<B, 64> {
    sum_squares(x) * x
}

fn main() {}
