//! Flat element-wise work and sums over the threads. In: slices of one length. Out: the body run over
//! chunks of them; sums. Never: allocation, or an order that depends on the number of threads.
use super::block::{self, BLOCK};
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
    if len > 0 {
        split(0, len, mutable, shared, chunk, len >= SHARED, &body);
    }
}

fn split<F: Float, const M: usize, const R: usize>(
    start: usize,
    len: usize,
    mutable: [&mut [F]; M],
    shared: [&[F]; R],
    chunk: usize,
    parallel: bool,
    body: &(impl Fn(usize, [&mut [F]; M], [&[F]; R]) + Sync),
) {
    if len <= chunk {
        return body(start, mutable, shared);
    }
    let middle = len.div_ceil(chunk) / 2 * chunk;
    let (left, right) = halves(mutable.map(|s| s.split_at_mut(middle)));
    let (left_shared, right_shared) = (shared.map(|s| &s[..middle]), shared.map(|s| &s[middle..]));
    let first = || split(start, middle, left, left_shared, chunk, parallel, body);
    let second = || split(start + middle, len - middle, right, right_shared, chunk, parallel, body);
    if parallel {
        rayon::join(first, second);
    } else {
        first();
        second();
    }
}

/// An array of pairs as a pair of arrays.
pub(super) fn halves<T, const N: usize>(pairs: [(T, T); N]) -> ([T; N], [T; N]) {
    let mut right = [const { None }; N];
    let mut pairs = pairs.into_iter();
    let left = std::array::from_fn(|i| {
        let (a, b) = pairs.next().expect("one pair for each place");
        right[i] = Some(b);
        a
    });
    (left, right.map(|b| b.expect("filled with the left one")))
}

/// The sum, in an order fixed by the length.
pub fn sum<F: Float>(values: &[F]) -> F {
    tree(values, values.len() >= SHARED, &|leaf| dispatch(LeafSum::<F, false>(leaf)))
}

/// The sum of the squares, in an order fixed by the length.
pub fn sum_squares<F: Float>(values: &[F]) -> F {
    tree(values, values.len() >= SHARED, &|leaf| dispatch(LeafSum::<F, true>(leaf)))
}

fn tree<F: Float>(values: &[F], parallel: bool, leaf: &(impl Fn(&[F]) -> F + Sync)) -> F {
    if values.len() <= LEAF {
        return leaf(values);
    }
    let (left, right) = values.split_at(values.len().div_ceil(LEAF) / 2 * LEAF);
    let (a, b) = if parallel {
        rayon::join(|| tree(left, parallel, leaf), || tree(right, parallel, leaf))
    } else {
        (tree(left, parallel, leaf), tree(right, parallel, leaf))
    };
    a + b
}

struct LeafSum<'a, F, const SQUARE: bool>(&'a [F]);

impl<F: Float, const SQUARE: bool> Body for LeafSum<'_, F, SQUARE> {
    type Output = F;
    #[inline(always)]
    fn run<I: Isa>(self) -> F {
        let mut acc = [F::ZERO; BLOCK];
        let mut start = 0;
        while start < self.0.len() {
            let len = BLOCK.min(self.0.len() - start);
            let mut values: [F; BLOCK] = block::load(self.0, start, len);
            if SQUARE {
                for value in &mut values {
                    *value = *value * *value;
                }
            }
            // What lies past the end was loaded as zeros.
            for i in 0..BLOCK {
                acc[i] += values[i];
            }
            start += BLOCK;
        }
        block::sum(&acc, BLOCK)
    }
}
