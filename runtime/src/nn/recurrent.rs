//! Recurrent layers: a cell looped over time.
//!
//! In: sequences, `Tensor<B, T, I>`. Out: every state, `Tensor<B, T, hidden>`; `last(…)` takes the one after the
//! last step. Never: a loop of their own; `scan` is the language's.

use super::layers::dense;
use crate::prelude::*;

/// One step of a gated recurrent unit (Cho et al. 2014), with the reset gate behind the product as in cuDNN, so
/// that a step has one product with the state:
/// r = σ(x Wᵣ + h Uᵣ), z = σ(x W_z + h U_z), n = tanh(x Wₙ + r ⊙ (h Uₙ)), h' = (1 − z) ⊙ n + z ⊙ h, biases left out
/// here; both products have them.
#[layer]
pub fn gru_cell(h: Tensor<B, H>, x: Tensor<B, I>) -> Tensor<B, H> {
    let a = dense(x, 3 * H);
    let b = dense(h, 3 * H);
    let r = sigmoid(slice(a, end = H) + slice(b, end = H));
    let z = sigmoid(slice(a, start = H, end = 2 * H) + slice(b, start = H, end = 2 * H));
    let n = tanh(slice(a, start = 2 * H) + r * slice(b, start = 2 * H));
    n + z * (h - n)
}

/// A layer of gated recurrent units: every state from the first step on, starting from zeros.
#[layer]
pub fn gru(x: Tensor<B, T, I>, hidden: usize) -> Tensor<B, T, hidden> {
    scan(|h, x_t| gru_cell(h, x_t), zeros(), x)
}

/// One step of long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000):
/// c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g), h' = σ(o) ⊙ tanh(c'), where (i, f, g, o) = x W + h U + b.
///
/// 1 is added to f: a cell then keeps most of its memory before it has learnt what to forget (Jozefowicz et al.
/// 2015). It is added here and not as the bias's first value, so that the bias starts as in every dense layer.
#[layer]
pub fn lstm_cell(h: Tensor<B, H>, c: Tensor<B, H>, x: Tensor<B, I>) -> (Tensor<B, H>, Tensor<B, H>) {
    let a = dense(x, 4 * H) + dense(h, 4 * H, bias = false);
    let i = sigmoid(slice(a, end = H));
    let f = sigmoid(slice(a, start = H, end = 2 * H) + 1.0);
    let g = tanh(slice(a, start = 2 * H, end = 3 * H));
    let o = sigmoid(slice(a, start = 3 * H));
    let next = f * c + i * g;
    (o * tanh(next), next)
}

/// A layer of long short-term memory: every output h from the first step on, starting from zeros.
#[layer]
pub fn lstm(x: Tensor<B, T, I>, hidden: usize) -> Tensor<B, T, hidden> {
    let (h, _): (Tensor<B, T, hidden>, Tensor<B, T, hidden>) =
        scan(|(h, c), x_t| lstm_cell(h, c, x_t), (zeros(), zeros()), x);
    h
}
