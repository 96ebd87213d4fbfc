//! One column: a name, the shape of a row, and the values of all rows.
//!
//! In: a vector of f32 or f64, checked once. Out: rows copied into the float type of whoever asks.
//! Never: a value that is not finite, or an index trusted without a look.

use std::any::Any;
use std::fmt;
use std::ops::Range;

use diabolo_kernels::{self as kernels, Float};

use super::Array;
use crate::error::{Error, Result};

/// Rows that a thread gathers at a time.
const GATHERED: usize = 16;

/// A named column of a [`Data`](super::Data).
#[derive(Debug)]
pub struct Column {
    name: String,
    features: Vec<usize>,
    width: usize,
    values: Values,
}

/// Kept as they came: f64 data are not rounded before somebody asks for f32.
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    fn from<F: Float>(values: Vec<F>) -> Values {
        // No specialisation on stable: the vector is moved through `Any`, not copied.
        let mut slot = Some(values);
        if let Some(values) = (&mut slot as &mut dyn Any).downcast_mut::<Option<Vec<f32>>>() {
            return Values::F32(values.take().unwrap_or_default());
        }
        if let Some(values) = (&mut slot as &mut dyn Any).downcast_mut::<Option<Vec<f64>>>() {
            return Values::F64(values.take().unwrap_or_default());
        }
        Values::F64(slot.into_iter().flatten().map(Float::to_f64).collect())
    }

    fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        }
    }

    fn get(&self, i: usize) -> f64 {
        match self {
            Values::F32(values) => f64::from(values[i]),
            Values::F64(values) => values[i],
        }
    }

    fn copy<F: Float>(&self, range: Range<usize>, out: &mut [F]) {
        match self {
            Values::F32(values) => convert(&values[range], out, |v| F::from_f64(f64::from(v))),
            Values::F64(values) => convert(&values[range], out, F::from_f64),
        }
    }
}

/// A column in a debug message is not worth a million numbers.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if matches!(self, Values::F32(_)) { "f32" } else { "f64" };
        write!(f, "{} × {name}", self.len())
    }
}

fn convert<A: Copy, B>(from: &[A], to: &mut [B], one: impl Fn(A) -> B) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = one(*from);
    }
}

impl Column {
    pub(super) fn new<F: Float>(name: &str, features: &[usize], values: Vec<F>) -> Result<Column> {
        Column { name: name.into(), features: features.to_vec(), width: 0, values: Values::from(values) }
            .checked()
    }

    fn checked(mut self) -> Result<Column> {
        let width = self.features.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
        let (Some(width), len) = (width, self.values.len()) else {
            return Err(self.fault(format!("a row of shape {:?} is too large", self.features)));
        };
        if len == 0 || width == 0 {
            return Err(Error::Empty { what: format!("column `{}`", self.name) });
        }
        if len % width != 0 {
            let features = &self.features;
            return Err(
                self.fault(format!("{len} values are not a whole number of rows of shape {features:?}"))
            );
        }
        self.width = width;
        if let Some(i) = (0..len).find(|i| !self.values.get(*i).is_finite()) {
            return Err(Error::NonFinite {
                what: format!("column `{}`", self.name),
                place: format!("row {}, index {} is {}", i / width, i % width, self.values.get(i)),
            });
        }
        Ok(self)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of one row; empty for a single number.
    pub fn features(&self) -> &[usize] {
        &self.features
    }

    /// The number of values in one row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Copies the rows of these numbers, in this order, one after the other into `out`.
    ///
    /// An `Err` if a row does not exist or `out` is of another length. Allocates nothing.
    pub fn gather<F: Float>(&self, rows: &[usize], out: &mut [F]) -> Result<()> {
        self.fits(rows.len(), out.len())?;
        let count = self.rows();
        if let Some(row) = rows.iter().find(|row| **row >= count) {
            return Err(self.no_row(*row));
        }
        kernels::chunks([out], [], (self.width * GATHERED).max(1), |start, [out], []| {
            for (row, out) in rows[start / self.width..].iter().zip(out.chunks_exact_mut(self.width)) {
                self.values.copy(row * self.width..(row + 1) * self.width, out);
            }
        });
        Ok(())
    }

    /// Copies consecutive rows into `out`.
    ///
    /// An `Err` if a row does not exist or `out` is of another length. Allocates nothing.
    pub fn copy_rows<F: Float>(&self, rows: Range<usize>, out: &mut [F]) -> Result<()> {
        self.fits(rows.len(), out.len())?;
        if rows.end > self.rows() {
            return Err(self.no_row(rows.end - 1));
        }
        if !rows.is_empty() {
            self.values.copy(rows.start * self.width..rows.end * self.width, out);
        }
        Ok(())
    }

    /// All rows, as an array.
    pub(super) fn array<F: Float>(&self) -> Array<F> {
        let mut values = vec![F::ZERO; self.values.len()];
        self.values.copy(0..self.values.len(), &mut values);
        let mut shape = vec![self.rows()];
        shape.extend(&self.features);
        Array::trusted(shape, values)
    }

    /// The same column with other rows; every number in `rows` was checked by the caller.
    pub(super) fn pick(&self, rows: &[usize]) -> Column {
        fn pick<A: Copy>(values: &[A], width: usize, rows: &[usize]) -> Vec<A> {
            rows.iter().flat_map(|row| &values[row * width..(row + 1) * width]).copied().collect()
        }
        let values = match &self.values {
            Values::F32(values) => Values::F32(pick(values, self.width, rows)),
            Values::F64(values) => Values::F64(pick(values, self.width, rows)),
        };
        Column { name: self.name.clone(), features: self.features.clone(), width: self.width, values }
    }

    /// `f(index in the row, value)` for every value; f32 stays f32.
    pub(super) fn map(&self, mut f: impl FnMut(usize, f64) -> f64) -> Result<Column> {
        let mut mapped = (0..self.values.len()).map(|i| f(i % self.width, self.values.get(i)));
        let values = match &self.values {
            Values::F32(_) => Values::F32(mapped.map(|v| v as f32).collect()),
            Values::F64(_) => Values::F64(mapped.by_ref().collect()),
        };
        Column { name: self.name.clone(), features: self.features.clone(), width: self.width, values }
            .checked()
    }

    /// The mean row.
    pub(super) fn mean(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        let mut row = sums.clone();
        for start in (0..self.values.len()).step_by(self.width) {
            self.values.copy(start..start + self.width, &mut row);
            sums.iter_mut().zip(&row).for_each(|(sum, value)| *sum += value);
        }
        let rows = self.rows() as f64;
        sums.iter().map(|sum| sum / rows).collect()
    }

    pub(super) fn no_row(&self, row: usize) -> Error {
        self.fault(format!("there is no row {row}, only 0 to {}", self.rows() - 1))
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Error {
        Error::Column { column: self.name.clone(), what: what.into() }
    }

    fn fits(&self, rows: usize, room: usize) -> Result<()> {
        if rows.checked_mul(self.width) == Some(room) {
            return Ok(());
        }
        Err(Error::Shape {
            thing: self.name.clone(),
            expected: format!("{room} values"),
            found: format!("{rows} rows of {:?}", self.features),
            place: "copying rows".into(),
        })
    }
}
