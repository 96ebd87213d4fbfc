//! One matrix product on one thread. In: strided views. Out: c = a·b or c += a·b.
//! Never: threads, or a shape the caller did not check.
use super::float::Float;
use super::isa::Isa;

/// What each number type needs of the product kernels.
pub trait Scalar {}
impl Scalar for f32 {}
impl Scalar for f64 {}

/// A matrix inside a slice: element (i, j) lies at `i·row_stride + j·col_stride`.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, F> {
    data: &'a [F],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

/// A matrix inside a mutable slice, no two elements of which share a place.
#[derive(Debug)]
pub struct MatMut<'a, F> {
    data: &'a mut [F],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

fn check(len: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) {
    let end = if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row_stride + (cols - 1) * col_stride + 1 };
    assert!(
        end <= len,
        "a {rows} × {cols} matrix with strides {row_stride}, {col_stride} in a slice of {len}: internal error"
    );
}

impl<'a, F: Float> MatRef<'a, F> {
    /// A view with strides.
    ///
    /// # Panics
    /// Where the slice is too short.
    pub fn new(data: &'a [F], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        check(data.len(), rows, cols, row_stride, col_stride);
        MatRef { data, rows, cols, row_stride, col_stride }
    }
    /// A row-major view.
    pub fn rows_of(data: &'a [F], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols, 1)
    }
    /// The transpose.
    pub fn t(self) -> Self {
        MatRef {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// The first `rows` rows, and the rest.
    pub fn split_rows(self, rows: usize) -> (Self, Self) {
        assert!(rows <= self.rows, "more rows than there are");
        let rest = &self.data[(rows * self.row_stride).min(self.data.len())..];
        (MatRef { rows, ..self }, MatRef { data: rest, rows: self.rows - rows, ..self })
    }
}

impl<'a, F: Float> MatMut<'a, F> {
    /// A view with strides.
    ///
    /// # Panics
    /// Where the slice is too short, or two elements share a place.
    pub fn new(data: &'a mut [F], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        check(data.len(), rows, cols, row_stride, col_stride);
        let apart = rows <= 1 && (cols <= 1 || col_stride > 0)
            || cols <= 1 && row_stride > 0
            || col_stride > 0 && row_stride >= cols * col_stride
            || row_stride > 0 && col_stride >= rows * row_stride;
        assert!(apart || rows == 0 || cols == 0, "elements of a result share a place: internal error");
        MatMut { data, rows, cols, row_stride, col_stride }
    }
    /// A row-major view.
    pub fn rows_of(data: &'a mut [F], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols, 1)
    }
    /// The transpose.
    pub fn t(self) -> Self {
        MatMut {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            data: self.data,
        }
    }
}

/// `c = a·b`, or `c += a·b`.
///
/// # Panics
/// Where the shapes do not match.
pub fn matmul<F: Float>(c: MatMut<'_, F>, a: MatRef<'_, F>, b: MatRef<'_, F>, accumulate: bool) {
    assert!(a.cols == b.rows && c.rows == a.rows && c.cols == b.cols, "shapes of a product: internal error");
    for i in 0..c.rows {
        for j in 0..c.cols {
            let mut s = F::ZERO;
            for p in 0..a.cols {
                s = super::isa::Portable::fma(a.data[i * a.row_stride + p * a.col_stride], b.data[p * b.row_stride + j * b.col_stride], s);
            }
            let at = i * c.row_stride + j * c.col_stride;
            c.data[at] = if accumulate { c.data[at] + s } else { s };
        }
    }
}
