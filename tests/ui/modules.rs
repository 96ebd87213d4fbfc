//! Paths that lead nowhere, and into Rust.
use diabolo::prelude::*;

mod nets {
    use diabolo::nn::dense;
    use diabolo::prelude::*;

    #[decoder]
    pub fn decode(z: Tensor<B, 4>) -> Tensor<B, 8> {
        dense(z, 8)
    }
}

#[function]
fn misspelt(z: Tensor<B, 4>) -> Tensor<B, 8> {
    nets::decodes(z)
}

#[function]
fn of_a_type(z: Tensor<B, 4>) -> Tensor<B, 4> {
    f32::max(z, 0.0)
}

#[function]
fn of_rust(z: Tensor<B, 4>) -> Tensor<B, 4> {
    std::f32::consts::PI * z
}

fn main() {}
