//! Linear algebra by faer, in f64.
//!
//! In: arrays, matrices. Out: eigenvalues, inverses, angles. Never: a result of Diabolo's own arithmetic.

use diabolo::data::{Array, Data};
use diabolo::kernels::Float;
use faer::{Mat, MatRef, Side};

/// A matrix of an array of two axes; of more, the first by all others.
pub fn matrix<F: Float>(array: &Array<F>) -> Mat<f64> {
    let columns = array.values().len() / array.rows();
    Mat::from_fn(array.rows(), columns, |i, j| array.values()[i * columns + j].to_f64())
}

/// The array of a matrix, row by row.
pub fn array(matrix: MatRef<'_, f64>) -> Array<f64> {
    let values = (0..matrix.nrows()).flat_map(|i| (0..matrix.ncols()).map(move |j| matrix[(i, j)]));
    Array::new(&[matrix.nrows(), matrix.ncols()], values.collect()).expect("rows times columns")
}

/// A column of data as a matrix: a row each.
pub fn column(data: &Data, name: &str) -> Mat<f64> {
    matrix(&data.array::<f64>(name).expect("the column"))
}

/// Rows less their mean, and the mean.
pub fn centred(x: MatRef<'_, f64>) -> (Mat<f64>, Vec<f64>) {
    let mean: Vec<f64> = (0..x.ncols()).map(|j| x.col(j).sum() / x.nrows() as f64).collect();
    (Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] - mean[j]), mean)
}

/// XᵀY / n.
pub fn moments(x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> Mat<f64> {
    x.transpose() * y * faer::Scale(1.0 / x.nrows() as f64)
}

/// Eigenvalues of a symmetric matrix, falling, and their vectors as columns.
pub fn eigen(symmetric: MatRef<'_, f64>) -> (Vec<f64>, Mat<f64>) {
    let found = symmetric.self_adjoint_eigen(Side::Lower).expect("finite entries");
    let n = symmetric.nrows();
    // faer's rise.
    let values = (0..n).rev().map(|i| found.S()[i]).collect();
    (values, Mat::from_fn(n, n, |i, j| found.U()[(i, n - 1 - j)]))
}

/// The inverse of Moore and Penrose: singular values up to `cut` of the largest count as zero.
pub fn pseudo_inverse(a: MatRef<'_, f64>, cut: f64) -> Mat<f64> {
    let svd = a.thin_svd().expect("finite entries");
    let largest = svd.S()[0];
    let rank = (0..a.nrows().min(a.ncols())).take_while(|i| svd.S()[*i] > cut * largest).count();
    let scaled = Mat::from_fn(a.ncols(), rank, |i, j| svd.V()[(i, j)] / svd.S()[j]);
    scaled * svd.U().get(.., ..rank).transpose()
}

/// An orthonormal basis of the columns of a matrix of full rank.
pub fn orthonormal(a: MatRef<'_, f64>) -> Mat<f64> {
    a.qr().compute_thin_Q()
}

/// The largest principal angle between the spaces of the columns, in radians (Björck and Golub 1973: by its sine, which
/// keeps small angles).
pub fn largest_angle(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    let (a, b) = (orthonormal(a), orthonormal(b));
    let rest = &b - &a * (a.transpose() * &b);
    rest.singular_values().expect("finite entries")[0].min(1.0).asin()
}

/// The largest difference between two matrices.
pub fn difference(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    assert_eq!((a.nrows(), a.ncols()), (b.nrows(), b.ncols()));
    (a - b).norm_max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_small_matrix() {
        let a = faer::mat![[2.0, 1.0], [1.0, 2.0]];
        let (values, vectors) = eigen(a.as_ref());
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
        assert!((vectors[(0, 0)].abs() - 0.5f64.sqrt()).abs() < 1e-12);
        let singular = faer::mat![[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]];
        let inverse = pseudo_inverse(singular.as_ref(), 1e-10);
        assert!(difference((&singular * &inverse * &singular).as_ref(), singular.as_ref()) < 1e-12);
        let (x, y) = (faer::mat![[1.0], [0.0]], faer::mat![[1.0], [1e-5]]);
        assert!((largest_angle(x.as_ref(), y.as_ref()) - 1e-5).abs() < 1e-14);
    }
}
