//! The first few of many, by a bound that at least so many pass. In: a run of values. Out: the positions of its first, in
//! order; or word that too many passed, as ties may. Never: allocation; another answer than a sort would give.
//!
//! Values are looked at once: of each block the first value of every lane is kept, and those say which blocks to look into.
use std::marker::PhantomData;

use super::Order;
use crate::cpu::block::{self, BLOCK};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa, dispatch};

/// Values of a part of a block: one register of AVX-512.
const PART: usize = 16;
/// So few of many are found here.
const FEW: usize = 512;
/// Groups of values at most, a quarter of which holds one of the first k.
const GROUPS: usize = 2048;
/// Room for values that pass: 1.15 k do, of random ones.
const CANDIDATES: usize = 1024;
/// Room for the first values of blocks' lanes.
const FIRSTS: usize = 256 * PART;
/// Parts of a block, unless there are too many values or too few.
const PARTS: usize = 4;

/// What a search works in.
pub(super) struct Room<F> {
    firsts: [F; FIRSTS],
    leaders: [u64; GROUPS],
    /// Positions; then keys before them, to sort by both.
    passed: [u128; CANDIDATES],
}

impl<F: Float> Room<F> {
    pub(super) fn new() -> Self {
        Room { firsts: [F::ZERO; FIRSTS], leaders: [0; GROUPS], passed: [0; CANDIDATES] }
    }
}

/// Groups to find k values by.
fn groups(k: usize) -> usize {
    (4 * k).next_power_of_two().clamp(4 * PART, GROUPS)
}

/// Whether k of n values are few of many.
pub(super) fn suits(k: usize, n: usize) -> bool {
    k <= FEW && n >= 2 * groups(k)
}

/// Writes the positions of the first values, which are few, in order, unless too many pass the bound, or too few.
pub(super) fn search<F: Float, O: Order>(first: &mut [F], values: &[F], room: &mut Room<F>, _: O) -> bool {
    let k = first.len();
    let Some(used) = dispatch(Candidates { values, k, room, order: PhantomData::<O> }) else { return false };
    if used < k {
        return false;
    }
    let passed = &mut room.passed[..used];
    for place in passed.iter_mut() {
        *place |= u128::from(O::key(values[*place as usize])) << 32;
    }
    passed.sort_unstable();
    for (to, place) in first.iter_mut().zip(passed) {
        *to = F::from_usize(*place as u32 as usize);
    }
    true
}

/// The positions of values that come no later than a bound; how many. The bound is the k-th of the first values of groups: those
/// of the k groups before it are k different values, unless infinities cancelled in one of them.
struct Candidates<'a, F, O> {
    values: &'a [F],
    k: usize,
    room: &'a mut Room<F>,
    order: PhantomData<O>,
}

impl<F: Float, O: Order> Body for Candidates<'_, F, O> {
    type Output = Option<usize>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Option<usize> {
        let Candidates { values, k, room, .. } = self;
        let groups = groups(k);
        // Of few values, blocks are small, so that each group has two firsts or more.
        let parts = PARTS.min(values.len() / (2 * groups)).max(values.len().div_ceil(FIRSTS));
        let blocks = values.chunks_exact(parts * PART);
        let rest = blocks.remainder();
        let firsts = &mut room.firsts[..blocks.len() * PART];
        for (first, block) in firsts.as_chunks_mut().0.iter_mut().zip(blocks) {
            *first = firsts_of::<F, O>(block);
        }
        let bound = bound::<F, O>(firsts, k, &mut room.leaders[..groups]);
        let mut used = 0;
        // Most firsts come later, and so all that they stand for.
        for (some, start) in firsts.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
            let mut room_left = true;
            let not_after = |x| !O::after(x, bound);
            block::each_that(&block::load(some, 0, some.len()), some.len(), not_after, |at| {
                let (block, lane) = ((start + at) / PART, (start + at) % PART);
                let places = (block * parts * PART + lane..(block + 1) * parts * PART).step_by(PART);
                match keep::<F, O>(values, places, bound, &mut room.passed, used) {
                    Some(more) => used = more,
                    None => room_left = false,
                }
            });
            if !room_left {
                return None;
            }
        }
        let first = values.len() - rest.len();
        for start in (first..values.len()).step_by(PART) {
            let places = start..values.len().min(start + PART);
            used = keep::<F, O>(values, places, bound, &mut room.passed, used)?;
        }
        Some(used)
    }
}

/// The first value of each lane; NaN where one is among them, or infinities that cancel.
#[inline(always)]
#[allow(clippy::eq_op)] // which asks for NaN, as one comparison of vectors
fn firsts_of<F: Float, O: Order>(block: &[F]) -> [F; PART] {
    let mut first: [F; PART] = block::load(block, 0, PART);
    let mut sum = first;
    for part in block.as_chunks::<PART>().0.iter().skip(1) {
        for l in 0..PART {
            first[l] = if O::behind(part[l], first[l]) { first[l] } else { part[l] };
            sum[l] += part[l];
        }
    }
    for l in 0..PART {
        // A comparison with NaN says no, so that it may have been passed over.
        first[l] = if sum[l] == sum[l] { first[l] } else { sum[l] };
    }
    first
}

/// The k-th of the leaders of groups. A NaN may be passed over, so that more values pass.
#[inline(always)]
fn bound<F: Float, O: Order>(firsts: &[F], k: usize, leaders: &mut [u64]) -> F {
    // A group has every so many first values, so that a row of groups is a row of firsts.
    let groups = leaders.len();
    for at in (0..groups).step_by(PART) {
        let mut lead: [F; PART] = block::load(firsts, at, PART);
        for next in (at + groups..firsts.len()).step_by(groups) {
            let next: [F; PART] = block::load(firsts, next, PART);
            for l in 0..PART {
                lead[l] = if O::behind(next[l], lead[l]) { lead[l] } else { next[l] };
            }
        }
        for (to, x) in leaders[at..].iter_mut().zip(lead) {
            *to = O::key(x);
        }
    }
    let (_, key, _) = leaders.select_nth_unstable(k - 1);
    O::value(*key)
}

/// Adds those of the places whose values come no later than the bound; how many there are then, if they have room.
#[inline(always)]
fn keep<F: Float, O: Order>(
    values: &[F],
    places: impl ExactSizeIterator<Item = usize>,
    bound: F,
    passed: &mut [u128; CANDIDATES],
    mut used: usize,
) -> Option<usize> {
    if used + places.len() > CANDIDATES {
        return None;
    }
    for place in places {
        passed[used] = place as u128;
        used += usize::from(!O::after(values[place], bound));
    }
    Some(used)
}
