//! Raw views and their copies. In: a strided part of a matrix. Out: the same numbers in the order in which
//! the kernel reads them. Never: arithmetic.
use super::vector::Vector;
use crate::Float;

/// Rows of a strip of a copy, which stays in a first-level cache: 12 KiB of 48 f32.
pub(super) const STRIP: usize = 64;

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
    pub unsafe fn at(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller's.
        View { data: unsafe { self.data.add(i * self.row + j * self.col) }, ..self }
    }
    /// The transpose.
    pub fn t(self) -> Self {
        View { row: self.col, col: self.row, ..self }
    }
}

/// Copies b's panel row by row, with zeros up to `padded` columns, which are whole vectors.
///
/// # Safety
/// `to` has room for depth·padded numbers, and b's panel is readable; V's instruction set is enabled, and with it
/// AVX where `avx`.
#[inline(always)]
pub(super) unsafe fn pack<F: Float, V: Vector<F>>(
    to: *mut F,
    b: View<F>,
    depth: usize,
    width: usize,
    padded: usize,
    avx: bool,
) -> View<F> {
    // SAFETY: the caller's room; p < depth and j < padded.
    unsafe {
        if b.col == 1 && width == padded {
            match padded / V::LANES {
                1 => copy_vectors::<F, V, 1>(to, b, depth),
                2 => copy_vectors::<F, V, 2>(to, b, depth),
                _ => copy_vectors::<F, V, 3>(to, b, depth),
            }
        } else if b.col == 1 {
            for p in 0..depth {
                let row = to.add(p * padded);
                std::ptr::copy_nonoverlapping(b.data.add(p * b.row), row, width);
                for j in width..padded {
                    *row.add(j) = F::ZERO;
                }
            }
        } else {
            // Whole squares of a transposed b first, then what they leave.
            let squares = |length: usize| if b.row == 1 { length / F::SIDE * F::SIDE } else { 0 };
            let (columns, rows) = (squares(width), squares(depth));
            // In strips that stay in a first-level cache, since each line of the copy is written in parts; not across all
            // columns for a few rows, since these may lie pages apart.
            for strip in (0..rows).step_by(STRIP) {
                for j in (0..columns).step_by(F::SIDE) {
                    for p in (strip..rows.min(strip + STRIP)).step_by(F::SIDE) {
                        F::transpose(b.at(p, j).data, b.col, to.add(p * padded + j), padded, avx);
                    }
                }
            }
            for j in 0..padded {
                for p in if j < columns { rows } else { 0 }..depth {
                    *to.add(p * padded + j) = if j < width { *b.at(p, j).data } else { F::ZERO };
                }
            }
        }
    }
    View { data: to, row: padded, col: 1 }
}

/// Copies rows of `N` vectors: as a loop over a number that only a run knows, LLVM makes a call of `memcpy` of it.
///
/// # Safety
/// As for [`pack`].
#[inline(always)]
unsafe fn copy_vectors<F: Float, V: Vector<F>, const N: usize>(to: *mut F, b: View<F>, depth: usize) {
    for p in 0..depth {
        // SAFETY: the caller's; p < depth.
        unsafe {
            let (from, row) = (b.data.add(p * b.row), to.add(p * N * V::LANES));
            let vectors: [V; N] = std::array::from_fn(|v| V::load(from.add(v * V::LANES)));
            for (v, vector) in vectors.into_iter().enumerate() {
                vector.store(row.add(v * V::LANES));
            }
        }
    }
}

/// Copies rows of a in groups of `MR`, each group column by column. Rows that the last group lacks are left as they
/// were: nobody reads them. In the view, rows of one group lie side by side.
///
/// # Safety
/// `to` has room for whole groups of `depth` columns, and a is readable; AVX is enabled where `avx`.
#[inline(always)]
pub(super) unsafe fn pack_left<F: Float, const MR: usize>(
    to: *mut F,
    a: View<F>,
    rows: usize,
    depth: usize,
    avx: bool,
) -> View<F> {
    // SAFETY: the caller's room; p < depth and i < rows.
    unsafe {
        let whole = rows / MR * MR;
        let mut done = 0;
        if a.row == 1 {
            // Columns may lie pages apart: all that a few groups need of one, then the next.
            for i in (0..whole).step_by(4 * MR) {
                let groups = (whole - i).min(4 * MR);
                for p in 0..depth {
                    let (column, to) = (a.at(i, p).data, to.add(i * depth + p * MR));
                    for i in (0..groups).step_by(MR) {
                        let group = column.add(i).cast::<[F; MR]>().read();
                        to.add(i * depth).cast::<[F; MR]>().write(group);
                    }
                }
            }
            done = depth;
        } else if a.col == 1 && MR.is_multiple_of(F::SIDE) {
            done = depth / F::SIDE * F::SIDE;
            for i in (0..whole).step_by(MR) {
                for p in (0..done).step_by(F::SIDE) {
                    for part in (0..MR).step_by(F::SIDE) {
                        let from = a.at(i + part, p).data;
                        F::transpose(from, a.row, to.add(i * depth + p * MR + part), MR, avx);
                    }
                }
            }
        }
        for i in 0..rows {
            let group = to.add(i / MR * MR * depth + i % MR);
            for p in if i < whole { done } else { 0 }..depth {
                *group.add(p * MR) = *a.at(i, p).data;
            }
        }
    }
    View { data: to, row: 1, col: MR }
}
