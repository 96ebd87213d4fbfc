//! Short runs of numbers that lie one or two apart, a register at a time. In: places. Out: copies and sums.
//! Never: a place between those of the run, or beyond its end.
use crate::cpu::float::Float;
use crate::cpu::isa::Isa;

/// The most numbers of a run: those of one register of 64 bytes.
pub(super) const LONGEST: usize = 16;

/// A run of `n` numbers that lie `step` apart, and which lanes of registers they fill.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX-512 has masks of lanes"))]
#[derive(Clone, Copy)]
pub(super) struct Shape {
    n: usize,
    step: usize,
    /// The numbers side by side.
    dense: u16,
    /// They and what lies between them, in a first and a second register.
    spread: (u16, u16),
}

impl Shape {
    /// The shape of a run of at most [`LONGEST`] numbers, 1 or 2 apart.
    #[inline(always)]
    pub fn new(n: usize, step: usize) -> Shape {
        assert!((1..=LONGEST).contains(&n) && (1..=2).contains(&step), "a run: internal error");
        let lanes = |n: usize| ((1u64 << n) - 1) as u32;
        let all = lanes((n - 1) * step + 1);
        Shape { n, step, dense: lanes(n) as u16, spread: (all as u16, (all >> 16) as u16) }
    }

    /// How many numbers.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.n
    }
}

/// What each number type can do with runs.
pub(super) trait Strided: Copy {
    /// Copies a run to where its numbers lie side by side.
    ///
    /// # Safety
    /// `from` has them, `to` has room for them, they do not overlap; `I` is enabled.
    unsafe fn take<I: Isa>(from: *const Self, to: *mut Self, shape: Shape);
    /// Adds numbers that lie side by side to those of a run.
    ///
    /// # Safety
    /// As for [`Strided::take`], the other way round.
    unsafe fn add_each<I: Isa>(from: *const Self, to: *mut Self, shape: Shape);
}

/// # Safety
/// As for [`Strided::take`].
#[inline(always)]
unsafe fn take_each<F: Copy>(from: *const F, to: *mut F, Shape { n, step, .. }: Shape) {
    for i in 0..n {
        // SAFETY: the caller's.
        unsafe { *to.add(i) = *from.add(i * step) };
    }
}

/// # Safety
/// As for [`Strided::add_each`].
#[inline(always)]
unsafe fn add_one_by_one<F: Float>(from: *const F, to: *mut F, Shape { n, step, .. }: Shape) {
    for i in 0..n {
        // SAFETY: the caller's.
        unsafe { *to.add(i * step) += *from.add(i) };
    }
}

impl Strided for f64 {
    #[inline(always)]
    unsafe fn take<I: Isa>(from: *const f64, to: *mut f64, shape: Shape) {
        // SAFETY: the caller's.
        unsafe { take_each(from, to, shape) }
    }
    #[inline(always)]
    unsafe fn add_each<I: Isa>(from: *const f64, to: *mut f64, shape: Shape) {
        // SAFETY: the caller's.
        unsafe { add_one_by_one(from, to, shape) }
    }
}

impl Strided for f32 {
    #[inline(always)]
    unsafe fn take<I: Isa>(from: *const f32, to: *mut f32, shape: Shape) {
        // SAFETY: the caller's.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if I::KIND == crate::cpu::isa::IsaKind::Avx512 {
                return wide::take(from, to, shape);
            }
            take_each(from, to, shape);
        }
    }
    #[inline(always)]
    unsafe fn add_each<I: Isa>(from: *const f32, to: *mut f32, shape: Shape) {
        // SAFETY: the caller's.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if I::KIND == crate::cpu::isa::IsaKind::Avx512 {
                return wide::add_each(from, to, shape);
            }
            add_one_by_one(from, to, shape);
        }
    }
}

/// Masks keep from what does not belong to the run: no lane of theirs is read or written.
#[cfg(target_arch = "x86_64")]
mod wide {
    use super::Shape;
    use std::arch::x86_64::*;

    /// # Safety
    /// As for [`super::Strided::take`], with AVX-512.
    #[inline(always)]
    pub unsafe fn take(from: *const f32, to: *mut f32, shape: Shape) {
        let Shape { step, dense, spread: (first, second), .. } = shape;
        // SAFETY: the caller's; lanes beyond the run are masked.
        unsafe {
            let low = _mm512_maskz_loadu_ps(first, from);
            if step == 1 {
                return _mm512_mask_storeu_ps(to, dense, low);
            }
            let twice = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let run = if second == 0 {
                _mm512_permutexvar_ps(twice, low)
            } else {
                let high = _mm512_maskz_loadu_ps(second, from.wrapping_add(16));
                _mm512_permutex2var_ps(low, twice, high)
            };
            _mm512_mask_storeu_ps(to, dense, run);
        }
    }

    /// # Safety
    /// As for [`super::Strided::add_each`], with AVX-512.
    #[inline(always)]
    pub unsafe fn add_each(from: *const f32, to: *mut f32, shape: Shape) {
        let Shape { step, dense, spread: (first, second), .. } = shape;
        // SAFETY: the caller's; lanes beyond the run, and between its places, are masked.
        unsafe {
            let run = _mm512_maskz_loadu_ps(dense, from);
            let add = |to: *mut f32, mask: u16, values: __m512| {
                let held = _mm512_maskz_loadu_ps(mask, to);
                _mm512_mask_storeu_ps(to, mask, _mm512_add_ps(held, values));
            };
            if step == 1 {
                return add(to, dense, run);
            }
            let half = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
            add(to, first & 0x5555, _mm512_permutexvar_ps(half, run));
            if second != 0 {
                let upper = _mm512_add_epi32(half, _mm512_set1_epi32(8));
                add(to.wrapping_add(16), second & 0x5555, _mm512_permutexvar_ps(upper, run));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::isa::{Body, IsaKind, run_on};

    struct Both<'a> {
        from: &'a [f32],
        to: &'a mut [f32],
        sums: &'a mut [f32],
        step: usize,
        n: usize,
    }

    impl Body for Both<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            let Both { from, to, sums, step, n } = self;
            // SAFETY: the test's slices end where the run does.
            unsafe {
                let shape = Shape::new(n, step);
                f32::take::<I>(from.as_ptr(), to.as_mut_ptr(), shape);
                f32::add_each::<I>(to.as_ptr(), sums.as_mut_ptr(), shape);
            }
        }
    }

    #[test]
    fn runs_of_every_length_and_nothing_beside_them() {
        for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
            for (step, n) in (1..=2).flat_map(|step| (1..=LONGEST).map(move |n| (step, n))) {
                let from: Vec<f32> = (0..(n - 1) * step + 1).map(|i| i as f32 + 1.0).collect();
                let (mut to, mut sums) = (vec![-7.0; n + 20], vec![-0.0; 40]);
                run_on(kind, Both { from: &from, to: &mut to, sums: &mut sums, step, n });
                for (i, x) in to.iter().enumerate() {
                    assert_eq!(*x, if i < n { from[i * step] } else { -7.0 }, "{step} {n} {kind:?}");
                }
                for (i, x) in sums.iter().enumerate() {
                    let mine = i % step == 0 && i / step < n;
                    let want: f32 = if mine { from[i] } else { -0.0 };
                    assert_eq!(x.to_bits(), want.to_bits(), "{step} {n} {kind:?}");
                }
            }
        }
    }
}
