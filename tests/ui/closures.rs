//! How a closure is written.
use diabolo::prelude::*;

#[function]
fn typed(x: Tensor<B, 4>) -> Tensor<B, 4> {
    grad(|y| -> Scalar { sum(y) }, x)
}

#[function]
fn moved(x: Tensor<B, 4>) -> Tensor<B, 4> {
    grad(move |y| sum(y), x)
}

#[function]
fn of_its_own_type(x: Tensor<B, 4>) -> Tensor<B, 4> {
    grad(|y: Tensor<B, 4>| sum(y), x)
}

#[function]
fn changes_what_is_outside(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut total = x;
    let f = |y| { total = total + y; y };
    total + f(x)
}

#[function]
fn without_a_value(x: Tensor<B, 4>) -> Tensor<B, 4> {
    grad(|y| { let z = sum(y); }, x)
}

fn main() {}
