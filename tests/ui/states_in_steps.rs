//! States are replaced once a step, by a loss.
use diabolo::prelude::*;

#[state]
fn usage() -> Tensor<4> {
    zeros()
}

#[network]
fn scale() -> Tensor<4> {
    param(ones())
}

#[loss]
fn a_parameter(x: Tensor<B, 4>) -> Tensor<B> {
    update(scale(), batch_mean(x));
    sum(x * scale())
}

#[loss]
fn of_another_shape(x: Tensor<B, 4>) -> Tensor<B> {
    update(usage(), slice(batch_mean(x), end = 2));
    sum(x * scale())
}

#[loss]
fn in_a_loop(x: Tensor<B, T, 4>) -> Tensor<B> {
    sum(scan(|h, x_t| { update(usage(), 0.5 * usage()); h + x_t * scale() }, zeros(), x))
}

#[loss]
fn with_nothing(x: Tensor<B, 4>) -> Tensor<B> {
    update(usage());
    sum(x * scale())
}

#[loss]
fn as_a_value(x: Tensor<B, 4>) -> Tensor<B> {
    let new = update(usage(), batch_mean(x));
    sum(x * new)
}

#[loss]
fn by_assignment(x: Tensor<B, 4>) -> Tensor<B> {
    usage() = batch_mean(x);
    sum(x * scale())
}

fn main() {}
