//! Normalisation of features.
//!
//! In: features. Out: features of mean 0 and variance 1, scaled and shifted by what is learned. Never: another
//! row's value.

use crate::prelude::*;

/// Layer normalisation (Ba et al. 2016, equations 3 and 4) along the last feature axis, with a learned gain
/// (from 1) and shift (from 0); `eps` is added to the variance.
#[layer]
pub fn layer_norm(x: Tensor<B, _, I>, #[default(1e-5)] eps: f32) -> Tensor<B, _, I> {
    let centred = x - repeat_last(mean_last(x), x);
    let deviation = sqrt(mean_last(square(centred)) + eps);
    let gain: Tensor<I> = param(ones());
    let shift: Tensor<I> = param(zeros());
    let y = centred / repeat_last(deviation, x);
    y * expand_like(gain, y) + expand_like(shift, y)
}

/// The mean along the last feature axis.
#[function]
fn mean_last(x: Tensor<B, _, I>) -> Tensor<B, _> {
    einsum("b...i->b...", x) / (1.0 * I)
}

/// A value without the last axis of `like`, repeated along it.
#[function]
fn repeat_last(x: Tensor<B, _>, like: Tensor<B, _, I>) -> Tensor<B, _, I> {
    let along: Tensor<I> = ones();
    einsum("b...,i->b...i", x, along)
}
