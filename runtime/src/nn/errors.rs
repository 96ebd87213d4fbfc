//! Errors: distances between a prediction and an observation, in the units of the data.
//!
//! In: two values of one shape. Out: one value per row. Never: a mean over the batch; that is the trainer's.

use crate::prelude::*;

/// Σ (p − x)² over the features.
#[function]
pub fn squared_error(prediction: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B> {
    sum_squares(prediction - observation)
}

/// (p − x)², element by element.
#[function]
pub fn squared_error_each(prediction: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B, _> {
    square(prediction - observation)
}

/// The mean of (p − x)² over the features.
#[function]
pub fn mse(prediction: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B> {
    mean(square(prediction - observation))
}

/// Σ |p − x| over the features; `l1(h)` alone is the norm of h.
#[function]
pub fn l1(prediction: Tensor<B, _>, #[default(0.0)] observation: Tensor<B, _>) -> Tensor<B> {
    sum(abs(prediction - observation))
}

/// Σ of [`huber_each`] over the features.
#[function]
pub fn huber(prediction: Tensor<B, _>, observation: Tensor<B, _>, #[default(1.0)] delta: f32) -> Tensor<B> {
    sum(huber_each(prediction, observation, delta))
}

/// Huber's loss (1964): ½ r² for |r| ≤ δ, and δ (|r| − ½ δ) beyond, r = p − x.
#[function]
pub fn huber_each(
    prediction: Tensor<B, _>,
    observation: Tensor<B, _>,
    #[default(1.0)] delta: f32,
) -> Tensor<B, _> {
    let r = abs(prediction - observation);
    // With q = min(|r|, δ) both branches are q (|r| − ½ q).
    let q = min(r, delta);
    q * (r - 0.5 * q)
}
