//! The triangular factor of a matrix of f32. In: the matrix. Out: R. Never: f32, once the matrix is read.
//!
//! G = AᵀA is summed in f64, where products of f32 are exact; R is its Cholesky factor (Golub and Van Loan 2013,
//! algorithm 4.2.1), row block by row block. Then |RᵀR − G|ᵢⱼ ≤ (n + 1) u ‖aᵢ‖ ‖aⱼ‖ and what the sums of G lost, u = 2⁻⁵³
//! (Higham 2002, theorem 10.3).
//!
//! A pivot is what column k has beyond the columns before it, squared. One of at most n ε Gₖₖ is lost in that error: it counts
//! as 0, and so does its row. That moves column k by √(n ε) ‖aₖ‖: 1.7e-7 of its length for n = 128, as an f32 does. And no
//! row is divided by a smaller pivot, so no rounding error grows.
use super::{LANES, ROWS, Tall};
use crate::Float;
use crate::cpu::isa::{Body, Isa, dispatch};
use crate::cpu::matmul::{MatMut, MatRef, matmul};

/// Columns of G, and rows of R, that are computed at once.
const SIDE: usize = 64;

/// Leaves R in the first n rows of `room`, each `width` long; what is below the diagonal means nothing.
pub(super) fn factor<F: Float>(a: &Tall<'_, F>, room: &mut [f64], width: usize) {
    let n = a.n;
    let (r, rest) = room.split_at_mut(n * width);
    let block = &mut rest[..ROWS * width];
    r.fill(0.0);
    for first in (0..a.m).step_by(ROWS) {
        let rows = ROWS.min(a.m - first);
        a.load(&mut block[..rows * width], width, first, rows);
        // On and above the diagonal, in blocks of columns.
        for j in (0..n).step_by(SIDE) {
            let (columns, end) = (SIDE.min(n.next_multiple_of(LANES) - j), (j + SIDE).min(n));
            let c = MatMut::new(&mut r[j..], end, columns, width, 1);
            let left = MatRef::new(block, end, rows, 1, width);
            let right = MatRef::new(&block[j..], rows, columns, width, 1);
            matmul(c, left, right, true);
        }
    }
    cholesky(r, n, width);
}

/// The Cholesky factor of a matrix, in its place.
fn cholesky(r: &mut [f64], n: usize, width: usize) {
    // A product adds, so what is left to factor stands there with the opposite sign: RᵀR − G.
    let limit = (n + LANES) as f64 * f64::EPSILON;
    for x in r.iter_mut() {
        *x = -*x;
    }
    for first in (0..n).step_by(SIDE) {
        let rows = SIDE.min(n - first);
        let (above, rest) = r.split_at_mut(first * width);
        let left = &mut rest[..rows * width];
        // The diagonal of G, which says how large a rounding error is.
        let mut diagonal = [0.0; SIDE];
        (0..rows).for_each(|i| diagonal[i] = -left[i * width + first + i]);
        if first > 0 {
            let columns = n.next_multiple_of(LANES) - first;
            let c = MatMut::new(&mut left[first..], rows, columns, width, 1);
            let a = MatRef::new(&above[first..], rows, first, 1, width);
            let b = MatRef::new(&above[first..], first, columns, width, 1);
            matmul(c, a, b, true);
        }
        dispatch(Rows { left, first, rows, n, width, diagonal: &diagonal, limit });
    }
}

/// The rows of a block, one after the other.
struct Rows<'a> {
    left: &'a mut [f64],
    first: usize,
    rows: usize,
    n: usize,
    width: usize,
    diagonal: &'a [f64; SIDE],
    limit: f64,
}

impl Body for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Rows { left, first, rows, n, width, diagonal, limit } = self;
        let end = n.next_multiple_of(LANES);
        for i in 0..rows {
            // Whole vectors; what comes before the diagonal means nothing.
            let at = first + i;
            let start = at / LANES * LANES;
            let (this, below) = left[i * width..].split_at_mut(width);
            let pivot = -this[at];
            // A NaN goes on, and so does an infinity, which is below its own rounding error.
            if pivot <= limit * diagonal[i] && diagonal[i] < f64::INFINITY {
                this[start..end].fill(0.0);
                continue;
            }
            let part = -1.0 / pivot.sqrt();
            this[start..end].iter_mut().for_each(|x| *x *= part);
            let this = &this[start..end];
            for (j, row) in below.chunks_exact_mut(width).take(rows - i - 1).enumerate() {
                let factor = this[at + 1 + j - start];
                let row = &mut row[start..end];
                for (to, x) in row.chunks_exact_mut(LANES).zip(this.chunks_exact(LANES)) {
                    for l in 0..LANES {
                        to[l] = I::fma(factor, x[l], to[l]);
                    }
                }
            }
        }
    }
}
