//! Blocks where an index says. In: an index, as numbers; slices. Out: blocks, or sums in a slice; which positions of an
//! index lie in a window. Never: a place outside: one beyond the end means the last; where there are no places,
//! nothing is read or written.
use std::ops::Range;

use super::super::float::Float;
use super::{BLOCK, load, load_strided, store};

/// The place that an index means, among `bound`: one beyond the end means the last.
#[inline(always)]
pub fn place<F: Float>(index: F, bound: usize) -> usize {
    index.to_usize().min(bound.saturating_sub(1))
}

/// As [`load_strided`], but zeros where `src` is too short: there is nothing to take from an empty table.
#[inline(always)]
pub fn load_inside<F: Float, const N: usize>(src: &[F], start: usize, stride: usize, len: usize) -> [F; N] {
    let end = start + len.saturating_sub(1) * stride;
    if end < src.len() { load_strided(src, start, stride, len) } else { [F::ZERO; N] }
}

/// For each `l` under `len`, the value `start + l · stride + place · step` of `src`, where the index says the place
/// among `bound`; zero where `src` is too short.
#[inline(always)]
pub fn choose<F: Float, const N: usize>(
    src: &[F],
    (start, stride): (usize, usize),
    index: &[F; N],
    (step, bound): (usize, usize),
    len: usize,
) -> [F; N] {
    let mut block = [F::ZERO; N];
    for l in 0..len.min(N) {
        let at = start + l * stride + place(index[l], bound) * step;
        block[l] = src.get(at).copied().unwrap_or(F::ZERO);
    }
    block
}

/// Adds the first `len` values to `dst[start]`, `dst[start + stride]`, …; none where `dst` is too short.
#[inline(always)]
pub fn add_inside<F: Float, const N: usize>(
    dst: &mut [F],
    start: usize,
    stride: usize,
    block: &[F; N],
    len: usize,
) {
    if start + len.saturating_sub(1) * stride >= dst.len() {
        return;
    }
    if stride == 1 {
        let mut held: [F; N] = load(dst, start, len);
        for i in 0..N {
            held[i] += block[i];
        }
        return store(dst, start, len, &held);
    }
    for l in 0..len {
        dst[start + l * stride] += block[l];
    }
}

/// Adds each of the first `len` values where the index says, in order: value `l` goes to
/// `start + l · stride + (place - places.start) · step`, if its place among `bound` is one of `places`.
#[inline(always)]
pub fn place_each<F: Float, const N: usize>(
    dst: &mut [F],
    (start, stride): (usize, usize),
    index: &[F; N],
    (step, bound): (usize, usize),
    places: Range<usize>,
    block: &[F; N],
    len: usize,
) {
    for l in 0..len.min(N) {
        let place = place(index[l], bound);
        if places.contains(&place)
            && let Some(held) = dst.get_mut(start + l * stride + (place - places.start) * step)
        {
            *held += block[l];
        }
    }
}

/// Calls `then` with the positions, in order, of the first `len` values that `is` says yes to.
#[inline(always)]
pub(in crate::cpu) fn each_that<F: Float>(
    block: &[F; BLOCK],
    len: usize,
    is: impl Fn(F) -> bool,
    mut then: impl FnMut(usize),
) {
    // A byte for each: which one is never asked by a branch, since no machine could guess the answer. Of 32 or 16 values, LLVM
    // made comparisons one after the other.
    let mut found = [0u8; BLOCK];
    for l in 0..BLOCK {
        found[l] = u8::from(is(block[l]));
    }
    for (eight, at) in found.as_chunks().0.iter().zip((0..len).step_by(8)) {
        let mut bits = u64::from_le_bytes(*eight);
        while bits != 0 {
            let position = at + bits.trailing_zeros() as usize / 8;
            bits &= bits - 1;
            if position < len {
                then(position);
            }
        }
    }
}

/// Calls `then` with the positions in `index`, in order, whose places among `bound` may be some of `places`: all that are, and
/// few others (where the number type cannot hold the ends of `places`), so that the caller looks again at each.
#[inline(always)]
pub fn among<F: Float>(index: &[F], places: Range<usize>, bound: usize, mut then: impl FnMut(usize)) {
    // Rounding to the nearest number is monotone: no whole number inside passes the rounded ends.
    let infinity = F::from_f64(f64::INFINITY);
    let low = if places.start == 0 { -infinity } else { F::from_usize(places.start) };
    let high = if places.end >= bound { infinity } else { F::from_usize(places.end) };
    // NaN is neither below nor above: its place is 0.
    let inside = |x: F| !((x < low) | (x > high));
    for (block, first) in index.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
        each_that(&load(block, 0, block.len()), block.len(), inside, |position| then(first + position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_finds_all_places_of_a_window_in_order() {
        let wild = [f32::NAN, -1.0, f32::INFINITY, 1e30, 6.0, 99.0, 0.0, 7.0, 3.5];
        for n in [0, 1, 15, 31, 32, 33, 64, 100] {
            let index: Vec<f32> =
                (0..n).map(|i| if i % 3 == 1 { wild[i / 3 % 9] } else { (i * 7 % 10) as f32 }).collect();
            for (first, end) in [(0, 4), (4, 8), (8, 10), (0, 10), (9, 10), (3, 3)] {
                let inside = |&i: &usize| (first..end).contains(&place(index[i], 10));
                let mut found = Vec::new();
                among(&index, first..end, 10, |i| found.push(i));
                assert!(found.is_sorted());
                assert_eq!(
                    found.iter().copied().filter(inside).collect::<Vec<_>>(),
                    (0..n).filter(inside).collect::<Vec<_>>()
                );
                // The end itself is found, which the number type might have rounded down to; and NaN in every window.
                assert!(found.iter().all(|i| inside(i) || index[*i] == end as f32 || index[*i].is_nan()));
            }
        }
    }

    #[test]
    fn among_finds_places_that_numbers_hold_no_ends_of() {
        let far = 1 << 25;
        let index: Vec<f32> = (0..20).map(|i| (far + 4 * i) as f32).collect();
        for (first, end) in [(far + 3, far + 9), (far + 6, far + 41), (far + 5, far + 8)] {
            let mut found = Vec::new();
            among(&index, first..end, 2 * far, |i| found.push(i));
            let inside: Vec<usize> = (0..20).filter(|i| (first..end).contains(&(far + 4 * i))).collect();
            assert!(inside.iter().all(|i| found.contains(i)), "{first}..{end}: {found:?}");
        }
    }
}
