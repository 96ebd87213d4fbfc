//! Attributes over what they do not belong to.
use diabolo::prelude::*;

#[loss]
struct Loss;

#[constant]
fn latent() -> usize {
    3
}

#[encoder]
const LATENT: usize = 3;

fn main() {}
