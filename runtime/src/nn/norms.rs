//! Normalisation of features.
//!
//! In: features. Out: features of mean 0 and variance 1, scaled and shifted by what is learned. Never: another
//! row's value, but for [`batch_norm`] while training.

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

/// Batch normalisation (Ioffe and Szegedy 2015) of each channel, axis 1, over the batch and all further axes.
///
/// While training: y = gain · (x − μ) / √(σ² + eps) + shift with the mean μ and the biased variance σ² of this
/// batch, through which the gradient flows (algorithm 1). The states `mean` and `variance` follow them after each
/// step, by the share `momentum`, the variance times m / (m − 1) for m values a channel (algorithm 2); otherwise
/// they take their place. A loss that calls one layer twice would update it twice, which is an error.
#[layer]
pub fn batch_norm(
    x: Tensor<B, C, _>,
    #[default(0.1)] momentum: f32,
    #[default(1e-5)] eps: f32,
) -> Tensor<B, C, _> {
    let gain: Tensor<C> = param(ones());
    let shift: Tensor<C> = param(zeros());
    let mean: Tensor<C> = state(zeros());
    let variance: Tensor<C> = state(ones());
    let flat: Tensor<B, C, S> = reshape(x);
    let y: Tensor<B, C, S> = if training() {
        let centre = channel_mean(flat);
        let spread = channel_mean(square(flat - unsqueeze(centre, 2)));
        let one: Tensor<B, S> = ones();
        let count = sum(batch(one));
        update(mean, (1.0 - momentum) * mean + momentum * centre);
        update(variance, (1.0 - momentum) * variance + momentum * spread * (count / max(count - 1.0, 1.0)));
        normalised(flat, centre, spread + eps)
    } else {
        normalised(flat, mean, variance + eps)
    };
    reshape(y * unsqueeze(gain, 2) + unsqueeze(shift, 2))
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

/// The mean over the batch and the last axis.
#[function]
fn channel_mean(x: Tensor<B, C, S>) -> Tensor<C> {
    batch_mean(mean(x, axis = 2))
}

/// (x − mean) / √variance, channel by channel.
#[function]
fn normalised(x: Tensor<B, C, S>, mean: Tensor<C>, variance: Tensor<C>) -> Tensor<B, C, S> {
    (x - unsqueeze(mean, 2)) / unsqueeze(sqrt(variance), 2)
}
