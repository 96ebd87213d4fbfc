//! Orthonormal vectors of given ones.
//!
//! In: vectors that lie in a matrix. Out: orthonormal ones, in the same place. Never: an allocation.
//!
//! Modified Gram-Schmidt, each vector twice, which is as orthogonal as a QR by reflections (Giraud, Langou,
//! Rozložník 2005), sums in f64. It is a retraction onto the Stiefel manifold (Absil, Mahony, Sepulchre 2008, §4.1.1).
//! The polar factor would be the nearest such matrix, but takes an SVD or an iteration that does not end where
//! the vectors depend on each other.

use diabolo_kernels::Float;

/// How vectors lie in a slice: the steps from one to the next, and from element to element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vectors {
    pub count: usize,
    pub len: usize,
    pub vector: usize,
    pub element: usize,
}

/// Makes vectors orthonormal, in order. What depends on earlier vectors is replaced by the first axis that does not.
/// Needs `count ≤ len`.
pub(crate) fn orthonormalise<F: Float>(values: &mut [F], vectors: Vectors) {
    let at = |v: usize, i: usize| v * vectors.vector + i * vectors.element;
    for v in 0..vectors.count {
        let length = dot(values, vectors, v, v).sqrt();
        // In exact numbers nothing would be left; 1e-5 is far above the rounding of either precision's sums.
        let mut left = remainder(values, vectors, v);
        let mut axis = 0;
        while !(left > 1e-5 * length && left > 0.0 && left.is_finite()) && axis < vectors.len {
            (0..vectors.len).for_each(|i| values[at(v, i)] = if i == axis { F::ONE } else { F::ZERO });
            left = remainder(values, vectors, v);
            // Some axis keeps at least √(1 − v / len) of its length.
            let share = 1.0 - v as f64 / vectors.len as f64;
            left = if left * left > 0.5 * share { left } else { 0.0 };
            axis += 1;
        }
        let norm = F::from_f64(dot(values, vectors, v, v).sqrt().max(f64::MIN_POSITIVE));
        (0..vectors.len).for_each(|i| values[at(v, i)] /= norm);
    }
}

/// Takes earlier vectors out of vector `v`, twice, and returns the length of what is left after the first time.
fn remainder<F: Float>(values: &mut [F], vectors: Vectors, v: usize) -> f64 {
    let at = |v: usize, i: usize| v * vectors.vector + i * vectors.element;
    let mut left = 0.0;
    for turn in 0..2 {
        for other in 0..v {
            let along = F::from_f64(dot(values, vectors, v, other));
            for i in 0..vectors.len {
                let part = along * values[at(other, i)];
                values[at(v, i)] -= part;
            }
        }
        if turn == 0 {
            left = dot(values, vectors, v, v).sqrt();
        }
    }
    left
}

fn dot<F: Float>(values: &[F], vectors: Vectors, v: usize, w: usize) -> f64 {
    let at = |v: usize, i: usize| v * vectors.vector + i * vectors.element;
    (0..vectors.len).map(|i| values[at(v, i)].to_f64() * values[at(w, i)].to_f64()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gram(values: &[f64], vectors: Vectors) -> f64 {
        let mut worst: f64 = 0.0;
        for v in 0..vectors.count {
            for w in 0..vectors.count {
                worst = worst.max((dot(values, vectors, v, w) - f64::from(u8::from(v == w))).abs());
            }
        }
        worst
    }

    #[test]
    fn nearly_dependent_vectors_become_orthonormal() {
        // Läuchli's matrix: plain Gram-Schmidt loses orthogonality completely.
        let e = 1e-4;
        let values = vec![1.0, e, 0.0, 0.0, 1.0, 0.0, e, 0.0, 1.0, 0.0, 0.0, e];
        let rows = Vectors { count: 3, len: 4, vector: 4, element: 1 };
        let mut by_rows = values.clone();
        orthonormalise(&mut by_rows, rows);
        assert!(gram(&by_rows, rows) < 1e-14, "{by_rows:?}");
        // The same vectors as columns.
        let mut by_columns: Vec<f64> = (0..12).map(|i| values[i % 3 * 4 + i / 3]).collect();
        let columns = Vectors { count: 3, len: 4, vector: 1, element: 3 };
        orthonormalise(&mut by_columns, columns);
        let transposed: Vec<f64> = (0..12).map(|i| by_rows[i % 3 * 4 + i / 3]).collect();
        assert_eq!(by_columns, transposed);
    }

    #[test]
    fn dependent_vectors_are_replaced() {
        let rows = Vectors { count: 3, len: 3, vector: 3, element: 1 };
        for mut values in [
            vec![1.0, 2.0, 2.0, 2.0, 4.0, 4.0, 0.0, 0.0, 0.0],
            vec![0.0; 9],
            vec![0.0, 0.0, 1.0, 0.0, 0.0, -3.0, 0.0, 0.0, 5.0],
        ] {
            orthonormalise(&mut values, rows);
            assert!(gram(&values, rows) < 1e-14, "{values:?}");
        }
    }

    #[test]
    fn orthonormal_vectors_stay() {
        let rows = Vectors { count: 2, len: 2, vector: 2, element: 1 };
        let mut values = vec![0.6, 0.8, -0.8, 0.6];
        orthonormalise(&mut values, rows);
        let kept = [0.6, 0.8, -0.8, 0.6];
        assert!(values.iter().zip(kept).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-15), "{values:?}");
    }
}
