//! The blocked product. In: raw strided views. Out: c = a·b or c += a·b.
//! Never: allocation (packing buffers lie on the stack), threads, or a sum in another order than
//! p = 0, 1, 2, … within blocks of k.
//!
//! After Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, but packing only
//! what must be: a row-major right factor is read where it lies, since row tiles are too low to repay a copy.
use super::vector::Vector;
use crate::Float;
use std::mem::MaybeUninit;

/// A strided view: element (i, j) at `data + i·row + j·col`.
#[derive(Clone, Copy)]
pub(super) struct View<F> {
    pub data: *mut F,
    pub row: usize,
    pub col: usize,
}

impl<F> View<F> {
    /// The view from element (i, j) on.
    ///
    /// # Safety
    /// Element (i, j), or the end of a dimension, lies in the same allocation.
    #[inline(always)]
    unsafe fn at(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller's.
        View { data: unsafe { self.data.add(i * self.row + j * self.col) }, ..self }
    }
    pub fn t(self) -> Self {
        View { row: self.col, col: self.row, ..self }
    }
}

/// Bytes of a's packed block: 64 rows of 256 f32.
const PACK_A: usize = 64 << 10;
/// Bytes of b's packed panel: 256 rows of 48 f32 on AVX-512, which half fills a first-level cache.
const PACK_B: usize = 48 << 10;
/// Bytes of a block of k: 256 f32.
const DEPTH: usize = 1 << 10;
/// Bytes of the sums of the largest tile: 8 rows of 3 vectors of 64 bytes.
const TILE: usize = 8 * 3 * 64;
/// From so many groups of rows on, copying a row-major panel of b pays.
const GROUPS: usize = 8;

#[repr(C, align(64))]
struct Aligned<const BYTES: usize>(MaybeUninit<[u8; BYTES]>);

/// c = a·b or c += a·b for an m × k matrix a and a k × n matrix b, in tiles of `MR` rows and up to three
/// vectors of columns.
///
/// # Safety
/// The views lie in live allocations; c overlaps neither a nor b; V's instruction set is enabled; k > 0.
#[inline(always)]
pub(super) unsafe fn product<F: Float, V: Vector<F>, const MR: usize>(
    (m, n, k): (usize, usize, usize),
    c: View<F>,
    a: View<F>,
    b: View<F>,
    accumulate: bool,
) {
    let mut buffer_a = Aligned::<PACK_A>(MaybeUninit::uninit());
    let mut buffer_b = Aligned::<PACK_B>(MaybeUninit::uninit());
    let packed_a = buffer_a.0.as_mut_ptr().cast::<F>();
    let packed_b = buffer_b.0.as_mut_ptr().cast::<F>();

    let depth = even(k, DEPTH / size_of::<F>());
    let pack_a = a.col != 1 && n > 3 * V::LANES;
    // The rows of a block: those that fit, or all where nothing is packed.
    let height = if pack_a { PACK_A / (depth * size_of::<F>()) / MR * MR } else { m };
    let panels = n.div_ceil(V::LANES).div_ceil(3);

    for p in (0..k).step_by(depth) {
        let kc = depth.min(k - p);
        let accumulate = accumulate || p > 0;
        for i in (0..m).step_by(height) {
            let mc = height.min(m - i);
            // SAFETY: (i, p), (p, j) and (i, j) lie within the matrices; kc, mc and the panel's width keep
            // the packed parts within their buffers, since MR·kc·size ≤ PACK_A for a group that is copied
            // and 3·LANES·DEPTH ≤ PACK_B.
            unsafe {
                let mut block_a = a.at(i, p);
                if pack_a {
                    block_a = pack_groups::<F, MR>(packed_a, block_a, mc, kc);
                }
                let mut j = 0;
                for panel in 0..panels {
                    let vectors =
                        n.div_ceil(V::LANES) * (panel + 1) / panels - n.div_ceil(V::LANES) * panel / panels;
                    let width = (vectors * V::LANES).min(n - j);
                    let full = width == vectors * V::LANES;
                    let mut block_b = b.at(p, j);
                    if !full || b.col != 1 || mc >= GROUPS * MR {
                        block_b = pack_panel(packed_b, block_b, kc, width, vectors * V::LANES);
                    }
                    let tile = Panel { rows: mc, depth: kc, width, accumulate, grouped: pack_a };
                    match vectors {
                        1 => tile.run::<F, V, MR, 1>(c.at(i, j), block_a, block_b),
                        2 => tile.run::<F, V, MR, 2>(c.at(i, j), block_a, block_b),
                        _ => tile.run::<F, V, MR, 3>(c.at(i, j), block_a, block_b),
                    }
                    j += width;
                }
            }
        }
    }
}

/// The length of even pieces of `n` of at most `most`.
fn even(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most))
}

/// Copies a's block in groups of `MR` rows, each group column by column; the last group may be lower.
/// The returned view's `row` is 1, its `col` is `MR`.
///
/// # Safety
/// `to` has room for rows·depth numbers rounded up to groups, and a's block is readable.
#[inline(always)]
unsafe fn pack_groups<F: Float, const MR: usize>(
    to: *mut F,
    a: View<F>,
    rows: usize,
    depth: usize,
) -> View<F> {
    for group in (0..rows).step_by(MR) {
        let height = MR.min(rows - group);
        // SAFETY: the caller's room; group + i < rows and p < depth.
        unsafe {
            let to = to.add(group * depth);
            let from = a.at(group, 0);
            if height == MR && a.row == 1 {
                for p in 0..depth {
                    to.add(p * MR).cast::<[F; MR]>().write(from.data.add(p * a.col).cast::<[F; MR]>().read());
                }
            } else {
                for i in 0..height {
                    for p in 0..depth {
                        *to.add(p * MR + i) = *from.data.add(i * a.row + p * a.col);
                    }
                }
            }
        }
    }
    View { data: to, row: 1, col: MR }
}

/// Copies b's panel row by row, with zeros up to `padded` columns.
///
/// # Safety
/// `to` has room for depth·padded numbers, and b's panel is readable.
#[inline(always)]
unsafe fn pack_panel<F: Float>(to: *mut F, b: View<F>, depth: usize, width: usize, padded: usize) -> View<F> {
    // SAFETY: the caller's room; p < depth and j < padded.
    unsafe {
        if b.col == 1 {
            for p in 0..depth {
                let row = to.add(p * padded);
                std::ptr::copy_nonoverlapping(b.data.add(p * b.row), row, width);
                for j in width..padded {
                    *row.add(j) = F::ZERO;
                }
            }
        } else {
            for j in 0..padded {
                let column = b.data.wrapping_add(j * b.col);
                for p in 0..depth {
                    *to.add(p * padded + j) = if j < width { *column.add(p * b.row) } else { F::ZERO };
                }
            }
        }
    }
    View { data: to, row: padded, col: 1 }
}

/// A loop of at most eight rounds, written out: LLVM keeps an array in registers only where every index is
/// a constant early on.
macro_rules! unrolled {
    ($i:ident < $n:ident $body:block) => {
        unrolled!($i $n $body 0 1 2 3 4 5 6 7)
    };
    ($i:ident $n:ident $body:block $($round:literal)*) => {
        $(if $round < $n {
            let $i = $round;
            $body
        })*
    };
}

/// One panel of columns against a block of rows.
struct Panel {
    rows: usize,
    depth: usize,
    /// Columns of c, at most `NV` vectors.
    width: usize,
    accumulate: bool,
    /// Whether a lies in groups of `MR` rows.
    grouped: bool,
}

impl Panel {
    /// # Safety
    /// As for [`product`]; b's rows are contiguous and hold `NV` whole vectors.
    #[inline(always)]
    unsafe fn run<F: Float, V: Vector<F>, const MR: usize, const NV: usize>(
        &self,
        c: View<F>,
        a: View<F>,
        b: View<F>,
    ) {
        let mut i = 0;
        while i < self.rows {
            // SAFETY: row i of the block exists in a and c; in packed groups it is row i % MR of its group.
            unsafe {
                let a = if self.grouped {
                    View { data: a.data.add((i - i % MR) * self.depth + i % MR), ..a }
                } else {
                    a.at(i, 0)
                };
                let c = c.at(i, 0);
                // Whole groups, then the rest by 4, 2 and 1.
                i += match self.rows - i {
                    rest if rest >= MR => self.tile::<F, V, MR, NV>(c, a, b),
                    4.. if MR > 4 => self.tile::<F, V, 4, NV>(c, a, b),
                    2.. if MR > 2 => self.tile::<F, V, 2, NV>(c, a, b),
                    _ => self.tile::<F, V, 1, NV>(c, a, b),
                };
            }
        }
    }

    /// `R` rows of c, which it returns. The sums stay in registers.
    ///
    /// # Safety
    /// As for [`Panel::run`], and the `R` rows exist.
    #[inline(always)]
    unsafe fn tile<F: Float, V: Vector<F>, const R: usize, const NV: usize>(
        &self,
        c: View<F>,
        a: View<F>,
        b: View<F>,
    ) -> usize {
        // SAFETY: p < depth, i < R, and b's rows hold NV vectors.
        unsafe {
            let mut sums = [[V::splat(F::ZERO); NV]; R];
            for p in 0..self.depth {
                let row = b.data.add(p * b.row);
                let mut right = [V::splat(F::ZERO); NV];
                unrolled!(v < NV {
                    right[v] = V::load(row.add(v * V::LANES));
                });
                let column = a.data.add(p * a.col);
                unrolled!(i < R {
                    let left = V::splat(*column.add(i * a.row));
                    unrolled!(v < NV {
                        sums[i][v] = V::fma(left, right[v], sums[i][v]);
                    });
                });
            }
            if c.col == 1 && self.width == NV * V::LANES {
                unrolled!(i < R {
                    unrolled!(v < NV {
                        let to = c.data.add(i * c.row + v * V::LANES);
                        let sum = if self.accumulate { V::load(to).add(sums[i][v]) } else { sums[i][v] };
                        sum.store(to);
                    });
                });
            } else {
                // By way of memory of its own: a reference to the sums would evict them from registers.
                let mut copy = Aligned::<TILE>(MaybeUninit::uninit());
                let copy = copy.0.as_mut_ptr().cast::<F>();
                unrolled!(i < R {
                    unrolled!(v < NV {
                        sums[i][v].store(copy.add((i * NV + v) * V::LANES));
                    });
                });
                self.scatter::<F, R>(c, copy, NV * V::LANES);
            }
        }
        R
    }

    /// Writes sums to a c whose rows are not contiguous, or to part of a vector.
    ///
    /// # Safety
    /// `sums` holds `R` rows, `apart` numbers apart; c holds `R` rows of `width` columns.
    #[inline(always)]
    unsafe fn scatter<F: Float, const R: usize>(&self, c: View<F>, sums: *const F, apart: usize) {
        for j in 0..self.width {
            for i in 0..R {
                // SAFETY: the caller's.
                unsafe {
                    let (sum, to) = (*sums.add(i * apart + j), c.data.add(i * c.row + j * c.col));
                    *to = if self.accumulate { *to + sum } else { sum };
                }
            }
        }
    }
}
