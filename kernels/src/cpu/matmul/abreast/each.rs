//! Products for every row of values that lie abreast. In: places along axes. Out: groups of c. Never: a copy of b.
use std::mem::MaybeUninit;

use super::super::kernel::unrolled;
use super::super::pack::{View, pack_left};
use super::super::sliding::{Axes, SlideMut, SlideRef};
use super::super::vector::Vector;
use super::{ABREAST, DEPTH, HEIGHT, WIDTH, pieces, places};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa};

/// Registers of a group, at most: those of four numbers, and of NEON those of two f64.
const PARTS: usize = ABREAST / if cfg!(target_arch = "aarch64") { 2 } else { 4 };

/// A product for every row.
pub(in super::super) struct Each<'a, F> {
    pub c: SlideMut<'a, F>,
    pub a: SlideRef<'a, F>,
    pub b: SlideRef<'a, F>,
    pub accumulate: bool,
}

impl<F: Float> Body for Each<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: the constructors and `matmul_each` checked that every element, and group, lies in its slice; `I` is
        // enabled, as `run` was called for it.
        unsafe { F::each::<I>(self) }
    }
}

/// Where some columns lie, register by register.
struct Columns {
    from: [usize; WIDTH * PARTS],
    to: [usize; WIDTH * PARTS],
}

impl<F: Float> Each<'_, F> {
    /// In tiles of `MR` rows of a and up to `MOST` registers, at most three.
    ///
    /// # Safety
    /// As for [`Abreast::each`](super::Abreast::each), with V's set.
    #[inline(always)]
    pub unsafe fn all<V: Vector<F>, const MR: usize, const MOST: usize>(self) {
        let Each { c, a, b, accumulate } = self;
        let (m, n, k) = (c.rows.len(), c.cols.len(), b.rows.len());
        let parts = ABREAST / V::LANES;
        let mut left = [const { MaybeUninit::<F>::uninit() }; HEIGHT * DEPTH];
        let left = left.as_mut_ptr().cast::<F>();
        let mut columns = Columns { from: [0; WIDTH * PARTS], to: [0; WIDTH * PARTS] };
        let mut tables = [[0; DEPTH]; 6];
        let [in_a, lines, over_a, over_b, of_b, of_c] = &mut tables;
        // Without terms there is one block, of none.
        for (p, depth) in pieces(k.max(1), DEPTH) {
            let depth = depth.min(k);
            let over_a = places(&a.cols, (p, depth), over_a);
            let over_b = places(&b.rows, (p, depth), over_b);
            for (i, height) in pieces(m, HEIGHT) {
                let in_a = places(&a.rows, (i, height), in_a);
                let lines = places(&c.rows, (i, height), lines);
                // SAFETY: all places lie in their slices, and groups of MR rows in `left`, as MR divides HEIGHT.
                unsafe {
                    copy::<F, MR>(left, a.data.as_ptr(), (&a.rows, in_a), (&a.cols, over_a), V::AVX);
                    for (j, width) in pieces(n, WIDTH) {
                        let (of_b, of_c) =
                            (places(&b.cols, (j, width), of_b), places(&c.cols, (j, width), of_c));
                        for (at, (from, to)) in of_b.iter().zip(of_c).enumerate() {
                            for part in 0..parts {
                                columns.from[at * parts + part] = from + part * V::LANES;
                                columns.to[at * parts + part] = to + part * V::LANES;
                            }
                        }
                        let block = Block {
                            a: left,
                            b: b.data.as_ptr(),
                            over: over_b,
                            c: c.data.as_mut_ptr(),
                            lines,
                            accumulate: accumulate || p > 0,
                        };
                        for (j, registers) in pieces(width * parts, MOST) {
                            let (from, to) = (&columns.from[j..], &columns.to[j..]);
                            match registers {
                                1 => block.run::<V, MR, 1>(from, to),
                                2 => block.run::<V, MR, 2>(from, to),
                                _ => block.run::<V, MR, 3>(from, to),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Copies a block of a in groups of `MR` rows, each group column by column.
///
/// # Safety
/// The places lie in the allocation of `a`, and `to` has room for whole groups; AVX is enabled where `avx`.
#[inline(always)]
unsafe fn copy<F: Float, const MR: usize>(
    to: *mut F,
    a: *const F,
    (rows, in_a): (&Axes, &[usize]),
    (cols, over): (&Axes, &[usize]),
    avx: bool,
) {
    let (Some(&first), Some(&term)) = (in_a.first(), over.first()) else { return };
    // SAFETY: the caller's.
    unsafe {
        if let (Some(row), Some(col)) = (rows.single(), cols.single()) {
            let a = View { data: a.add(first + term).cast_mut(), row, col };
            pack_left::<F, MR>(to, a, in_a.len(), over.len(), avx);
            return;
        }
        for (i, row) in in_a.iter().enumerate() {
            let group = to.add(i / MR * MR * over.len() + i % MR);
            for (p, term) in over.iter().enumerate() {
                *group.add(p * MR) = *a.add(row + term);
            }
        }
    }
}

/// A copied block of a, against columns of b.
struct Block<'a, F> {
    a: *const F,
    b: *const F,
    /// Where the terms lie in b.
    over: &'a [usize],
    c: *mut F,
    /// Where the rows lie in c.
    lines: &'a [usize],
    accumulate: bool,
}

impl<F: Float> Block<'_, F> {
    /// All rows, and `NV` registers.
    ///
    /// # Safety
    /// As for [`Abreast::each`](super::Abreast::each).
    #[inline(always)]
    unsafe fn run<V: Vector<F>, const MR: usize, const NV: usize>(&self, from: &[usize], to: &[usize]) {
        let mut i = 0;
        while i < self.lines.len() {
            // SAFETY: the caller's; rows of the last group that do not exist are not read.
            unsafe {
                let a = self.a.add(i / MR * MR * self.over.len() + i % MR);
                i += match self.lines.len() - i {
                    rest if rest >= MR => self.tile::<V, MR, MR, NV>(a, i, from, to),
                    4.. if MR > 4 => self.tile::<V, MR, 4, NV>(a, i, from, to),
                    2.. if MR > 2 => self.tile::<V, MR, 2, NV>(a, i, from, to),
                    _ => self.tile::<V, MR, 1, NV>(a, i, from, to),
                };
            }
        }
    }

    /// `R` rows from row `i` on, which it returns. The sums stay in registers.
    ///
    /// # Safety
    /// As for [`Block::run`], and the rows exist.
    #[inline(always)]
    unsafe fn tile<V: Vector<F>, const MR: usize, const R: usize, const NV: usize>(
        &self,
        a: *const F,
        i: usize,
        from: &[usize],
        to: &[usize],
    ) -> usize {
        // SAFETY: the caller's.
        unsafe {
            let mut sums = [[V::splat(F::ZERO); NV]; R];
            let mut columns = [self.b; NV];
            unrolled!(v < NV {
                columns[v] = self.b.add(from[v]);
            });
            let mut column = a;
            for &term in self.over {
                let mut right = [V::splat(F::ZERO); NV];
                unrolled!(v < NV {
                    right[v] = V::load(columns[v].add(term));
                });
                unrolled!(i < R {
                    let left = V::splat(*column.add(i));
                    unrolled!(v < NV {
                        sums[i][v] = V::fma(left, right[v], sums[i][v]);
                    });
                });
                column = column.wrapping_add(MR);
            }
            let lines = &self.lines[i..i + R];
            let mut places = [self.c; NV];
            unrolled!(v < NV {
                places[v] = self.c.add(to[v]);
            });
            unrolled!(i < R {
                let line = lines[i];
                unrolled!(v < NV {
                    // One after the other: they may be the same.
                    let to = places[v].add(line);
                    let sum = if self.accumulate { V::load(to).add(sums[i][v]) } else { sums[i][v] };
                    sum.store(to);
                });
            });
        }
        R
    }
}
