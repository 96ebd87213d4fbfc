//! The projections of the library, on a slice.
//!
//! In: the values of a matrix. Out: the same, changed in place. Never: an allocation.

use diabolo_kernels::Float;

use super::Lines;
use super::orthonormal::Vectors;

/// The rows or the columns of a row-major matrix.
pub(super) fn vectors(lines: Lines, [rows, columns]: [usize; 2]) -> Vectors {
    match lines {
        Lines::Rows => Vectors { count: rows, len: columns, vector: columns, element: 1 },
        Lines::Columns => Vectors { count: columns, len: rows, vector: 1, element: columns },
    }
}

/// Every vector divided by its norm.
pub(super) fn unit<F: Float>(values: &mut [F], vectors: Vectors) {
    for v in 0..vectors.count {
        let places = (0..vectors.len).map(|i| v * vectors.vector + i * vectors.element);
        let norm = places.clone().map(|at| values[at].to_f64().powi(2)).sum::<f64>().sqrt();
        if norm > 0.0 {
            let norm = F::from_f64(norm);
            places.for_each(|at| values[at] /= norm);
        }
    }
}

/// Every element between two bounds.
pub(super) fn clamp<F: Float>(values: &mut [F], low: f64, high: f64) {
    let (low, high) = (F::from_f64(low), F::from_f64(high));
    for value in values {
        if *value < low {
            *value = low;
        } else if *value > high {
            *value = high;
        }
    }
}
