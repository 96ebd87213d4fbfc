//! The triangular factor of a matrix of f64. In: the matrix. Out: R. Never: AᵀA.
//!
//! Householder reflections (Golub and Van Loan 2013, algorithm 5.2.1). A comes in blocks of rows, each of which is reflected
//! into the R of those before it, as in LAPACK's `dtpqrt`: a block stays in the first cache, and no copy of A is made.
//! |RᵀR − AᵀA|ᵢⱼ is at most some m n ε ‖aᵢ‖ ‖aⱼ‖ (Higham 2002, theorem 19.4), and so is the error of ‖x Rᵀ‖, not of its square.
use super::{LANES, Tall};
use crate::Float;
use crate::cpu::isa::{Body, Isa};

/// Rows of A that are reflected at once: with 128 columns, 32 KiB.
const ROWS: usize = 32;

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
        for first in (0..a.m).step_by(ROWS) {
            a.load(block, width, first, ROWS.min(a.m - first));
            for k in 0..a.n {
                reflect::<I>(r, block, width, k);
            }
        }
    }
}

/// Reflects column k of the block into `r`, and everything to the right with it: H = 1 − τ v vᵀ with v = (1, w) on
/// row k of R and on the block. What this leaves in columns up to k is never read.
#[inline(always)]
fn reflect<I: Isa>(r: &mut [f64], block: &mut [f64], width: usize, k: usize) {
    let mut w = [0.0; ROWS];
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
    // Already triangular. A NaN is not 0, and goes on.
    if below == 0.0 {
        return;
    }
    let alpha = r[k * width + k];
    let norm = (alpha * alpha + below).sqrt();
    // Away from alpha, so that nothing cancels.
    let beta = if alpha > 0.0 { -norm } else { norm };
    let (tau, part) = ((beta - alpha) / beta, 1.0 / (alpha - beta));
    for x in &mut w {
        *x *= part;
    }
    let mut j = (k + 1) / LANES * LANES;
    while j + 4 * LANES <= width {
        apply::<I, { 4 * LANES }>(&mut r[k * width..][..width], block, &w, tau, j);
        j += 4 * LANES;
    }
    while j < width {
        apply::<I, LANES>(&mut r[k * width..][..width], block, &w, tau, j);
        j += LANES;
    }
    r[k * width + k] = beta;
}

/// The reflection of columns j to j + N.
#[inline(always)]
fn apply<I: Isa, const N: usize>(r: &mut [f64], block: &mut [f64], w: &[f64; ROWS], tau: f64, j: usize) {
    let width = r.len();
    let mut sums = [0.0; N];
    sums.copy_from_slice(&r[j..j + N]);
    for i in 0..ROWS {
        let row = &block[i * width + j..][..N];
        for l in 0..N {
            sums[l] = I::fma(w[i], row[l], sums[l]);
        }
    }
    for l in 0..N {
        sums[l] *= tau;
        r[j + l] -= sums[l];
    }
    for i in 0..ROWS {
        let row = &mut block[i * width + j..][..N];
        for l in 0..N {
            row[l] = I::fma(-w[i], sums[l], row[l]);
        }
    }
}
