//! Row 16: the contractive autoencoder.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | the sum of the Jacobian's absolute values, no squares | `the_penalty_of_a_sigmoid_layer…` | 7.15, 0.132 expected |
//! | the Jacobian of the code's last sigmoid alone | `the_penalty_of_a_deep_encoder…` | 0.83, 0.083 expected |
//! | λ twice | `tied_linear_gains…` | map off by 0.155 |
//! | no gradient through the decoder's share of W | `tied_linear_gains…` | map off by 0.169 |

use common as _;
use diabolo::data::{Data, digits};
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{centred, column, difference, eigen, matrix, moments};
use faer::Mat;

#[allow(dead_code)]
#[path = "../../../examples/contractive.rs"]
mod contractive;

/// Σ (hₖ(1 − hₖ))² ‖Wₖ‖² for h = σ(Wx + b).
#[test]
fn the_penalty_of_a_sigmoid_layer_is_its_closed_form() {
    let digits = digits();
    let trainer = Trainer::new(contractive::contractive { lambda: 0.1 }).epochs(5).seed(7).quiet();
    let model = trainer.fit(&digits.train).unwrap();
    let w = matrix(&model.parameter("encode.dense0.weight").unwrap()); // [64, 32]
    let b = model.parameter("encode.dense0.bias").unwrap().into_values();
    let x = column(&digits.test, "x");
    for row in 0..40 {
        let data = digits.test.select(&[row]).unwrap();
        let found =
            model.mean(contractive::contractive { lambda: 0.1 }, &data).unwrap().part("penalty").unwrap();
        let unit = |k: usize| {
            let input: f64 = f64::from(b[k]) + (0..64).map(|d| w[(d, k)] * x[(row, d)]).sum::<f64>();
            let h = 1.0 / (1.0 + (-input).exp());
            (h * (1.0 - h)).powi(2) * (0..64).map(|d| w[(d, k)].powi(2)).sum::<f64>()
        };
        let expected: f64 = (0..32).map(unit).sum();
        assert!((found / expected - 1.0).abs() < 1e-5, "row {row}: {found} and {expected}");
    }
}

/// ‖∂E/∂x‖² of σ(W₂ tanh(W₁x + b₁) + b₂): the matrices of both layers with their slopes between them, multiplied out.
#[test]
fn the_penalty_of_a_deep_encoder_is_that_of_the_product_of_its_layers() {
    let digits = digits();
    let trainer = Trainer::new(contractive::contractive_deep).precision::<f64>().epochs(2).seed(7).quiet();
    let model = trainer.fit(&digits.train).unwrap();
    let parameter = |path: &str| matrix(&model.parameter(&format!("encode_deep.{path}")).unwrap());
    let (w1, b1) = (parameter("dense0.weight"), parameter("dense0.bias"));
    let (w2, b2) = (parameter("dense1.weight"), parameter("dense1.bias"));
    let x = column(&digits.test, "x");
    for row in 0..40 {
        let data = digits.test.select(&[row]).unwrap();
        let found = model.mean(contractive::contractive_deep, &data).unwrap().part("penalty").unwrap();
        let x = x.row(row).transpose();
        let h: Vec<f64> = (0..32).map(|k| ((w1.transpose() * x)[k] + b1[(k, 0)]).tanh()).collect();
        let input = |j: usize| b2[(j, 0)] + (0..32).map(|k| w2[(k, j)] * h[k]).sum::<f64>();
        let z: Vec<f64> = (0..16).map(|j| 1.0 / (1.0 + (-input(j)).exp())).collect();
        let first = Mat::from_fn(64, 32, |d, k| w1[(d, k)] * (1.0 - h[k] * h[k]));
        let second = Mat::from_fn(32, 16, |k, j| w2[(k, j)] * z[j] * (1.0 - z[j]));
        let expected = (first * second).squared_norm_l2();
        assert!((found / expected - 1.0).abs() < 1e-10, "row {row}: {found} and {expected}");
    }
}

/// With eigenvalues λᵢ of the covariance, W shrinks the i-th principal component by (1 − λ/2λᵢ)₊.
#[test]
fn tied_linear_gains_are_shrunk_eigenvalues() {
    const LAMBDA: f32 = 0.2;
    let (x, _) = centred(column(&digits().train, "x").as_ref());
    let data = Data::from_array("x", diabolo_acceptance::algebra::array(x.as_ref())).unwrap();
    let (values, vectors) = eigen(moments(x.as_ref(), x.as_ref()).as_ref());
    let gain = |value: f64| (1.0 - f64::from(LAMBDA) / (2.0 * value)).max(0.0);
    let kept = values.iter().take(16).filter(|value| gain(**value) > 0.0).count();
    assert!((4..16).contains(&kept), "some gains are to be zero, some not: {kept}");

    let trainer = Trainer::new(contractive::tied { lambda: LAMBDA }).precision::<f64>().seed(7).quiet();
    let (model, end) = trainer.full_batch(Lbfgs { change: 0.0, ..Lbfgs::new() }).fit(&data).unwrap();
    let w = matrix(&model.parameter("weight.weight").unwrap());
    let map = w.transpose() * &w;
    let leading = vectors.get(.., ..16);
    let gains = Mat::from_fn(16, 16, |i, j| if i == j { gain(values[i]) } else { 0.0 });
    let expected = leading * gains * leading.transpose();
    let apart = difference(map.as_ref(), expected.as_ref());
    println!("{end}; map off by {apart:e}");
    assert!(apart < 1e-4, "{apart:e}");
    let (found, _) = eigen((&w * w.transpose()).as_ref());
    for (found, value) in found.iter().zip(&values) {
        assert!((found - gain(*value)).abs() < 1e-4, "{found} and {}", gain(*value));
    }
}
