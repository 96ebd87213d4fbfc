//! A function with sizes that lists none runs only inside another.
use diabolo::prelude::*;

#[encoder]
fn encode<const K: usize>(x: Tensor<B, 8>) -> Tensor<B, K> {
    slice(x, end = K)
}

fn main() {
    let _ = Model::<f32>::untrained(encode::<3>, 1);
}
