//! `for` counts over integers that are known while compiling.
use diabolo::prelude::*;

#[function]
fn over_a_length(x: Tensor<B, T, 4>) -> Tensor<B, T, 4> {
    let mut y = x;
    for _ in 0..T {
        y = tanh(y);
    }
    y
}

#[function]
fn over_fractions(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    for _ in 0.0..1.0 {
        y = tanh(y);
    }
    y
}

#[function]
fn over_a_tensor(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    for a in x {
        y = y + a;
    }
    y
}

#[function]
fn without_end(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    for _ in 0.. {
        y = tanh(y);
    }
    y
}

#[function]
fn stopped(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    for i in 0..4 {
        y = tanh(y);
        break;
    }
    y
}

#[function]
fn of_nothing_declared(x: Tensor<B, 4>) -> Tensor<B, 4> {
    for _ in 0..4 {
        y = tanh(x);
    }
    x
}

#[function]
fn as_a_value(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let y = for _ in 0..4 {};
    x
}

#[function]
fn growing(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    for _ in 0..100 {
        y = concat(y, x);
    }
    y
}

#[function]
fn known_names_only(x: Tensor<B, 4>) -> Tensor<B, 4> {
    for _ in 0..4 {
        let y = tanh(x);
    }
    y
}

#[function]
fn while_something(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    while true {
        y = tanh(y);
    }
    y
}

fn main() {}
