//! A crate that knows Diabolo by another name.

#![forbid(unsafe_code)]

use networks::prelude::*;

#[layer(crate = ::networks)]
fn scaled(x: Tensor<B, 8>) -> Tensor<B, 8> {
    let scale: Tensor<8> = param(kaiming());
    einsum("bi,i->bi", x, scale)
}

/// A network of a crate that knows Diabolo by another name.
#[network(crate = ::networks)]
pub fn scale(x: Tensor<B, 8>) -> Tensor<B, 8> {
    scaled(x)
}

/// A loss of the same.
#[loss(trains(scale), crate = ::networks)]
pub fn size(x: Tensor<B, 8>, #[default(2)] weight: f32) -> Tensor<B> {
    weight * sum_squares(scale(x))
}
