//! Where the inputs of a root come from.
//!
//! In: a data set, an array, several arrays by name, or a bare number of rows. Out: rows of an input in the
//! precision of the model. Never: a column chosen by position where a name is known.

use std::ops::Range;

use diabolo_kernels::Float;

use crate::data::{Array, Data};
use crate::error::{Error, Result};
use crate::program::SlotSpec;

/// Something that has values for the inputs of a root.
pub trait Source<F: Float>: Sync {
    /// The number of rows.
    fn rows(&self) -> usize;
    /// The shape of the values for an input: of one row, or of the whole where the input has no rows.
    /// `only` says that the root has no other input.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is nothing of that name.
    fn shape(&self, input: &SlotSpec, only: bool) -> Result<Vec<usize>>;
    /// Copies rows of an input (or the whole of one without rows).
    ///
    /// # Errors
    /// As [`Source::shape`].
    fn fill(&self, input: &SlotSpec, only: bool, rows: Range<usize>, out: &mut [F]) -> Result<()>;
}

impl<F: Float> Source<F> for Data {
    fn rows(&self) -> usize {
        Data::rows(self)
    }

    fn shape(&self, input: &SlotSpec, _only: bool) -> Result<Vec<usize>> {
        if !input.rows {
            return Err(Error::config(format!(
                "`{}` is an input without rows, and a column of data has rows: hand it over as an array by name",
                input.name
            )));
        }
        Ok(self.column(input.name)?.features().to_vec())
    }

    fn fill(&self, input: &SlotSpec, _only: bool, rows: Range<usize>, out: &mut [F]) -> Result<()> {
        self.column(input.name)?.copy_rows(rows, out)
    }
}

impl<F: Float> Source<F> for Array<F> {
    fn rows(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }

    fn shape(&self, input: &SlotSpec, only: bool) -> Result<Vec<usize>> {
        if !only {
            return Err(Error::config(format!(
                "one array was given, but `{}` is one of several inputs: give them by name",
                input.name
            )));
        }
        Ok(self.shape()[usize::from(input.rows).min(self.shape().len())..].to_vec())
    }

    fn fill(&self, input: &SlotSpec, _only: bool, rows: Range<usize>, out: &mut [F]) -> Result<()> {
        let values = self.values();
        let from = if input.rows { rows.start * (values.len() / Source::<F>::rows(self).max(1)) } else { 0 };
        match values.get(from..from + out.len()) {
            Some(values) => out.copy_from_slice(values),
            None => return Err(Error::config(format!("`{}` has too few values", input.name))),
        }
        Ok(())
    }
}

/// Arrays by name. The number of rows is that of the longest first axis among them.
impl<F: Float> Source<F> for [(&str, &Array<F>)] {
    fn rows(&self) -> usize {
        self.iter().map(|(_, array)| Source::<F>::rows(*array)).max().unwrap_or(1)
    }

    fn shape(&self, input: &SlotSpec, _only: bool) -> Result<Vec<usize>> {
        Source::shape(find(self, input)?, input, true)
    }

    fn fill(&self, input: &SlotSpec, _only: bool, rows: Range<usize>, out: &mut [F]) -> Result<()> {
        find(self, input)?.fill(input, true, rows, out)
    }
}

impl<F: Float, const N: usize> Source<F> for [(&str, &Array<F>); N] {
    fn rows(&self) -> usize {
        Source::<F>::rows(self.as_slice())
    }

    fn shape(&self, input: &SlotSpec, only: bool) -> Result<Vec<usize>> {
        Source::<F>::shape(self.as_slice(), input, only)
    }

    fn fill(&self, input: &SlotSpec, only: bool, rows: Range<usize>, out: &mut [F]) -> Result<()> {
        self.as_slice().fill(input, only, rows, out)
    }
}

fn find<'a, F>(arrays: &[(&str, &'a Array<F>)], input: &SlotSpec) -> Result<&'a Array<F>> {
    arrays.iter().find(|(name, _)| *name == input.name).map(|(_, array)| *array).ok_or_else(|| {
        Error::Missing {
            kind: "input",
            name: input.name.to_owned(),
            known: arrays.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    })
}

/// A number of rows, for a root that takes no input: samples from a prior.
impl<F: Float> Source<F> for usize {
    fn rows(&self) -> usize {
        *self
    }

    fn shape(&self, input: &SlotSpec, _only: bool) -> Result<Vec<usize>> {
        Err(Error::Missing { kind: "input", name: input.name.to_owned(), known: Vec::new() })
    }

    fn fill(&self, input: &SlotSpec, only: bool, _rows: Range<usize>, _out: &mut [F]) -> Result<()> {
        Source::<F>::shape(self, input, only).map(drop)
    }
}
