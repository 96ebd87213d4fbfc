//! Products that a BLAS takes: two matrices, perhaps many of them at equal distances.
//!
//! In: a product of any number of axes. Out: the same as one column-major matrix product, or nothing. Never: a sum in
//! another order than the library's; a product that is too small to gain by it.

use super::tape::{Axis, Product};

/// Fewer rows, columns or terms than this are no matter for tensor cores, and kernels of ours lose nothing.
const LEAST: usize = 8;

/// One factor or the result, column-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Matrix {
    /// Rows as it lies in memory: what follows each other.
    pub rows: usize,
    /// Columns as it lies.
    pub columns: usize,
    /// Elements from one column to the next.
    pub leading: usize,
    /// Elements from one repetition to the next.
    pub stride: usize,
    /// Whether it is meant the other way round.
    pub transposed: bool,
}

/// `c (+)= first · second`, column-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Plain {
    pub first: Matrix,
    pub second: Matrix,
    pub result: Matrix,
    /// Whether `first` is the right factor of the product, because the result is row-major.
    pub swapped: bool,
    /// How many.
    pub batch: usize,
    pub accumulate: bool,
}

impl Plain {
    /// The product as one of matrices, where it is one.
    pub fn of(product: &Product) -> Option<Plain> {
        let Product { outer, m, n, k, accumulate, .. } = product;
        let [m, n, k] = [one(m)?, one(n)?, one(k)?];
        let outer = one(outer)?;
        if [m, n, k].iter().any(|axis| axis.size < LEAST) {
            return None;
        }
        // Row-major C = A B is column-major Cᵀ = Bᵀ Aᵀ.
        let swapped = m.c != 1;
        let (rows, columns) = if swapped { (n, m) } else { (m, n) };
        if rows.c != 1 || columns.c < rows.size {
            return None;
        }
        let left =
            |rows: usize, row_stride, k_stride, stride| matrix(rows, row_stride, k.size, k_stride, stride);
        let (a, b) = ((m.a, k.a, outer.a), (n.b, k.b, outer.b));
        let (first, second) = if swapped { (b, a) } else { (a, b) };
        let second = matrix(k.size, second.1, columns.size, second.0, second.2)?;
        Some(Plain {
            first: left(rows.size, first.0, first.1, first.2)?,
            second,
            result: matrix(rows.size, 1, columns.size, columns.c, outer.c)?,
            swapped,
            batch: outer.size,
            accumulate: *accumulate,
        })
    }

    /// Whether the columns of the product lie side by side in its result, all of it without gaps: then a library may add a bias to them.
    pub fn takes_bias(&self) -> bool {
        self.swapped && self.batch == 1 && self.result.leading == self.result.rows
    }

    /// Rows and columns of the result, and the terms of each sum.
    pub fn sizes(&self) -> [usize; 3] {
        let Matrix { rows, columns, transposed, .. } = self.first;
        [self.result.rows, self.result.columns, if transposed { rows } else { columns }]
    }
}

/// A matrix by its strides, where one of them is 1 and columns do not overlap.
fn matrix(
    rows: usize,
    row_stride: usize,
    columns: usize,
    column_stride: usize,
    stride: usize,
) -> Option<Matrix> {
    if row_stride == 1 && column_stride >= rows {
        Some(Matrix { rows, columns, leading: column_stride, stride, transposed: false })
    } else if column_stride == 1 && row_stride >= columns {
        Some(Matrix { rows: columns, columns: rows, leading: row_stride, stride, transposed: true })
    } else {
        None
    }
}

/// Several axes as one, where they lie as one in all that has them.
fn one(axes: &[Axis]) -> Option<Axis> {
    let mut axes = axes.iter().filter(|axis| axis.size != 1).rev();
    let Some(mut last) = axes.next().copied() else { return Some(Axis { size: 1, a: 0, b: 0, c: 0 }) };
    for axis in axes {
        let follows = |stride: fn(&Axis) -> usize| stride(axis) == stride(&last) * last.size;
        if !follows(|axis| axis.a) || !follows(|axis| axis.b) || !follows(|axis| axis.c) {
            return None;
        }
        last.size *= axis.size;
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::tape::{Pointer, Space};

    fn axis(size: usize, a: usize, b: usize, c: usize) -> Axis {
        Axis { size, a, b, c }
    }

    fn product(outer: Vec<Axis>, m: Vec<Axis>, n: Vec<Axis>, k: Vec<Axis>) -> Product {
        let at = Pointer::new(Space::Work);
        Product { outer, m, n, k, a: at, b: at, c: at, accumulate: false }
    }

    /// Every place of a group of axes.
    fn places(axes: &[Axis]) -> Vec<[usize; 3]> {
        axes.iter().fold(vec![[0; 3]], |places, axis| {
            let next = |place: &[usize; 3], i: usize| {
                [place[0] + i * axis.a, place[1] + i * axis.b, place[2] + i * axis.c]
            };
            places.iter().flat_map(|place| (0..axis.size).map(move |i| next(place, i))).collect()
        })
    }

    /// What a product means.
    fn meaning(product: &Product, a: &[f64], b: &[f64], c: &mut [f64]) {
        for o in places(&product.outer) {
            for m in places(&product.m) {
                for n in places(&product.n) {
                    let terms = places(&product.k).into_iter();
                    c[o[2] + m[2] + n[2]] =
                        terms.map(|k| a[o[0] + m[0] + k[0]] * b[o[1] + n[1] + k[1]]).sum();
                }
            }
        }
    }

    /// What a column-major BLAS does.
    fn blas(plain: &Plain, a: &[f64], b: &[f64], c: &mut [f64]) {
        let (first, second) = if plain.swapped { (b, a) } else { (a, b) };
        let [rows, columns, terms] = plain.sizes();
        let element = |matrix: &Matrix, values: &[f64], batch: usize, row: usize, column: usize| {
            let (row, column) = if matrix.transposed { (column, row) } else { (row, column) };
            assert!(row < matrix.rows && column < matrix.columns && matrix.leading >= matrix.rows);
            values[batch * matrix.stride + row + column * matrix.leading]
        };
        for batch in 0..plain.batch {
            for row in 0..rows {
                for column in 0..columns {
                    let term = |k| {
                        element(&plain.first, first, batch, row, k)
                            * element(&plain.second, second, batch, k, column)
                    };
                    let place = batch * plain.result.stride + row + column * plain.result.leading;
                    c[place] = (0..terms).map(term).sum();
                }
            }
        }
    }

    fn agrees(product: &Product) -> Plain {
        let plain = Plain::of(product).unwrap_or_else(|| panic!("no plain product: {product:?}"));
        let numbers = |seed: u64| -> Vec<f64> {
            let next = |x: &mut u64| {
                *x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                Some((*x >> 40) as f64)
            };
            std::iter::successors(Some(seed), |x| Some(x.wrapping_add(1)))
                .scan(seed, |x, _| next(x))
                .take(20_000)
                .collect()
        };
        let (a, b) = (numbers(1), numbers(2));
        let (mut expected, mut found) = (vec![-1.0; 20_000], vec![-1.0; 20_000]);
        meaning(product, &a, &b, &mut expected);
        blas(&plain, &a, &b, &mut found);
        assert_eq!(expected, found);
        plain
    }

    #[test]
    fn every_order_of_factors_and_result() {
        let (m, n, k) = (9, 11, 13);
        for (am, ak) in [(k, 1), (1, m), (k + 3, 1), (1, m + 2)] {
            for (bk, bn) in [(n, 1), (1, k), (n + 1, 1), (1, k + 5)] {
                for (cm, cn) in [(n, 1), (1, m), (n + 7, 1), (1, m + 4)] {
                    for outer in [vec![], vec![axis(3, 2000, 1500, 1000)], vec![axis(3, 0, 1500, 1000)]] {
                        agrees(&product(
                            outer,
                            vec![axis(m, am, 0, cm)],
                            vec![axis(n, 0, bn, cn)],
                            vec![axis(k, ak, bk, 0)],
                        ));
                    }
                }
            }
        }
    }

    #[test]
    fn axes_that_lie_as_one_are_one() {
        let m = vec![axis(2, 60, 0, 110), axis(5, 12, 0, 22), axis(1, 7, 0, 9)];
        let k = vec![axis(3, 4, 88, 0), axis(4, 1, 22, 0)];
        let plain = agrees(&product(vec![], m.clone(), vec![axis(22, 0, 1, 1)], k));
        assert_eq!(plain.sizes(), [22, 10, 12]);
        let apart = vec![axis(3, 4, 90, 0), axis(4, 1, 22, 0)];
        assert_eq!(Plain::of(&product(vec![], m, vec![axis(22, 0, 1, 1)], apart)), None);
    }

    #[test]
    fn what_is_no_matrix_product_stays() {
        let (m, n, k) = (axis(9, 13, 0, 11), axis(11, 0, 1, 1), axis(13, 1, 11, 0));
        assert!(Plain::of(&product(vec![], vec![m], vec![n], vec![k])).is_some());
        for (m, n, k) in [
            (axis(1, 13, 0, 11), n, k),
            (m, axis(7, 0, 1, 1), k),
            (m, n, axis(0, 1, 11, 0)),
            (axis(9, 26, 0, 11), n, axis(13, 2, 11, 0)),
            // Windows that overlap: the leading dimension is shorter than a column.
            (axis(9, 2, 0, 11), n, k),
            // A result that shares places is never asked for; one that is spread out is no matrix.
            (axis(9, 13, 0, 33), axis(11, 0, 1, 3), k),
        ] {
            assert_eq!(Plain::of(&product(vec![], vec![m], vec![n], vec![k])), None);
        }
        let two = vec![axis(2, 1000, 500, 100), axis(3, 100, 100, 300)];
        assert_eq!(Plain::of(&product(two, vec![m], vec![n], vec![k])), None);
    }
}
