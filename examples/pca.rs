//! The linear autoencoder finds the principal components.
//!
//! Loss: ‖x − ABx‖², no biases (Baldi and Hornik 1989). Its minimum on the training set is the sum of the
//! eigenvalues that are left out, Σ_{i>k} λᵢ; an eigendecomposition gives it exactly. Look at how close
//! training comes, and at the decoder's columns: they span the same space but need not be the components.

use diabolo::nn::squared_error;
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let weight: Tensor<64, 8> = param(xavier());
    einsum("bd,dk->bk", x, weight)
}

#[decoder]
fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    let weight: Tensor<8, 64> = param(xavier());
    einsum("bk,kd->bd", z, weight)
}

#[loss]
pub fn linear(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[function]
fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}
