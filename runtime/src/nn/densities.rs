//! Densities, cross-entropies and divergences, in nats, with all their constants.
//!
//! In: what a distribution predicts, then what was observed. Out: one value per row; `_each`: per element.
//! Never: a constant dropped.

use crate::prelude::*;

/// Σ of [`bce_with_logits_each`] over the features.
#[function]
pub fn bce_with_logits(logits: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B> {
    sum(bce_with_logits_each(logits, observation))
}

/// −x log σ(l) − (1 − x) log(1 − σ(l)) = softplus(l) − x l, without overflow.
#[function]
pub fn bce_with_logits_each(logits: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B, _> {
    softplus(logits) - observation * logits
}

/// Σ of [`bce_each`] over the features.
#[function]
pub fn bce(probability: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B> {
    sum(bce_each(probability, observation))
}

/// −x log p − (1 − x) log(1 − p), with p kept within [1e-7, 1 − 1e-7]: prefer [`bce_with_logits`].
#[function]
pub fn bce_each(probability: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B, _> {
    let p = min(max(probability, 1e-7), 1.0 - 1e-7);
    -(observation * log(p) + (1.0 - observation) * log(1.0 - p))
}

/// −log softmax(l)ₖ for the label k, in nats: the negative log-likelihood of a categorical distribution with these
/// logits.
#[function]
pub fn cross_entropy(logits: Tensor<B, N>, label: Index<B>) -> Tensor<B> {
    logsumexp(logits) - gather(logits, label)
}

/// Σ of [`log_bernoulli_each`] over the features.
#[function]
pub fn log_bernoulli(logits: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B> {
    -bce_with_logits(logits, observation)
}

/// log Bernoulli(x; σ(l)), also for x between 0 and 1: minus the cross-entropy.
#[function]
pub fn log_bernoulli_each(logits: Tensor<B, _>, observation: Tensor<B, _>) -> Tensor<B, _> {
    -bce_with_logits_each(logits, observation)
}

/// Σ of [`log_normal_each`] over the features: `log_normal(z)` is the standard normal density.
#[function]
pub fn log_normal(
    x: Tensor<B, _>,
    #[default(0.0)] mean: Tensor<B, _>,
    #[default(0.0)] logvar: Tensor<B, _>,
) -> Tensor<B> {
    sum(log_normal_each(x, mean, logvar))
}

/// log N(x; mean, e^logvar) = −½ (log 2π + logvar + (x − mean)² e^−logvar).
#[function]
pub fn log_normal_each(
    x: Tensor<B, _>,
    #[default(0.0)] mean: Tensor<B, _>,
    #[default(0.0)] logvar: Tensor<B, _>,
) -> Tensor<B, _> {
    -0.5 * (log(6.283185307179586) + logvar + square(x - mean) * exp(-logvar))
}

/// −log N(x; mean, e^logvar), summed over the features: prediction first.
#[function]
pub fn gaussian_nll(
    mean: Tensor<B, _>,
    observation: Tensor<B, _>,
    #[default(0.0)] logvar: Tensor<B, _>,
) -> Tensor<B> {
    -log_normal(observation, mean = mean, logvar = logvar)
}

/// Σ of [`kl_normal_each`] over the features.
#[function]
pub fn kl_normal(
    mean: Tensor<B, _>,
    logvar: Tensor<B, _>,
    #[default(0.0)] prior_mean: Tensor<B, _>,
    #[default(0.0)] prior_logvar: Tensor<B, _>,
) -> Tensor<B> {
    sum(kl_normal_each(mean, logvar, prior_mean, prior_logvar))
}

/// KL(N(m, e^v) ‖ N(p, e^w)) = ½ (e^(v−w) − 1 − (v − w) + (m − p)² e^−w), by default for the standard normal
/// prior (Kingma and Welling 2014, appendix B); `expm1` keeps its digits for v near w.
#[function]
pub fn kl_normal_each(
    mean: Tensor<B, _>,
    logvar: Tensor<B, _>,
    #[default(0.0)] prior_mean: Tensor<B, _>,
    #[default(0.0)] prior_logvar: Tensor<B, _>,
) -> Tensor<B, _> {
    let ratio = logvar - prior_logvar;
    0.5 * (expm1(ratio) - ratio + square(mean - prior_mean) * exp(-prior_logvar))
}

/// KL(p ‖ q) = Σ p log(p/q) over the features, of probabilities (Kullback and Leibler 1951): 0 log 0 counts as 0, and it is
/// infinite where q is 0 and p is not.
#[function]
pub fn kl_categorical(p: Tensor<B, _>, q: Tensor<B, _>) -> Tensor<B> {
    // Where p is 0 the quotient is 1: no 0/0 there, neither in the value nor in its derivative.
    let some = p > 0.0;
    sum(p * log(select(some, p, 1.0) / select(some, q, 1.0)))
}

/// The divergence of Jensen and Shannon, ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = ½ (p + q), of probabilities (Lin 1991,
/// equation 5.1): symmetric, from 0 where p = q to log 2 where they share nothing.
#[function]
pub fn jensen_shannon(p: Tensor<B, _>, q: Tensor<B, _>) -> Tensor<B> {
    let middle = 0.5 * (p + q);
    0.5 * (kl_categorical(p, middle) + kl_categorical(q, middle))
}

/// The total correlation of a code, KL(q(z) ‖ Πⱼ q(zⱼ)), estimated for each row by minibatch-weighted sampling
/// (Chen et al. 2018, equation 5): z was drawn from N(mean, e^logvar), q(z) is the mixture over the batch of M
/// rows as a sample of `total` rows of data. In nats; its mean over a batch may be below zero.
#[function]
pub fn total_correlation(z: Tensor<B, D>, mean: Tensor<B, D>, logvar: Tensor<B, D>, total: f32) -> Tensor<B> {
    let (means, logvars) = (batch(mean), batch(logvar));
    // log N(z; mean, e^logvar) for every pair of rows and every feature: Tensor<B, M, D>.
    let density = -0.5 * (log(6.283185307179586) + logvars + square(unsqueeze(z, 1) - means) * exp(-logvars));
    let joint = logsumexp(sum(density, axis = 2), axis = 1);
    let product = sum(logsumexp(density, axis = 1));
    joint - product + (1.0 * D - 1.0) * log(total * batch_size(z))
}

/// The rows of a batch, as a number.
#[function]
fn batch_size(z: Tensor<B, D>) -> Scalar {
    let one: Tensor<B> = ones();
    sum(batch(one))
}
