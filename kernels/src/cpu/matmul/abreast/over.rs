//! Products of values that lie abreast, summed over the rows. In: places along axes. Out: numbers of c. Never: a copy of a
//! or b.
use super::super::kernel::unrolled;
use super::super::sliding::{SlideMut, SlideRef};
use super::super::sums::Sums;
use super::super::vector::Vector;
use super::{ABREAST, DEPTH, HEIGHT, WIDTH, pieces, places};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa};

/// Columns of a tile that is summed over rows.
const NR: usize = 3;

/// A product summed over rows.
pub(in super::super) struct Over<'a, F> {
    pub c: SlideMut<'a, F>,
    pub a: SlideRef<'a, F>,
    pub b: SlideRef<'a, F>,
    pub rows: usize,
    pub accumulate: bool,
}

impl<F: Float> Body for Over<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: as for `Each`.
        unsafe { F::over::<I>(self) }
    }
}

impl<F: Float> Over<'_, F> {
    /// In tiles of `MR` rows, or two, and three columns.
    ///
    /// # Safety
    /// As for [`Abreast::over`](super::Abreast::over), with V's set.
    #[inline(always)]
    pub unsafe fn all<V: Sums<F>, const MR: usize>(self) {
        let Over { c, a, b, rows, accumulate } = self;
        let (m, n, k) = (c.rows.len(), c.cols.len(), b.rows.len());
        let mut tables = [[0; DEPTH]; 6];
        let [in_a, lines, over_a, over_b, of_b, of_c] = &mut tables;
        for (p, depth) in pieces(k.max(1), DEPTH) {
            let depth = depth.min(k);
            let (over_a, over_b) = (places(&a.cols, (p, depth), over_a), places(&b.rows, (p, depth), over_b));
            for (i, height) in pieces(m, HEIGHT) {
                let (in_a, lines) = (places(&a.rows, (i, height), in_a), places(&c.rows, (i, height), lines));
                for (j, width) in pieces(n, WIDTH) {
                    let (of_b, of_c) = (places(&b.cols, (j, width), of_b), places(&c.cols, (j, width), of_c));
                    let block = Sum {
                        a: a.data.as_ptr(),
                        b: b.data.as_ptr(),
                        over: (over_a, over_b),
                        c: &mut *c.data,
                        rows,
                        accumulate: accumulate || p > 0,
                    };
                    // SAFETY: all places lie in their slices.
                    unsafe {
                        if rows == ABREAST {
                            block.run::<V, MR, false>((in_a, lines), (of_b, of_c));
                        } else {
                            block.run::<V, MR, true>((in_a, lines), (of_b, of_c));
                        }
                    }
                }
            }
        }
    }
}

/// Blocks of a and b, whose terms are summed.
struct Sum<'a, F> {
    a: *const F,
    b: *const F,
    /// Where the terms lie in both.
    over: (&'a [usize], &'a [usize]),
    c: &'a mut [F],
    rows: usize,
    accumulate: bool,
}

impl<F: Float> Sum<'_, F> {
    /// Rows outside: those of a tile stay in the first-level cache, while b, whose columns share places, comes by.
    ///
    /// # Safety
    /// As for [`Abreast::over`](super::Abreast::over).
    #[inline(always)]
    unsafe fn run<V: Sums<F>, const MR: usize, const PART: bool>(
        mut self,
        (in_a, lines): (&[usize], &[usize]),
        (of_b, of_c): (&[usize], &[usize]),
    ) {
        let mut i = 0;
        while i < in_a.len() {
            let few = in_a.len() - i <= 2;
            let end = in_a.len().min(i + if few { 2 } else { MR });
            let left = (&in_a[i..end], &lines[i..end]);
            for right in of_b.chunks(NR).zip(of_c.chunks(NR)) {
                // SAFETY: the caller's.
                unsafe {
                    if few {
                        self.tile::<V, 2, PART>(left, right);
                    } else {
                        self.tile::<V, MR, PART>(left, right);
                    }
                }
            }
            i = end;
        }
    }

    /// Up to `MR` × `NR` sums. Where there are fewer, the last row or column is summed again, for nobody.
    ///
    /// # Safety
    /// As for [`Abreast::over`](super::Abreast::over).
    #[inline(always)]
    unsafe fn tile<V: Sums<F>, const MR: usize, const PART: bool>(
        &mut self,
        (in_a, lines): (&[usize], &[usize]),
        (of_b, of_c): (&[usize], &[usize]),
    ) {
        // SAFETY: the caller's.
        unsafe {
            let (mut a, mut b) = ([self.a; MR], [self.b; NR]);
            unrolled!(i < MR {
                a[i] = self.a.add(in_a[i.min(in_a.len() - 1)]);
            });
            unrolled!(j < NR {
                b[j] = self.b.add(of_b[j.min(of_b.len() - 1)]);
            });
            let mut sums = [[V::splat(F::ZERO); NR]; MR];
            for (&left, &right) in self.over.0.iter().zip(self.over.1) {
                for part in 0..ABREAST / V::LANES {
                    let at = part * V::LANES;
                    let count = if PART { self.rows.saturating_sub(at) } else { ABREAST };
                    let mut values = [V::splat(F::ZERO); NR];
                    unrolled!(j < NR {
                        values[j] = load::<F, V, PART>(b[j].add(right + at), count);
                    });
                    unrolled!(i < MR {
                        let value = load::<F, V, PART>(a[i].add(left + at), count);
                        unrolled!(j < NR {
                            sums[i][j] = V::fma(value, values[j], sums[i][j]);
                        });
                    });
                }
            }
            // Of each four registers the sums at once.
            let mut totals = [[F::ZERO; 8]; NR];
            unrolled!(j < NR {
                // A copy: a reference to the sums would evict them from registers.
                let mut of = [V::splat(F::ZERO); 8];
                unrolled!(i < MR {
                    of[i] = sums[i][j];
                });
                let [a, b, c, d, rest @ ..] = of;
                totals[j][..4].copy_from_slice(&V::four(a, b, c, d));
                if MR > 4 {
                    let [a, b, c, d] = rest;
                    totals[j][4..].copy_from_slice(&V::four(a, b, c, d));
                }
            });
            for (column, totals) in of_c.iter().zip(&totals) {
                for (line, &total) in lines.iter().zip(totals) {
                    let to = self.c.get_unchecked_mut(line + column);
                    *to = if self.accumulate { *to + total } else { total };
                }
            }
        }
    }
}

/// A register of a group, zeros in place of what does not count.
///
/// # Safety
/// The numbers are readable and V's set is enabled.
#[inline(always)]
unsafe fn load<F: Float, V: Vector<F>, const PART: bool>(from: *const F, count: usize) -> V {
    // SAFETY: the caller's.
    unsafe {
        if PART && count < V::LANES {
            let mut some = [F::ZERO; ABREAST];
            for (i, value) in some.iter_mut().enumerate().take(count) {
                *value = *from.add(i);
            }
            return V::load(some.as_ptr());
        }
        V::load(from)
    }
}
