//! The library, written in the language itself: layers, losses, densities, kernels, optimizers.
//!
//! In: what `use diabolo::nn::{…}` names. Out: annotated functions like a user's own, in files that read like
//! one. Never: anything that a user could not write.
//!
//! Conventions: the prediction comes first, the observation second. A loss or a density sums over the features
//! and keeps the rows, and its `_each` form does not sum. Log-densities keep all their constants; units are nats.

mod adversarial;

mod complex;
mod convolution;
mod densities;
mod errors;
mod kernels;
mod layers;
mod norms;
mod optim;
mod recurrent;
mod sampling;
mod transformer;

pub use adversarial::{
    discriminator_loss, gradient_penalty, non_saturating_loss, wasserstein_critic_loss,
    wasserstein_generator_loss,
};
pub use complex::{complex_conj, complex_dense, complex_mul, complex_sum_squares};
pub use convolution::{
    average_pool, average_pool1d, conv, conv_transpose, conv_transpose1d, conv1d, max_pool, max_pool1d,
    upsample, upsample1d,
};
pub use densities::{
    bce, bce_each, bce_with_logits, bce_with_logits_each, cross_entropy, gaussian_nll, jensen_shannon,
    kl_categorical, kl_normal, kl_normal_each, log_bernoulli, log_bernoulli_each, log_normal,
    log_normal_each, total_correlation,
};
pub use errors::{huber, huber_each, l1, mse, squared_error, squared_error_each};
pub use kernels::{discrepancy, imq, mmd, mmd_imq, pairwise_squares, rbf};
pub use layers::{dense, dropout, embedding};
pub use norms::{batch_norm, layer_norm};
pub use optim::{adam, adamw, lion, nesterov, rmsprop, sgd};
pub use recurrent::{gru, gru_cell, lstm, lstm_cell};
pub use sampling::langevin;
pub use transformer::{attention, self_attention};
