//! What an autoencoder has to beat: the mean image, and PCA with a code of the same size.
//!
//! In: a column of data. Out: squared errors per row, and the [`Pca`] itself. Never: f32 arithmetic, an answer
//! that depends on the number of threads.

use std::ops::Range;

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

use crate::data::{Array, Column, Data};
use crate::error::{Error, Result};

/// The widest row PCA is computed for: its covariance takes half a gigabyte there.
const MAX_WIDTH: usize = 8192;
/// Rows of one product. Fixed, so that sums are added in one order on every machine.
const BLOCK: usize = 2048;
/// Covariances held at once.
const LANES: usize = 4;

/// The mean squared error per row of answering the mean training row, whatever comes in.
pub fn mean_image_error(train: &Data, test: &Data, column: &str) -> Result<f64> {
    let mean = train.mean(column)?;
    let test = Centred::new(test, column, &mean)?;
    let total: f64 = test.blocks().map(|rows| Ok(test.block(rows)?.norm_squared())).sum::<Result<f64>>()?;
    Ok(total / test.column.rows() as f64)
}

/// Principal component analysis: the best linear autoencoder in squared error (Eckart and Young 1936).
#[derive(Clone, Debug)]
pub struct Pca {
    column: String,
    mean: Vec<f64>,
    components: Array<f64>,
    eigenvalues: Vec<f64>,
}

impl Pca {
    /// The `k` directions of largest variance in a column of the training data.
    pub fn fit(train: &Data, column: &str, k: usize) -> Result<Pca> {
        let width = train.column(column)?.width();
        if k == 0 || k > width.min(MAX_WIDTH) || width > MAX_WIDTH {
            return Err(Error::config(format!(
                "PCA of column `{column}` ({width} values a row) with {k} components: \
                 between 1 and the width, which may be up to {MAX_WIDTH}"
            )));
        }
        let mean = train.mean(column)?;
        let eigen = SymmetricEigen::new(Centred::new(train, column, &mean)?.covariance()?);
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));

        let mut components = Vec::with_capacity(k * width);
        for i in &order[..k] {
            let vector = eigen.eigenvectors.column(*i);
            // An eigenvector has no sign of its own: the largest entry is made positive.
            let largest = vector.iter().copied().fold(0.0f64, |m, v| if v.abs() > m.abs() { v } else { m });
            components.extend(vector.iter().map(|v| v * largest.signum()));
        }
        Ok(Pca {
            column: column.into(),
            mean,
            components: Array::new(&[k, width], components)?,
            // Rounding may leave a zero slightly negative.
            eigenvalues: order.iter().map(|i| eigen.eigenvalues[*i].max(0.0)).collect(),
        })
    }

    /// The mean training row.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The directions, [k, width], orthonormal, largest variance first.
    pub fn components(&self) -> &Array<f64> {
        &self.components
    }

    /// All eigenvalues of the covariance (divided by n), descending, not only the first k. Those past k sum to the
    /// squared error per training row.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// The codes of the rows, [rows, k].
    pub fn encode(&self, data: &Data) -> Result<Array<f64>> {
        let (centred, directions) = (Centred::new(data, &self.column, &self.mean)?, self.directions());
        let mut codes = Vec::with_capacity(data.rows() * directions.nrows());
        for rows in centred.blocks() {
            codes.extend_from_slice((&directions * centred.block(rows)?).as_slice());
        }
        Array::new(&[data.rows(), directions.nrows()], codes)
    }

    /// Every row, rebuilt from its code, [rows, width].
    pub fn reconstruct(&self, data: &Data) -> Result<Array<f64>> {
        let codes = self.encode(data)?;
        let codes = DMatrix::from_column_slice(self.components.rows(), codes.rows(), codes.values());
        let mut rebuilt = self.directions().tr_mul(&codes);
        for mut row in rebuilt.column_iter_mut() {
            row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value += mean);
        }
        Array::new(&[rebuilt.ncols(), rebuilt.nrows()], rebuilt.data.into())
    }

    /// The mean squared error per row of rebuilding the data.
    pub fn squared_error(&self, data: &Data) -> Result<f64> {
        let (centred, directions) = (Centred::new(data, &self.column, &self.mean)?, self.directions());
        let mut total = 0.0;
        for rows in centred.blocks() {
            let x = centred.block(rows)?;
            total += (directions.tr_mul(&(&directions * &x)) - x).norm_squared();
        }
        Ok(total / data.rows() as f64)
    }

    fn directions(&self) -> DMatrix<f64> {
        DMatrix::from_row_slice(self.components.rows(), self.mean.len(), self.components.values())
    }
}

/// A column less a mean row, a block of rows at a time: the whole of it in f64 would be large.
struct Centred<'a> {
    column: &'a Column,
    mean: &'a [f64],
}

impl<'a> Centred<'a> {
    fn new(data: &'a Data, column: &str, mean: &'a [f64]) -> Result<Centred<'a>> {
        let column = data.column(column)?;
        if column.width() != mean.len() {
            return Err(Error::Shape {
                thing: column.name().into(),
                expected: format!("{} values a row", mean.len()),
                found: format!("{} values a row", column.width()),
                place: "baseline".into(),
            });
        }
        Ok(Centred { column, mean })
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let rows = self.column.rows();
        (0..rows).step_by(BLOCK).map(move |start| start..rows.min(start + BLOCK))
    }

    /// These rows as the columns of a matrix: row-major here is column-major there.
    fn block(&self, rows: Range<usize>) -> Result<DMatrix<f64>> {
        let mut x = DMatrix::zeros(self.mean.len(), rows.len());
        self.column.copy_rows(rows, x.as_mut_slice())?;
        for row in x.as_mut_slice().chunks_exact_mut(self.mean.len()) {
            row.iter_mut().zip(self.mean).for_each(|(value, mean)| *value -= mean);
        }
        Ok(x)
    }

    /// XᵀX / n.
    fn covariance(&self) -> Result<DMatrix<f64>> {
        let (width, rows) = (self.mean.len(), self.column.rows() as f64);
        let lanes: Vec<DMatrix<f64>> = (0..LANES)
            .into_par_iter()
            .map(|lane| {
                let mut sum = DMatrix::zeros(width, width);
                for rows in self.blocks().skip(lane).step_by(LANES) {
                    let x = self.block(rows)?;
                    sum.gemm(1.0, &x, &x.transpose(), 1.0);
                }
                Ok(sum)
            })
            .collect::<Result<_>>()?;
        Ok(lanes.into_iter().fold(DMatrix::zeros(width, width), |sum, lane| sum + lane) / rows)
    }
}

#[cfg(test)]
mod tests;
