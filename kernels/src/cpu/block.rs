//! Blocks of values. In: part of a slice. Out: a local array, which generated loops compute on and
//! copy back. An array keeps its no-alias facts where a slice inside a struct loses them.
//! Never: allocation, or a sum whose order depends on anything but the shape.
//!
//! Every function is generic over the block's width `N`: [`BLOCK`] for long runs, and 8, 16 or 32 for
//! rows so short that most of a full block would be idle. A power of two up to 64 is fastest.
mod follow;

use super::float::Float;
use super::isa::Portable;

pub(super) use follow::each_that;
pub use follow::{add_inside, among, choose, load_inside, place, place_each};

/// Values in a full block: four AVX-512 registers of f32.
pub const BLOCK: usize = 64;

/// What is left of values from `start` on: nothing where they end before.
#[inline(always)]
pub fn rest<F>(values: &[F], start: usize) -> &[F] {
    values.get(start..).unwrap_or_default()
}

/// The same of values that are written to.
#[inline(always)]
pub fn rest_mut<F>(values: &mut [F], start: usize) -> &mut [F] {
    values.get_mut(start..).unwrap_or_default()
}

/// `len` values from `src[start..]`, then zeros. Panics where `src` is too short.
#[inline(always)]
pub fn load<F: Float, const N: usize>(src: &[F], start: usize, len: usize) -> [F; N] {
    let mut block = [F::ZERO; N];
    if len == N {
        block.copy_from_slice(&src[start..start + N]);
    } else {
        copy_short(&mut block[..len], &src[start..start + len]);
    }
    block
}

/// `len` values `src[start]`, `src[start + stride]`, …, then zeros. Panics where `src` is too short.
#[inline(always)]
pub fn load_strided<F: Float, const N: usize>(src: &[F], start: usize, stride: usize, len: usize) -> [F; N] {
    if stride == 1 {
        return load(src, start, len);
    }
    let mut block = [F::ZERO; N];
    if stride == 0 && len > 0 {
        block[..len].fill(src[start]);
    } else if len > 0 {
        let src = &src[start..start + (len - 1) * stride + 1];
        for (value, i) in block[..len].iter_mut().zip(0..) {
            *value = src[i * stride];
        }
    }
    block
}

/// `N` times the same value.
#[inline(always)]
pub fn splat<F: Float, const N: usize>(value: F) -> [F; N] {
    [value; N]
}

/// Copies the first `len` values to `dst[start..]`. Panics where `dst` is too short.
#[inline(always)]
pub fn store<F: Float, const N: usize>(dst: &mut [F], start: usize, len: usize, block: &[F; N]) {
    if len == N {
        dst[start..start + N].copy_from_slice(block);
    } else {
        copy_short(&mut dst[start..start + len], &block[..len]);
    }
}

/// Adds the first `len` values to `acc`, lane by lane: the cheap way to sum many blocks before one [`sum`].
#[inline(always)]
pub fn accumulate<F: Float, const N: usize>(acc: &mut [F; N], block: &[F; N], len: usize) {
    if len == N {
        for i in 0..N {
            acc[i] += block[i];
        }
    } else {
        for i in 0..N {
            acc[i] += if i < len { block[i] } else { F::ZERO };
        }
    }
}

/// The sum of the first `len` values, halving the block: `b[i] + b[i + N/2]`, and so on.
#[inline(always)]
pub fn sum<F: Float, const N: usize>(block: &[F; N], len: usize) -> F {
    fold(block, len, F::ZERO, |a, b| a + b)
}

/// The largest of the first `len` values: NaN where one is NaN, -∞ where there is none.
#[inline(always)]
pub fn max<F: Float, const N: usize>(block: &[F; N], len: usize) -> F {
    fold(block, len, F::from_f64(f64::NEG_INFINITY), super::math::max::<Portable, F>)
}

/// The smallest of the first `len` values: NaN where one is NaN, ∞ where there is none.
#[inline(always)]
pub fn min<F: Float, const N: usize>(block: &[F; N], len: usize) -> F {
    fold(block, len, F::from_f64(f64::INFINITY), super::math::min::<Portable, F>)
}

/// Folds by halves; `N` that is no power of two leaves a lane over, which joins the first.
#[inline(always)]
fn fold<F: Float, const N: usize>(block: &[F; N], len: usize, none: F, join: impl Fn(F, F) -> F) -> F {
    let mut lanes = *block;
    if len < N {
        for i in 0..N {
            lanes[i] = if i < len { block[i] } else { none };
        }
    }
    let mut width = N;
    while width > 1 {
        let half = width / 2;
        for i in 0..half {
            lanes[i] = join(lanes[i], lanes[i + half]);
        }
        if width % 2 == 1 {
            lanes[0] = join(lanes[0], lanes[width - 1]);
        }
        width = half;
    }
    if N == 0 { none } else { lanes[0] }
}

/// A copy of fewer than 64 values as at most six copies of fixed size: a call of `memcpy` costs more
/// than the values are worth.
#[inline(always)]
fn copy_short<F: Float>(dst: &mut [F], src: &[F]) {
    let len = src.len();
    assert!(dst.len() == len);
    if len >= 64 {
        return dst.copy_from_slice(src);
    }
    let mut at = 0;
    macro_rules! copy {
        ($($width:literal)*) => {$(
            if len & $width != 0 {
                dst[at..at + $width].copy_from_slice(&src[at..at + $width]);
                at += $width;
            }
        )*};
    }
    copy!(32 16 8 4 2 1);
    debug_assert!(at == len);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(n: usize) -> Vec<f32> {
        (0..n).map(|i| i as f32 + 1.0).collect()
    }

    #[test]
    fn load_and_store_every_length() {
        let src = ramp(200);
        for len in 0..=BLOCK {
            let block: [f32; BLOCK] = load(&src, 7, len);
            assert_eq!(block[..len], src[7..7 + len]);
            assert!(block[len..].iter().all(|&x| x == 0.0));
            let mut dst = vec![-1.0; 200];
            store(&mut dst, 5, len, &block);
            assert_eq!(dst[5..5 + len], src[7..7 + len]);
            assert!(dst[..5].iter().chain(&dst[5 + len..]).all(|&x| x == -1.0));
        }
    }

    #[test]
    fn strided_loads() {
        let src = ramp(200);
        for stride in [0, 1, 2, 3] {
            for len in [0, 1, 5, 64] {
                let block: [f32; BLOCK] = load_strided(&src, 3, stride, len);
                for (i, &x) in block.iter().enumerate() {
                    assert_eq!(x, if i < len { src[3 + i * stride] } else { 0.0 });
                }
            }
        }
    }

    #[test]
    #[should_panic]
    fn load_past_the_end_panics() {
        let _: [f32; 8] = load(&ramp(10), 5, 6);
    }

    #[test]
    fn reductions_of_every_length_and_width() {
        fn check<const N: usize>() {
            let block: [f32; N] = load(&ramp(N), 0, N);
            for len in 0..=N {
                assert_eq!(sum(&block, len), (len * (len + 1) / 2) as f32, "{len} of {N}");
                assert_eq!(max(&block, len), if len == 0 { f32::NEG_INFINITY } else { len as f32 });
                assert_eq!(min(&block, len), if len == 0 { f32::INFINITY } else { 1.0 });
                let mut acc = [1.0; N];
                accumulate(&mut acc, &block, len);
                assert_eq!(sum(&acc, N), (N + len * (len + 1) / 2) as f32);
            }
        }
        check::<1>();
        check::<3>();
        check::<7>();
        check::<8>();
        check::<20>();
        check::<64>();
        assert!(max(&[1.0, f32::NAN, 2.0], 3).is_nan());
        assert!(min(&[f32::NAN, 1.0], 2).is_nan());
    }
}
