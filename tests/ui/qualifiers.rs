//! Functions that are more than `fn`.
use diabolo::prelude::*;

#[function]
const fn early(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
async fn late(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
unsafe fn trusted(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
extern "C" fn foreign(x: Tensor<B, 4>) -> Tensor<B, 4> {
    x
}

#[function]
fn bounded(x: Tensor<B, 4>) -> Tensor<B, 4>
where
    f32: Copy,
{
    x
}

#[function]
fn sometimes(x: Tensor<B, 4>) -> Tensor<B, 4> {
    #[cfg(test)]
    let x = tanh(x);
    x
}

#[function]
fn around(x: Tensor<B, 4>) -> Tensor<B, 4> {
    fn inner(x: f32) -> f32 {
        x
    }
    inner(x)
}

fn main() {}
