//! What a constant can be.
use diabolo::prelude::*;

#[constant]
const NAME: f32 = "x";

#[constant]
const WIDTH: u32 = 4;

/// In rustc's own words.
#[constant]
const HALF: usize = 0.5;

#[constant]
const EULER: f32 = exp(1.0);

#[constant]
const ROUND: usize = ROUND + 1;

#[constant]
static MOVING: usize = 4;

#[function]
fn scaled(x: Tensor<B, 4>) -> Tensor<B, 4> {
    HALF * WIDTH * x
}

#[function]
fn called(x: Tensor<B, 4>) -> Tensor<B, 4> {
    GOOD(x)
}

#[constant]
const GOOD: f32 = 0.5;

fn main() {}
