//! Noise with exactly the moments of the distribution that it stands for.
//!
//! In: data. Out: a column of noise beside them. Never: a moment that is only near.

use diabolo::data::Data;
use faer::Mat;

use crate::algebra::{array, column, orthonormal};
use crate::statistics::normals;

/// The data, `x` and a column `noise` of `width` numbers a row, whose mean is 0, whose covariance is the identity, and
/// which `x` says nothing about: Σε = 0, Σεεᵀ = nI, Σxεᵀ = 0.
///
/// So the mean of ‖a(x) + Bε‖² over the rows is exactly its expectation over ε ~ N(0, I), for every affine map a and
/// every matrix B, and what is found by an average over samples can be compared with a closed form without an error.
pub fn with_exact_noise(data: &Data, width: usize, seed: u64) -> Data {
    let x = column(data, "x");
    let (rows, known) = (x.nrows(), x.ncols() + 1);
    let drawn = normals(rows * width, seed);
    // Orthonormal columns whose first span those of the data and 1: the last are nearly what was drawn.
    let all = Mat::from_fn(rows, known + width, |i, j| match j {
        0 => 1.0,
        _ if j < known => x[(i, j - 1)],
        _ => drawn[i * width + j - known],
    });
    let basis = orthonormal(all.as_ref());
    let root = (rows as f64).sqrt();
    let noise = Mat::from_fn(rows, width, |i, j| root * basis[(i, known + j)]);
    data.clone().with("noise", &[width], array(noise.as_ref()).into_values()).expect("as many rows")
}

#[cfg(test)]
mod tests {
    use diabolo::data::digits;

    use super::*;
    use crate::algebra::{difference, moments};

    #[test]
    fn its_moments_are_exact() {
        // Some pixels are always 0: the columns of the data are not independent.
        let data = with_exact_noise(&digits().train.take(500).unwrap(), 8, 3);
        let (x, noise) = (column(&data, "x"), column(&data, "noise"));
        assert!(
            difference(moments(noise.as_ref(), noise.as_ref()).as_ref(), Mat::identity(8, 8).as_ref())
                < 1e-12
        );
        assert!(moments(x.as_ref(), noise.as_ref()).norm_max() < 1e-12);
        assert!((0..8).all(|j| noise.col(j).sum().abs() < 1e-9));
    }
}
