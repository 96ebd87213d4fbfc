//! Sampling: steps of a Markov chain whose stationary distribution is the one that is wanted.
//!
//! In: states, and the score of a distribution. Out: the states a step later. Never: a chain; `Model::iterate` takes as
//! many steps as it is asked for, each with fresh noise.

use crate::prelude::*;

/// A step of the unadjusted Langevin algorithm, x + ε ∇ log p(x) + √(2ε) z with z ~ N(0, I) (Roberts and Tweedie 1996,
/// equation 2, their h being 2ε).
///
/// `score` maps `Tensor<B, …>` to the same type: `|x| grad(log_density, x)`, or what a denoiser says, (r(x) − x) / σ².
/// No step is rejected: of a Gaussian of precision p the variance in the end is 1 / (p (1 − εp/2)), for ε below 2 / p.
#[function]
pub fn langevin(score: Function, x: Tensor<B, _>, step: f32) -> Tensor<B, _> {
    x + step * score(x) + sqrt(2.0 * step) * normal_like(x)
}
