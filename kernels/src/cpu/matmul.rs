//! One matrix product on one thread. In: strided views. Out: c = a·b or c += a·b.
//! Never: threads, or a shape the caller did not check.
use super::float::Float;
use super::isa::{Body, Isa, again, dispatch};
use std::marker::PhantomData;

pub use abreast::{ABREAST, matmul_each, matmul_over};
use kernel::Factors;
use pack::View;
pub use panels::{Panels, matmul_panels, pack_panels, panels};
pub use scalar::Scalar;
use scalar::Work;
pub use sliding::{Axes, SlideMut, SlideRef, matmul_sliding};
pub(super) use transposed::copy_columns;
pub use transposed::copy_transposed;

mod abreast;
mod kernel;
mod pack;
mod panels;
mod scalar;
mod sliding;
mod strided;
mod sums;
#[cfg(test)]
mod tests;
mod thin;
mod transpose;
mod transposed;
mod vector;

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

/// `c = a·b`, or `c += a·b`. The bits depend on the shapes, the strides and the instruction set only.
///
/// # Panics
/// Where the shapes do not match.
pub fn matmul<F: Float>(c: MatMut<'_, F>, a: MatRef<'_, F>, b: MatRef<'_, F>, accumulate: bool) {
    F::matmul(c, a, b, accumulate);
}

/// The product of either type. The types' own methods call it, so that it is compiled once, here, and not
/// in every crate that multiplies.
#[inline(always)]
fn any<F: Float>(c: MatMut<'_, F>, a: MatRef<'_, F>, b: MatRef<'_, F>, accumulate: bool) {
    assert!(a.cols == b.rows && c.rows == a.rows && c.cols == b.cols, "shapes of a product: internal error");
    if c.rows == 0 || c.cols == 0 {
        return;
    }
    if a.cols == 0 {
        if !accumulate {
            zero(c);
        }
        return;
    }
    if c.cols == 1 {
        dispatch(thin::MatVec { c, a, b, accumulate });
    } else if c.rows == 1 {
        dispatch(thin::MatVec { c: c.t(), a: b.t(), b: a.t(), accumulate });
    } else {
        dispatch(Blocked { c, a, b, accumulate });
    }
}

/// A large product into a part of a row-major matrix whose rows are `row` elements apart, a's rows by b's columns of it.
///
/// # Safety
/// That part lies in a live allocation, and nobody else uses its elements.
pub(super) unsafe fn matmul_part<F: Float>(
    c: *mut F,
    row: usize,
    a: MatRef<'_, F>,
    b: MatRef<'_, F>,
    accumulate: bool,
) {
    assert!(a.cols == b.rows && a.cols > 0, "shapes of a product: internal error");
    let c = View { data: c, row, col: 1 };
    let factors = Factors { shape: (a.rows, b.cols, a.cols), c, a: view(a), b: view(b), accumulate };
    // SAFETY: the caller's, and `k` is not 0.
    unsafe { F::part(kernel::BothPacked(factors)) }
}

fn zero<F: Float>(c: MatMut<'_, F>) {
    for i in 0..c.rows {
        for j in 0..c.cols {
            c.data[i * c.row_stride + j * c.col_stride] = F::ZERO;
        }
    }
}

fn view<F>(a: MatRef<'_, F>) -> View<F> {
    View { data: a.data.as_ptr().cast_mut(), row: a.row_stride, col: a.col_stride }
}

fn view_mut<F>(c: MatMut<'_, F>) -> View<F> {
    View { data: c.data.as_mut_ptr(), row: c.row_stride, col: c.col_stride }
}

/// A product of two matrices for the kernel: as it is, or transposed.
struct Blocked<'a, F> {
    c: MatMut<'a, F>,
    a: MatRef<'a, F>,
    b: MatRef<'a, F>,
    accumulate: bool,
}

impl<F: Float> Body for Blocked<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Blocked { c, a, b, accumulate } = self;
        let (m, n, k) = (c.rows, c.cols, a.cols);
        let (va, vb) = (view(a), view(b));
        let vc = view_mut(c);
        let lanes =
            |n| I::KIND.vector_bytes().min(if n * size_of::<F>() > 32 { 64 } else { 32 }) / size_of::<F>();
        // A large product packs both factors either way.
        let straight = if kernel::is_large(m, n, k) && kernel::is_large(n, m, k) {
            vc.col == 1
        } else {
            cost(lanes(n), m, n, k, vb.col, vc.col) <= cost(lanes(m), n, m, k, va.row, vc.row)
        };
        let ((m, n, k), c, a, b) =
            if straight { ((m, n, k), vc, va, vb) } else { ((n, m, k), vc.t(), vb.t(), va.t()) };
        // The constructors checked the views against their slices, which live to the end of this call, c's exclusively.
        let factors = Factors { shape: (m, n, k), c, a, b, accumulate };
        if kernel::is_large(m, n, k) {
            // Apart, or its stack frame would be that of every product.
            again::<I, _>(Apart(kernel::BothPacked(factors), PhantomData));
        } else {
            // SAFETY: the instruction set is the one that `run` was called for, hence enabled.
            unsafe { F::work::<I, _>(kernel::InPlace(factors)) }
        }
    }
}

/// Work of a kernel as a body of its own. Who makes one has promised what the work asks for.
struct Apart<F, W>(W, PhantomData<F>);

impl<F: Float, W: Work<F>> Body for Apart<F, W> {
    type Output = W::Output;
    #[inline(always)]
    fn run<I: Isa>(self) -> W::Output {
        // SAFETY: the maker's promise; the instruction set is the one that `run` was called for, hence enabled.
        unsafe { F::work::<I, _>(self.0) }
    }
}

/// Rough cycles of the kernel with n along the vectors: products, and the copies where b's or c's rows are
/// not contiguous.
fn cost(lanes: usize, m: usize, n: usize, k: usize, b_col: usize, c_col: usize) -> usize {
    let products = m * n.next_multiple_of(lanes) * k / (2 * lanes);
    let pack = if b_col == 1 { 0 } else { n * k };
    let scatter = if c_col == 1 { 0 } else { m * n };
    products + pack + scatter
}
