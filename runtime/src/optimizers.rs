//! The optimizers of the library under the names that the field gives them.
//!
//! In: a learning rate. Out: the hyperparameters of an update rule in [`crate::nn`]. Never: a rule of its own.

use crate::nn;

/// Gradient descent with momentum: see [`nn::sgd`].
pub type Sgd = nn::sgd;
/// Adam (Kingma and Ba 2015): see [`nn::adam`].
pub type Adam = nn::adam;
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): see [`nn::adamw`].
pub type AdamW = nn::adamw;

impl nn::sgd {
    /// Plain gradient descent at a learning rate; `Sgd { momentum: 0.9, ..Sgd::new(0.1) }` for more.
    pub fn new(lr: f32) -> Self {
        nn::sgd(lr)
    }
}

impl nn::adam {
    /// Adam at a learning rate, the other hyperparameters as in the paper.
    pub fn new(lr: f32) -> Self {
        nn::adam(lr)
    }
}

impl nn::adamw {
    /// AdamW at a learning rate, with a decay of 0.01.
    pub fn new(lr: f32) -> Self {
        nn::adamw(lr)
    }
}
