//! Sizes in angle brackets, as they are declared.
use diabolo::prelude::*;

#[function]
fn a_type<T>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn a_lifetime<'a>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn of_another_type<#[values(2)] const K: u8>(x: Tensor<B, 4>) -> Tensor<B, K> {
    slice(x, end = K)
}

#[function]
fn in_full<#[values(2)] const WIDTH: usize>(x: Tensor<B, 4>) -> Tensor<B, WIDTH> {
    slice(x, end = WIDTH)
}

#[function]
fn the_batch<#[values(2)] const B: usize>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[layer]
fn of_a_layer<#[values(2)] const K: usize>(x: Tensor<B, 4>) -> Tensor<B, K> {
    slice(x, end = K)
}

#[function]
fn of_no_values<#[values()] const K: usize>(x: Tensor<B, 4>) -> Tensor<B, K> {
    slice(x, end = K)
}

#[function]
fn of_fractions<#[values(0.5)] const K: usize>(x: Tensor<B, 4>) -> Tensor<B, K> {
    slice(x, end = K)
}

#[function]
fn of_one_alone<#[values(2)] const K: usize, const L: usize>(x: Tensor<B, 4>) -> Tensor<B, K, L> {
    zeros()
}

#[function]
fn of_too_many<
    #[values(1, 2, 3, 4, 5)] const K: usize,
    #[values(1, 2, 3, 4)] const L: usize,
>(x: Tensor<B, 4>) -> Tensor<B, K, L> {
    zeros()
}

#[function]
fn of_a_word(x: Tensor<B, 4>) -> Tensor<B, 4> {
    tanh::<4>(x)
}

fn main() {}
