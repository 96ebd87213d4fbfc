//! Adversaries: what a critic minimises, and what fools it.
//!
//! In: what a critic says of real and of made samples, as logits or scores, one a row. Out: one value per row.
//! Never: a network; which one a loss trains is said by its `trains`.

use crate::prelude::*;

/// The discriminator's cross-entropy −log σ(c(x)) − log(1 − σ(c(g))) from logits (Goodfellow et al. 2014,
/// equation 1, with its sign turned): 2 log 2 where it cannot tell them apart.
#[function]
pub fn discriminator_loss(real: Tensor<B>, made: Tensor<B>) -> Tensor<B> {
    softplus(-real) + softplus(made)
}

/// The generator's −log σ(c(g)), whose slope does not vanish where the discriminator is sure (Goodfellow et al.
/// 2014, section 3).
#[function]
pub fn non_saturating_loss(made: Tensor<B>) -> Tensor<B> {
    softplus(-made)
}

/// The critic's c(g) − c(x): minus its estimate of the Wasserstein distance, once c is 1-Lipschitz (Arjovsky et
/// al. 2017, equation 2).
#[function]
pub fn wasserstein_critic_loss(real: Tensor<B>, made: Tensor<B>) -> Tensor<B> {
    made - real
}

/// The generator's −c(g).
#[function]
pub fn wasserstein_generator_loss(made: Tensor<B>) -> Tensor<B> {
    -made
}

/// (‖∇c(y)‖ − 1)² at a point y drawn uniformly between a real and a made sample (Gulrajani et al. 2017,
/// equation 3); multiply by their λ = 10. `critic` maps `Tensor<B, …>` to `Tensor<B>`; the root has 1e-12
/// under it, so that its slope is finite where the gradient is zero.
#[function]
pub fn gradient_penalty(critic: Function, real: Tensor<B, _>, made: Tensor<B, _>) -> Tensor<B> {
    let share: Tensor<B> = uniform();
    let t = expand_like(share, real);
    let slope = grad(critic, t * real + (1.0 - t) * made);
    square(sqrt(sum_squares(slope) + 1e-12) - 1.0)
}
