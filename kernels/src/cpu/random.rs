//! Random numbers by counter. In: a [`Stream`] (seed, step, site) and an element's index. Out: the
//! element's uniform or normal number, the same on every thread, instruction set and device.
//! Never: state, or an operation that one instruction set would round differently (no fma).
//!
//! Element e is lane e % 4 of the Philox4x32-10 block with the counter words (e / 4, site, step low, step
//! high) and the key words (seed low, seed high); e stays below 2³⁴. (Salmon et al., "Parallel random
//! numbers: as easy as 1, 2, 3", 2011.)
//!
//! - uniform: (k + ½)·2⁻²³ from the lane's high 23 bits k: the open interval (0, 1), with the same values
//!   in f32 and f64, so that a comparison falls the same way in both.
//! - normal: Box-Muller of the uniforms of the lanes (0, 1) and (2, 3): √(-2 log u)·cos 2πv for the even
//!   element, sin for the odd one.
use super::block::BLOCK;
use super::float::Float;
use super::isa::{Body, Isa, dispatch};

mod philox;
#[cfg(test)]
mod tests;
mod transform;

pub use philox::philox4x32;
use philox::{GROUP, philox_group};
pub use transform::Transform;

/// The numbers of one random word of a program at one step of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The user's seed.
    pub seed: u64,
    /// The training step.
    pub step: u64,
    /// Which random word of the program.
    pub site: u32,
}

/// Uniform numbers in (0, 1) for the elements `start..start + 64`. For generated loops; `start` is best a
/// multiple of 4.
#[inline(always)]
pub fn uniform_block<I: Isa, F: Float>(stream: Stream, start: u64) -> [F; BLOCK] {
    if start.is_multiple_of(4) {
        aligned::<F, false>(stream, start)
    } else {
        straddling::<F, false>(stream, start)
    }
}

/// Standard normal numbers for the elements `start..start + 64`. For generated loops; `start` is best a
/// multiple of 4.
#[inline(always)]
pub fn normal_block<I: Isa, F: Float>(stream: Stream, start: u64) -> [F; BLOCK] {
    if start.is_multiple_of(4) {
        aligned::<F, true>(stream, start)
    } else {
        straddling::<F, true>(stream, start)
    }
}

/// Fills `out` with the uniform numbers in (0, 1) of the elements from `start` on.
pub fn uniform<F: Float>(stream: Stream, start: u64, out: &mut [F]) {
    dispatch(Fill::<F, false> { stream, start, out });
}

/// Fills `out` with the standard normal numbers of the elements from `start` on.
pub fn normal<F: Float>(stream: Stream, start: u64, out: &mut [F]) {
    dispatch(Fill::<F, true> { stream, start, out });
}

struct Fill<'a, F, const NORMAL: bool> {
    stream: Stream,
    start: u64,
    out: &'a mut [F],
}

impl<F: Float, const NORMAL: bool> Body for Fill<'_, F, NORMAL> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // The elements up to the next multiple of 4 belong to a block that began before `start`.
        let head = ((4 - self.start % 4) % 4).min(self.out.len() as u64) as usize;
        let (first, rest) = self.out.split_at_mut(head);
        if head > 0 {
            first.copy_from_slice(&straddling::<F, NORMAL>(self.stream, self.start)[..head]);
        }
        let mut element = self.start + head as u64;
        for out in rest.chunks_mut(BLOCK) {
            let block = aligned::<F, NORMAL>(self.stream, element);
            if out.len() == BLOCK {
                out.copy_from_slice(&block);
            } else {
                out.copy_from_slice(&block[..out.len()]);
            }
            element += BLOCK as u64;
        }
    }
}

/// 64 numbers from a multiple of 4 on: 16 counter blocks in parallel.
#[inline(always)]
fn aligned<F: Float, const NORMAL: bool>(stream: Stream, start: u64) -> [F; BLOCK] {
    let pairs = philox_group(stream, (start / 4) as u32);
    let mut even = [F::ZERO; 2 * GROUP];
    let mut odd = [F::ZERO; 2 * GROUP];
    for i in 0..2 * GROUP {
        even[i] = F::unit(pairs[i] as u32);
        odd[i] = F::unit((pairs[i] >> 32) as u32);
    }
    if NORMAL {
        for i in 0..2 * GROUP {
            (even[i], odd[i]) = F::normal_pair(even[i], odd[i]);
        }
    }
    let mut out = [F::ZERO; BLOCK];
    for i in 0..2 * GROUP {
        out[2 * i] = even[i];
        out[2 * i + 1] = odd[i];
    }
    out
}

/// 64 numbers from anywhere: two aligned groups. Rare, so not inlined.
#[inline(never)]
fn straddling<F: Float, const NORMAL: bool>(stream: Stream, start: u64) -> [F; BLOCK] {
    let skip = (start % 4) as usize;
    let low = aligned::<F, NORMAL>(stream, start - skip as u64);
    let high = aligned::<F, NORMAL>(stream, start - skip as u64 + BLOCK as u64);
    let mut out = [F::ZERO; BLOCK];
    out[..BLOCK - skip].copy_from_slice(&low[skip..]);
    out[BLOCK - skip..].copy_from_slice(&high[..skip]);
    out
}
