//! Row 2 on MNIST: PCA trained with the decoder Aᵀ, beside PCA computed.

use diabolo::nn::squared_error;
use diabolo::prelude::*;
use diabolo::projection::orthonormal_rows;
use diabolo_acceptance::datasets::mnist;

/// The rows of A; training keeps them orthonormal.
#[network]
fn basis<#[values(2, 16, 32)] const K: usize>() -> Tensor<K, 784> {
    param(orthogonal())
}

#[loss]
fn pca<#[values(2, 16, 32)] const K: usize>(x: Tensor<B, 784>) -> Tensor<B> {
    let code = einsum("bd,kd->bk", x, basis::<K>());
    squared_error(einsum("bk,kd->bd", code, basis::<K>()), x)
}

#[test]
#[ignore = "MNIST: half a minute"]
fn pca_of_mnist() {
    let Some(digits) = mnist() else { return };
    let mean = digits.train.mean("x").unwrap();
    let train = digits.train.center("x", &mean).unwrap();
    let test = digits.test.center("x", &mean).unwrap();
    for (k, computed) in [(2, 43.645), (16, 21.058), (32, 13.193)] {
        let trainer = Trainer::new(pca { K: k }).project(basis { K: k }, orthonormal_rows);
        let trainer = trainer.optimizer(Sgd::new(0.1)).schedule(Schedule::Cosine { warmup: 0.02 });
        let model = trainer.batch(1000).epochs(20).seed(1).quiet().fit(&train).unwrap();
        let error = model.mean(pca { K: k }, &test).unwrap().loss;
        println!("PCA of MNIST, k = {k}: test squared error {error:.4}; computed {computed}");
        assert!((error - computed).abs() < 1e-3, "k = {k}: {error}, not {computed}");
    }
}
