//! An index says its axes as a tensor does.
use diabolo::prelude::*;

#[function]
fn f(a: Index<64, B>, b: Indices<B>) -> Index<B, _, _> {
    a
}

fn main() {}
