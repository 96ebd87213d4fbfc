//! The result of running a function: a shape and its values.
//!
//! In: what a program computed. Out: rows to look at, to draw, to make [`Data`](super::Data) from.
//! Never: arithmetic.

use diabolo_kernels::Float;

use crate::error::{Error, Result};

/// Values in row-major order under a shape; the first axis counts rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<F> {
    shape: Vec<usize>,
    values: Vec<F>,
}

impl<F: Float> Array<F> {
    /// An array of this shape; an `Err` if the values are not as many as it says.
    pub fn new(shape: &[usize], values: Vec<F>) -> Result<Array<F>> {
        let count = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
        if count != Some(values.len()) {
            return Err(Error::Shape {
                thing: "array".into(),
                expected: format!("{shape:?}"),
                found: format!("{} values", values.len()),
                place: "Array::new".into(),
            });
        }
        Ok(Array { shape: shape.to_vec(), values })
    }

    pub(super) fn trusted(shape: Vec<usize>, values: Vec<F>) -> Array<F> {
        Array { shape, values }
    }

    /// The whole shape, rows first; `[]` for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values, row after row.
    pub fn values(&self) -> &[F] {
        &self.values
    }

    /// All values, owned.
    pub fn into_values(self) -> Vec<F> {
        self.values
    }

    /// The number of rows; 1 for a single number.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The values of row `i`.
    pub fn row(&self, i: usize) -> Result<&[F]> {
        self.iter().nth(i).ok_or_else(|| Error::Shape {
            thing: format!("row {i}"),
            expected: format!("under {}", self.rows()),
            found: format!("{i}"),
            place: format!("array of shape {:?}", self.shape),
        })
    }

    /// The rows, one after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[F]> + Clone {
        self.into_iter()
    }

    /// The mean of all values: a loss per sample becomes a figure.
    pub fn mean(&self) -> f64 {
        self.values.iter().map(|v| v.to_f64()).sum::<f64>() / self.values.len() as f64
    }
}

impl<'a, F: Float> IntoIterator for &'a Array<F> {
    type Item = &'a [F];
    type IntoIter = std::slice::ChunksExact<'a, F>;

    fn into_iter(self) -> Self::IntoIter {
        let width = self.values.len().checked_div(self.rows()).unwrap_or(0);
        // An array without values has no rows to show, whatever its shape says.
        self.values.chunks_exact(width.max(1))
    }
}
