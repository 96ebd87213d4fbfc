//! The table at the end: what was reached, beside what has to be beaten.
//!
//! In: names and values. Out: aligned text, JSON. Never: a value left out because it is not finite.

use std::fmt;

use serde_json::{Value, json};

use super::progress::{decimals, number};

/// A table of named figures that can be printed; the best is marked.
///
/// ```
/// use diabolo::report::Figures;
///
/// let figures = Figures::new("squared error per test image")
///     .row("autoencoder", 12.31)
///     .row("PCA, same k", 14.02)
///     .row("mean image", 52.9);
/// assert_eq!(
///     figures.to_string(),
///     "squared error per test image
///   autoencoder   12.310  best
///   PCA, same k   14.020  × 1.14
///   mean image    52.900  × 4.30"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Figures {
    title: String,
    higher: bool,
    rows: Vec<(String, f64)>,
}

impl Figures {
    /// An empty table, where lower is better.
    pub fn new(title: &str) -> Figures {
        Figures { title: title.into(), higher: false, rows: Vec::new() }
    }

    /// The same table, where higher is better.
    pub fn higher_is_better(mut self) -> Figures {
        self.higher = true;
        self
    }

    /// Adds a line.
    pub fn row(mut self, name: &str, value: f64) -> Figures {
        self.rows.push((name.into(), value));
        self
    }

    /// The rows.
    pub fn rows(&self) -> &[(String, f64)] {
        &self.rows
    }

    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> =
            self.rows.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        json!({ "title": self.title, "better": if self.higher { "higher" } else { "lower" }, "rows": rows })
    }

    fn best(&self) -> Option<f64> {
        let finite = self.rows.iter().map(|row| row.1).filter(|value| value.is_finite());
        finite.reduce(if self.higher { f64::max } else { f64::min })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        let best = self.best();
        let places = best.map_or(0, decimals);
        let name = self.rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
        let values: Vec<String> = self.rows.iter().map(|row| number(row.1, places)).collect();
        let width = values.iter().map(String::len).max().unwrap_or(0);
        for ((label, value), text) in self.rows.iter().zip(&values) {
            write!(f, "\n  {label:name$}   {text:>width$}")?;
            match best {
                Some(best) if *value == best => write!(f, "  best")?,
                // A ratio says something between values of one sign only.
                Some(best) if best > 0.0 && *value > 0.0 && value.is_finite() => {
                    write!(f, "  × {:.2}", value / best)?
                }
                _ => {}
            }
        }
        Ok(())
    }
}
