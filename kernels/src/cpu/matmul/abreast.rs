//! Products of values whose rows lie abreast: each element is a group of [`ABREAST`] numbers, one of each row. In:
//! strides along several axes. Out: c = a·b or c += a·b, for every row (`each`) or summed over rows (`over`). Never:
//! a copy of b, allocation, or an order of sums that depends on anything but the shape.
//!
//! So a convolution of many small images needs no pieces gathered: whatever the windows and steps are, what a place
//! holds of sixteen images is one or two registers, and every register is full (the layout NHWC with images in
//! place of channels; Georganas et al., "Anatomy of high-performance deep learning convolutions", 2018).
use super::kernel::unrolled;
use super::pack::{View, pack_left};
use super::sliding::{Axes, SlideMut, SlideRef};
use super::sums::Sums;
use super::vector::{Four, Vector};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa, IsaKind, dispatch};
use std::mem::MaybeUninit;

#[cfg(test)]
mod tests;

/// The numbers of a group.
pub const ABREAST: usize = 16;

/// Rows, and terms, of a block of a that is copied: 48 KiB of f32.
const HEIGHT: usize = 64;
const DEPTH: usize = 192;
/// Groups of columns whose places are known at a time.
const WIDTH: usize = 64;
/// Columns of a tile that is summed over rows.
const NR: usize = 3;
/// Registers of a group, at most: those of four numbers.
const PARTS: usize = ABREAST / 4;

/// For every row `c = a·b`, or `c += a·b`, where a's elements are numbers and those of b and c groups of [`ABREAST`]
/// numbers that lie side by side. Places of c may be shared where it accumulates. The bits depend on the shapes, the
/// strides and the instruction set only.
///
/// # Panics
/// Where the shapes do not match, or a group reaches beyond its slice.
pub fn matmul_each<F: Float>(c: SlideMut<'_, F>, a: SlideRef<'_, F>, b: SlideRef<'_, F>, accumulate: bool) {
    check(&c, &a, &b);
    assert!(c.room() >= ABREAST && b.room() >= ABREAST, "a group beyond its slice: internal error");
    dispatch(Each { c, a, b, accumulate });
}

/// The sum over rows of `a·b`, in `c` or added to it, where the elements of a and b are groups of [`ABREAST`] numbers, of
/// which the first `rows` count, and those of c are numbers. The bits depend on the shapes, the strides and the
/// instruction set only.
///
/// # Panics
/// Where the shapes do not match, a group reaches beyond its slice, or there are more rows.
pub fn matmul_over<F: Float>(
    c: SlideMut<'_, F>,
    a: SlideRef<'_, F>,
    b: SlideRef<'_, F>,
    rows: usize,
    accumulate: bool,
) {
    check(&c, &a, &b);
    assert!(a.room() >= ABREAST && b.room() >= ABREAST, "a group beyond its slice: internal error");
    assert!(rows <= ABREAST, "{rows} rows abreast: internal error");
    dispatch(Over { c, a, b, rows, accumulate });
}

fn check<F: Float>(c: &SlideMut<'_, F>, a: &SlideRef<'_, F>, b: &SlideRef<'_, F>) {
    let fits = a.rows.len() == c.rows.len() && a.cols.len() == b.rows.len() && b.cols.len() == c.cols.len();
    assert!(fits, "shapes of a product: internal error");
}

/// A product for every row.
pub(super) struct Each<'a, F> {
    c: SlideMut<'a, F>,
    a: SlideRef<'a, F>,
    b: SlideRef<'a, F>,
    accumulate: bool,
}

/// A product summed over rows.
pub(super) struct Over<'a, F> {
    c: SlideMut<'a, F>,
    a: SlideRef<'a, F>,
    b: SlideRef<'a, F>,
    rows: usize,
    accumulate: bool,
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

impl<F: Float> Body for Over<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: as for `Each`.
        unsafe { F::over::<I>(self) }
    }
}

/// What each number type needs here.
pub(super) trait Abreast: Sized {
    /// # Safety
    /// All elements and groups lie in their slices, and `I` is enabled.
    unsafe fn each<I: Isa>(product: Each<'_, Self>);
    /// # Safety
    /// As for [`Abreast::each`].
    unsafe fn over<I: Isa>(product: Over<'_, Self>);
}

macro_rules! abreast {
    ($type:ty, $avx512:ident, $avx2:ident, $neon:ident) => {
        impl Abreast for $type {
            #[inline(always)]
            unsafe fn each<I: Isa>(product: Each<'_, Self>) {
                // SAFETY: the caller's; each register type goes with its own set. Of 16 registers, three columns of
                // sums would take all: one would wait in memory.
                unsafe {
                    match I::KIND {
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => product.all::<std::arch::x86_64::$avx512, 8, 3>(),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => product.all::<std::arch::x86_64::$avx2, 4, 2>(),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => product.all::<std::arch::aarch64::$neon, 8, 3>(),
                        _ => product.all::<Four<$type>, 4, 3>(),
                    }
                }
            }
            #[inline(always)]
            unsafe fn over<I: Isa>(product: Over<'_, Self>) {
                // SAFETY: as above.
                unsafe {
                    match I::KIND {
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => product.all::<std::arch::x86_64::$avx512, 8>(),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => product.all::<std::arch::x86_64::$avx2, 4>(),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => product.all::<std::arch::aarch64::$neon, 8>(),
                        _ => product.all::<Four<$type>, 4>(),
                    }
                }
            }
        }
    };
}
abreast!(f32, __m512, __m256, float32x4_t);
abreast!(f64, __m512d, __m256d, float64x2_t);

/// Even pieces of `n`, of at most `most`: where each begins, and how long it is.
fn pieces(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(most);
    (0..count).map(move |i| (n * i / count, n * (i + 1) / count - n * i / count))
}

/// Fills in the places of some elements.
fn places<'a>(axes: &Axes, (start, len): (usize, usize), to: &'a mut [usize]) -> &'a [usize] {
    let to = &mut to[..len];
    if len > 0 {
        axes.fill(start, to);
    }
    to
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
    /// As for [`Abreast::each`], with V's set.
    #[inline(always)]
    unsafe fn all<V: Vector<F>, const MR: usize, const MOST: usize>(self) {
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
                    copy::<F, MR>(
                        left,
                        a.data.as_ptr(),
                        (&a.rows, in_a),
                        (&a.cols, over_a),
                        size_of::<V>() >= 32,
                    );
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
/// The places lie in the allocation of `a`, and `to` has room for whole groups; AVX is enabled where `wide`.
#[inline(always)]
unsafe fn copy<F: Float, const MR: usize>(
    to: *mut F,
    a: *const F,
    (rows, in_a): (&Axes, &[usize]),
    (cols, over): (&Axes, &[usize]),
    wide: bool,
) {
    let (Some(&first), Some(&term)) = (in_a.first(), over.first()) else { return };
    // SAFETY: the caller's.
    unsafe {
        if let (Some(row), Some(col)) = (rows.single(), cols.single()) {
            let a = View { data: a.add(first + term).cast_mut(), row, col };
            pack_left::<F, MR>(to, a, in_a.len(), over.len(), wide);
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
    /// As for [`Abreast::each`].
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

impl<F: Float> Over<'_, F> {
    /// In tiles of `MR` rows, or two, and three columns.
    ///
    /// # Safety
    /// As for [`Abreast::over`], with V's set.
    #[inline(always)]
    unsafe fn all<V: Sums<F>, const MR: usize>(self) {
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
    /// As for [`Abreast::over`].
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
    /// As for [`Abreast::over`].
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
