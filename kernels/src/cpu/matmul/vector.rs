//! Vectors for the product kernels. In: pointers to `LANES` numbers. Out: one register of the instruction set.
//! Never: a choice; the caller has made it.

/// Asks for the numbers from an address on, which need not be readable.
#[inline(always)]
pub(super) fn prefetch<F>(from: *const F) {
    hint::<3, F>(from);
}

/// The same, no nearer than a second-level cache.
#[inline(always)]
pub(super) fn prefetch_far<F>(from: *const F) {
    hint::<2, F>(from);
}

/// `LEVEL` as x86-64 has it: `_MM_HINT_T0` is 3, `_MM_HINT_T1` 2.
#[inline(always)]
fn hint<const LEVEL: i32, F>(from: *const F) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, for which every address is fine.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<LEVEL>(from.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

/// Two places that LLVM must not compute from each other: it would do so at every step, with adders that multiply.
#[inline(always)]
#[allow(unused_mut, reason = "where there is no assembly")]
pub(super) fn unrelated<F>(mut a: *mut F, mut b: *mut F) -> (*mut F, *mut F) {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    #[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written there")]
    // SAFETY: no instruction; two registers stay as they are.
    unsafe {
        std::arch::asm!("/* {0} {1} */", inout(reg) a, inout(reg) b, options(pure, nomem, nostack, preserves_flags));
    }
    (a, b)
}

/// One register of numbers `F`. The methods of a type that is a machine register may only be called where
/// its instruction set is enabled.
pub(super) trait Vector<F>: Copy {
    /// Numbers in it.
    const LANES: usize;
    /// Whether its instruction set has AVX: an array of four f64 is as long as a register of AVX, and is none.
    const AVX: bool = false;
    /// Reads `LANES` numbers.
    ///
    /// # Safety
    /// They are readable, and the instruction set is enabled.
    unsafe fn load(from: *const F) -> Self;
    /// Writes them.
    ///
    /// # Safety
    /// They are writable, and the instruction set is enabled.
    unsafe fn store(self, to: *mut F);
    /// The same number in every lane.
    ///
    /// # Safety
    /// The instruction set is enabled.
    unsafe fn splat(x: F) -> Self;
    /// `a·b + c`.
    ///
    /// # Safety
    /// The instruction set is enabled.
    unsafe fn fma(a: Self, b: Self, c: Self) -> Self;
    /// `self + other`.
    ///
    /// # Safety
    /// The instruction set is enabled.
    unsafe fn add(self, other: Self) -> Self;
}

#[allow(unused_macros)] // not every target has a register type
macro_rules! register {
    ($type:ident, $float:ty, $lanes:literal, $load:ident, $store:ident, $splat:ident, |$a:ident, $b:ident, $c:ident| $fma:expr, $add:ident) => {
        // SAFETY (all methods): the trait's contract is that of the intrinsic.
        impl Vector<$float> for $type {
            const LANES: usize = $lanes;
            // All registers of x86 here are AVX's or wider.
            const AVX: bool = cfg!(target_arch = "x86_64");
            #[inline(always)]
            unsafe fn load(from: *const $float) -> Self {
                // SAFETY: as above.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: as above.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn splat(x: $float) -> Self {
                // SAFETY: as above.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn fma($a: Self, $b: Self, $c: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fma }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: as above.
                unsafe { $add(self, other) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;
    register!(
        __m512,
        f32,
        16,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        |a, b, c| _mm512_fmadd_ps(a, b, c),
        _mm512_add_ps
    );
    register!(
        __m512d,
        f64,
        8,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_set1_pd,
        |a, b, c| _mm512_fmadd_pd(a, b, c),
        _mm512_add_pd
    );
    register!(
        __m256,
        f32,
        8,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        |a, b, c| _mm256_fmadd_ps(a, b, c),
        _mm256_add_ps
    );
    register!(
        __m256d,
        f64,
        4,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_set1_pd,
        |a, b, c| _mm256_fmadd_pd(a, b, c),
        _mm256_add_pd
    );
}

#[cfg(target_arch = "aarch64")]
pub(super) mod arm {
    use super::Vector;
    use std::arch::aarch64::*;
    register!(
        float32x4_t,
        f32,
        4,
        vld1q_f32,
        vst1q_f32,
        vdupq_n_f32,
        |a, b, c| vfmaq_f32(c, a, b),
        vaddq_f32
    );
    register!(
        float64x2_t,
        f64,
        2,
        vld1q_f64,
        vst1q_f64,
        vdupq_n_f64,
        |a, b, c| vfmaq_f64(c, a, b),
        vaddq_f64
    );
}

/// Four numbers in plain Rust, not fused.
#[derive(Clone, Copy)]
pub(super) struct Four<F>([F; 4]);

impl<F: crate::Float> Vector<F> for Four<F> {
    const LANES: usize = 4;
    #[inline(always)]
    unsafe fn load(from: *const F) -> Self {
        // SAFETY: the caller's four numbers; an array has the alignment of its elements.
        Four(unsafe { from.cast::<[F; 4]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut F) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[F; 4]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn splat(x: F) -> Self {
        Four([x; 4])
    }
    #[inline(always)]
    unsafe fn fma(a: Self, b: Self, c: Self) -> Self {
        Four(std::array::from_fn(|i| a.0[i] * b.0[i] + c.0[i]))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Four(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}
