//! The contractive autoencoder: a code that does not move when the input trembles.
//!
//! Loss: ‖x − D(E(x))‖² + λ ‖∂E/∂x‖²_F (Rifai et al. 2011). The penalty is written as it is read, with
//! `jacobian`; the compiler finds Σₖ (hₖ(1−hₖ))² ‖Wₖ‖² for this one sigmoid layer, and the product of two
//! layers' factors for a deeper one. Look at the penalty with and without λ: it falls by far more than the
//! error rises. For a linear map and its transpose the Jacobian is the matrix, and training shrinks the i-th principal
//! component by (1 − λ/2λᵢ)₊: look at these gains.

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

/// A deeper encoder: nothing else changes.
#[encoder]
pub fn encode_deep(x: Tensor<B, 64>) -> Tensor<B, 16> {
    sigmoid(dense(tanh(dense(x, 32)), 16))
}

#[loss]
pub fn contractive_deep(x: Tensor<B, 64>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    let z = encode_deep(x);
    let error = squared_error(decode_deep(z), x);
    let penalty = sum_squares(jacobian(encode_deep, x));
    error + lambda * penalty
}

#[decoder]
fn decode_deep(z: Tensor<B, 16>) -> Tensor<B, 64> {
    dense(tanh(dense(z, 32)), 64)
}

#[network]
fn weight() -> Tensor<16, 64> {
    param(orthogonal())
}

#[function]
pub fn project(x: Tensor<B, 64>) -> Tensor<B, 16> {
    einsum("bd,kd->bk", x, weight())
}

/// A linear autoencoder with tied weights.
#[loss]
pub fn tied(x: Tensor<B, 64>, #[default(0.2)] lambda: f32) -> Tensor<B> {
    let output = einsum("bk,kd->bd", project(x), weight());
    squared_error(output, x) + lambda * sum_squares(jacobian(project, x))
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
    gains(&study, 0.2)?;
    study.conclude(&errors, 32)
}

/// Trains `tied` on centred digits, and prints what it leaves of each principal component: of uᵢ, ‖W uᵢ‖².
fn gains(study: &Study, lambda: f32) -> diabolo::Result<()> {
    let pca = study.pca(16)?;
    let centred = study.digits.train.center("x", pca.mean())?;
    let trainer = Trainer::new(tied { lambda }).precision::<f64>().seed(study.trial.flags.seed);
    let (model, _) = trainer.full_batch(Lbfgs::new()).fit(&centred)?;
    println!("\nlinear with tied weights, λ = {lambda}: gains of the principal components, and in theory");
    let codes = model.run(project, pca.components())?;
    for (code, value) in codes.iter().zip(pca.eigenvalues()) {
        let theory = (1.0 - f64::from(lambda) / (2.0 * value)).max(0.0);
        println!("  {:.4}  {theory:.4}", code.iter().map(|z| z * z).sum::<f64>());
    }
    Ok(())
}
