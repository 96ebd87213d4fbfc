//! Types that are not Diabolo's.
use diabolo::prelude::*;

#[function]
fn f(a: &Tensor<B, 64>, b: [f32; 3], c: Tensor, d: Tensor<64, B>, e: Tensor<B, _, _>, f: u8) -> Tensor<B, -1> {
    a
}

fn main() {}
