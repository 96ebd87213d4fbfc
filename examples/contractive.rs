//! The contractive autoencoder: a code that does not move when the input trembles.
//!
//! Loss: ‖x − D(E(x))‖² + λ ‖∂E/∂x‖²_F (Rifai et al. 2011). The penalty is written as it is read, with
//! `jacobian`; the compiler finds Σₖ (hₖ(1−hₖ))² ‖Wₖ‖² for this one sigmoid layer, and the product of two
//! layers' factors for a deeper one. Look at the penalty with and without λ: it falls by far more than the
//! error rises.

use common::{Defaults, Study};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 32> {
    sigmoid(dense(x, 32))
}

#[decoder]
fn decode(h: Tensor<B, 32>) -> Tensor<B, 64> {
    dense(h, 64)
}

#[loss]
pub fn contractive(x: Tensor<B, 64>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    let error = squared_error(decode(encode(x)), x);
    let penalty = sum_squares(jacobian(encode, x));
    error + lambda * penalty
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("contractive", Defaults { epochs: 400, batch: 64, lr: 2e-3 })?;
    let mut errors = Vec::new();
    for (name, lambda) in [("λ = 0", 0.0), ("λ = 0.1", 0.1)] {
        let model = study.train(contractive { lambda })?;
        let means = model.mean(contractive { lambda }, &study.digits.test)?;
        println!("\n{name}, on the test images: {means}\n");
        let outputs = study.on_test(&model, reconstruct)?;
        study.picture("reconstructions", &outputs)?;
        errors.push((name, study.squared_error(&outputs)?));
    }
    study.conclude(&errors, 32)
}
