//! Blocks where an index says. In: an index, as numbers; slices. Out: blocks, or sums in a slice; which positions of an
//! index lie in a window. Never: a place outside: one beyond the end means the last; where there are no places,
//! nothing is read or written.
use std::ops::Range;

use super::super::float::Float;
use super::{load, load_strided, store};

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

/// Indices that [`among`] looks at together: a register of f32.
const LOOK: usize = 16;

/// The positions in `index`, in order, whose places among `bound` may be some of `places`: all that are, and few others
/// (where the number type cannot hold the ends of `places`), so that the caller looks again at each.
#[inline(always)]
pub fn among<F: Float>(index: &[F], places: Range<usize>, bound: usize) -> Among<'_, F> {
    // Rounding to the nearest number is monotone: no whole number inside passes the rounded ends.
    let infinity = F::from_f64(f64::INFINITY);
    let low = if places.start == 0 { -infinity } else { F::from_usize(places.start) };
    let high = if places.end >= bound { infinity } else { F::from_usize(places.end) };
    Among { index, low, high, position: 0, found: 0 }
}

/// See [`among`].
pub struct Among<'a, F> {
    /// What has not been looked at.
    index: &'a [F],
    low: F,
    high: F,
    /// Of what comes behind what was looked at last.
    position: usize,
    /// A bit for each position that was found, of those looked at last.
    found: u32,
}

impl<F: Float> Iterator for Among<'_, F> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let (first, rest) = self.index.split_at_checked(LOOK).unwrap_or((self.index, &[]));
            if first.is_empty() {
                return None;
            }
            let block: [F; LOOK] = load(first, 0, first.len());
            for l in 0..LOOK {
                // NaN is neither below nor above: its place is 0.
                let outside = (block[l] < self.low) | (block[l] > self.high);
                self.found |= u32::from(!outside) << l;
            }
            self.found &= (1 << first.len()) - 1;
            (self.index, self.position) = (rest, self.position + LOOK);
        }
        let l = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.position - LOOK + l)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_finds_all_places_of_a_window_in_order() {
        let wild = [f32::NAN, -1.0, f32::INFINITY, 1e30, 6.0, 99.0, 0.0, 7.0, 3.5];
        for n in [0, 1, 15, 16, 17, 32, 100] {
            let index: Vec<f32> =
                (0..n).map(|i| if i % 3 == 1 { wild[i / 3 % 9] } else { (i * 7 % 10) as f32 }).collect();
            for (first, end) in [(0, 4), (4, 8), (8, 10), (0, 10), (9, 10), (3, 3)] {
                let inside = |&i: &usize| (first..end).contains(&place(index[i], 10));
                let found: Vec<usize> = among(&index, first..end, 10).collect();
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
            let found: Vec<usize> = among(&index, first..end, 2 * far).collect();
            let inside: Vec<usize> = (0..20).filter(|i| (first..end).contains(&(far + 4 * i))).collect();
            assert!(inside.iter().all(|i| found.contains(i)), "{first}..{end}: {found:?}");
        }
    }
}
