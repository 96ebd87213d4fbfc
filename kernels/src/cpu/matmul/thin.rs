//! Matrix times vector. In: a matrix and one column. Out: one column. Never: packing.
use super::{MatMut, MatRef};
use crate::cpu::block::{self, BLOCK};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa};

/// c = a·b or c += a·b where b and c have one column.
pub(super) struct MatVec<'a, F> {
    pub c: MatMut<'a, F>,
    pub a: MatRef<'a, F>,
    pub b: MatRef<'a, F>,
    pub accumulate: bool,
}

impl<F: Float> Body for MatVec<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        if self.a.col_stride == 1 && self.a.cols > 1 { self.dots::<I>() } else { self.columns::<I>() }
    }
}

impl<F: Float> MatVec<'_, F> {
    /// Row by row: a dot product each, in 64 lanes.
    #[inline(always)]
    fn dots<I: Isa>(self) {
        let MatVec { c, a, b, accumulate } = self;
        for i in 0..a.rows {
            let row = &a.data[i * a.row_stride..][..a.cols];
            let mut acc = [F::ZERO; BLOCK];
            for start in (0..a.cols).step_by(BLOCK) {
                let len = BLOCK.min(a.cols - start);
                let left: [F; BLOCK] = block::load(row, start, len);
                let right: [F; BLOCK] = block::load_strided(b.data, start * b.row_stride, b.row_stride, len);
                for l in 0..BLOCK {
                    acc[l] = I::fma(left[l], right[l], acc[l]);
                }
            }
            let to = &mut c.data[i * c.row_stride];
            let dot = block::sum(&acc, BLOCK);
            *to = if accumulate { *to + dot } else { dot };
        }
    }

    /// A block of rows at a time, adding column after column.
    #[inline(always)]
    fn columns<I: Isa>(self) {
        let MatVec { c, a, b, accumulate } = self;
        for start in (0..a.rows).step_by(BLOCK) {
            let len = BLOCK.min(a.rows - start);
            let mut acc = [F::ZERO; BLOCK];
            for p in 0..a.cols {
                let from = start * a.row_stride + p * a.col_stride;
                let column: [F; BLOCK] = block::load_strided(a.data, from, a.row_stride, len);
                let x = b.data[p * b.row_stride];
                for l in 0..BLOCK {
                    acc[l] = I::fma(column[l], x, acc[l]);
                }
            }
            for l in 0..len {
                let to = &mut c.data[(start + l) * c.row_stride];
                *to = if accumulate { *to + acc[l] } else { acc[l] };
            }
        }
    }
}
