//! Raw views and their copies. In: a strided part of a matrix. Out: the same numbers in the order in which
//! the kernel reads them. Never: arithmetic.
use crate::Float;

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

/// Copies b's panel row by row, with zeros up to `padded` columns.
///
/// # Safety
/// `to` has room for depth·padded numbers, and b's panel is readable; AVX is enabled where `wide`.
#[inline(always)]
pub(super) unsafe fn pack<F: Float>(
    to: *mut F,
    b: View<F>,
    depth: usize,
    width: usize,
    padded: usize,
    wide: bool,
) -> View<F> {
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
            // Whole squares of a transposed b first, then what they leave.
            let squares = |length: usize| if b.row == 1 { length / F::SIDE * F::SIDE } else { 0 };
            let (columns, rows) = (squares(width), squares(depth));
            for j in (0..columns).step_by(F::SIDE) {
                for p in (0..rows).step_by(F::SIDE) {
                    F::transpose(b.at(p, j).data, b.col, to.add(p * padded + j), padded, wide);
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
