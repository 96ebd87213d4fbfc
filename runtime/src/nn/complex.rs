//! Complex numbers: pairs of a real and an imaginary part, of one shape.
//!
//! In: tuples `(re, im)`. Out: tuples, or real values. Never: a type of its own; derivatives are those for the
//! real and the imaginary part, so the gradient of a real loss is ∂/∂re + i ∂/∂im.

use crate::prelude::*;

/// (a + b i)(c + d i), element by element.
#[function]
pub fn complex_mul(
    x: (Tensor<B, _>, Tensor<B, _>),
    y: (Tensor<B, _>, Tensor<B, _>),
) -> (Tensor<B, _>, Tensor<B, _>) {
    let ((a, b), (c, d)) = (x, y);
    (a * c - b * d, a * d + b * c)
}

/// a − b i.
#[function]
pub fn complex_conj(x: (Tensor<B, _>, Tensor<B, _>)) -> (Tensor<B, _>, Tensor<B, _>) {
    let (a, b) = x;
    (a, -b)
}

/// Σ |xᵢ|² over the features.
#[function]
pub fn complex_sum_squares(x: (Tensor<B, _>, Tensor<B, _>)) -> Tensor<B> {
    let (a, b) = x;
    sum_squares(a) + sum_squares(b)
}

/// A linear map over ℂ along the last feature axis, without bias: `W: [I, out]` has real and imaginary parts,
/// each uniform on ±1/√(2 I), which keeps the variance of sums of 2 I terms.
#[layer]
pub fn complex_dense(
    x: (Tensor<B, _, I>, Tensor<B, _, I>),
    out: usize,
) -> (Tensor<B, _, out>, Tensor<B, _, out>) {
    let (a, b) = x;
    let re: Tensor<I, out> = param(fan_in(2 * I));
    let im: Tensor<I, out> = param(fan_in(2 * I));
    (
        einsum("b...i,io->b...o", a, re) - einsum("b...i,io->b...o", b, im),
        einsum("b...i,io->b...o", a, im) + einsum("b...i,io->b...o", b, re),
    )
}
