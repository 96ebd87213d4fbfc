//! A product whose right factor, and whose result, are walked over along several axes: a convolution without the
//! matrix of its pieces. In: strides. Out: c = a·b or c += a·b. Never: allocation (blocks lie on the stack), or an
//! order of sums that depends on anything but the shape.
//!
//! A block of b is gathered into a row-major panel and multiplied as usual; where the result's columns are not
//! contiguous, its block is computed apart and then added where it belongs, element after element, so that elements
//! may share places.
use super::{MatMut, MatRef, matmul};
use crate::cpu::float::Float;
use crate::cpu::isa::dispatch;
use std::mem::MaybeUninit;

pub use axes::{Axes, SlideMut, SlideRef};
use moves::{Gather, Scatter};

mod axes;
mod moves;
#[cfg(test)]
mod tests;

/// Columns of a block.
const WIDTH: usize = 96;
/// Rows of a gathered block of b; a block is 48 KiB of f32.
const DEPTH: usize = 128;
/// Rows of a block of c that is computed apart.
const HEIGHT: usize = 64;

/// `c = a·b`, or `c += a·b`. The bits depend on the shapes, the strides and the instruction set only.
///
/// # Panics
/// Where the shapes do not match.
pub fn matmul_sliding<F: Float>(c: SlideMut<'_, F>, a: MatRef<'_, F>, b: SlideRef<'_, F>, accumulate: bool) {
    let (m, n, k) = (c.rows.len(), c.cols.len(), b.rows.len());
    assert!(a.rows == m && a.cols == k && b.cols.len() == n, "shapes of a product: internal error");
    F::sliding(Sliding { c, a, b, accumulate });
}

/// A product of matching shapes.
pub(super) struct Sliding<'a, F> {
    c: SlideMut<'a, F>,
    a: MatRef<'a, F>,
    b: SlideRef<'a, F>,
    accumulate: bool,
}

impl<F: Float> Sliding<'_, F> {
    /// Computes it.
    pub fn run(self) {
        let Sliding { c, a, b, accumulate } = self;
        let (m, n, k) = (c.rows.len(), c.cols.len(), b.rows.len());
        if m == 0 || n == 0 || k == 0 && accumulate {
            return;
        }
        let row = c.plain();
        // Not set to 0 as a whole: small products use a small part.
        let mut panel = [const { MaybeUninit::<F>::uninit() }; DEPTH * WIDTH];
        let mut apart = [const { MaybeUninit::<F>::uninit() }; HEIGHT * WIDTH];
        let (mut rows, mut columns) = ([0; DEPTH], [0; WIDTH]);
        let (mut lines, mut places) = ([0; HEIGHT], [0; WIDTH]);
        let blocks = n.div_ceil(WIDTH);
        let mut j = 0;
        for block in 0..blocks {
            // Even pieces, in whole vectors.
            let width = (n * (block + 1) / blocks).next_multiple_of(16).min(n) - j;
            b.cols.fill(j, &mut columns[..width]);
            let depths = k.div_ceil(DEPTH).max(1);
            for piece in 0..depths {
                let (p, depth) = (k * piece / depths, k * (piece + 1) / depths - k * piece / depths);
                b.rows.fill(p, &mut rows[..depth]);
                // The other way round where the sum's axis has the longer runs.
                let across = b.rows.even().0 > 2 * b.cols.even().0;
                let to = &mut panel[..depth * width];
                let (rows, columns) = (&rows[..depth], &columns[..width]);
                let (outer, inner, axes) =
                    if across { (columns, rows, &b.rows) } else { (rows, columns, &b.cols) };
                dispatch(Gather { from: b.data, rows: outer, columns: inner, step: axes.even().1, to });
                // SAFETY: `Gather` has written each of these elements.
                let gathered = unsafe { panel[..depth * width].assume_init_ref() };
                let right = match across {
                    true => MatRef::rows_of(gathered, width, depth).t(),
                    false => MatRef::rows_of(gathered, depth, width),
                };
                let left = MatRef { data: &a.data[(p * a.col_stride).min(a.data.len())..], cols: depth, ..a };
                let accumulate = accumulate || piece > 0;
                if let Some(row) = row {
                    matmul(MatMut::new(&mut c.data[j..], m, width, row, 1), left, right, accumulate);
                    continue;
                }
                c.cols.fill(j, &mut places[..width]);
                for i in (0..m).step_by(HEIGHT) {
                    let height = HEIGHT.min(m - i);
                    let left = MatRef { data: &left.data[i * a.row_stride..], rows: height, ..left };
                    let part = &mut apart[..height * width];
                    part.fill(MaybeUninit::new(F::ZERO));
                    // SAFETY: the line above has written them.
                    let part = unsafe { part.assume_init_mut() };
                    matmul(MatMut::rows_of(part, height, width), left, right, false);
                    c.rows.fill(i, &mut lines[..height]);
                    let (rows, columns) = (&lines[..height], &places[..width]);
                    let step = c.cols.even().1;
                    dispatch(Scatter { from: part, rows, columns, step, accumulate, to: c.data });
                }
            }
            j += width;
        }
    }
}
