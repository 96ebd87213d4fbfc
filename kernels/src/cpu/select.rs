//! The first of many, in order. In: runs of values. Out: for each run the positions of its first values, as
//! numbers. Never: allocation; the positions' own slice is the heap, and the sorted list.
//!
//! Few of many are found by a bound (`few`), others in a heap.
//!
//! Of equals the lowest position comes first. NaN counts as larger than every number, so that it stands first
//! among the largest and last among the smallest: it shows where something went wrong, and hides nowhere else.
mod few;

use std::cmp::Ordering;
use std::marker::PhantomData;

use few::Room;

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
    let mut room = few::suits(k, n).then(Room::new);
    for (first, values) in into.chunks_exact_mut(k).zip(from.chunks_exact(n)) {
        let room = room.as_mut();
        if largest { run(first, values, room, Largest) } else { run(first, values, room, Smallest) }
    }
}

/// Which values come first.
trait Order: Copy {
    /// How two values follow each other.
    fn compare<F: Float>(a: F, b: F) -> Ordering;
    /// Whether a value surely comes after `last`, or with it. A NaN may say no.
    fn behind<F: Float>(x: F, last: F) -> bool;
    /// Whether a value surely comes after `last`. A NaN may say no.
    fn after<F: Float>(x: F, last: F) -> bool;
    /// Less for what comes before, and the same for equals. To make keys costs more than to compare two values: they pay where
    /// each is compared often.
    fn key<F: Float>(x: F) -> u64;
    /// A value with this key.
    fn value<F: Float>(key: u64) -> F;
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
    #[inline(always)]
    fn key<F: Float>(x: F) -> u64 {
        !ascending_key(x.to_f64())
    }
    #[inline(always)]
    fn value<F: Float>(key: u64) -> F {
        Smallest::value(!key)
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
    #[inline(always)]
    fn key<F: Float>(x: F) -> u64 {
        ascending_key(x.to_f64())
    }
    #[inline(always)]
    fn value<F: Float>(key: u64) -> F {
        F::from_f64(f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN }))
    }
}

/// The bit of the sign.
const SIGN: u64 = 1 << 63;

/// Whole numbers in the order of numbers, NaN last; both zeros are one.
#[inline(always)]
fn ascending_key(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    let key = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    if x.is_nan() { u64::MAX } else { key }
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

fn run<F: Float, O: Order>(first: &mut [F], values: &[F], room: Option<&mut Room<F>>, order: O) {
    if room.is_some_and(|room| few::search(first, values, room, order)) {
        return;
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

/// One pass over the values: of each block, only those are looked at that may come before the heap's root.
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
        let rest = &values[first.len()..];
        for (block, start) in rest.chunks(BLOCK).zip((first.len()..).step_by(BLOCK)) {
            let last = values[first[0].to_usize()];
            let may = |x| !O::behind(x, last);
            block::each_that(&block::load(block, 0, block.len()), block.len(), may, |at| {
                // A later position never takes the place of an equal one.
                let root = values[first[0].to_usize()];
                if O::compare(block[at], root).is_lt() {
                    first[0] = F::from_usize(start + at);
                    sink::<F, O>(first, values, 0);
                }
            });
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
        check_for(values, &[1, 2, 3, 7, 32, 400, n / 16, n / 2, n.saturating_sub(1), n]);
    }

    fn check_for(values: &[f32], counts: &[usize]) {
        let n = values.len();
        for &k in counts.iter().filter(|k| (1..=n).contains(*k)) {
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

    /// One NaN, or infinities that cancel, in a block of numbers that come before and after it.
    #[test]
    fn what_is_no_number_is_not_passed_over() {
        for n in [300, 1024, 5003, 20_011] {
            let numbers: Vec<f32> = (0..n).map(|i| (i * 7919 % n) as f32 - 40.0).collect();
            for at in [0, 17, 100, n / 2 + 3, n - 64, n - 1] {
                for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut values = numbers.clone();
                    (values[at], values[(at + 16) % n]) = (odd, -odd);
                    check_for(&values, &[1, 5, 32, 300]);
                    values[(at + 16) % n] = 1e9;
                    check_for(&values, &[1, 5, 32, 300]);
                }
                // A sum that is no number, though none of these comes first.
                let mut values = numbers.clone();
                (values[at], values[(at + 16) % n], values[(at + 32) % n]) = (3e38, 3e38, f32::NEG_INFINITY);
                values[(at + 150) % n] = f32::INFINITY;
                check_for(&values, &[1, 2, 5, 32, 300]);
            }
        }
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
