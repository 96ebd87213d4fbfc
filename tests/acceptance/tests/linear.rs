//! Rows 2, 3, 4 and 40: principal components, the linear autoencoder, regression through a bottleneck, Schur complements.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | `pca` negated | `pca_trained…` | the smallest components: an angle of 1.571 |
//! | no projection | `pca_trained…` | diverges at step 10 |
//! | half of `linear` | `the_linear_autoencoder…` | 1.68553 for 3.37106 |
//! | images not centred | kept: `without_centring…` | more than .1 off |
//! | labels not centred | `regression_through_…` | .91243 and .82808 for .81241 and .72806 |
//! | a rectified code | `regression_through_…` | .82253 and .74729 |
//! | absolute errors in `full_rank` | `the_residual…` | 1.19978 for .30835 |
//! | C − BA⁻Bᵀ | kept: `schur_complements…` | an eigenvalue below −.01 |

use common as _;
use diabolo::Model;
use diabolo::baseline::Pca;
use diabolo::data::digits;
use diabolo::prelude::*;
use diabolo::program::IntoRoot;
use diabolo::projection::orthonormal_rows;
use diabolo_acceptance::algebra::{
    centred, column, difference, eigen, largest_angle, matrix, moments, orthonormal, pseudo_inverse,
};
use diabolo_acceptance::statistics::normals;
use faer::{Mat, MatRef};

#[allow(dead_code)]
#[path = "../../../examples/pca.rs"]
mod pca;
#[allow(dead_code)]
#[path = "../../../examples/regression.rs"]
mod regression;

/// The training images, centred, as the examples see them.
fn images() -> Data {
    let train = digits().train;
    train.center("x", &train.mean("x").unwrap()).unwrap()
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected
}

/// Row 2: against the right singular vectors of the centred images.
#[test]
fn pca_trained_with_orthonormal_rows_is_pca_by_svd() {
    let data = images();
    let x = column(&data, "x");
    let svd = x.thin_svd().unwrap();
    let components = svd.V().get(.., ..8);
    let baseline = Pca::fit(&data, "x", 8).unwrap();
    let angle = largest_angle(matrix(baseline.components()).transpose(), components);
    assert!(angle < 1e-9, "the baseline: {angle:e}");

    // A step along the gradient, then Gram and Schmidt, is orthogonal iteration: an angle falls by 1 − 2η(λ₈ − λ₉) a step.
    let trainer = Trainer::new(pca::pca::<8>).precision::<f64>().project(pca::basis::<8>, orthonormal_rows);
    let trainer = trainer.optimizer(Sgd::new(1.0)).batch(data.rows()).epochs(600).seed(1).quiet();
    let model = trainer.fit(&data).unwrap();
    let rows = matrix(&model.parameter("basis<8>.weight").unwrap());
    let angle = largest_angle(rows.transpose(), components);
    assert!(angle < 1e-3, "{angle:e}");
    let gram = &rows * rows.transpose();
    assert!(difference(gram.as_ref(), Mat::<f64>::identity(8, 8).as_ref()) < 1e-12);
    let left: f64 = (8..64).map(|i| svd.S()[i].powi(2) / data.rows() as f64).sum();
    let loss = model.mean(pca::pca::<8>, &data).unwrap().loss;
    assert!(relative(loss, left) < 1e-6, "{loss}, and {left} is left out");
}

/// The least loss of row 3, and its decoder; the search ends at steps of this size.
fn autoencoder<L: Loss>(loss: impl IntoRoot<Root = L>, data: &Data, change: f64) -> (f64, Model<f64>) {
    let trainer = Trainer::new(loss).precision::<f64>().seed(1).quiet();
    let method = Lbfgs { iterations: 20_000, memory: 40, change, ..Lbfgs::new() };
    let (model, end) = trainer.full_batch(method).fit(data).unwrap();
    (end.loss, model)
}

/// Row 3.
#[test]
fn the_linear_autoencoder_loses_the_eigenvalues_left_out() {
    let data = images();
    let x = column(&data, "x");
    let (lambda, vectors) = eigen(moments(x.as_ref(), x.as_ref()).as_ref());
    for (k, (loss, model)) in
        [(2, autoencoder(pca::linear::<2>, &data, 1e-12)), (8, autoencoder(pca::linear::<8>, &data, 1e-12))]
    {
        let left: f64 = lambda[k..].iter().sum();
        assert!(relative(loss, left) < 1e-6, "k = {k}: {loss}, and {left} is left out");
        let rows = matrix(&model.parameter(&format!("decode<{k}>.weight")).unwrap());
        let angle = largest_angle(rows.transpose(), vectors.get(.., ..k));
        assert!(angle < 1e-2, "k = {k}: {angle:e}");
    }
}

/// The mistake: without biases, data that are not centred have another second moment.
#[test]
fn without_centring_it_is_something_else() {
    let data = images();
    let x = column(&data, "x");
    let lambda = eigen(moments(x.as_ref(), x.as_ref()).as_ref()).0;
    let (loss, _) = autoencoder(pca::linear::<2>, &digits().train, 1e-6);
    let off = relative(loss, lambda[2..].iter().sum());
    assert!(off > 0.1, "{off}");
}

/// Both covariances of a regression: Σxx, Σyx, Σyy.
struct Covariances {
    xx: Mat<f64>,
    yx: Mat<f64>,
    yy: Mat<f64>,
}

impl Covariances {
    fn of(x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> Covariances {
        Covariances { xx: moments(x, x), yx: moments(y, x), yy: moments(y, y) }
    }

    /// ΣyxΣxx⁺Σxy: what x says of y.
    fn said(&self) -> Mat<f64> {
        &self.yx * pseudo_inverse(self.xx.as_ref(), 1e-10) * self.yx.transpose()
    }

    /// Σyy − ΣyxΣxx⁺Σxy: the Schur complement of Σxx.
    fn complement(&self) -> Mat<f64> {
        &self.yy - self.said()
    }
}

fn trace(a: MatRef<'_, f64>) -> f64 {
    (0..a.nrows()).map(|i| a[(i, i)]).sum()
}

fn labelled() -> (Data, Covariances) {
    let train = digits().train;
    let data = regression::centred(&train, &train).unwrap();
    let covariances = Covariances::of(column(&data, "x").as_ref(), column(&data, "y").as_ref());
    (data, covariances)
}

/// Row 4, for one k, with its loss.
fn through_a_bottleneck(k: usize, figure: f64) {
    let (data, covariances) = labelled();
    let (model, loss) = regression::minimise(regression::bottleneck { K: k }, &data, 20_000, 1).unwrap();
    assert!((loss - figure).abs() < 5e-6, "k = {k}: {loss}, not {figure}");
    let lambda = eigen(covariances.said().as_ref()).0;
    let least = trace(covariances.yy.as_ref()) - lambda[..k].iter().sum::<f64>();
    assert!(relative(loss, least) < 1e-6, "k = {k}: {loss}, and {least} is the least");

    // Columns here, rows there: y = ABx is y = xBᵀAᵀ.
    let parameter = |name: &str| matrix(&model.parameter(&format!("{name}<{k}>.dense0.weight")).unwrap());
    let (encoder, decoder) = (parameter("encode"), parameter("decode"));
    let product = decoder.transpose() * encoder.transpose() * &covariances.xx;
    let basis = orthonormal(decoder.transpose());
    let projected = &basis * basis.transpose() * &covariances.yx;
    let off = difference(product.as_ref(), projected.as_ref()) / projected.norm_max();
    assert!(off < 1e-4, "k = {k}: ABΣxx differs from P_A Σyx by {off:e} of it");
}

#[test]
fn regression_through_one_number() {
    through_a_bottleneck(1, 0.81241);
}

#[test]
fn regression_through_two_numbers() {
    through_a_bottleneck(2, 0.72806);
}

/// Row 40, by training: constant pixels make Σxx singular.
#[test]
fn the_residual_of_full_rank_has_the_schur_complement_as_its_covariance() {
    let (data, covariances) = labelled();
    let complement = covariances.complement();
    let (model, loss) = regression::minimise(regression::full_rank, &data, 20_000, 1).unwrap();
    let expected = trace(complement.as_ref());
    assert!(relative(loss, expected) < 1e-6, "{loss}, and {expected} is the trace");
    let (_, narrow) = regression::minimise(regression::bottleneck::<9>, &data, 20_000, 1).unwrap();
    assert!(relative(narrow, expected) < 1e-6, "through nine numbers {narrow}, and {expected} is the trace");

    let residual = column(&data, "y") - matrix(&model.run(regression::predict, &data).unwrap());
    let found = moments(residual.as_ref(), residual.as_ref());
    let off = difference(found.as_ref(), complement.as_ref()) / complement.norm_max();
    assert!(off < 1e-4, "{off:e}");

    let rank = eigen(covariances.xx.as_ref()).0.iter().filter(|v| **v > 1e-10 * 0.7).count();
    assert!(rank < 64, "Σxx has full rank: it was to be singular");
    check_blocks(&covariances.xx, covariances.yx.transpose(), &covariances.yy);
}

/// M = [A B; Bᵀ C] ⪰ 0 implies range B ⊆ range A and C − BᵀA⁻B ⪰ 0.
fn check_blocks(a: &Mat<f64>, b: MatRef<'_, f64>, c: &Mat<f64>) {
    let inverse = pseudo_inverse(a.as_ref(), 1e-10);
    let outside = b - a * &inverse * b;
    assert!(outside.norm_max() < 1e-9 * b.norm_max(), "range B leaves range A by {:e}", outside.norm_max());
    let least = *eigen((c - b.transpose() * &inverse * b).as_ref()).0.last().unwrap();
    assert!(least > -1e-9 * c.norm_max(), "an eigenvalue {least:e}");
}

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let values = normals(rows * columns, seed);
    Mat::from_fn(rows, columns, |i, j| values[i * columns + j])
}

/// Row 40, by algebra: semidefinite matrices of every rank, and one that breaks the condition on the range.
#[test]
fn schur_complements_of_singular_matrices() {
    for rank in 1..=8 {
        // A is the first five rows and columns of GGᵀ: singular below rank 5.
        let g = random(8, rank, rank as u64);
        let m = &g * g.transpose();
        let (a, b, c) = (m.get(..5, ..5), m.get(..5, 5..), m.get(5.., 5..));
        check_blocks(&a.to_owned(), b, &c.to_owned());
    }
    // Where range B leaves range A, M is indefinite, however large C is.
    let (g, b) = (random(5, 2, 1), random(5, 3, 2));
    let a = &g * g.transpose();
    let m = Mat::from_fn(8, 8, |i, j| match (i < 5, j < 5) {
        (true, true) => a[(i, j)],
        (true, false) => b[(i, j - 5)],
        (false, true) => b[(j, i - 5)],
        (false, false) => f64::from(u8::from(i == j)) * 1e3,
    });
    assert!(*eigen(m.as_ref()).0.last().unwrap() < -1e-4);
    // The mistake C − BA⁻Bᵀ, where its shapes fit at all: of a semidefinite M it can be indefinite.
    let g = random(6, 4, 3);
    let m = &g * g.transpose();
    let (a, b, c) = (m.get(..3, ..3).to_owned(), m.get(..3, 3..), m.get(3.., 3..));
    let wrong = c - b * pseudo_inverse(a.as_ref(), 1e-10) * b.transpose();
    assert!(*eigen(wrong.as_ref()).0.last().unwrap() < -1e-2);
    // Centring twice changes nothing; the covariances of the rows above are centred ones.
    let (once, _) = centred(g.as_ref());
    assert!(difference(centred(once.as_ref()).0.as_ref(), once.as_ref()) < 1e-14);
}
