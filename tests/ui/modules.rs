//! Paths that lead nowhere, or where one cannot go.
use diabolo::prelude::*;

mod nets {
    use diabolo::nn::dense;
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 8>) -> Tensor<B, 4> {
        dense(x, 4)
    }

    #[decoder]
    pub fn decode(z: Tensor<B, 4>) -> Tensor<B, 8> {
        dense(z, 8)
    }
}

#[function]
fn private(x: Tensor<B, 8>) -> Tensor<B, 4> {
    nets::encode(x)
}

#[function]
fn misspelt(z: Tensor<B, 4>) -> Tensor<B, 8> {
    nets::decodes(z)
}

#[function]
fn fits(x: Tensor<B, 8>) -> Tensor<B, 8> {
    nets::decode(x)
}

fn main() {}
