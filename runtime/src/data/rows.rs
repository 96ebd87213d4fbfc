//! Choosing rows: splits, subsets, selections.
//!
//! In: data and a rule. Out: new data with the rows that meet it. Never: an empty result, or a
//! split that differs between two runs with one seed.

use std::sync::Arc;

use super::Data;
use crate::error::{Error, Result};

impl Data {
    /// Two parts of the rows: the rest, and `fraction` of them drawn at random (for validation).
    ///
    /// The same seed always draws the same rows. Both parts keep the order of the data.
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Data, Data)> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(Error::config(format!("a split takes a fraction between 0 and 1, not {fraction}")));
        }
        let drawn = (self.rows as f64 * fraction).round() as usize;
        if drawn == 0 || drawn >= self.rows {
            return Err(Error::Empty {
                what: format!("one part of a split of {} rows at {fraction}", self.rows),
            });
        }
        let mut order: Vec<usize> = (0..self.rows).collect();
        let mut random = SplitMix(seed);
        // Fisher and Yates, stopped once the drawn rows stand in front.
        for i in 0..drawn {
            order.swap(i, i + random.below(self.rows - i));
        }
        let (drawn, rest) = order.split_at_mut(drawn);
        drawn.sort_unstable();
        rest.sort_unstable();
        Ok((self.select(rest)?, self.select(drawn)?))
    }

    /// The first `n` rows, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Result<Data> {
        self.select(&(0..n.min(self.rows)).collect::<Vec<_>>())
    }

    /// The rows of these numbers, in this order; a number may come twice.
    pub fn select(&self, rows: &[usize]) -> Result<Data> {
        if rows.is_empty() {
            return Err(Error::Empty { what: "the selection of rows".into() });
        }
        if let Some(row) = rows.iter().find(|row| **row >= self.rows) {
            return Err(match self.columns.first() {
                Some(column) => column.no_row(*row),
                None if self.rows == 0 => Error::Empty { what: "data without columns".into() },
                None => Error::config(format!("there is no row {row}, only 0 to {}", self.rows - 1)),
            });
        }
        let columns = self.columns.iter().map(|column| Arc::new(column.pick(rows))).collect();
        Ok(Data { rows: rows.len(), columns })
    }

    /// The rows whose value in `column` meets a condition.
    ///
    /// ```
    /// let threes = diabolo::data::digits().train.select_where("label", |label| label[0] == 3.0)?;
    /// assert_eq!(threes.rows(), 389);
    /// # Ok::<(), diabolo::error::Error>(())
    /// ```
    pub fn select_where(&self, column: &str, mut keep: impl FnMut(&[f64]) -> bool) -> Result<Data> {
        let values = self.array::<f64>(column)?;
        let rows: Vec<usize> =
            values.iter().enumerate().filter(|(_, row)| keep(row)).map(|(i, _)| i).collect();
        if rows.is_empty() {
            return Err(Error::Empty { what: format!("the selection by column `{column}`") });
        }
        self.select(&rows)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough for a shuffle, and the same on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number under `n`, by the high half of a product; its bias is under n / 2⁶⁴.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}
