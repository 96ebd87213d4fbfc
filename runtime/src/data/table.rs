//! Numeric tables from CSV files.
//!
//! In: a file with a header line. Out: [`Data`]. Never: a guess what a word or an empty field might mean.

use std::fs::File;
use std::path::Path;

use super::Data;
use crate::error::{Error, Result};

/// Reads a CSV file with a header line into a column `x` of all its fields in their order, except those
/// named in `apart`, which become columns of their own.
///
/// ```no_run
/// let wine = diabolo::data::csv("wine.csv", &["quality"])?;
/// # Ok::<(), diabolo::error::Error>(())
/// ```
pub fn csv(path: impl AsRef<Path>, apart: &[&str]) -> Result<Data> {
    let path = path.as_ref();
    let fault = |what: String| Error::DataFile { path: path.into(), what };
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|e| fault(e.to_string()))?.clone();
    if header.is_empty() {
        return Err(fault("has no header line".into()));
    }

    let mut places = Vec::new();
    for name in apart {
        places.push(header.iter().position(|field| field == *name).ok_or_else(|| Error::Missing {
            kind: "column",
            name: name.to_string(),
            known: header.iter().map(String::from).collect(),
        })?);
    }

    let mut x: Vec<f64> = Vec::new();
    let mut others = vec![Vec::new(); apart.len()];
    for record in reader.records() {
        let record = record.map_err(|e| fault(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        for (i, field) in record.iter().enumerate() {
            let name = header.get(i).unwrap_or("?");
            let value: f64 = field
                .parse()
                .map_err(|_| fault(format!("line {line}, column `{name}`: `{field}` is not a number")))?;
            if !value.is_finite() {
                return Err(Error::NonFinite {
                    what: format!("{}, column `{name}`", path.display()),
                    place: format!("line {line} is {value}"),
                });
            }
            match places.iter().position(|place| *place == i) {
                Some(other) => others[other].push(value),
                None => x.push(value),
            }
        }
    }

    let width = header.len() - places.len();
    let mut data = Data::new();
    if width > 0 {
        data = data.with("x", &[width], x).map_err(|e| fault(e.to_string()))?;
    }
    for (name, values) in apart.iter().zip(others) {
        data = data.with(name, &[], values).map_err(|e| fault(e.to_string()))?;
    }
    Ok(data)
}
