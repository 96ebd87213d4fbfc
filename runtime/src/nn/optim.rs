//! Update rules: what one step does to one weight, given its gradient and what is kept of it.
//!
//! In: a weight, its gradient, its moments (0 at first), the number of the step from 1, and the
//! hyperparameters. Out: the new weight and the new moments. Never: another element's value.

use crate::prelude::*;

/// Gradient descent with momentum (Polyak 1964; the form of Sutskever et al. 2013, equations 1 and 2, with the
/// learning rate outside): m ← μ m + g, w ← w − lr m. With `momentum = 0`, plain gradient descent.
#[optimizer]
pub fn sgd(w: Weight, g: Gradient, m: Moment, lr: f32, #[default(0.0)] momentum: f32) -> (Weight, Moment) {
    let m = momentum * m + g;
    (w - lr * m, m)
}

/// Adam (Kingma and Ba 2015, algorithm 1).
#[optimizer]
pub fn adam(
    w: Weight,
    g: Gradient,
    m: Moment,
    v: Moment,
    step: Step,
    lr: f32,
    #[default(0.9)] b1: f32,
    #[default(0.999)] b2: f32,
    #[default(1e-8)] eps: f32,
) -> (Weight, Moment, Moment) {
    let m = b1 * m + (1.0 - b1) * g;
    let v = b2 * v + (1.0 - b2) * square(g);
    let rate = lr / (1.0 - pow(b1, step));
    let spread = sqrt(v / (1.0 - pow(b2, step))) + eps;
    (w - rate * m / spread, m, v)
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
#[optimizer]
pub fn adamw(
    w: Weight,
    g: Gradient,
    m: Moment,
    v: Moment,
    step: Step,
    lr: f32,
    #[default(0.9)] b1: f32,
    #[default(0.999)] b2: f32,
    #[default(1e-8)] eps: f32,
    #[default(0.01)] decay: f32,
) -> (Weight, Moment, Moment) {
    let m = b1 * m + (1.0 - b1) * g;
    let v = b2 * v + (1.0 - b2) * square(g);
    let rate = lr / (1.0 - pow(b1, step));
    let spread = sqrt(v / (1.0 - pow(b2, step))) + eps;
    (w - rate * m / spread - lr * decay * w, m, v)
}
