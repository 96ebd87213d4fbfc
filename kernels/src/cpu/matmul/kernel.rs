//! The blocked product. In: raw strided views. Out: c = a·b or c += a·b.
//! Never: allocation (packed panels lie on the stack), threads, or a sum in another order than
//! p = 0, 1, 2, … within blocks of k.
//!
//! After Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, but packing only
//! what must be. There are three ways, each a [`Work`]:
//!
//! - [`InPlace`]: a row-major right factor is read where it lies, since row tiles are too low to repay a copy,
//!   and so is the left one (packed, it was up to a third slower on weight gradients);
//! - [`BothPacked`], of a large product: what lies 32 KiB apart shares few places of every cache;
//! - [`OfPanels`]: the right factor was packed before, for many products: see `panels`.
mod packed;
mod panel;

use super::pack::{View, pack};
use super::scalar::Work;
use super::vector::Vector;
use crate::Float;
use panel::{Next, Panel};
use std::mem::MaybeUninit;
use std::ops::Range;

pub(super) use packed::BothPacked;
pub(super) use panel::unrolled;

/// Bytes of b's packed panel: 256 rows of 48 f32 on AVX-512.
const PACKED: usize = 48 << 10;
/// Bytes of a block of k: 256 f32.
const DEPTH: usize = 1 << 10;
/// The same of panels that were packed before: deeper than a first-level cache, because c is added to less often then.
const PANELS_DEPTH: usize = 1 << 11;
/// Bytes of whole rows of b, for a block of k that is asked for while the one before it is multiplied. The first one is
/// waited for.
const WHOLE: usize = 1 << 17;
/// Bytes of a left factor that stays in a second-level cache while many panels go by.
const NEAR: usize = 1 << 19;
/// Bytes of results that may lie in memory: those of fewer are near, and to ask for them cost 1 %.
const FAR: usize = 1 << 19;
/// From so many groups of rows on, copying a row-major panel of b pays.
const GROUPS: usize = 8;

/// Memory on the stack, from a line of the cache on.
#[repr(C, align(64))]
struct Aligned<const BYTES: usize>(MaybeUninit<[u8; BYTES]>);

/// Whether a product is large enough to pack both factors.
pub(super) fn is_large(m: usize, n: usize, k: usize) -> bool {
    m >= 64 && n >= 128 && k >= 128 && m * n * k >= 1 << 25
}

/// c = a·b or c += a·b for an m × k matrix a and a k × n matrix b, in tiles of rows and up to three vectors of
/// columns.
///
/// Who makes one promises what all ways rely on: the views lie in live allocations, c overlaps neither a nor b, and
/// k > 0.
#[derive(Clone, Copy)]
pub(super) struct Factors<F> {
    /// m, n and k.
    pub shape: (usize, usize, usize),
    pub c: View<F>,
    pub a: View<F>,
    pub b: View<F>,
    pub accumulate: bool,
}

/// Both factors where they lie.
pub(super) struct InPlace<F>(pub Factors<F>);

impl<F: Float> Work<F> for InPlace<F> {
    type Output = ();

    #[inline(always)]
    fn columns(&self) -> usize {
        self.0.shape.1
    }

    #[inline(always)]
    unsafe fn run<V: Vector<F>, const MR: usize>(self) {
        // SAFETY: the caller's.
        unsafe { self.0.blocks::<V, MR, PACKED>(None) }
    }
}

/// b is a [`Panels`](super::Panels): its strides are of no meaning.
pub(super) struct OfPanels<F>(pub Factors<F>);

impl<F: Float> Work<F> for OfPanels<F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<F>, const MR: usize>(self) {
        let (rows, cols, k) = self.0.shape;
        let panels = Panelled::new(cols, V::LANES);
        // Where a stays near as a whole, panel after panel, so that c is gone over once; else block after block of k.
        let each = if rows * k * size_of::<F>() <= NEAR { 1 } else { panels.count() };
        for first in (0..panels.count()).step_by(each) {
            // SAFETY: the caller's; a panel that is packed already needs no memory.
            unsafe { self.0.blocks::<V, MR, 0>(Some(first..first + each)) }
        }
    }
}

impl<F: Float> Factors<F> {
    /// Block after block of k, the left factor in place.
    ///
    /// # Safety
    /// As for [`Work::run`], and a panel of [`DEPTH`] has `PACKED` bytes at most, if b is not in panels. Of those it is
    /// `panels`.
    #[inline(always)]
    unsafe fn blocks<V: Vector<F>, const MR: usize, const PACKED: usize>(self, panels: Option<Range<usize>>) {
        let Factors { shape: (rows, cols, k), c, a, b, accumulate } = self;
        // Weights, for few rows: what weights' own gradients multiply by, a left factor that lies the other way, is near
        // already.
        let contiguous = panels.is_none() && a.col == 1 && b.col == 1 && b.row == cols && rows < GROUPS * MR;
        let most = match &panels {
            Some(_) => PANELS_DEPTH,
            None if contiguous => (WHOLE / cols).clamp(DEPTH / 4, DEPTH),
            None => DEPTH,
        };
        let depth = even(k, most / size_of::<F>());
        for p in (0..k).step_by(depth) {
            let right = match &panels {
                Some(panels) => Right::Panels { from: p, all: k, panels: panels.clone() },
                None if contiguous => Right::Contiguous,
                None => Right::Strided,
            };
            let block = Block { rows, cols, depth: depth.min(k - p), right };
            // SAFETY: (0, p) and (p, 0) lie within the matrices.
            unsafe {
                let b = if panels.is_some() { b } else { b.at(p, 0) };
                block.run::<F, V, MR, PACKED>(c, a.at(0, p), b, accumulate || p > 0);
            }
        }
    }
}

/// Rows of c, and a block of k.
struct Block {
    rows: usize,
    cols: usize,
    depth: usize,
    right: Right,
}

/// How b lies.
#[derive(Clone)]
enum Right {
    /// In whole rows, one after the other, from the block's first row on.
    Contiguous,
    /// As its view says, from the block's first row on.
    Strided,
    /// In panels of `all` rows, from some of which the block takes those that begin with `from`.
    Panels { from: usize, all: usize, panels: Range<usize> },
}

/// Panels of columns of an n wide matrix: of up to three vectors, as even as can be.
#[derive(Clone, Copy)]
pub(super) struct Panelled {
    vectors: usize,
    lanes: usize,
}

impl Panelled {
    #[inline(always)]
    pub fn new(n: usize, lanes: usize) -> Self {
        Panelled { vectors: n.div_ceil(lanes), lanes }
    }

    /// How many there are.
    #[inline(always)]
    pub fn count(self) -> usize {
        self.vectors.div_ceil(3)
    }

    /// The first column of a panel.
    #[inline(always)]
    pub fn start(self, panel: usize) -> usize {
        self.vectors * panel / self.count() * self.lanes
    }
}

impl Block {
    /// Panel after panel of columns.
    ///
    /// # Safety
    /// As for [`Work::run`] of the [`Factors`] that it is a part of; a panel that must be packed has `PACKED` bytes at most.
    #[inline(always)]
    unsafe fn run<F: Float, V: Vector<F>, const MR: usize, const PACKED: usize>(
        self,
        c: View<F>,
        a: View<F>,
        b: View<F>,
        accumulate: bool,
    ) {
        let Block { rows, cols: n, depth, right } = self;
        let mut buffer = Aligned::<PACKED>(MaybeUninit::uninit());
        let packed = buffer.0.as_mut_ptr().cast::<F>();
        let panels = Panelled::new(n, V::LANES);
        let (range, far) = match &right {
            Right::Panels { panels, .. } => (panels.clone(), rows * n * size_of::<F>() >= FAR),
            Right::Contiguous | Right::Strided => (0..panels.count(), false),
        };
        for panel in range.clone() {
            let (j, end) = (panels.start(panel), panels.start(panel + 1));
            let (vectors, width) = ((end - j) / V::LANES, end.min(n) - j);
            let whole = end <= n;
            let last = panel + 1 == range.end;
            // SAFETY: (0, j) lies within the matrices; a packed panel fits its buffer, and has whole vectors; another is
            // only read where b has them.
            unsafe {
                let (right, next) = match &right {
                    Right::Contiguous if whole => {
                        // The next block of k, in the order of memory: what guesses the next lines helps then.
                        let groups = panels.count() * rows.div_ceil(MR);
                        let step = n.div_ceil(groups);
                        let first = b.data.wrapping_add(depth * (n + panel * rows.div_ceil(MR) * step));
                        (b.at(0, j), Next::Run { first, step })
                    }
                    Right::Contiguous | Right::Strided => {
                        let mut right = b.at(0, j);
                        if !whole || b.col != 1 || rows >= GROUPS * MR {
                            right = pack::<F, V>(packed, right, depth, width, end - j, V::AVX);
                        }
                        // Of the last panel: what the next block of k begins with.
                        let from = if last { (depth, 0) } else { (0, end) };
                        let next = match b.col {
                            1 => Next::Rows {
                                first: b.data.wrapping_add(from.0 * b.row + from.1),
                                stride: b.row,
                            },
                            _ => Next::Left,
                        };
                        (right, next)
                    }
                    &Right::Panels { from, all, .. } => {
                        let of = |panel: usize, p: usize| {
                            let (j, end) = (panels.start(panel), panels.start(panel + 1));
                            View { data: b.data.wrapping_add(j * all + p * (end - j)), row: end - j, col: 1 }
                        };
                        // Behind the last row of a panel lies the first of the next one.
                        let next = if last { of(range.start, from + depth) } else { of(panel + 1, from) };
                        let step = next.row.div_ceil(rows.div_ceil(MR));
                        (of(panel, from), Next::Run { first: next.data, step })
                    }
                };
                let to = c.at(0, j);
                let panel = Panel { rows, depth, width, accumulate, far };
                match vectors {
                    1 => panel.run::<F, V, MR, 1>(to, a, right, &next),
                    2 => panel.run::<F, V, MR, 2>(to, a, right, &next),
                    _ => panel.run::<F, V, MR, 3>(to, a, right, &next),
                }
            }
        }
    }
}

/// The length of even pieces of `n` of at most `most`.
fn even(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most))
}
