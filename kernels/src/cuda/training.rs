//! What a training step does beside its program, as actions.
//!
//! In: places of data, gradients, metrics. Out: actions around those of tapes. Never: an optimizer, a product.

use super::arena::{Arena, Range};
use super::driver::{Call, Module, Value};
use super::error::Result;
use super::play::Action;

/// The kernels of [`gather`], [`clip`] and [`end`], to stand behind the prelude.
pub const SOURCE: &str = include_str!("training.cuh");

/// Elements of a clock (three numbers of eight bytes), and of the position that follows the data.
pub const CLOCK: usize = 6;
/// See [`CLOCK`]: the row of the order that comes next, and the slot for the next metrics.
pub const POSITION: usize = 4;
/// Elements of scratch for [`clip`].
pub const PARTS: usize = 256;

const THREADS: u32 = 256;
/// More blocks than this run after each other on any device; a function of nothing, so that sums are the same everywhere.
const BLOCKS: usize = 2048;

/// Two numbers of eight bytes as elements.
pub fn words(numbers: &[u64]) -> Vec<u32> {
    numbers.iter().flat_map(|number| [*number as u32, (*number >> 32) as u32]).collect()
}

fn blocks(elements: usize, most: usize) -> [u32; 3] {
    [elements.div_ceil(THREADS as usize).clamp(1, most) as u32, 1, 1]
}

/// Copies the next rows of a column, as long as `to` is, in the order of `order`.
///
/// # Errors
/// Where a range is of another arena.
pub fn gather(
    module: Module,
    arena: &Arena,
    to: Range,
    column: Range,
    (order, position): (Range, Range),
    rows: usize,
) -> Result<Action> {
    let width = to.elements / rows.max(1);
    let mut arguments = Vec::new();
    for range in [to, column, order, position] {
        arguments.push(Value::Address(arena.address(range)?));
    }
    arguments.extend([Value::Size(rows as i64), Value::Size(width as i64)]);
    let blocks = blocks(to.elements, BLOCKS);
    Ok(Action::call(Call { module, kernel: "gather_rows", blocks, threads: THREADS, arguments }))
}

/// Scales `values` down to a Euclidean norm; `parts` are [`PARTS`] elements of scratch.
///
/// # Errors
/// Where a range is of another arena.
pub fn clip(module: Module, arena: &Arena, values: Range, parts: Range, norm: f32) -> Result<[Action; 2]> {
    let first = blocks(values.elements, parts.elements.min(PARTS));
    let [values_at, parts_at] = [arena.address(values)?, arena.address(parts)?].map(Value::Address);
    let (count, number) = (Value::Size(values.elements as i64), Value::Size(i64::from(first[0])));
    let call = |kernel, blocks, arguments| {
        Action::call(Call { module, kernel, blocks, threads: THREADS, arguments })
    };
    Ok([
        call("sum_of_squares", first, vec![parts_at, values_at, count]),
        call(
            "clip_to_norm",
            blocks(values.elements, BLOCKS),
            vec![values_at, parts_at, count, number, Value::Number(norm)],
        ),
    ])
}

/// Keeps the metrics in the next slot of `kept`; the clock goes on by a step, the position by `rows`.
///
/// # Errors
/// Where a range is of another arena.
pub fn end(
    module: Module,
    arena: &Arena,
    (clock, position): (Range, Range),
    (kept, metrics): (Range, Range),
    rows: usize,
) -> Result<Action> {
    let mut arguments = Vec::new();
    for range in [clock, position, kept, metrics] {
        arguments.push(Value::Address(arena.address(range)?));
    }
    let slots = kept.elements / metrics.elements.max(1);
    arguments.extend([metrics.elements, rows, slots].map(|size| Value::Size(size as i64)));
    Ok(Action::call(Call { module, kernel: "end_of_step", blocks: [1, 1, 1], threads: 32, arguments }))
}
