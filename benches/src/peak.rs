//! What the machine can do: the most arithmetic and the most bytes of one thread.
//!
//! In: nothing. Out: figures of this machine, now. Never: a figure from a table.

use std::hint::black_box;
use std::time::Instant;

use diabolo_kernels::{Body, Isa, dispatch};

/// Lanes of an accumulator: one vector of AVX-512, two of AVX2, four of NEON.
const LANES: usize = 16;
/// Turns of a loop that is timed.
const TURNS: usize = 200_000;
const REPEATS: usize = 15;

/// The greatest rate of fused multiplications and additions in f32 on one thread, in GFLOP/s.
///
/// Several numbers of accumulators are tried: few do not hide the latency, many do not fit the registers.
#[must_use]
pub fn gflops() -> f64 {
    let best = |rates: [f64; 4]| rates.into_iter().fold(0.0, f64::max);
    best([
        rate::<{ 8 * LANES }>(),
        rate::<{ 10 * LANES }>(),
        rate::<{ 12 * LANES }>(),
        rate::<{ 16 * LANES }>(),
    ])
}

fn rate<const N: usize>() -> f64 {
    (0..REPEATS).map(|_| once::<N>()).fold(0.0, f64::max)
}

fn once<const N: usize>() -> f64 {
    let begin = Instant::now();
    black_box(dispatch(Chains::<N>));
    2.0 * (N * TURNS) as f64 / begin.elapsed().as_secs_f64() / 1e9
}

/// Independent chains of x ← x a + b.
struct Chains<const N: usize>;

impl<const N: usize> Body for Chains<N> {
    type Output = f32;

    #[inline(always)]
    fn run<I: Isa>(self) -> f32 {
        let (a, b) = (black_box(0.999_f32), black_box(0.001_f32));
        let mut chains = [1.0_f32; N];
        for _ in 0..TURNS {
            for x in &mut chains {
                *x = I::fma(*x, a, b);
            }
        }
        chains.iter().sum()
    }
}

/// The greatest rate of reading on one thread, in GB/s, from `bytes` of memory: in a cache where they fit one.
#[must_use]
pub fn reading(bytes: usize) -> f64 {
    let values = vec![1.0_f32; bytes / 4];
    let turns = (1 << 27) / bytes + 1;
    let once = || {
        let begin = Instant::now();
        for _ in 0..turns {
            black_box(dispatch(Total(black_box(&values))));
        }
        (4 * values.len() * turns) as f64 / begin.elapsed().as_secs_f64() / 1e9
    };
    (0..REPEATS).map(|_| once()).fold(0.0, f64::max)
}

/// A sum in eight accumulators, bound by loads.
struct Total<'a>(&'a [f32]);

impl Body for Total<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<I: Isa>(self) -> f32 {
        let mut sums = [0.0_f32; 8 * LANES];
        let (blocks, _) = self.0.as_chunks::<{ 8 * LANES }>();
        for block in blocks {
            for (sum, value) in sums.iter_mut().zip(block) {
                *sum += value;
            }
        }
        sums.iter().sum()
    }
}
