//! The triangular factor of a matrix of f64. In: the matrix. Out: R. Never: AᵀA.
//!
//! Householder reflections (Golub and Van Loan 2013, algorithm 5.2.1). A comes in blocks of rows, each of which is reflected
//! into the R of those before it, as in LAPACK's `dtpqrt`: no copy of A is made, and a block stays in the cache.
//! |RᵀR − AᵀA|ᵢⱼ is at most some m n ε ‖aᵢ‖ ‖aⱼ‖ (Higham 2002, theorem 19.4), and so is the error of ‖x Rᵀ‖, not of its square.
use super::{LANES, Tall};
use crate::Float;
use crate::cpu::isa::{Body, Isa};

/// Rows of A that are reflected at once.
const ROWS: usize = 32;
/// Columns whose reflections are applied together.
const PANEL: usize = 16;

/// Leaves R in the first n rows of `room`, each `width` long; what is below the diagonal means nothing.
pub(super) struct Factor<'a, F> {
    pub a: &'a Tall<'a, F>,
    pub room: &'a mut [f64],
    pub width: usize,
}

impl<F: Float> Body for Factor<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Factor { a, room, width } = self;
        let (r, rest) = room.split_at_mut(a.n * width);
        let block = &mut rest[..ROWS * width];
        r.fill(0.0);
        let columns = a.n.next_multiple_of(LANES);
        for first in (0..a.m).step_by(ROWS) {
            a.load(block, width, first, ROWS.min(a.m - first));
            for k in (0..a.n).step_by(PANEL) {
                panel::<I>(r, block, [width, columns], k, PANEL.min(a.n - k));
            }
        }
    }
}

/// A reflection H = 1 − τ v vᵀ with v = (1, w) on a row of R and on the block.
#[derive(Clone, Copy)]
struct Reflection {
    w: [f64; ROWS],
    tau: f64,
}

/// Reflects columns k to k + count of the block into `r`, and everything to the right with them. What this leaves in
/// the block's columns is never read, nor what it leaves in `r` below the diagonal.
#[inline(always)]
fn panel<I: Isa>(r: &mut [f64], block: &mut [f64], [width, columns]: [usize; 2], k: usize, count: usize) {
    let mut reflections = [Reflection { w: [0.0; ROWS], tau: 0.0 }; PANEL];
    let end = (k + PANEL).min(columns);
    for (c, reflection) in reflections.iter_mut().take(count).enumerate() {
        let row = &mut r[(k + c) * width..][..width];
        let Some(beta) = reflect::<I>(row[k + c], block, width, k + c, reflection) else { continue };
        for j in ((k + c + 1) / LANES * LANES..end).step_by(LANES) {
            apply::<I, LANES>(row, block, reflection, j);
        }
        row[k + c] = beta;
    }
    // Many columns at a time, so that they stay in the first cache for all reflections.
    let mut j = end;
    while j < columns {
        let wide = j + 4 * LANES <= columns;
        for (c, reflection) in reflections.iter().take(count).enumerate() {
            let row = &mut r[(k + c) * width..][..width];
            match reflection.tau == 0.0 {
                true => continue,
                false if wide => apply::<I, { 4 * LANES }>(row, block, reflection, j),
                false => apply::<I, LANES>(row, block, reflection, j),
            }
        }
        j += if wide { 4 * LANES } else { LANES };
    }
}

/// The reflection that takes column k of the block into `alpha`, the element of R above it, and what that becomes; none
/// where the column is 0 already.
#[inline(always)]
fn reflect<I: Isa>(
    alpha: f64,
    block: &[f64],
    width: usize,
    k: usize,
    Reflection { w, tau }: &mut Reflection,
) -> Option<f64> {
    for i in 0..ROWS {
        w[i] = block[i * width + k];
    }
    let mut sums = [0.0; LANES];
    for part in w.chunks_exact(LANES) {
        for l in 0..LANES {
            sums[l] = I::fma(part[l], part[l], sums[l]);
        }
    }
    let below: f64 = sums.iter().sum();
    // A NaN is not 0, and goes on.
    if below == 0.0 {
        return None;
    }
    let norm = (alpha * alpha + below).sqrt();
    // Away from alpha, so that nothing cancels.
    let beta = if alpha > 0.0 { -norm } else { norm };
    *tau = (beta - alpha) / beta;
    let part = 1.0 / (alpha - beta);
    for x in w {
        *x *= part;
    }
    Some(beta)
}

/// The reflection of columns j to j + N.
#[inline(always)]
fn apply<I: Isa, const N: usize>(r: &mut [f64], block: &mut [f64], of: &Reflection, j: usize) {
    let (width, Reflection { w, tau }) = (r.len(), of);
    let mut sums = [0.0; N];
    sums.copy_from_slice(&r[j..j + N]);
    for i in 0..ROWS {
        let row = &block[i * width + j..][..N];
        for l in 0..N {
            sums[l] = I::fma(w[i], row[l], sums[l]);
        }
    }
    for l in 0..N {
        sums[l] *= *tau;
        r[j + l] -= sums[l];
    }
    for i in 0..ROWS {
        let row = &mut block[i * width + j..][..N];
        for l in 0..N {
            row[l] = I::fma(-w[i], sums[l], row[l]);
        }
    }
}
