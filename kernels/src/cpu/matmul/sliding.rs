//! A product whose right factor, and whose result, are walked over along several axes: a convolution without the
//! matrix of its pieces. In: strides. Out: c = a·b or c += a·b. Never: allocation (blocks lie on the stack), or an
//! order of sums that depends on anything but the shape.
//!
//! A block of b is gathered into a row-major panel and multiplied as usual; where the result's columns are not
//! contiguous, its block is computed apart and then added where it belongs, element after element, so that elements
//! may share places.
use super::scalar::Kernel;
use super::strided::{LONGEST, Shape};
use super::{MatMut, MatRef, matmul};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa, dispatch};
use std::mem::MaybeUninit;

/// The most axes of an index.
const MOST: usize = 4;
/// Columns of a block.
const WIDTH: usize = 96;
/// Rows of a gathered block of b; a block is 48 KiB of f32.
const DEPTH: usize = 128;
/// Rows of a block of c that is computed apart.
const HEIGHT: usize = 64;

/// Runs that are shorter than this on average are copied element by element.
const RUN: usize = 4;

/// An index over several axes, the last fastest: extents and strides. At most four.
#[derive(Clone, Copy, Debug)]
pub struct Axes {
    axes: [(usize, usize); MOST],
    len: usize,
}

impl Axes {
    /// The axes, outermost first; neighbours that lie evenly become one.
    ///
    /// # Panics
    /// For more than four.
    #[must_use]
    pub fn new(axes: &[(usize, usize)]) -> Self {
        assert!(axes.len() <= MOST, "{} axes in a product: internal error", axes.len());
        let mut all = [(1, 0); MOST];
        let mut used = MOST;
        for &(extent, stride) in axes.iter().rev() {
            match all.get_mut(used) {
                _ if extent == 1 => {}
                Some(inner) if stride == inner.0 * inner.1 => inner.0 *= extent,
                _ => {
                    used -= 1;
                    all[used] = (extent, stride);
                }
            }
        }
        let len = axes.iter().map(|axis| axis.0).product();
        Axes { axes: all, len }
    }

    /// The number of elements.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The stride, where one is enough.
    pub(super) fn single(&self) -> Option<usize> {
        let [.., (_, outer), (_, stride)] = self.axes;
        (outer == 0 && self.axes[..MOST - 2].iter().all(|axis| axis.1 == 0)).then_some(stride)
    }

    /// The innermost axis' extent and step, where its elements lie one or two apart.
    fn even(&self) -> (usize, usize) {
        match self.axes[MOST - 1] {
            (extent, step @ (1 | 2)) => (extent, step),
            _ => (1, 1),
        }
    }

    /// One past the largest offset.
    fn end(&self) -> usize {
        if self.len == 0 {
            0
        } else {
            self.axes.iter().map(|(n, stride)| (n - 1) * stride).sum::<usize>() + 1
        }
    }

    /// The offsets of the elements from `start` on.
    pub(super) fn fill(&self, start: usize, to: &mut [usize]) {
        // The position of `start` along each axis, then on like an odometer.
        let (mut at, mut left) = ([0; MOST], start);
        for (position, (extent, _)) in at.iter_mut().zip(self.axes).rev() {
            if extent > 1 {
                (*position, left) = (left % extent, left / extent);
            }
        }
        let (run, stride) = self.axes[MOST - 1];
        let mut first: usize =
            at.iter().zip(self.axes).map(|(position, (_, stride))| position * stride).sum();
        let mut inner = at[MOST - 1];
        let mut rest = to;
        loop {
            let (now, later) = rest.split_at_mut((run - inner).min(rest.len()));
            for (place, j) in now.iter_mut().zip(0..) {
                *place = first + j * stride;
            }
            if later.is_empty() {
                return;
            }
            rest = later;
            first -= inner * stride;
            inner = 0;
            for axis in (0..MOST - 1).rev() {
                let (extent, stride) = self.axes[axis];
                at[axis] += 1;
                first += stride;
                if at[axis] < extent {
                    break;
                }
                first -= extent * stride;
                at[axis] = 0;
            }
        }
    }
}

/// Elements of a row that lie evenly.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The first one's place in the row of a block, and its offset.
    start: usize,
    first: usize,
    len: usize,
}

/// Cuts the offsets of a row, whose axis has this innermost step, into runs; none where they are short.
#[inline(always)]
fn runs<'a>(
    offsets: &[usize],
    step: usize,
    into: &'a mut [MaybeUninit<Run>; DEPTH / RUN],
) -> Option<&'a [Run]> {
    let most = offsets.len() / RUN;
    let (mut used, mut start) = (0, 0);
    while start < offsets.len() {
        let first = offsets[start];
        let rest = offsets[start..].iter().take(LONGEST).zip(0..);
        let len = rest.take_while(|&(&offset, i)| offset == first + i * step).count();
        if used == most {
            return None;
        }
        into[used].write(Run { start, first, len });
        (used, start) = (used + 1, start + len);
    }
    // SAFETY: the loop has written these.
    Some(unsafe { into[..used].assume_init_ref() })
}

/// A right factor: element (p, j) at the sum of the offsets of p and of j.
#[derive(Clone, Copy, Debug)]
pub struct SlideRef<'a, F> {
    pub(super) data: &'a [F],
    pub(super) rows: Axes,
    pub(super) cols: Axes,
}

/// A result: as [`SlideRef`]. Elements may share places where a product accumulates.
#[derive(Debug)]
pub struct SlideMut<'a, F> {
    pub(super) data: &'a mut [F],
    pub(super) rows: Axes,
    pub(super) cols: Axes,
}

/// One past the last element.
fn end(rows: &Axes, cols: &Axes) -> usize {
    if rows.len() == 0 || cols.len() == 0 { 0 } else { rows.end() + cols.end() - 1 }
}

/// The elements from the last one on; any number of them where there is none.
fn room(len: usize, rows: &Axes, cols: &Axes) -> usize {
    end(rows, cols).checked_sub(1).map_or(usize::MAX, |last| len - last)
}

fn check(len: usize, rows: &Axes, cols: &Axes) {
    let end = end(rows, cols);
    assert!(end <= len, "a product reaches {end} in a slice of {len}: internal error");
}

impl<'a, F: Float> SlideRef<'a, F> {
    /// A view along axes.
    ///
    /// # Panics
    /// Where the slice is too short.
    pub fn new(data: &'a [F], rows: Axes, cols: Axes) -> Self {
        check(data.len(), &rows, &cols);
        SlideRef { data, rows, cols }
    }

    /// The elements of the slice from the last one of the view on.
    pub(super) fn room(&self) -> usize {
        room(self.data.len(), &self.rows, &self.cols)
    }
}

impl<'a, F: Float> SlideMut<'a, F> {
    /// A view along axes.
    ///
    /// # Panics
    /// Where the slice is too short.
    pub fn new(data: &'a mut [F], rows: Axes, cols: Axes) -> Self {
        check(data.len(), &rows, &cols);
        SlideMut { data, rows, cols }
    }

    /// The elements of the slice from the last one of the view on.
    pub(super) fn room(&self) -> usize {
        room(self.data.len(), &self.rows, &self.cols)
    }

    /// The stride of the rows, where the result is a plain matrix with contiguous columns.
    fn plain(&self) -> Option<usize> {
        let (row, col) = (self.rows.single()?, self.cols.single()?);
        let apart = self.rows.len() == 1 || row >= self.cols.len();
        (apart && (col == 1 || self.cols.len() == 1)).then_some(row)
    }
}

/// `c = a·b`, or `c += a·b`. The bits depend on the shapes, the strides and the instruction set only.
///
/// # Panics
/// Where the shapes do not match.
pub fn matmul_sliding<F: Float>(c: SlideMut<'_, F>, a: MatRef<'_, F>, b: SlideRef<'_, F>, accumulate: bool) {
    let (m, n, k) = (c.rows.len(), c.cols.len(), b.rows.len());
    assert!(a.rows == m && a.cols == k && b.cols.len() == n, "shapes of a product: internal error");
    // SAFETY: it asks for nothing.
    unsafe { F::multiply(Kernel::Sliding(Sliding { c, a, b, accumulate })) }
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

/// A block of b as a row-major matrix.
struct Gather<'a, F> {
    from: &'a [F],
    rows: &'a [usize],
    columns: &'a [usize],
    /// How far apart the elements of a run lie: 1 or 2.
    step: usize,
    to: &'a mut [MaybeUninit<F>],
}

impl<F: Float> Body for Gather<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Gather { from, rows, columns, step, to } = self;
        let mut memory = [const { MaybeUninit::uninit() }; DEPTH / RUN];
        let runs = runs(columns, step, &mut memory);
        let last = columns.iter().copied().max().unwrap_or(0);
        let mut shape = Shape::new(1, step);
        for (start, to) in rows.iter().zip(to.chunks_exact_mut(columns.len())) {
            // All that the columns reach: checked once a row.
            let from = &from[*start..start + last + 1];
            if let Some(runs) = runs {
                for run in runs {
                    if run.len != shape.len() {
                        shape = Shape::new(run.len, step);
                    }
                    // SAFETY: no run reaches beyond `last`, which `from` has, or beyond the columns, as which `to`
                    // is long.
                    unsafe {
                        let to = to.as_mut_ptr().add(run.start).cast();
                        F::take::<I>(from.as_ptr().add(run.first), to, shape);
                    }
                }
            } else {
                for (value, column) in to.iter_mut().zip(columns) {
                    // SAFETY: no column is beyond `last`, which `from` has.
                    value.write(unsafe { *from.get_unchecked(*column) });
                }
            }
        }
    }
}

/// A row-major block of results to its places, one after the other: they may be the same.
struct Scatter<'a, F> {
    from: &'a [F],
    rows: &'a [usize],
    columns: &'a [usize],
    /// How far apart the elements of a run lie: 1 or 2.
    step: usize,
    accumulate: bool,
    to: &'a mut [F],
}

impl<F: Float> Body for Scatter<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Scatter { from, rows, columns, step, accumulate, to } = self;
        let mut memory = [const { MaybeUninit::uninit() }; DEPTH / RUN];
        let runs = runs(columns, step, &mut memory).filter(|_| accumulate);
        let last = columns.iter().copied().max().unwrap_or(0);
        let mut shape = Shape::new(1, step);
        for (start, from) in rows.iter().zip(from.chunks_exact(columns.len())) {
            // All that the columns reach: checked once a row.
            let to = &mut to[*start..start + last + 1];
            if let Some(runs) = runs {
                for run in runs {
                    if run.len != shape.len() {
                        shape = Shape::new(run.len, step);
                    }
                    // SAFETY: no run reaches beyond `last`, which `to` has, or beyond the columns, as which `from` is
                    // long; places within a run differ.
                    unsafe {
                        let to = to.as_mut_ptr().add(run.first);
                        F::add_each::<I>(from.as_ptr().add(run.start), to, shape);
                    }
                }
                continue;
            }
            for (column, value) in columns.iter().zip(from) {
                // SAFETY: no column is beyond `last`, which `to` has.
                let place = unsafe { to.get_unchecked_mut(*column) };
                *place = if accumulate { *place + *value } else { *value };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(n: usize, seed: u64) -> Vec<f64> {
        let mut out = vec![0.0; n];
        crate::random::uniform(crate::random::Stream { seed, step: 0, site: 0 }, 0, &mut out);
        out.iter().map(|x| x - 0.5).collect()
    }

    /// Every element, the axes of an index as nested loops.
    fn offsets(axes: &[(usize, usize)]) -> Vec<usize> {
        axes.iter().fold(vec![0], |all, &(n, stride)| {
            all.iter().flat_map(|base| (0..n).map(move |i| base + i * stride)).collect()
        })
    }

    fn check(
        rows: &[(usize, usize)],
        m: &[(usize, usize)],
        k: &[(usize, usize)],
        n: &[(usize, usize)],
        cn: &[(usize, usize)],
    ) {
        let (om, ok, on, ocn) = (offsets(rows), offsets(k), offsets(n), offsets(cn));
        let (height, depth) = (offsets(m).len(), ok.len());
        let most = |of: &[usize]| of.iter().max().copied().unwrap_or(0);
        let a = random(height * depth + 1, 1);
        let b = random(most(&ok) + most(&on) + 1, 2);
        let start = random(most(&om) + most(&ocn) + 1, 3);
        for accumulate in [false, true] {
            let mut got = start.clone();
            matmul_sliding(
                SlideMut::new(&mut got, Axes::new(rows), Axes::new(cn)),
                MatRef::rows_of(&a, height, depth),
                SlideRef::new(&b, Axes::new(k), Axes::new(n)),
                accumulate,
            );
            let mut want = start.clone();
            for (i, r) in om.iter().enumerate() {
                for (j, c) in on.iter().zip(&ocn) {
                    let sum: f64 = ok.iter().enumerate().map(|(p, k)| a[i * depth + p] * b[k + j]).sum();
                    want[r + c] = if accumulate { want[r + c] + sum } else { sum };
                }
            }
            for (want, got) in want.iter().zip(&got) {
                assert!((want - got).abs() < 1e-12, "{got} instead of {want}, accumulating: {accumulate}");
            }
        }
    }

    #[test]
    fn convolutions_are_products() {
        // 5 channels from 3 of 9 × 11, kernel 3 × 2, stride 2: a plain result.
        check(&[(5, 20)], &[(5, 1)], &[(3, 99), (3, 11), (2, 1)], &[(4, 22), (5, 2)], &[(20, 1)]);
        // Long sums and many positions: several blocks.
        check(&[(3, 400)], &[(3, 1)], &[(40, 500), (5, 1)], &[(400, 1)], &[(400, 1)]);
        check(&[(70, 1)], &[(70, 1)], &[(150, 7)], &[(130, 1)], &[(130, 70)]);
        // Runs that are copied whole, one of them cut by a block.
        check(&[(3, 130)], &[(3, 1)], &[(2, 600), (3, 1)], &[(5, 40), (26, 1)], &[(130, 1)]);
        check(&[(3, 1)], &[(3, 1)], &[(2, 600), (3, 1)], &[(5, 40), (26, 1)], &[(5, 90), (26, 3)]);
        check(&[(3, 200)], &[(3, 1)], &[(7, 1)], &[(5, 40), (26, 1)], &[(5, 30), (26, 1)]);
        // An outer axis of 1, no sum at all, no column at all.
        check(&[(1, 9), (2, 9)], &[(2, 1)], &[(1, 5)], &[(3, 2), (1, 0)], &[(3, 1)]);
        check(&[(2, 3)], &[(2, 1)], &[(0, 1)], &[(3, 1)], &[(3, 1)]);
        check(&[(2, 3)], &[(2, 1)], &[(4, 1)], &[(0, 1)], &[(0, 1)]);
    }

    #[test]
    fn places_may_be_shared() {
        // Rows (channel, kernel row, kernel column) over positions, stride 1: every place takes up to 9 terms.
        let rows = [(2, 64), (3, 8), (3, 1)];
        let (ok, on) = (offsets(&rows), offsets(&[(6, 8), (6, 1)]));
        let (a, b) = (random(18 * 4, 1), random(4 * 36, 2));
        let mut got = vec![0.0; 128];
        matmul_sliding(
            SlideMut::new(&mut got, Axes::new(&rows), Axes::new(&[(6, 8), (6, 1)])),
            MatRef::rows_of(&a, 18, 4),
            SlideRef::new(&b, Axes::new(&[(4, 36)]), Axes::new(&[(36, 1)])),
            true,
        );
        let mut want = vec![0.0; 128];
        for (i, r) in ok.iter().enumerate() {
            for (j, c) in on.iter().enumerate() {
                want[r + c] += (0..4).map(|p| a[i * 4 + p] * b[p * 36 + j]).sum::<f64>();
            }
        }
        assert!(want.iter().zip(&got).all(|(want, got): (&f64, &f64)| (want - got).abs() < 1e-12));
    }
}
