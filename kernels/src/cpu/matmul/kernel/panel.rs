//! One panel of columns against rows of a, tile by tile. In: raw views, what comes next. Out: sums, in c. Never: a copy
//! of a factor, or a sum in another order than p = 0, 1, 2, …
use std::mem::MaybeUninit;

use super::super::pack::View;
use super::super::vector::{Vector, prefetch, prefetch_far, unrelated};
use super::Aligned;
use crate::Float;

/// Bytes of the sums of the largest tile: 8 rows of 3 vectors of 64 bytes.
const TILE: usize = 8 * 3 * 64;
/// Bytes of a square that is transposed: 8 × 8 f32, or 4 × 4 f64.
const SQUARE: usize = 256;

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

pub(in super::super) use unrolled;

/// One panel of columns against all rows.
pub(super) struct Panel {
    pub rows: usize,
    pub depth: usize,
    /// Columns of c, at most `NV` vectors.
    pub width: usize,
    pub accumulate: bool,
    /// Whether the places of sums may be far, though nothing is added to them: they are asked for as well.
    pub far: bool,
}

/// What is asked for while a panel is multiplied: what comes next, from a cache so slow that to wait for it would cost more.
#[derive(Clone, Copy)]
pub(super) enum Next<F> {
    /// Rows of a, where b is small and packed.
    Left,
    /// The next panel, whose rows lie apart: of each row one line at a time.
    Rows { first: *const F, stride: usize },
    /// The next panel, which is contiguous: so many numbers at each step, evenly, because the buffers of lines that are
    /// awaited are few.
    Run { first: *const F, step: usize },
}

impl Panel {
    /// Both factors where they are, or the right one in a panel.
    ///
    /// # Safety
    /// As for [`Block::run`](super::Block::run); b's rows are contiguous and hold `NV` whole vectors.
    #[inline(always)]
    pub unsafe fn run<F: Float, V: Vector<F>, const MR: usize, const NV: usize>(
        &self,
        c: View<F>,
        a: View<F>,
        b: View<F>,
        next: &Next<F>,
    ) {
        let mut i = 0;
        while i < self.rows {
            // SAFETY: row i exists in a and c.
            unsafe {
                let (c, a) = (c.at(i, 0), a.at(i, 0));
                let next = match next {
                    // All of them while these are multiplied, where a block has all of k; else at longer steps.
                    Next::Left if a.col == 1 => {
                        View { data: a.data.wrapping_add(MR * a.row), row: MR * a.row / self.depth, col: 1 }
                    }
                    Next::Rows { first, stride } if i / MR < NV => {
                        View { data: first.wrapping_add(i / MR * V::LANES).cast_mut(), row: *stride, col: 1 }
                    }
                    Next::Run { first, step } => {
                        let first = first.wrapping_add(i / MR * self.depth * step);
                        View { data: first.cast_mut(), row: *step, col: 1 }
                    }
                    _ => b,
                };
                // Whole groups, then the rest by 4, 2 and 1.
                i += match self.rows - i {
                    rest if rest >= MR => self.tile::<F, V, MR, NV>(c, a, b, next),
                    4.. if MR > 4 => self.tile::<F, V, 4, NV>(c, a, b, next),
                    2.. if MR > 2 => self.tile::<F, V, 2, NV>(c, a, b, next),
                    _ => self.tile::<F, V, 1, NV>(c, a, b, next),
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
        next: View<F>,
    ) -> usize {
        // SAFETY: `depth` steps, i < R, and b's rows hold NV vectors.
        unsafe {
            self.ask::<F, V, R, NV>(c);
            let mut sums = [[V::splat(F::ZERO); NV]; R];
            // Places that move on, and four rows from each: computed from p and i, each address would cost the adders
            // that multiply.
            let (mut low, mut high) = (a.data, a.data.wrapping_add(4 * a.row));
            let (mut row, mut ask) = (b.data, next.data);
            for _ in 0..self.depth {
                prefetch_far(ask);
                let mut right = [V::splat(F::ZERO); NV];
                unrolled!(v < NV {
                    right[v] = V::load(row.add(v * V::LANES));
                });
                unrolled!(i < R {
                    let left = V::splat(*if i < 4 { low.add(i * a.row) } else { high.add((i - 4) * a.row) });
                    unrolled!(v < NV {
                        sums[i][v] = V::fma(left, right[v], sums[i][v]);
                    });
                });
                (low, high) = unrelated(low.wrapping_add(a.col), high.wrapping_add(a.col));
                (row, ask) = (row.wrapping_add(b.row), ask.wrapping_add(next.row));
            }
            self.write(c, sums);
        }
        R
    }

    /// Asks for the rows of c that sums will be added to, or written to if they are far.
    #[inline(always)]
    pub(super) fn ask<F: Float, V: Vector<F>, const R: usize, const NV: usize>(&self, c: View<F>) {
        if (self.accumulate || self.far) && c.col == 1 {
            unrolled!(i < R {
                unrolled!(v < NV {
                    prefetch(c.data.wrapping_add(i * c.row + v * V::LANES));
                });
            });
        }
    }

    /// Writes sums to c, or adds them.
    ///
    /// # Safety
    /// `R` rows of `width` columns of c exist.
    #[inline(always)]
    pub(super) unsafe fn write<F: Float, V: Vector<F>, const R: usize, const NV: usize>(
        &self,
        c: View<F>,
        sums: [[V; NV]; R],
    ) {
        // SAFETY: the caller's; all of the NV vectors only where c has them.
        unsafe {
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
                self.scatter::<F, R>(c, copy, NV * V::LANES, V::AVX);
            }
        }
    }

    /// Writes sums to a c whose rows are not contiguous, or to part of a vector.
    ///
    /// # Safety
    /// `sums` holds `R` rows, `apart` numbers apart; c holds `R` rows of `width` columns; AVX is enabled
    /// where `avx`.
    #[inline(always)]
    unsafe fn scatter<F: Float, const R: usize>(&self, c: View<F>, sums: *const F, apart: usize, avx: bool) {
        // Whole squares of a transposed c first, then what they leave.
        let squares = c.row == 1 && R.is_multiple_of(F::SIDE);
        let columns = if squares { self.width / F::SIDE * F::SIDE } else { 0 };
        // SAFETY: the caller's.
        unsafe {
            for j in (0..columns).step_by(F::SIDE) {
                for i in (0..R).step_by(F::SIDE) {
                    let (from, to) = (sums.add(i * apart + j), c.at(i, j));
                    if self.accumulate {
                        let mut square = Aligned::<SQUARE>(MaybeUninit::uninit());
                        let square = square.0.as_mut_ptr().cast::<F>();
                        F::transpose(from, apart, square, F::SIDE, avx);
                        for column in 0..F::SIDE {
                            F::add_side(to.at(0, column).data, square.add(column * F::SIDE));
                        }
                    } else {
                        F::transpose(from, apart, to.data, c.col, avx);
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
