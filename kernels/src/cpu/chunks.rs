//! Flat element-wise work and sums over the threads. In: slices of one length. Out: the body run over
//! chunks of them; sums. Never: allocation, or an order that depends on the number of threads.
use super::block::{self, BLOCK};
use super::crew::{Parts, share};
use super::float::Float;
use super::isa::{Body, Isa, dispatch};

/// Fewer elements than this run on the calling thread: some 10 µs of an optimizer's arithmetic.
const SHARED: usize = 1 << 15;
/// Elements of one leaf of a sum.
const LEAF: usize = 1 << 12;

/// Runs `body(start, mutable, shared)` over chunks of `chunk` elements (the last may be shorter) of slices
/// of one length; in parallel where there is enough of it. `start` is the chunk's first element.
///
/// # Panics
/// Where the slices' lengths differ, or `chunk` is 0.
pub fn chunks<F: Float, const M: usize, const R: usize>(
    mutable: [&mut [F]; M],
    shared: [&[F]; R],
    chunk: usize,
    body: impl Fn(usize, [&mut [F]; M], [&[F]; R]) + Sync,
) {
    let len = mutable.first().map(|s| s.len()).or(shared.first().map(|s| s.len())).unwrap_or(0);
    assert!(mutable.iter().all(|s| s.len() == len), "chunks of slices of different lengths");
    assert!(shared.iter().all(|s| s.len() == len), "chunks of slices of different lengths");
    assert!(chunk > 0, "chunks of no elements");
    let mutable = mutable.map(|all| Parts::of(all));
    let one = |i: usize| {
        let start = i * chunk;
        let len = chunk.min(len - start);
        // SAFETY: chunks do not overlap, and each is visited once.
        let mine = unsafe { mutable.each_ref().map(|all| all.part(start, len)) };
        body(start, mine, shared.map(|all| &all[start..start + len]));
    };
    let items = len.div_ceil(chunk);
    if len >= SHARED { share(items, &one) } else { (0..items).for_each(one) }
}

/// The sum, in an order fixed by the length.
pub fn sum<F: Float>(values: &[F]) -> F {
    leaves(values, &|leaf| dispatch(LeafSum::<F, false>(leaf)))
}

/// The sum of the squares, in an order fixed by the length.
pub fn sum_squares<F: Float>(values: &[F]) -> F {
    leaves(values, &|leaf| dispatch(LeafSum::<F, true>(leaf)))
}

/// A sum of sums of leaves; of many, 16 branches are shared.
fn leaves<F: Float>(values: &[F], leaf: &(impl Fn(&[F]) -> F + Sync)) -> F {
    if values.len() < SHARED {
        return tree(values, usize::MAX, &mut |values| leaf(values));
    }
    const BRANCHES: usize = 16;
    let mut branches: [&[F]; BRANCHES] = [&[]; BRANCHES];
    let mut used = 0;
    tree(values, BRANCHES, &mut |branch| {
        branches[used] = branch;
        used += 1;
        F::ZERO
    });
    let mut sums = [F::ZERO; BRANCHES];
    let parts = Parts::of(&mut sums);
    share(used, &|i| {
        // SAFETY: an element of its own.
        let sum = unsafe { parts.part(i, 1) };
        sum[0] = tree(branches[i], usize::MAX, &mut |values| leaf(values));
    });
    let mut sums = sums.into_iter();
    tree(values, BRANCHES, &mut |_| sums.next().unwrap_or(F::ZERO))
}

/// The sum over a tree of halves, down to leaves, or to so many branches.
fn tree<'a, F: Float>(values: &'a [F], branches: usize, leaf: &mut impl FnMut(&'a [F]) -> F) -> F {
    if values.len() <= LEAF || branches == 1 {
        return leaf(values);
    }
    let (left, right) = values.split_at(values.len().div_ceil(LEAF) / 2 * LEAF);
    tree(left, branches / 2, leaf) + tree(right, branches / 2, leaf)
}

struct LeafSum<'a, F, const SQUARE: bool>(&'a [F]);

impl<F: Float, const SQUARE: bool> Body for LeafSum<'_, F, SQUARE> {
    type Output = F;
    #[inline(always)]
    fn run<I: Isa>(self) -> F {
        let mut acc = [F::ZERO; BLOCK];
        let mut add = |values: &[F; BLOCK]| {
            for i in 0..BLOCK {
                acc[i] += if SQUARE { values[i] * values[i] } else { values[i] };
            }
        };
        // Whole blocks apart: a length that is not known makes a call of each copy.
        let (blocks, rest) = self.0.as_chunks::<BLOCK>();
        blocks.iter().for_each(&mut add);
        add(&block::load(rest, 0, rest.len()));
        block::sum(&acc, BLOCK)
    }
}
