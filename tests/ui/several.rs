//! Several mistakes of one function are reported in one run.
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>, y: Vec<f32>) -> Tensor<B, 64> {
    let h = &x;
    match h {
        _ => h[0] as f32,
    }
}

fn main() {}
