//! What a training step does beside its program, as actions.
//!
//! In: places of data, gradients, metrics. Out: actions around those of tapes. Never: an optimizer, a product.

use super::arena::{Arena, Range};
use super::driver::{Call, Module, Value};
use super::error::Result;
use super::play::Action;

/// The kernels of [`gather`], [`clip`] and [`end`], to stand behind the prelude.
pub const SOURCE: &str = include_str!("training.cuh");

/// Elements of scratch for [`clip`].
pub const PARTS: usize = 256;

const THREADS: u32 = 256;
/// More blocks than this run after each other on any device; a function of nothing, so that sums are the same everywhere.
const BLOCKS: usize = 2048;

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
    (order, control): (Range, Control),
    rows: usize,
) -> Result<Action> {
    let width = to.elements / rows.max(1);
    let mut arguments = Vec::new();
    for range in [to, column, order, control.0] {
        arguments.push(Value::Address(arena.address(range)?));
    }
    arguments.extend([Value::Size(rows as i64), Value::Size(width as i64)]);
    let blocks = blocks(to.elements, BLOCKS);
    let call = Call { module, kernel: "gather_rows", blocks, threads: THREADS, arguments };
    Action::call(call, arena, &[column, order, control.0], &[to])
}

/// Scales `values` down to a Euclidean norm; `parts` are [`PARTS`] elements of scratch.
///
/// # Errors
/// Where a range is of another arena.
pub fn clip(module: Module, arena: &Arena, values: Range, parts: Range, norm: f32) -> Result<[Action; 2]> {
    let first = blocks(values.elements, parts.elements.min(PARTS));
    let [values_at, parts_at] = [arena.address(values)?, arena.address(parts)?].map(Value::Address);
    let (count, number) = (Value::Size(values.elements as i64), Value::Size(i64::from(first[0])));
    let call = |kernel, blocks, arguments| Call { module, kernel, blocks, threads: THREADS, arguments };
    let sum = call("sum_of_squares", first, vec![parts_at, values_at, count]);
    let all = blocks(values.elements, BLOCKS);
    let scale = call("clip_to_norm", all, vec![values_at, parts_at, count, number, Value::Number(norm)]);
    Ok([Action::call(sum, arena, &[values], &[parts])?, Action::call(scale, arena, &[parts], &[values])?])
}

/// Copies values: new states to where they are read.
///
/// # Errors
/// Where a range is of another arena.
pub fn copy(module: Module, arena: &Arena, to: Range, from: Range) -> Result<Action> {
    let [to_at, from_at] = [arena.address(to)?, arena.address(from)?].map(Value::Address);
    let elements = to.elements.min(from.elements);
    let arguments = vec![to_at, from_at, Value::Size(elements as i64)];
    let call = Call { module, kernel: "copy", blocks: blocks(elements, BLOCKS), threads: THREADS, arguments };
    Action::call(call, arena, &[from], &[to])
}

/// Keeps the metrics in the next slot of `kept`; clock and position of `control` go on by a step and by `rows`.
///
/// # Errors
/// Where a range is of another arena.
pub fn end(
    module: Module,
    arena: &Arena,
    control: Control,
    (kept, metrics): (Range, Range),
    rows: usize,
) -> Result<Action> {
    let mut arguments = Vec::new();
    for range in [control.0, kept, metrics] {
        arguments.push(Value::Address(arena.address(range)?));
    }
    let slots = kept.elements / metrics.elements.max(1);
    arguments.extend([metrics.elements, rows, slots].map(|size| Value::Size(size as i64)));
    let call = Call { module, kernel: "end_of_step", blocks: [1, 1, 1], threads: 32, arguments };
    Action::call(call, arena, &[metrics], &[control.0, kept])
}

/// What a step reads of where training is: kept on the device, where each step leaves it as the next one wants it.
#[derive(Clone, Copy, Debug)]
pub struct Control(pub Range);

/// The same on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What random streams depend on.
    pub clock: super::Clock,
    /// The number of the next update, from 1.
    pub update: u64,
    /// The next row of the order.
    pub row: u64,
    /// The slot of the next metrics.
    pub slot: u64,
}

impl Control {
    /// Elements that it takes.
    pub const ELEMENTS: usize = 16;

    /// The clock of a program.
    ///
    /// # Errors
    /// Where the range has not [`Control::ELEMENTS`].
    pub fn clock(self) -> Result<Range> {
        self.0.part(0, 6)
    }

    /// The clock of an optimizer, whose step is the number of the update.
    ///
    /// # Errors
    /// As [`Control::clock`].
    pub fn updates(self) -> Result<Range> {
        self.0.part(6, 6)
    }
}

impl Place {
    /// As it lies in a [`Control`].
    pub fn words(self) -> [u32; Control::ELEMENTS] {
        let Place { clock, update, row, slot } = self;
        let numbers = [clock.seed, clock.step, clock.first_row, clock.seed, update, 0, row, slot];
        std::array::from_fn(|i| (numbers[i / 2] >> (32 * (i % 2))) as u32)
    }

    /// After a step of so many rows, with so many slots.
    pub fn next(self, rows: usize, slots: usize) -> Place {
        Place {
            clock: super::Clock { step: self.clock.step.wrapping_add(1), ..self.clock },
            update: self.update.wrapping_add(1),
            row: self.row + rows as u64,
            slot: (self.slot + 1) % slots.max(1) as u64,
        }
    }
}
