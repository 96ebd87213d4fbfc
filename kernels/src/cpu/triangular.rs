//! Triangular factors of tall matrices. In: a strided matrix A, m × n. Out: R, n × n, upper triangular, with
//! RᵀR = AᵀA, so that ‖x Aᵀ‖ = ‖x Rᵀ‖ for every x. Never: allocation (the caller brings room), or threads.
//!
//! Two ways, one for each type of number; either is *backward stable* in it: R is nearly exact for a matrix whose columns
//! are A's, each moved by a rounding error of its length. No way forms AᵀA in the type of A, which would take half
//! of the digits: a sum of squares of nearly collinear columns would be off by percents, or negative.
//!
//! - **f32** ([`gram`]): AᵀA in f64, where products of f32 are exact, and its Cholesky factor, in f64 too. What f64 has
//!   beyond f32 pays for the square. A pivot that is no more than its own rounding error counts as 0, with its row.
//! - **f64** ([`householder`]): reflections of A itself, three to four times the work.
mod gram;
mod householder;
#[cfg(test)]
mod tests;

use super::float::Float;
use super::isa::dispatch;

/// Rows of A that are taken at once.
const ROWS: usize = 128;
/// Rows of f64 are padded to a multiple of this many: a vector of the widest instruction set.
const LANES: usize = 8;

/// The numbers that [`triangular_factors`] needs for `count` factors of `n` columns: the factors, then room.
#[cfg(test)]
const fn room(count: usize, n: usize) -> usize {
    // Room for f64: R and a block, padded; and two more to begin and end at addresses of f64.
    count * n * n + 2 * (n + ROWS) * (n + 2 * LANES) + 2
}

/// Writes the triangular factors of `count` matrices, m × n, to the front of `memory`, n × n each, row-major, zeros
/// below the diagonal. Element (i, j) of matrix c lies at `from[c · outer + i · row + j · col]`. Behind the factors,
/// `memory` has room for work: 2 (n + 128) (n + 16) + 2 numbers. Of no rows the factor is 0.
///
/// Where A has a NaN or an infinity, R has a NaN in the same column.
///
/// # Panics
/// Where `memory` or `from` is too short.
pub fn triangular_factors<F: Float>(
    memory: &mut [F],
    from: &[F],
    [count, m, n]: [usize; 3],
    [outer, row, col]: [usize; 3],
) {
    let (factors, rest) = memory.split_at_mut(count * n * n);
    if n == 0 {
        return;
    }
    let room = doubles(rest);
    for (c, into) in factors.chunks_exact_mut(n * n).enumerate() {
        let from = if m == 0 { from } else { &from[c * outer..] };
        let a = Tall { from, m, n, row, col };
        // An odd number of vectors, so that rows do not fall on the same places of a cache.
        let width = (n.div_ceil(LANES) | 1) * LANES;
        if size_of::<F>() < size_of::<f64>() {
            gram::factor(&a, room, width);
        } else {
            dispatch(householder::Factor { a: &a, room, width });
        }
        for (i, (into, r)) in into.chunks_exact_mut(n).zip(room.chunks_exact(width)).enumerate() {
            into[..i].fill(F::ZERO);
            into[i..].iter_mut().zip(&r[i..n]).for_each(|(to, x)| *to = F::from_f64(*x));
        }
    }
}

/// The memory of numbers, as memory of f64.
fn doubles<F: Float>(memory: &mut [F]) -> &mut [f64] {
    // SAFETY: `Float` is f32 or f64: every bit pattern is a number of either, and neither is ever dropped.
    unsafe { memory.align_to_mut::<f64>().1 }
}

/// A matrix whose rows are copied block by block.
struct Tall<'a, F> {
    from: &'a [F],
    m: usize,
    n: usize,
    row: usize,
    col: usize,
}

impl<F: Float> Tall<'_, F> {
    /// Copies rows `first` to `first + rows`; zeros in the rows that `block` has beyond, and in the columns beyond n.
    #[inline(always)]
    fn load(&self, block: &mut [f64], width: usize, first: usize, rows: usize) {
        let Tall { n, row, col, .. } = *self;
        let from = &self.from[first * row..];
        if n < width {
            block.fill(0.0);
        } else {
            block[rows * width..].fill(0.0);
        }
        if col == 1 {
            for (i, to) in block.chunks_exact_mut(width).take(rows).enumerate() {
                to[..n].iter_mut().zip(&from[i * row..][..n]).for_each(|(to, x)| *to = x.to_f64());
            }
        } else {
            for j in 0..n {
                (0..rows).for_each(|i| block[i * width + j] = from[i * row + j * col].to_f64());
            }
        }
    }
}
