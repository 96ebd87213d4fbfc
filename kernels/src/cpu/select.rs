//! The first of many, in order. In: runs of values. Out: for each run the positions of its first values, as
//! numbers. Never: allocation; the positions' own slice is the heap, and the sorted list.
//!
//! Few of many are found by a bound (`Candidates`), others in a heap.
//!
//! Of equals the lowest position comes first. NaN counts as larger than every number, so that it stands first
//! among the largest and last among the smallest: it shows where something went wrong, and hides nowhere else.
use std::cmp::Ordering;
use std::marker::PhantomData;

use super::block::{self, BLOCK};
use super::float::Float;
use super::isa::{Body, Isa, dispatch};

/// Writes to `into` the positions of the `k` first of each `n` values of `from`, in descending order (`largest`) or
/// ascending; positions are whole numbers, exact up to 2²⁴ in f32. Of no values, the positions are 0.
///
/// # Panics
/// Where the runs of `into` and `from` are not as many, or `k` is more than `n` (and `n` is not 0).
pub fn top_k<F: Float>(into: &mut [F], from: &[F], n: usize, k: usize, largest: bool) {
    if n == 0 || k == 0 {
        return into.fill(F::ZERO);
    }
    assert!(k <= n && into.len() / k == from.len() / n, "runs of a selection");
    for (first, values) in into.chunks_exact_mut(k).zip(from.chunks_exact(n)) {
        if largest { run(first, values, Largest) } else { run(first, values, Smallest) }
    }
}

/// Values of a part of a block: one register of AVX-512.
const PART: usize = 16;

/// Which values come first.
trait Order: Copy {
    /// How two values follow each other.
    fn compare<F: Float>(a: F, b: F) -> Ordering;
    /// Whether a value surely comes after `last`, or with it. A NaN may say no.
    fn behind<F: Float>(x: F, last: F) -> bool;
    /// Whether a value surely comes after `last`. A NaN may say no.
    fn after<F: Float>(x: F, last: F) -> bool;
}

#[derive(Clone, Copy)]
struct Largest;
#[derive(Clone, Copy)]
struct Smallest;

impl Order for Largest {
    #[inline(always)]
    fn compare<F: Float>(a: F, b: F) -> Ordering {
        ascending(b, a)
    }
    #[inline(always)]
    fn behind<F: Float>(x: F, last: F) -> bool {
        x <= last
    }
    #[inline(always)]
    fn after<F: Float>(x: F, last: F) -> bool {
        x < last
    }
}

impl Order for Smallest {
    #[inline(always)]
    fn compare<F: Float>(a: F, b: F) -> Ordering {
        ascending(a, b)
    }
    #[inline(always)]
    fn behind<F: Float>(x: F, last: F) -> bool {
        x >= last
    }
    #[inline(always)]
    fn after<F: Float>(x: F, last: F) -> bool {
        x > last
    }
}

/// The order of numbers, NaN last.
#[inline(always)]
fn ascending<F: Float>(a: F, b: F) -> Ordering {
    let is_nan = |x: F| x.partial_cmp(&x).is_none();
    a.partial_cmp(&b).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

/// How the values at two positions follow each other: never equal for two positions.
#[inline(always)]
fn places<F: Float, O: Order>(values: &[F], a: F, b: F) -> Ordering {
    let (a, b) = (a.to_usize(), b.to_usize());
    O::compare(values[a], values[b]).then(a.cmp(&b))
}

fn run<F: Float, O: Order>(first: &mut [F], values: &[F], _: O) {
    if first.len() <= FEW && values.len() >= 2 * groups(first.len()) {
        let mut few = Few { places: [0; CANDIDATES], used: 0 };
        if dispatch(Candidates { values, k: first.len(), few: &mut few, order: PhantomData::<O> }) {
            let places = &mut few.places[..few.used];
            places.sort_unstable_by(|a, b| {
                let (x, y) = (values[*a as usize], values[*b as usize]);
                O::compare(x, y).then(a.cmp(b))
            });
            for (to, place) in first.iter_mut().zip(places) {
                *to = F::from_usize(*place as usize);
            }
            return;
        }
    }
    for (i, place) in first.iter_mut().enumerate() {
        *place = F::from_usize(i);
    }
    if first.len() < values.len() {
        // A heap whose root comes last of those found.
        for root in (0..first.len() / 2).rev() {
            sink::<F, O>(first, values, root);
        }
        dispatch(Scan { first: &mut *first, values, order: PhantomData::<O> });
    }
    first.sort_unstable_by(|a, b| places::<F, O>(values, *a, *b));
}

/// So few of many are found among candidates; more, in a heap.
const FEW: usize = 256;
/// Groups of values at most.
const GROUPS: usize = 1024;
/// Room for candidates: a quarter of the groups holds one of the first k, which makes 1.15 k of random values.
const CANDIDATES: usize = 512;

/// Groups to find k values by.
fn groups(k: usize) -> usize {
    (4 * k).next_power_of_two().clamp(BLOCK, GROUPS)
}

/// Positions, in ascending order.
struct Few {
    places: [u32; CANDIDATES],
    used: usize,
}

/// The values that come no later than a bound, which at least k do. The bound is the k-th of the first values of groups:
/// those of the k groups before it are k different values. Whether all candidates had room; many ties may not.
struct Candidates<'a, F, O> {
    values: &'a [F],
    k: usize,
    few: &'a mut Few,
    order: PhantomData<O>,
}

impl<F: Float, O: Order> Body for Candidates<'_, F, O> {
    type Output = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Candidates { values, k, few, .. } = self;
        // A group has every `groups`-th value, so that a block of groups is a block of values.
        let groups = groups(k);
        let mut memory = [F::ZERO; GROUPS];
        let leaders = &mut memory[..groups];
        leaders.copy_from_slice(&values[..groups]);
        for row in values[groups..].chunks(groups) {
            let whole = row.len() / BLOCK * BLOCK;
            for at in (0..whole).step_by(BLOCK) {
                let mut first: [F; BLOCK] = block::load(leaders, at, BLOCK);
                let block: [F; BLOCK] = block::load(row, at, BLOCK);
                for l in 0..BLOCK {
                    first[l] = if O::behind(block[l], first[l]) { first[l] } else { block[l] };
                }
                block::store(leaders, at, BLOCK, &first);
            }
            for (first, &x) in leaders[whole..].iter_mut().zip(&row[whole..]) {
                *first = if O::behind(x, *first) { *first } else { x };
            }
        }
        let (_, bound, _) = leaders.select_nth_unstable_by(k - 1, |a, b| O::compare(*a, *b));
        let bound = *bound;
        // What is no number is no farther than the bound, whatever that is.
        let mut keep = |part: &[F], start: usize| {
            let room = few.used + PART <= CANDIDATES;
            for (x, place) in part.iter().zip(start..).take(if room { PART } else { 0 }) {
                few.places[few.used] = place as u32;
                few.used += usize::from(!O::after(*x, bound));
            }
            room
        };
        // Most blocks hold none, and of the others most parts.
        let (blocks, rest) = values.as_chunks::<BLOCK>();
        for (block, start) in blocks.iter().zip((0..).step_by(BLOCK)) {
            if ahead::<_, O, BLOCK>(block, bound) {
                for (part, start) in block.as_chunks::<PART>().0.iter().zip((start..).step_by(PART)) {
                    if ahead::<_, O, PART>(part, bound) && !keep(part, start) {
                        return false;
                    }
                }
            }
        }
        let end = values.len() - rest.len();
        rest.chunks(PART).zip((end..).step_by(PART)).all(|(part, start)| keep(part, start))
    }
}

/// Whether any of these comes no later than the bound.
#[inline(always)]
fn ahead<F: Float, O: Order, const N: usize>(values: &[F; N], bound: F) -> bool {
    let mut ahead = 0u32;
    for x in values {
        ahead += u32::from(!O::after(*x, bound));
    }
    ahead > 0
}

/// Lets the position at `root` sink to where it belongs.
#[inline(always)]
fn sink<F: Float, O: Order>(heap: &mut [F], values: &[F], mut root: usize) {
    loop {
        let mut last = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if child < heap.len() && places::<F, O>(values, heap[child], heap[last]).is_gt() {
                last = child;
            }
        }
        if last == root {
            return;
        }
        heap.swap(root, last);
        root = last;
    }
}

/// One pass over the values: blocks in which nothing comes before the heap's root are left at once.
struct Scan<'a, F, O> {
    first: &'a mut [F],
    values: &'a [F],
    order: PhantomData<O>,
}

impl<F: Float, O: Order> Body for Scan<'_, F, O> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Scan { first, values, .. } = self;
        let mut at = first.len();
        while at < values.len() {
            let len = BLOCK.min(values.len() - at);
            let last = values[first[0].to_usize()];
            let block: [F; BLOCK] = if len == BLOCK { block::load(values, at, len) } else { [last; BLOCK] };
            let mut ahead = 0u32;
            for x in block {
                ahead += u32::from(!O::behind(x, last));
            }
            if ahead > 0 || len < BLOCK {
                for (part, start) in block.chunks_exact(PART).zip((at..at + len).step_by(PART)) {
                    // Most parts of such a block hold nothing: one more comparison of vectors spares their numbers.
                    let mut ahead = 0u32;
                    for x in part {
                        ahead += u32::from(!O::behind(*x, last));
                    }
                    if ahead == 0 && len == BLOCK {
                        continue;
                    }
                    for i in start..(start + PART).min(at + len) {
                        // A later position never takes the place of an equal one.
                        let root = values[first[0].to_usize()];
                        if O::compare(values[i], root).is_lt() {
                            first[0] = F::from_usize(i);
                            sink::<F, O>(first, values, 0);
                        }
                    }
                }
            }
            at += len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, by sorting all positions.
    fn expected(values: &[f32], k: usize, largest: bool) -> Vec<f32> {
        let mut all: Vec<usize> = (0..values.len()).collect();
        all.sort_by(|a, b| {
            let (a, b) = (values[*a], values[*b]);
            if largest { ascending(b, a) } else { ascending(a, b) }
        });
        all[..k].iter().map(|i| *i as f32).collect()
    }

    fn check(values: &[f32]) {
        let n = values.len();
        for k in [1, 2, 3, 7, 32, n / 16, n / 2, n.saturating_sub(1), n] {
            if !(1..=n).contains(&k) {
                continue;
            }
            for largest in [false, true] {
                let mut into = vec![-1.0; k];
                top_k(&mut into, values, n, k, largest);
                assert_eq!(into, expected(values, k, largest), "{k} of {n}, largest {largest}");
            }
        }
    }

    #[test]
    fn the_first_in_order_for_many_lengths_with_ties_and_nan() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u32
        };
        for n in [1, 2, 5, 63, 64, 65, 128, 200, 1000, 4099] {
            check(&(0..n).map(|_| next() as f32).collect::<Vec<_>>());
            // Some ties, and many.
            check(&(0..n).map(|_| (next() % 97) as f32).collect::<Vec<_>>());
            check(&(0..n).map(|_| (next() % 5) as f32).collect::<Vec<_>>());
            let odd = |x: u32| [f32::NAN, 0.0, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY][(x % 6) as usize];
            check(&(0..n).map(|_| odd(next())).collect::<Vec<_>>());
            check(&(0..n).map(|i| i as f32).collect::<Vec<_>>());
            check(&(0..n).map(|i| -(i as f32)).collect::<Vec<_>>());
        }
        check(&[f32::NAN; 130]);
    }

    #[test]
    fn runs_follow_each_other_and_nothing_gives_zeros() {
        let mut into = [9.0; 4];
        top_k(&mut into, &[1.0, 3.0, 2.0, 6.0, 4.0, 5.0], 3, 2, true);
        assert_eq!(into, [1.0, 2.0, 0.0, 2.0]);
        top_k(&mut into, &[], 0, 1, true);
        assert_eq!(into, [0.0; 4]);
    }
}
