//! Data: named columns over the same rows, and where they come from.
//!
//! In: vectors, the embedded digits, MNIST files, CSV files. Out: [`Data`] for training and
//! [`Array`] for results. Never: a NaN, a column of another length, a panic on a damaged file.

mod array;
mod column;
mod digits;
mod idx;
mod rows;
mod table;

pub use array::Array;
pub use column::Column;
pub use digits::{Digits, digits};
pub use idx::mnist;
pub use table::csv;

use std::sync::Arc;

use diabolo_kernels::Float;

use crate::error::{Error, Result};

/// Named columns over the same rows.
///
/// Every value is finite and every column has the same number of rows: it was checked on the way
/// in. Cloning shares the columns.
///
/// ```
/// use diabolo::data::Data;
///
/// let data = Data::new().with("x", &[2], vec![0.0f32, 1.0, 2.0, 3.0])?.with("label", &[], vec![0.0f32, 1.0])?;
/// assert_eq!(data.rows(), 2);
/// # Ok::<(), diabolo::error::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Data {
    rows: usize,
    columns: Vec<Arc<Column>>,
}

impl Data {
    /// Data without columns, to add some with [`with`](Data::with).
    pub fn new() -> Data {
        Data::default()
    }

    /// So many rows without a column, for losses that draw their samples themselves: an epoch has as many batches as it
    /// would have of data.
    pub fn without_columns(rows: usize) -> Data {
        Data { rows, columns: Vec::new() }
    }

    /// One column from the rows of a table, all of one length.
    pub fn from_rows<F: Float, R: AsRef<[F]>>(name: &str, rows: &[R]) -> Result<Data> {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        let mut values = Vec::with_capacity(rows.len() * width);
        for (i, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != width {
                return Err(Error::Column {
                    column: name.into(),
                    what: format!("row {i} has {} values, but row 0 has {width}", row.len()),
                });
            }
            values.extend_from_slice(row);
        }
        Data::new().with(name, &[width], values)
    }

    /// One column from the result of a function.
    pub fn from_array<F: Float>(name: &str, array: Array<F>) -> Result<Data> {
        let features = array.shape().get(1..).unwrap_or(&[]).to_vec();
        Data::new().with(name, &features, array.into_values())
    }

    /// Adds a column: `features` is the shape of one row (`&[]` for a single number), `values` all
    /// rows one after the other.
    pub fn with<F: Float>(mut self, name: &str, features: &[usize], values: Vec<F>) -> Result<Data> {
        let column = Column::new(name, features, values)?;
        if self.columns.iter().any(|c| c.name() == name) {
            return Err(column.fault("is there already"));
        }
        let (rows, others) = (column.rows(), self.rows);
        match self.columns.first() {
            Some(first) if rows != others => {
                return Err(column.fault(format!("has {rows} rows, but `{}` has {others}", first.name())));
            }
            None if rows != others && others != 0 => {
                return Err(column.fault(format!("has {rows} rows, but the data has {others}")));
            }
            _ => self.rows = rows,
        }
        self.columns.push(Arc::new(column));
        Ok(self)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order they were added.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.columns.iter().map(|column| &**column)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.columns().find(|column| column.name() == name).ok_or_else(|| Error::Missing {
            kind: "column",
            name: name.into(),
            known: self.columns().map(|column| column.name().to_string()).collect(),
        })
    }

    /// A copy of a column as an array, in the float type asked for.
    pub fn array<F: Float>(&self, name: &str) -> Result<Array<F>> {
        Ok(self.column(name)?.array())
    }

    /// The mean row of a column, in f64: to centre test data by the mean of the training data.
    pub fn mean(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.column(name)?.mean())
    }

    /// The same data with `mean` subtracted from every row of a column.
    pub fn center(&self, name: &str, mean: &[f64]) -> Result<Data> {
        let column = self.column(name)?;
        if mean.len() != column.width() {
            return Err(Error::Shape {
                thing: name.into(),
                expected: format!("{} values a row", mean.len()),
                found: format!("{} values a row", column.width()),
                place: "center".into(),
            });
        }
        self.replace(column.map(|i, value| value - mean[i])?)
    }

    /// The same data with `f` applied to every value of a column.
    pub fn map(&self, name: &str, mut f: impl FnMut(f64) -> f64) -> Result<Data> {
        self.replace(self.column(name)?.map(|_, value| f(value))?)
    }

    fn replace(&self, column: Column) -> Result<Data> {
        let mut data = self.clone();
        if let Some(old) = data.columns.iter_mut().find(|old| old.name() == column.name()) {
            *old = Arc::new(column);
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests;
