//! A copy of a matrix that lies the other way. In: strided slices, or columns of a matrix that several threads write. Out:
//! the same numbers. Never: arithmetic.
//!
//! Squares are turned in registers, 16 rows of the result at a time and 16 columns, so that each line is read whole and
//! written whole. Rows lie too far apart for a machine to guess the next, so they are asked for. Element by element, a
//! gradient of 8192 × 512 took 22 ms.
use super::vector::prefetch;
use crate::Float;
use crate::cpu::isa::{Body, Isa, dispatch};

/// Rows and columns of the result that are written at a time: a cache line of f32.
const LINE: usize = 16;
/// How many rows of the source ahead are asked for.
const AHEAD: usize = 2 * LINE;

/// `to[i · to_row + j] = from[j · from_row + i]` for i < `rows` and j < `cols`.
///
/// # Panics
/// Where a slice is too short.
pub fn copy_transposed<F: Float>(
    to: &mut [F],
    to_row: usize,
    from: &[F],
    from_row: usize,
    rows: usize,
    cols: usize,
) {
    let none = rows == 0 || cols == 0;
    assert!(none || (rows - 1) * to_row + cols <= to.len(), "a result of a copy: internal error");
    // SAFETY: the result was checked, and is borrowed.
    unsafe { copy_columns(to.as_mut_ptr(), to_row, from, from_row, rows, cols) }
}

/// [`copy_transposed`] to columns of a matrix whose other columns somebody else may write.
///
/// # Safety
/// The elements `to[i · to_row + j]`, i < `rows`, j < `cols`, lie in one live allocation, and nobody else uses them.
///
/// # Panics
/// Where `from` is too short.
pub(in crate::cpu) unsafe fn copy_columns<F: Float>(
    to: *mut F,
    to_row: usize,
    from: &[F],
    from_row: usize,
    rows: usize,
    cols: usize,
) {
    if rows == 0 || cols == 0 {
        return;
    }
    assert!((cols - 1) * from_row + rows <= from.len(), "a source of a copy: internal error");
    dispatch(Copy { to, to_row, from, from_row, rows, cols });
}

/// Made by [`copy_columns`] alone, whose conditions hold for it.
struct Copy<'a, F> {
    to: *mut F,
    to_row: usize,
    from: &'a [F],
    from_row: usize,
    rows: usize,
    cols: usize,
}

impl<F: Float> Body for Copy<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut copy = self;
        let avx = I::KIND.vector_bytes() >= 32;
        let (lines, whole) = (copy.rows / LINE * LINE, copy.rows / F::SIDE * F::SIDE);
        for i in (0..lines).step_by(LINE) {
            // SAFETY: the places were checked, AVX is there where `avx`, and these rows exist.
            unsafe { copy.strip(i, LINE, avx) }
        }
        for i in (lines..whole).step_by(F::SIDE) {
            // SAFETY: likewise.
            unsafe { copy.strip(i, F::SIDE, avx) }
        }
        let Copy { to, to_row, from, from_row, rows, cols } = copy;
        for i in 0..rows {
            for j in if i < whole { cols / LINE * LINE } else { 0 }..cols {
                // SAFETY: a place of the result.
                unsafe { to.add(i * to_row + j).write(from[j * from_row + i]) }
            }
        }
    }
}

impl<F: Float> Copy<'_, F> {
    /// `height` rows of the result, in all lines that are whole. Where that is known, LLVM writes its squares out.
    ///
    /// # Safety
    /// They are whole squares among `rows`; both sides are as [`copy_columns`] wants them; AVX is enabled where `avx`.
    #[inline(always)]
    unsafe fn strip(&mut self, begin: usize, height: usize, avx: bool) {
        let &mut Copy { to, to_row, from, from_row, cols, .. } = self;
        for j in (0..cols / LINE * LINE).step_by(LINE) {
            for next in j + AHEAD..(j + AHEAD + LINE).min(cols) {
                prefetch(from.as_ptr().wrapping_add(next * from_row + begin));
            }
            // What is written as well: rows of the result are as far apart, and a processor waits for few lines that it writes.
            if j + 2 * LINE <= cols {
                for i in begin..begin + height {
                    prefetch(to.wrapping_add(i * to_row + j + LINE));
                }
            }
            for i in (begin..begin + height).step_by(F::SIDE) {
                for j in (j..j + LINE).step_by(F::SIDE) {
                    // SAFETY: the caller's; the square lies within both.
                    unsafe {
                        let from = from.as_ptr().add(j * from_row + i);
                        F::transpose(from, from_row, to.add(i * to_row + j), to_row, avx);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_arrives_and_no_other_changes() {
        for (rows, cols) in [(1, 1), (8, 16), (7, 40), (20, 5), (33, 70), (0, 3), (3, 0)] {
            for (to_row, from_row) in [(cols, rows), (cols + 3, rows + 5)] {
                let from: Vec<f32> = (0..cols * from_row + 1).map(|x| x as f32).collect();
                let mut to = vec![-1.0; rows * to_row + 1];
                copy_transposed(&mut to, to_row, &from, from_row, rows, cols);
                let double: Vec<f64> = from.iter().map(|x| f64::from(*x)).collect();
                let mut twice = vec![-1.0; to.len()];
                copy_transposed(&mut twice, to_row, &double, from_row, rows, cols);
                for (at, (x, y)) in to.iter().zip(&twice).enumerate() {
                    let (i, j) = (at / to_row.max(1), at % to_row.max(1));
                    let expected = if i < rows && j < cols { (j * from_row + i) as f64 } else { -1.0 };
                    assert_eq!((f64::from(*x), *y), (expected, expected), "{i}, {j} of {rows} × {cols}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "internal error")]
    fn a_short_slice_is_refused() {
        copy_transposed(&mut [0.0_f32; 11], 4, &[0.0; 12], 3, 3, 4);
    }
}
