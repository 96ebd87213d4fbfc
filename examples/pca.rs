//! Principal components, trained: the linear autoencoder, and PCA as a constraint.
//!
//! `linear` is ‖x − ABx‖², no biases (Baldi and Hornik 1989): at its minimum the training loss is the sum of the
//! eigenvalues left out, Σ_{i>k} λᵢ, and A spans the principal subspace, though its columns need not be the components.
//! `pca` is ‖x − AᵀAx‖² with orthonormal rows, AAᵀ = I: the same minimum, and it is always a projection.
//! Look at how close both come to what an eigendecomposition gives exactly. The classic mistake is to forget to centre:
//! without biases, both sides need the mean taken away.

use common::{Defaults, Study};
use diabolo::data::Array;
use diabolo::nn::squared_error;
use diabolo::prelude::*;
use diabolo::projection::orthonormal_rows;

#[encoder]
fn encode<const K: usize>(x: Tensor<B, 64>) -> Tensor<B, K> {
    let weight: Tensor<64, K> = param(xavier());
    einsum("bd,dk->bk", x, weight)
}

#[decoder]
fn decode<const K: usize>(z: Tensor<B, K>) -> Tensor<B, 64> {
    let weight: Tensor<K, 64> = param(xavier());
    einsum("bk,kd->bd", z, weight)
}

#[loss]
pub fn linear<#[values(2, 4, 8, 16, 32)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode::<K>(x)), x)
}

/// The rows of A; training keeps them orthonormal.
#[network]
pub fn basis<#[values(2, 4, 8, 16, 32)] const K: usize>() -> Tensor<K, 64> {
    param(orthogonal())
}

#[function]
pub fn project<#[values(2, 4, 8, 16, 32)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let code = einsum("bd,kd->bk", x, basis::<K>());
    einsum("bk,kd->bd", code, basis::<K>())
}

#[loss]
pub fn pca<#[values(2, 4, 8, 16, 32)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(project::<K>(x), x)
}

/// The flag of this example.
#[derive(clap::Args)]
struct Size {
    /// Numbers in the code: 2, 4, 8, 16 or 32
    #[arg(long, default_value_t = 8)]
    k: usize,
}

fn main() -> diabolo::Result<()> {
    let defaults = Defaults { epochs: 300, batch: 64, lr: 2e-3 };
    let (mut study, Size { k }) = Study::begin_with("pca", defaults)?;
    let mean = study.digits.train.mean("x")?;
    let images = study.digits.clone();
    study.digits.train = images.train.center("x", &mean)?;
    study.digits.test = images.test.center("x", &mean)?;

    let cosine = Schedule::Cosine { warmup: 0.02 };
    let free = study.fit(Trainer::new(linear { K: k }).schedule(cosine))?;
    let rigid = Trainer::new(pca { K: k }).schedule(cosine).project(basis { K: k }, orthonormal_rows);
    let rigid = study.fit(rigid)?;

    let exact: f64 = study.pca(k)?.eigenvalues()[k..].iter().sum();
    let train = &study.digits.train;
    let reached =
        [("linear", free.mean(linear { K: k }, train)?.loss), ("pca", rigid.mean(pca { K: k }, train)?.loss)];
    println!("\nthe eigenvalues left out sum to {exact:.6}; training losses above that, relative:");
    for (name, loss) in reached {
        println!("  {name:6}  {loss:.6}  {:+.1e}", loss / exact - 1.0);
    }

    let outputs = study.on_test(&rigid, project { K: k })?;
    let errors = [
        ("linear autoencoder", free.mean(linear { K: k }, &study.digits.test)?.loss),
        ("orthonormal rows", study.squared_error(&outputs)?),
    ];
    study.digits = images;
    study.picture("reconstructions", &with_mean(outputs, &mean)?)?;
    study.conclude(&errors, k)
}

/// Centred images as they were.
pub fn with_mean(centred: Array<f32>, mean: &[f64]) -> diabolo::Result<Array<f32>> {
    let back: Vec<f64> = mean.iter().map(|pixel| -pixel).collect();
    Data::from_array("x", centred)?.center("x", &back)?.array("x")
}
