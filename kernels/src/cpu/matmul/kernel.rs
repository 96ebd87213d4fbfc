//! The blocked product. In: raw strided views. Out: c = a·b or c += a·b.
//! Never: allocation (the packed panel lies on the stack), threads, or a sum in another order than
//! p = 0, 1, 2, … within blocks of k.
//!
//! After Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, but packing only
//! what must be: a row-major right factor is read where it lies, since row tiles are too low to repay a copy,
//! and so is the left one always (packed, it was up to a third slower on weight gradients).
use super::pack::{View, pack};
use super::vector::Vector;
use crate::Float;
use std::mem::MaybeUninit;

/// Bytes of b's packed panel: 256 rows of 48 f32 on AVX-512, which half fills a first-level cache.
const PACKED: usize = 48 << 10;
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
    let mut buffer = Aligned::<PACKED>(MaybeUninit::uninit());
    let packed = buffer.0.as_mut_ptr().cast::<F>();
    let depth = even(k, DEPTH / size_of::<F>());
    let vectors = n.div_ceil(V::LANES);
    let panels = vectors.div_ceil(3);
    let wide = size_of::<V>() >= 32;

    for p in (0..k).step_by(depth) {
        let kc = depth.min(k - p);
        let accumulate = accumulate || p > 0;
        let mut j = 0;
        for panel in 0..panels {
            let vectors = vectors * (panel + 1) / panels - vectors * panel / panels;
            let width = (vectors * V::LANES).min(n - j);
            let whole = width == vectors * V::LANES;
            // SAFETY: (0, p), (p, j) and (0, j) lie within the matrices; a packed panel fits its buffer,
            // since 3·LANES·DEPTH ≤ PACKED, and has whole vectors; another is only read where b has them.
            unsafe {
                let mut right = b.at(p, j);
                if !whole || b.col != 1 || m >= GROUPS * MR {
                    right = pack(packed, right, kc, width, vectors * V::LANES, wide);
                }
                let (left, to) = (a.at(0, p), c.at(0, j));
                let panel = Panel { rows: m, depth: kc, width, accumulate };
                match vectors {
                    1 => panel.run::<F, V, MR, 1>(to, left, right),
                    2 => panel.run::<F, V, MR, 2>(to, left, right),
                    _ => panel.run::<F, V, MR, 3>(to, left, right),
                }
            }
            j += width;
        }
    }
}

/// The length of even pieces of `n` of at most `most`.
fn even(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most))
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

/// One panel of columns against all rows.
struct Panel {
    rows: usize,
    depth: usize,
    /// Columns of c, at most `NV` vectors.
    width: usize,
    accumulate: bool,
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
            // SAFETY: row i exists in a and c.
            unsafe {
                let (a, c) = (a.at(i, 0), c.at(i, 0));
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
                self.scatter::<F, R>(c, copy, NV * V::LANES, size_of::<V>() >= 32);
            }
        }
        R
    }

    /// Writes sums to a c whose rows are not contiguous, or to part of a vector.
    ///
    /// # Safety
    /// `sums` holds `R` rows, `apart` numbers apart; c holds `R` rows of `width` columns; AVX is enabled
    /// where `wide`.
    #[inline(always)]
    unsafe fn scatter<F: Float, const R: usize>(&self, c: View<F>, sums: *const F, apart: usize, wide: bool) {
        // Whole squares of a transposed c first, then what they leave.
        let squares = c.row == 1 && R.is_multiple_of(F::SIDE);
        let columns = if squares { self.width / F::SIDE * F::SIDE } else { 0 };
        // SAFETY: the caller's.
        unsafe {
            for j in (0..columns).step_by(F::SIDE) {
                for i in (0..R).step_by(F::SIDE) {
                    let (from, to) = (sums.add(i * apart + j), c.at(i, j));
                    if self.accumulate {
                        let mut square = [F::ZERO; 64];
                        F::transpose(from, apart, square.as_mut_ptr(), F::SIDE, wide);
                        for (column, sums) in square.chunks_exact(F::SIDE).take(F::SIDE).enumerate() {
                            for (row, &sum) in sums.iter().enumerate() {
                                *to.at(row, column).data += sum;
                            }
                        }
                    } else {
                        F::transpose(from, apart, to.data, c.col, wide);
                    }
                }
            }
            for j in columns..self.width {
                for i in 0..R {
                    let (sum, to) = (*sums.add(i * apart + j), c.at(i, j).data);
                    *to = if self.accumulate { *to + sum } else { sum };
                }
            }
        }
    }
}
