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

/// Nesterov's accelerated gradient (1983) in the form of Sutskever et al. 2013, equations 3 and 4, written for the
/// point at which the gradient is taken, with the learning rate outside: m ← μ m + g, w ← w − lr (g + μ m).
#[optimizer]
pub fn nesterov(
    w: Weight,
    g: Gradient,
    m: Moment,
    lr: f32,
    #[default(0.9)] momentum: f32,
) -> (Weight, Moment) {
    let m = momentum * m + g;
    (w - lr * (g + momentum * m), m)
}

/// RMSProp (Tieleman and Hinton 2012, lecture 6.5): v ← ρ v + (1 − ρ) g², w ← w − lr g / (√v + eps).
#[optimizer]
pub fn rmsprop(
    w: Weight,
    g: Gradient,
    v: Moment,
    lr: f32,
    #[default(0.9)] rho: f32,
    #[default(1e-8)] eps: f32,
) -> (Weight, Moment) {
    let v = rho * v + (1.0 - rho) * square(g);
    (w - lr * g / (sqrt(v) + eps), v)
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
    let (direction, m, v) = adaptive(g, m, v, step, b1, b2, eps);
    (w - lr * direction, m, v)
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): beside the step of [`adam`],
/// w ← w − lr · decay · w.
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
    let (direction, m, v) = adaptive(g, m, v, step, b1, b2, eps);
    (w - lr * direction - lr * decay * w, m, v)
}

/// Adam's direction m̂ / (√v̂ + eps), and its new moments.
#[function]
fn adaptive(
    g: Tensor<N>,
    m: Tensor<N>,
    v: Tensor<N>,
    step: Scalar,
    b1: f32,
    b2: f32,
    eps: f32,
) -> (Tensor<N>, Tensor<N>, Tensor<N>) {
    let m = b1 * m + (1.0 - b1) * g;
    let v = b2 * v + (1.0 - b2) * square(g);
    // Once a step: an element has one division, which with the root takes most of its time where all is near.
    let rate = 1.0 / (1.0 - pow(b1, step));
    let scale = 1.0 / (1.0 - pow(b2, step));
    (rate * m / (sqrt(scale * v) + eps), m, v)
}

/// Lion (Chen et al. 2023, algorithm 2): w ← w − lr (sign(β₁ m + (1 − β₁) g) + decay w), m ← β₂ m + (1 − β₂) g.
/// Every step has the same size, so `lr` is 3 to 10 times smaller than Adam's (§5 there).
#[optimizer]
pub fn lion(
    w: Weight,
    g: Gradient,
    m: Moment,
    lr: f32,
    #[default(0.9)] b1: f32,
    #[default(0.99)] b2: f32,
    #[default(0.0)] decay: f32,
) -> (Weight, Moment) {
    (w - lr * (sign(b1 * m + (1.0 - b1) * g) + decay * w), b2 * m + (1.0 - b2) * g)
}
