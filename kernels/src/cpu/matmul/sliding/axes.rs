//! Matrices whose rows and columns are walked over along several axes. In: extents and strides. Out: offsets. Never: a view that
//! reaches beyond its slice.
use crate::cpu::float::Float;

/// The most axes of an index.
const MOST: usize = 4;

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
    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    /// The stride, where one is enough.
    pub(in super::super) fn single(&self) -> Option<usize> {
        let [.., (_, outer), (_, stride)] = self.axes;
        (outer == 0 && self.axes[..MOST - 2].iter().all(|axis| axis.1 == 0)).then_some(stride)
    }

    /// The innermost axis' extent and step, where its elements lie one or two apart.
    pub(super) fn even(&self) -> (usize, usize) {
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
    pub(in super::super) fn fill(&self, start: usize, to: &mut [usize]) {
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

/// A right factor: element (p, j) at the sum of the offsets of p and of j.
#[derive(Clone, Copy, Debug)]
pub struct SlideRef<'a, F> {
    pub(in super::super) data: &'a [F],
    pub(in super::super) rows: Axes,
    pub(in super::super) cols: Axes,
}

/// A result: as [`SlideRef`]. Elements may share places where a product accumulates.
#[derive(Debug)]
pub struct SlideMut<'a, F> {
    pub(in super::super) data: &'a mut [F],
    pub(in super::super) rows: Axes,
    pub(in super::super) cols: Axes,
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
    pub(in super::super) fn room(&self) -> usize {
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
    pub(in super::super) fn room(&self) -> usize {
        room(self.data.len(), &self.rows, &self.cols)
    }

    /// The stride of the rows, where the result is a plain matrix with contiguous columns.
    pub(super) fn plain(&self) -> Option<usize> {
        let (row, col) = (self.rows.single()?, self.cols.single()?);
        let apart = self.rows.len() == 1 || row >= self.cols.len();
        (apart && (col == 1 || self.cols.len() == 1)).then_some(row)
    }
}
