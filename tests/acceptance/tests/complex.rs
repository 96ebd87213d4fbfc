//! Row 33: the linear autoencoder over the complex numbers.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | the conjugate reconstructed | `it_loses…`, `a_global_phase…` | 11.65 for .20365; 18.89 after a turn |
//! | the imaginary error dropped | `it_loses…`, `a_global_phase…` | .08190 for .20365; .10688 after a turn |
//! | the imaginary part dropped | `it_loses…`, `a_global_phase…` | 2.37002 for .20365 |
//! | a mirror for the turn | `a_global_phase…` | 4.156 for .204 |
//! | E x xᵀ for E x x* | kept: `it_loses…` | more than .1 off |

use common as _;
use diabolo::data::Array;
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{column, eigen, moments};
use diabolo_acceptance::slopes::worst_slope;
use faer::Mat;

#[allow(dead_code)]
#[path = "../../../examples/complex.rs"]
mod complex;

fn curves() -> Data {
    complex::planted(500, 3).unwrap()
}

/// The blocks of E x x* and E x xᵀ: [E re reᵀ, E re imᵀ, E im imᵀ].
fn blocks(data: &Data) -> [Mat<f64>; 3] {
    let (re, im) = (column(data, "re"), column(data, "im"));
    [moments(re.as_ref(), re.as_ref()), moments(re.as_ref(), im.as_ref()), moments(im.as_ref(), im.as_ref())]
}

/// The eigenvalues of a Hermitian matrix H = P + iQ, falling: those of [P −Q; Q P], each of which comes twice.
fn hermitian(p: &Mat<f64>, q: &Mat<f64>) -> Vec<f64> {
    let n = p.nrows();
    let real = Mat::from_fn(2 * n, 2 * n, |i, j| match (i < n, j < n) {
        (true, true) => p[(i, j)],
        (true, false) => -q[(i, j - n)],
        (false, true) => q[(i - n, j)],
        (false, false) => p[(i - n, j - n)],
    });
    eigen(real.as_ref()).0.chunks(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect()
}

fn trained(data: &Data) -> (Model<f64>, f64) {
    let trainer = Trainer::new(complex::complex).precision::<f64>().seed(1).quiet();
    let (model, end) =
        trainer.full_batch(Lbfgs { iterations: 5000, change: 1e-13, ..Lbfgs::new() }).fit(data).unwrap();
    (model, end.loss)
}

#[test]
fn it_loses_the_eigenvalues_of_the_hermitian_covariance() {
    let data = curves();
    let [rr, ri, ii] = blocks(&data);
    // Neither part can be left out: the data have an imaginary part, and E x xᵀ = rr − ii + i(ri + riᵀ) is not 0.
    let total = |m: &Mat<f64>| m.norm_l2();
    assert!(total(&ii) > 0.1 * total(&rr) && total(&(&rr - &ii)) > 0.1 * total(&rr));
    // E x x* = rr + ii + i(irᵀ − ri).
    let lambda = hermitian(&(&rr + &ii), &(ri.transpose() - &ri));
    let left: f64 = lambda[4..].iter().sum();
    let (_, loss) = trained(&data);
    assert!((loss / left - 1.0).abs() < 1e-6, "{loss}, and {left} is left out");

    // The mistake: the transpose for the adjoint. E x xᵀ would leave out something else.
    let wrong: f64 = hermitian(&(&rr - &ii), &(&ri + ri.transpose()))[4..].iter().sum();
    assert!((wrong / left - 1.0).abs() > 0.1, "{wrong}");
}

#[test]
fn a_global_phase_changes_no_loss() {
    let data = curves();
    for model in [trained(&data).0, Model::untrained(complex::complex, 5).unwrap()] {
        let loss = model.mean(complex::complex, &data).unwrap().loss;
        for angle in [0.3, 1.0, 2.5] {
            let (re, im): (Array<f64>, Array<f64>) = model.run(complex::turn { angle }, &data).unwrap();
            let turned = Data::from_array("re", re).unwrap().with("im", &[16], im.into_values()).unwrap();
            let found = model.mean(complex::complex, &turned).unwrap().loss;
            assert!((found / loss - 1.0).abs() < 1e-12, "{angle}: {found} and {loss}");
        }
    }
}

#[test]
fn its_gradient_is_that_of_finite_differences() {
    let data = curves().take(20).unwrap();
    let model = Model::<f64>::untrained(complex::complex, 1).unwrap();
    let worst = worst_slope(complex::complex, &model, &data, 12, 1e-2);
    assert!(worst < 1e-7, "{worst:e}");
}
