//! What an optimizer is not.
use diabolo::prelude::*;

#[optimizer]
fn no_gradient(w: Weight, lr: f32) -> Weight {
    w - lr * w
}

#[optimizer]
fn forgets(w: Weight, g: Gradient, m: Moment, lr: f32) -> Weight {
    w - lr * (m + g)
}

#[optimizer]
fn not_alone(w: Weight, g: Gradient, lr: f32) -> Weight {
    w - lr * g / sqrt(sum_squares(g))
}

#[optimizer]
fn of_data(w: Weight, g: Gradient, x: Tensor<B, 4>) -> Weight {
    w - sum(x) * g
}

#[optimizer]
fn noisy(w: Weight, g: Gradient, lr: f32) -> Weight {
    w - lr * (g + normal_like(g))
}

#[optimizer]
fn two_weights(w: Weight, v: Weight, g: Gradient) -> Weight {
    w - v * g
}

#[optimizer]
fn plain(w: Weight, g: Gradient, lr: f32) -> Weight {
    w - lr * g
}

#[function]
fn step(x: Tensor<B, 4>) -> Tensor<B, 4> {
    plain(x, x, 0.1)
}

fn main() {}
