//! Layers: functions that make fresh parameters where they are called.
//!
//! In: features. Out: features. Never: an activation; that is the next word.

use crate::prelude::*;

/// A dense layer: `y = x W + b` along the last feature axis.
///
/// `W: Tensor<I, out>` lies [in, out] row-major, `b: Tensor<out>`; both start uniform on ±1/√I, which keeps the
/// variance of sums of I terms (LeCun et al., "Efficient BackProp", 1998, §4.6). `bias = false` leaves out b;
/// `init = kaiming()` is another start of W.
#[layer]
pub fn dense(
    x: Tensor<B, _, I>,
    out: usize,
    #[default(true)] bias: bool,
    #[default(fan_in(I))] init: Initial,
) -> Tensor<B, _, out> {
    let weight: Tensor<I, out> = param(init);
    let y = einsum("b...i,io->b...o", x, weight);
    if bias {
        let bias: Tensor<out> = param(fan_in(I));
        y + expand_like(bias, y)
    } else {
        y
    }
}

/// A table with a row of `width` numbers for each of `n` things, and the rows that the index names (Bengio et al.,
/// "A Neural Probabilistic Language Model", 2003). The table, `Tensor<n, width>`, starts standard normal.
#[layer]
pub fn embedding(index: Index<B, _>, n: usize, width: usize) -> Tensor<B, _, width> {
    let table: Tensor<n, width> = param(normal_init(1.0));
    gather(table, index)
}

/// Dropout (Srivastava et al. 2014), inverted: while training, each element is 0 with probability `rate`, and
/// the others are divided by 1 − rate; otherwise x itself.
#[layer]
pub fn dropout(x: Tensor<B, _>, rate: f32) -> Tensor<B, _> {
    if training() { x * bernoulli(1.0 - rate) / (1.0 - rate) } else { x }
}
