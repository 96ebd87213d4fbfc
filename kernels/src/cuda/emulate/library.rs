//! The library of products that an emulated device may have. In: products that are plain matrices, in memory of the machine. Out:
//! results there. Never: a stride of the tape's: it sees what cuBLASLt is told, column-major matrices, and so shows whether that is right.
use super::Error;
use super::process::{Address, Machine};
use crate::cuda::driver::{Placed, Precision};
use crate::cuda::plain::{Matrix, Plain};

pub(super) fn takes(product: &Placed) -> bool {
    Plain::of(&product.product).is_some_and(|plain| product.finish.is_none() || plain.takes_bias())
}

pub(super) fn multiply(machine: &mut Machine, placed: &Placed) -> Result<(), Error> {
    let unknown = || Error::Tape("a product that is no plain one".to_owned());
    let plain = Plain::of(&placed.product).ok_or_else(unknown)?;
    let Plain { first, second, result, swapped, batch, accumulate } = plain;
    let (left, right) = if swapped { (placed.b, placed.a) } else { (placed.a, placed.b) };
    let left = factor(machine, placed, left, reach(&first, batch))?;
    let right = factor(machine, placed, right, reach(&second, batch))?;
    let mut bias = vec![0.0f32; result.rows];
    if let Some(finish) = placed.finish {
        machine.read_numbers(Address::of(finish.bias), &mut bias)?;
    }
    let relu = placed.finish.is_some_and(|finish| finish.relu);
    let to = Address::of(placed.c);
    let mut c = vec![0.0; reach(&result, batch)];
    machine.read_numbers(to, &mut c)?;
    let [rows, columns, depth] = plain.sizes();
    for one in 0..batch {
        for column in 0..columns {
            for row in 0..rows {
                let terms =
                    (0..depth).map(|k| left[at(&first, one, row, k)] * right[at(&second, one, k, column)]);
                let place = &mut c[at(&result, one, row, column)];
                let start = if accumulate { f64::from(*place) } else { 0.0 };
                let found = (start + terms.sum::<f64>()) as f32 + bias[row];
                *place = if relu { found.max(0.0) } else { found };
            }
        }
    }
    machine.write_numbers(to, &c)
}

/// Where an element of an operand lies: of repetition `one`, as the operand is meant.
fn at(matrix: &Matrix, one: usize, row: usize, column: usize) -> usize {
    let (row, column) = if matrix.transposed { (column, row) } else { (row, column) };
    one * matrix.stride + column * matrix.leading + row
}

/// Elements from the first to the last.
fn reach(matrix: &Matrix, batch: usize) -> usize {
    (batch - 1) * matrix.stride + (matrix.columns - 1) * matrix.leading + matrix.rows
}

/// The elements of a factor as they are multiplied.
fn factor(machine: &mut Machine, placed: &Placed, from: u64, elements: usize) -> Result<Vec<f64>, Error> {
    if placed.copied {
        let mut bytes = vec![0; 2 * elements];
        machine.read(Address::of(from), &mut bytes)?;
        let value = |pair: &[u8]| f32::from_bits(u32::from(pair[0]) << 16 | u32::from(pair[1]) << 24);
        return Ok(bytes.chunks_exact(2).map(|pair| f64::from(value(pair))).collect());
    }
    let mut values = vec![0.0f32; elements];
    machine.read_numbers(Address::of(from), &mut values)?;
    Ok(values.into_iter().map(|x| f64::from(rounded(x, placed.precision))).collect())
}

/// A factor as tensor cores see it: so many bits of mantissa, to nearest.
pub fn rounded(x: f32, precision: Precision) -> f32 {
    let (bits, tie) = match precision {
        Precision::Tf32 if !x.is_nan() => (13, 1 << 12),
        Precision::Bf16 if !x.is_nan() => (16, (1 << 15) - 1 + (x.to_bits() >> 16 & 1)),
        _ => return x,
    };
    f32::from_bits((x.to_bits() + tie) >> bits << bits)
}
