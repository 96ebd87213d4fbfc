//! Kernels and distances between every row and a set of points.
//!
//! In: rows, and points as an ordinary axis: `batch(z)` makes the whole batch one. Out: `Tensor<B, N>`. Never:
//! rows crossed by themselves; only [`mmd`] does, with the words for it.

use crate::prelude::*;

/// ‖x − yₙ‖² for every point yₙ: differences first, so that near points lose no digits.
#[function]
pub fn pairwise_squares(x: Tensor<B, D>, y: Tensor<N, D>) -> Tensor<B, N> {
    sum(square(unsqueeze(x, 1) - y), axis = 2)
}

/// The Gaussian kernel exp(−‖x − yₙ‖² / 2 s²) of width s.
#[function]
pub fn rbf(x: Tensor<B, D>, y: Tensor<N, D>, #[default(1.0)] width: f32) -> Tensor<B, N> {
    exp(pairwise_squares(x, y) * (-0.5 / square(width)))
}

/// The squared maximum mean discrepancy between two samples under [`rbf`], diagonals included: the biased
/// estimate, never negative (Gretton et al. 2012, equation 5).
#[function]
pub fn mmd(z: Tensor<B, D>, prior: Tensor<B, D>, #[default(1.0)] width: f32) -> Scalar {
    let same = mean(rbf(z, batch(z), width)) + mean(rbf(prior, batch(prior), width));
    batch_mean(same - 2.0 * mean(rbf(z, batch(prior), width)))
}
