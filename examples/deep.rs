//! The deep autoencoder: seven layers of units, and three ways to bend them.
//!
//! Loss: ‖x − D(E(x))‖², E and D of three dense layers each (Hinton and Salakhutdinov 2006), with ReLU, sigmoid or tanh
//! between them, a straight code, and pixels between 0 and 1. The same sigmoid network is also stacked greedily (Bengio et al. 2007):
//! each pair of layers first learns, alone, to rebuild what the pair outside of it hands in, then all are tuned
//! together. Look at the errors beside PCA with as many numbers, and at what stacking gains where training is short.

use common::{Defaults, Study};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;

/// Three dense layers, with `f` between them.
#[layer]
pub fn layers(
    x: Tensor<B, I>,
    a: usize,
    b: usize,
    out: usize,
    f: impl Fn(Tensor) -> Tensor,
) -> Tensor<B, out> {
    let h = f(dense(x, a, init = kaiming()));
    dense(f(dense(h, b, init = kaiming())), out)
}

#[encoder]
fn relu_encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    layers(x, 96, 48, 8, relu)
}

#[decoder]
fn relu_decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    sigmoid(layers(z, 48, 96, 64, relu))
}

#[encoder]
fn tanh_encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    layers(x, 96, 48, 8, tanh)
}

#[decoder]
fn tanh_decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    sigmoid(layers(z, 48, 96, 64, tanh))
}

#[function]
pub fn with_relu(x: Tensor<B, 64>) -> Tensor<B, 64> {
    relu_decode(relu_encode(x))
}

#[function]
pub fn with_tanh(x: Tensor<B, 64>) -> Tensor<B, 64> {
    tanh_decode(tanh_encode(x))
}

#[loss]
pub fn deep_relu(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(with_relu(x), x)
}

#[loss]
pub fn deep_tanh(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(with_tanh(x), x)
}

// With the sigmoid, every layer is a network of its own, so that a loss can train some of them.

#[network]
pub fn down1(x: Tensor<B, 64>) -> Tensor<B, 96> {
    sigmoid(dense(x, 96))
}

#[network]
pub fn down2(h: Tensor<B, 96>) -> Tensor<B, 48> {
    sigmoid(dense(h, 48))
}

#[network]
pub fn down3(h: Tensor<B, 48>) -> Tensor<B, 8> {
    dense(h, 8)
}

#[network]
pub fn up3(z: Tensor<B, 8>) -> Tensor<B, 48> {
    sigmoid(dense(z, 48))
}

#[network]
pub fn up2(h: Tensor<B, 48>) -> Tensor<B, 96> {
    sigmoid(dense(h, 96))
}

#[network]
pub fn up1(h: Tensor<B, 96>) -> Tensor<B, 64> {
    sigmoid(dense(h, 64))
}

#[function]
pub fn with_sigmoid(x: Tensor<B, 64>) -> Tensor<B, 64> {
    up1(up2(up3(down3(down2(down1(x))))))
}

#[loss]
pub fn deep_sigmoid(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(with_sigmoid(x), x)
}

/// The outermost pair rebuilds the image.
#[loss(trains(down1, up1))]
pub fn first_pair(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(up1(down1(x)), x)
}

/// The next pair rebuilds what the first hands in, which stays as it is.
#[loss(trains(down2, up2))]
pub fn second_pair(x: Tensor<B, 64>) -> Tensor<B> {
    let h = down1(x);
    squared_error(up2(down2(h)), h)
}

#[loss(trains(down3, up3))]
pub fn third_pair(x: Tensor<B, 64>) -> Tensor<B> {
    let h = down2(down1(x));
    squared_error(up3(down3(h)), h)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("deep", Defaults { epochs: 100, batch: 64, lr: 2e-3 })?;
    let train = &study.digits.train;
    let rectified = study.train(deep_relu)?;
    let tangent = study.train(deep_tanh)?;
    let sigmoid = study.train(deep_sigmoid)?;
    let pair = study.train(first_pair)?;
    let pairs = study.trial.resume(Trainer::new(second_pair), pair, train)?;
    let stacked = study.trial.resume(Trainer::new(third_pair), pairs, train)?;
    let tuned = study.trial.resume(Trainer::new(deep_sigmoid), stacked.clone(), train)?;

    let outputs = study.on_test(&rectified, with_relu)?;
    study.picture("reconstructions", &outputs)?;
    let test = &study.digits.test;
    study.conclude(
        &[
            ("ReLU, 8 numbers", rectified.mean(deep_relu, test)?.loss),
            ("tanh", tangent.mean(deep_tanh, test)?.loss),
            ("sigmoid", sigmoid.mean(deep_sigmoid, test)?.loss),
            ("sigmoid, stacked", stacked.mean(deep_sigmoid, test)?.loss),
            ("sigmoid, stacked and tuned", tuned.mean(deep_sigmoid, test)?.loss),
        ],
        8,
    )
}
