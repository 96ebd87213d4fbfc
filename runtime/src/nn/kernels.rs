//! Kernels and distances between every row and a set of points.
//!
//! In: rows, and points as an ordinary axis: `batch(z)` makes the whole batch one. Out: `Tensor<B, _, N>`. Never:
//! rows crossed by themselves; only the discrepancies do, with the words for it.

use crate::prelude::*;

/// ‖x − yₙ‖² for every point yₙ, along the last axis of x: differences first, so that near points lose no digits.
#[function]
pub fn pairwise_squares(x: Tensor<B, _, D>, y: Tensor<N, D>) -> Tensor<B, _, N> {
    let each: Tensor<N> = ones();
    let wide = einsum("b...d,n->b...nd", x, each);
    einsum("b...nd->b...n", square(wide - expand_like(y, wide)))
}

/// The Gaussian kernel exp(−‖x − yₙ‖² / 2 s²) of width s.
#[function]
pub fn rbf(x: Tensor<B, D>, y: Tensor<N, D>, #[default(1.0)] width: f32) -> Tensor<B, N> {
    exp(pairwise_squares(x, y) * (-0.5 / square(width)))
}

/// The inverse multiquadric kernel s / (s + ‖x − yₙ‖²) (Tolstikhin et al. 2018, section 4, with s = 2 D σ²): its
/// tails are heavier than those of [`rbf`], so that far points still have a slope.
#[function]
pub fn imq(x: Tensor<B, D>, y: Tensor<N, D>, #[default(1.0)] scale: f32) -> Tensor<B, N> {
    scale / (scale + pairwise_squares(x, y))
}

/// The squared maximum mean discrepancy between two samples under [`rbf`].
#[function]
pub fn mmd(z: Tensor<B, D>, prior: Tensor<B, D>, #[default(1.0)] width: f32) -> Scalar {
    discrepancy(|x, y| rbf(x, y, width), z, prior)
}

/// The squared maximum mean discrepancy between two samples under [`imq`].
#[function]
pub fn mmd_imq(z: Tensor<B, D>, prior: Tensor<B, D>, #[default(1.0)] scale: f32) -> Scalar {
    discrepancy(|x, y| imq(x, y, scale), z, prior)
}

/// The squared maximum mean discrepancy under a kernel from `Tensor<B, D>` and `Tensor<N, D>` to
/// `Tensor<B, N>`, diagonals included: the biased estimate, never negative (Gretton et al. 2012, equation 5).
#[function]
pub fn discrepancy(kernel: Function, z: Tensor<B, D>, prior: Tensor<B, D>) -> Scalar {
    let same = mean(kernel(z, batch(z))) + mean(kernel(prior, batch(prior)));
    batch_mean(same - 2.0 * mean(kernel(z, batch(prior))))
}
