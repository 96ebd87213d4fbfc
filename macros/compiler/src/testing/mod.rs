//! Support for tests: random programs, and comparisons of what programs mean.
//!
//! In: a seed, or two graphs. Out: a well-formed graph with inputs, or the first difference. Never: used by
//! the compiler itself.

pub mod coverage;
mod generate;
mod slopes;

use std::ops::Range;

use crate::graph::*;
use crate::interp::{Inputs, Value, interpret};

pub use generate::{Program, program};
pub use slopes::gradients;

/// The seeds of the random programs that every check compiles.
pub const SEEDS: Range<u64> = 0..500;

/// Seeds beyond these whose programs once differed; what they found is in `tests/differential/README.md`.
pub const FOUND: [u64; 4] = [4990, 5660, 8244, 10089];

/// The nodes of the random program of a seed, before its gradient: 20 for one of four, 10 for the others, because
/// the time of a check is rustc's.
pub fn steps(seed: u64) -> usize {
    if seed.is_multiple_of(4) { 20 } else { 10 }
}

/// A small generator of random numbers (splitmix64): the same everywhere, forever.
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of `0..n`; `n` is above 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// Whether an event of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// A number of the interval.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of the elements; there is one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Whether two values agree: each element's difference is at most `tolerance` times its scale in `expected`.
///
/// # Errors
/// The first element that differs.
pub fn same_value(expected: &Value, actual: &Value, tolerance: f64) -> Result<(), String> {
    if expected.shape != actual.shape {
        return Err(format!("shapes {:?} and {:?}", expected.shape, actual.shape));
    }
    for (e, (want, got)) in expected.data.iter().zip(&actual.data).enumerate() {
        let both_nan = want.is_nan() && got.is_nan();
        let near = (want - got).abs() <= tolerance * (expected.scale[e] + f64::MIN_POSITIVE);
        if !(both_nan || want == got || near) {
            return Err(format!("element {e}: {got} instead of {want} (scale {:e})", expected.scale[e]));
        }
    }
    Ok(())
}

/// Whether two graphs have the same outputs with the same values.
///
/// # Errors
/// The first output that differs.
pub fn same_meaning(expected: &Graph, actual: &Graph, inputs: &Inputs, tolerance: f64) -> Result<(), String> {
    let (want, got) = (interpret(expected, inputs)?, interpret(actual, inputs)?);
    if expected.outputs.len() != actual.outputs.len() {
        return Err("another number of outputs".to_owned());
    }
    for (a, b) in expected.outputs.iter().zip(&actual.outputs) {
        if a.role != b.role {
            return Err(format!("{:?} became {:?}", a.role, b.role));
        }
        same_value(&want[a.node], &got[b.node], tolerance).map_err(|e| format!("{:?}: {e}", a.role))?;
    }
    Ok(())
}

/// The derivative of output `of` (its first element) for element `element` of the `wrt`-th input or parameter
/// by central differences, and an estimate of their error.
///
/// # Errors
/// Where the graph cannot be interpreted.
pub fn difference(
    graph: &Graph,
    inputs: &Inputs,
    of: NodeId,
    wrt: impl Fn(&mut Inputs) -> &mut f64,
) -> Result<(f64, f64), String> {
    let mut moved = inputs.clone();
    let start = *wrt(&mut moved);
    let mut slope = |step: f64| -> Result<(f64, f64), String> {
        let mut ends = [0.0; 2];
        let mut scale = 0.0;
        for (end, sign) in ends.iter_mut().zip([1.0, -1.0]) {
            *wrt(&mut moved) = start + sign * step;
            let values = interpret(graph, &moved)?;
            *end = values[of].number();
            scale = values[of].scale.first().copied().unwrap_or(0.0);
        }
        Ok(((ends[0] - ends[1]) / (2.0 * step), 4.0 * f64::EPSILON * scale / step))
    };
    let step = 2e-4 * (1.0 + start.abs());
    let (wide, _) = slope(step)?;
    let (narrow, rounding) = slope(step / 2.0)?;
    // Richardson: the error of the wide one is four times that of the narrow one.
    let best = narrow + (narrow - wide) / 3.0;
    Ok((best, (narrow - wide).abs() + rounding))
}

/// Whether `slope`, computed at a scale of `scale`, is that derivative.
///
/// # Errors
/// Both numbers and what was allowed between them.
pub fn is_slope(
    graph: &Graph,
    inputs: &Inputs,
    of: NodeId,
    slope: f64,
    scale: f64,
    wrt: impl Fn(&mut Inputs) -> &mut f64,
) -> Result<(), String> {
    let (expected, error) = difference(graph, inputs, of, wrt)?;
    let allowed = 4.0 * error + 1e-7 * (1.0 + expected.abs()) + 1e-11 * scale;
    match (slope - expected).abs() <= allowed {
        true => Ok(()),
        false => Err(format!("{slope} is not {expected} ± {allowed:e}")),
    }
}
