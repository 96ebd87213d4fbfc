//! Attention: every place of a sequence looks at all others.
//!
//! In: sequences `Tensor<B, T, D>`, time first. Out: sequences. Never: rows of the batch that see each other.

use super::dense;
use crate::prelude::*;

/// softmax(Q Kᵀ / √D) V (Vaswani et al. 2017, equation 1): queries `[T, D]`, keys `[S, D]`, values `[S, E]`.
#[function]
pub fn attention(query: Tensor<B, T, D>, key: Tensor<B, S, D>, value: Tensor<B, S, E>) -> Tensor<B, T, E> {
    let scores = einsum("btd,bsd->bts", query, key) / sqrt(1.0 * D);
    einsum("bts,bse->bte", softmax(scores, axis = 2), value)
}

/// Self-attention with `heads` heads of `size` features each, and a dense layer from their
/// heads · size features to `out` (Vaswani et al. 2017, section 3.2.2).
#[layer]
pub fn self_attention(x: Tensor<B, T, I>, heads: usize, size: usize, out: usize) -> Tensor<B, T, out> {
    let query: Tensor<B, T, heads, size> = reshape(dense(x, heads * size));
    let key: Tensor<B, T, heads, size> = reshape(dense(x, heads * size));
    let value: Tensor<B, T, heads, size> = reshape(dense(x, heads * size));
    let scores = einsum("bthd,bshd->bhts", query, key) / sqrt(1.0 * size);
    let seen = einsum("bhts,bshd->bthd", softmax(scores, axis = 3), value);
    let joined: Tensor<B, T, { heads * size }> = reshape(seen);
    dense(joined, out)
}
