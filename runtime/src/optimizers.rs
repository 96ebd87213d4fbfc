//! The optimizers of the library under the names that the field gives them.
//!
//! In: a learning rate. Out: the hyperparameters of an update rule in [`crate::nn`]. Never: a rule of its own.

use crate::nn;

/// Gradient descent with momentum: see [`nn::sgd`].
pub type Sgd = nn::sgd;
/// Nesterov's accelerated gradient (Sutskever et al. 2013): see [`nn::nesterov`].
pub type Nesterov = nn::nesterov;
/// RMSProp (Tieleman and Hinton 2012): see [`nn::rmsprop`].
pub type RmsProp = nn::rmsprop;
/// Adam (Kingma and Ba 2015): see [`nn::adam`].
pub type Adam = nn::adam;
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): see [`nn::adamw`].
pub type AdamW = nn::adamw;
/// Lion (Chen et al. 2023): see [`nn::lion`].
pub type Lion = nn::lion;

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

impl nn::nesterov {
    /// Nesterov's gradient at a learning rate, with a momentum of 0.9.
    pub fn new(lr: f32) -> Self {
        nn::nesterov(lr)
    }
}

impl nn::rmsprop {
    /// RMSProp at a learning rate, with a share of 0.9 of the old average.
    pub fn new(lr: f32) -> Self {
        nn::rmsprop(lr)
    }
}

impl nn::lion {
    /// Lion at a learning rate, without weight decay.
    pub fn new(lr: f32) -> Self {
        nn::lion(lr)
    }
}
