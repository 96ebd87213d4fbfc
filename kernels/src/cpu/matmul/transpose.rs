//! Small transposes in registers, for packing and for results that lie the other way. In: a square block
//! and its row distance. Out: its transpose, with a row distance of its own. Never: edges.

/// Transposes `SIDE` × `SIDE` numbers.
pub(super) trait Transpose: Sized + Copy {
    /// Rows and columns of the block.
    const SIDE: usize;
    /// # Safety
    /// Both blocks are in live allocations and do not overlap; AVX is enabled where `avx`.
    unsafe fn transpose(from: *const Self, from_row: usize, to: *mut Self, to_row: usize, avx: bool);
    /// Adds `SIDE` numbers to others.
    ///
    /// # Safety
    /// Both are in live allocations.
    unsafe fn add_side(to: *mut Self, from: *const Self);
}

/// Adds numbers to others: an array of a length that is known is one register.
///
/// # Safety
/// Both are in live allocations.
#[inline(always)]
unsafe fn add<F: Copy + std::ops::Add<Output = F>, const SIDE: usize>(to: *mut F, from: *const F) {
    // SAFETY: the caller's; an array has the alignment of its elements.
    unsafe {
        let (mine, other) = (to.cast::<[F; SIDE]>().read(), from.cast::<[F; SIDE]>().read());
        to.cast::<[F; SIDE]>().write(std::array::from_fn(|i| mine[i] + other[i]));
    }
}

/// The obvious way.
///
/// # Safety
/// Both blocks are in live allocations and do not overlap.
#[inline(always)]
unsafe fn one_by_one<F: Copy, const SIDE: usize>(from: *const F, from_row: usize, to: *mut F, to_row: usize) {
    for i in 0..SIDE {
        for j in 0..SIDE {
            // SAFETY: the caller's.
            unsafe { *to.add(i * to_row + j) = *from.add(j * from_row + i) };
        }
    }
}

impl Transpose for f32 {
    const SIDE: usize = 8;
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_row: usize, to: *mut f32, to_row: usize, avx: bool) {
        // SAFETY: the caller's.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if avx {
                return eight(from, from_row, to, to_row);
            }
            let _ = avx;
            one_by_one::<_, 8>(from, from_row, to, to_row);
        }
    }

    #[inline(always)]
    unsafe fn add_side(to: *mut f32, from: *const f32) {
        // SAFETY: the caller's.
        unsafe { add::<_, 8>(to, from) }
    }
}

impl Transpose for f64 {
    const SIDE: usize = 4;
    #[inline(always)]
    unsafe fn transpose(from: *const f64, from_row: usize, to: *mut f64, to_row: usize, avx: bool) {
        // SAFETY: the caller's.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if avx {
                return four(from, from_row, to, to_row);
            }
            let _ = avx;
            one_by_one::<_, 4>(from, from_row, to, to_row);
        }
    }

    #[inline(always)]
    unsafe fn add_side(to: *mut f64, from: *const f64) {
        // SAFETY: the caller's.
        unsafe { add::<_, 4>(to, from) }
    }
}

/// # Safety
/// As for [`Transpose::transpose`], with AVX.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn eight(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * from_row));
        // Pairs of rows, interleaved; then fours; then halves of eights.
        let half = |i: usize| {
            let (a, b, c, d) = (row(i), row(i + 1), row(i + 2), row(i + 3));
            let (ab, ba) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd, dc) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            [
                _mm256_shuffle_ps::<0x44>(ab, cd),
                _mm256_shuffle_ps::<0xee>(ab, cd),
                _mm256_shuffle_ps::<0x44>(ba, dc),
                _mm256_shuffle_ps::<0xee>(ba, dc),
            ]
        };
        let (top, bottom) = (half(0), half(4));
        for i in 0..4 {
            _mm256_storeu_ps(to.add(i * to_row), _mm256_permute2f128_ps::<0x20>(top[i], bottom[i]));
            _mm256_storeu_ps(to.add((i + 4) * to_row), _mm256_permute2f128_ps::<0x31>(top[i], bottom[i]));
        }
    }
}

/// # Safety
/// As for [`Transpose::transpose`], with AVX.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn four(from: *const f64, from_row: usize, to: *mut f64, to_row: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's.
    unsafe {
        let row = |i: usize| _mm256_loadu_pd(from.add(i * from_row));
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        let (ab, ba) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (cd, dc) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(ab, cd));
        _mm256_storeu_pd(to.add(to_row), _mm256_permute2f128_pd::<0x20>(ba, dc));
        _mm256_storeu_pd(to.add(2 * to_row), _mm256_permute2f128_pd::<0x31>(ab, cd));
        _mm256_storeu_pd(to.add(3 * to_row), _mm256_permute2f128_pd::<0x31>(ba, dc));
    }
}
