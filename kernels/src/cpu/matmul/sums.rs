//! Sums of registers. In: four of them. Out: the sum of each one's numbers, in an order that the set fixes.
//! Never: memory between, where the set has shuffles.
use super::vector::{Four, Vector};
use crate::Float;

/// A register whose numbers can be summed.
pub(super) trait Sums<F>: Vector<F> {
    /// The sums of four registers, at once: one after the other would take twice the shuffles.
    ///
    /// # Safety
    /// The instruction set is enabled.
    unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [F; 4];
}

impl<F: Float> Sums<F> for Four<F> {
    #[inline(always)]
    unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [F; 4] {
        [a, b, c, d].map(|register| {
            let mut numbers = [F::ZERO; 4];
            // SAFETY: room for four numbers.
            unsafe { register.store(numbers.as_mut_ptr()) };
            let [x, y, z, w] = numbers;
            (x + z) + (y + w)
        })
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Sums;
    use std::arch::x86_64::*;
    use std::mem::transmute;

    // In each quarter of 16 bytes the sums of both or all four first, then the quarters.

    #[inline(always)]
    unsafe fn halves(all: __m256) -> [f32; 4] {
        // SAFETY: the caller's set; four numbers are four numbers.
        unsafe { transmute(_mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps::<1>(all))) }
    }

    #[inline(always)]
    unsafe fn halves_of_two(all: __m256d) -> [f64; 2] {
        // SAFETY: as above.
        unsafe { transmute(_mm_add_pd(_mm256_castpd256_pd128(all), _mm256_extractf128_pd::<1>(all))) }
    }

    impl Sums<f32> for __m256 {
        #[inline(always)]
        unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [f32; 4] {
            // SAFETY: the caller's set.
            unsafe {
                let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
                let (low, high) = (_mm256_unpacklo_pd(ab, cd), _mm256_unpackhi_pd(ab, cd));
                halves(_mm256_add_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high)))
            }
        }
    }

    impl Sums<f32> for __m512 {
        #[inline(always)]
        unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [f32; 4] {
            // SAFETY: the caller's set.
            unsafe {
                let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
                let (low, high) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
                let all = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
                halves(_mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps::<1>(all)))
            }
        }
    }

    impl Sums<f64> for __m256d {
        #[inline(always)]
        unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [f64; 4] {
            // SAFETY: the caller's set.
            unsafe {
                let ab = _mm256_add_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
                let cd = _mm256_add_pd(_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
                let ([a, b], [c, d]) = (halves_of_two(ab), halves_of_two(cd));
                [a, b, c, d]
            }
        }
    }

    impl Sums<f64> for __m512d {
        #[inline(always)]
        unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [f64; 4] {
            // SAFETY: the caller's set.
            unsafe {
                let ab = _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
                let cd = _mm512_add_pd(_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
                let half = |x: __m512d| {
                    let (low, high) = (_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x));
                    halves_of_two(_mm256_add_pd(low, high))
                };
                let ([a, b], [c, d]) = (half(ab), half(cd));
                [a, b, c, d]
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Sums;
    use std::arch::aarch64::*;
    use std::mem::transmute;

    impl Sums<f32> for float32x4_t {
        #[inline(always)]
        unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [f32; 4] {
            // SAFETY: the caller's set; four numbers are four numbers.
            unsafe { transmute(vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d))) }
        }
    }

    impl Sums<f64> for float64x2_t {
        #[inline(always)]
        unsafe fn four(a: Self, b: Self, c: Self, d: Self) -> [f64; 4] {
            // SAFETY: as above.
            unsafe { transmute([vpaddq_f64(a, b), vpaddq_f64(c, d)]) }
        }
    }
}
