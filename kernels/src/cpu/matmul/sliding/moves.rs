//! Blocks to and from where their elements lie. In: the offsets of rows and columns. Out: a row-major block, or its elements in
//! their places. Never: a look at more than a row's ends to know that it lies within its slice.
use std::mem::MaybeUninit;

use super::super::strided::{LONGEST, Shape};
use super::DEPTH;
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa};

/// Runs that are shorter than this on average are copied element by element.
const RUN: usize = 4;

/// Elements of a row that lie evenly.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The first one's place in the row of a block, and its offset.
    start: usize,
    first: usize,
    len: usize,
}

/// Cuts the offsets of a row, whose axis has this innermost step, into runs; none where they are short.
#[inline(always)]
fn runs<'a>(
    offsets: &[usize],
    step: usize,
    into: &'a mut [MaybeUninit<Run>; DEPTH / RUN],
) -> Option<&'a [Run]> {
    let most = offsets.len() / RUN;
    let (mut used, mut start) = (0, 0);
    while start < offsets.len() {
        let first = offsets[start];
        let rest = offsets[start..].iter().take(LONGEST).zip(0..);
        let len = rest.take_while(|&(&offset, i)| offset == first + i * step).count();
        if used == most {
            return None;
        }
        into[used].write(Run { start, first, len });
        (used, start) = (used + 1, start + len);
    }
    // SAFETY: the loop has written these.
    Some(unsafe { into[..used].assume_init_ref() })
}

/// A block of b as a row-major matrix.
pub(super) struct Gather<'a, F> {
    pub from: &'a [F],
    pub rows: &'a [usize],
    pub columns: &'a [usize],
    /// How far apart the elements of a run lie: 1 or 2.
    pub step: usize,
    pub to: &'a mut [MaybeUninit<F>],
}

impl<F: Float> Body for Gather<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Gather { from, rows, columns, step, to } = self;
        let mut memory = [const { MaybeUninit::uninit() }; DEPTH / RUN];
        let runs = runs(columns, step, &mut memory);
        let last = columns.iter().copied().max().unwrap_or(0);
        let mut shape = Shape::new(1, step);
        for (start, to) in rows.iter().zip(to.chunks_exact_mut(columns.len())) {
            // All that the columns reach: checked once a row.
            let from = &from[*start..start + last + 1];
            if let Some(runs) = runs {
                for run in runs {
                    if run.len != shape.len() {
                        shape = Shape::new(run.len, step);
                    }
                    // SAFETY: no run reaches beyond `last`, which `from` has, or beyond the columns, as which `to`
                    // is long.
                    unsafe {
                        let to = to.as_mut_ptr().add(run.start).cast();
                        F::take::<I>(from.as_ptr().add(run.first), to, shape);
                    }
                }
            } else {
                for (value, column) in to.iter_mut().zip(columns) {
                    // SAFETY: no column is beyond `last`, which `from` has.
                    value.write(unsafe { *from.get_unchecked(*column) });
                }
            }
        }
    }
}

/// A row-major block of results to its places, one after the other: they may be the same.
pub(super) struct Scatter<'a, F> {
    pub from: &'a [F],
    pub rows: &'a [usize],
    pub columns: &'a [usize],
    /// How far apart the elements of a run lie: 1 or 2.
    pub step: usize,
    pub accumulate: bool,
    pub to: &'a mut [F],
}

impl<F: Float> Body for Scatter<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Scatter { from, rows, columns, step, accumulate, to } = self;
        let mut memory = [const { MaybeUninit::uninit() }; DEPTH / RUN];
        let runs = runs(columns, step, &mut memory).filter(|_| accumulate);
        let last = columns.iter().copied().max().unwrap_or(0);
        let mut shape = Shape::new(1, step);
        for (start, from) in rows.iter().zip(from.chunks_exact(columns.len())) {
            // All that the columns reach: checked once a row.
            let to = &mut to[*start..start + last + 1];
            if let Some(runs) = runs {
                for run in runs {
                    if run.len != shape.len() {
                        shape = Shape::new(run.len, step);
                    }
                    // SAFETY: no run reaches beyond `last`, which `to` has, or beyond the columns, as which `from` is
                    // long; places within a run differ.
                    unsafe {
                        let to = to.as_mut_ptr().add(run.first);
                        F::add_each::<I>(from.as_ptr().add(run.start), to, shape);
                    }
                }
                continue;
            }
            for (column, value) in columns.iter().zip(from) {
                // SAFETY: no column is beyond `last`, which `to` has.
                let place = unsafe { to.get_unchecked_mut(*column) };
                *place = if accumulate { *place + *value } else { *value };
            }
        }
    }
}
