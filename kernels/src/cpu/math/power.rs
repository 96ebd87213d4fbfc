//! xʸ for f32. In: f32. Out: f32 within one unit in the last place. Branch-free, through f64, so that
//! y·log₂x, which may reach 150, keeps the digits that 2ᶻ needs. Never vectorises beyond half speed.
use crate::cpu::isa::Isa;

/// xʸ with the special cases of IEEE 754.
#[inline(always)]
pub fn pow<I: Isa>(x: f32, y: f32) -> f32 {
    let size = x.abs();
    let z = f64::from(y) * log2::<I>(f64::from(size));
    let power = exp2::<I>(z) as f32;

    // Where |x| or y is 0 or infinite, log2 is infinite and the product may be 0·∞.
    let ends = size == 0.0 || size == f32::INFINITY;
    let grows = (size > 1.0) == (y > 0.0);
    let power = if ends { if grows { f32::INFINITY } else { 0.0 } } else { power };

    // Below 0 only integers are defined; odd ones keep the sign.
    let whole = is_whole::<I>(y);
    let odd = whole && !is_whole::<I>(0.5 * y);
    let negative = x.is_sign_negative();
    let power = if negative && odd { -power } else { power };
    let power = if x < 0.0 && !whole && size != f32::INFINITY { f32::NAN } else { power };

    let power = if x.is_nan() || y.is_nan() { f32::NAN } else { power };
    if y == 0.0 || x == 1.0 || (x == -1.0 && y.abs() == f32::INFINITY) { 1.0 } else { power }
}

#[inline(always)]
fn is_whole<I: Isa>(y: f32) -> bool {
    crate::cpu::math::Elementary::floor::<I>(y) == y
}

/// log₂x of a positive, finite f64 that was an f32 (so never a denormal f64): 2·atanh(s)/log 2 with
/// s = (m - 1)/(m + 1), |s| ≤ 0.172; the first term left out is below 2⁻⁴⁴.
#[inline(always)]
fn log2<I: Isa>(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    // The exponent as a number without an integer conversion, which AVX2 lacks for 64 bits.
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let k = f64::from_bits(TWO_52 | ((bits >> 52) ^ 0x800)) - (4_503_599_627_370_496.0 + 2048.0);
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF));
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let p = I::fma(q, 1.0 / 15.0, 1.0 / 13.0);
    let p = I::fma(q, p, 1.0 / 11.0);
    let p = I::fma(q, p, 1.0 / 9.0);
    let p = I::fma(q, p, 1.0 / 7.0);
    let p = I::fma(q, p, 1.0 / 5.0);
    let p = I::fma(q, p, 1.0 / 3.0);
    let p = I::fma(q, p, 1.0);
    I::fma(2.0 * std::f64::consts::LOG2_E * s, p, k)
}

/// 2ᶻ, 0 below -200 and ∞ above 200 once rounded to f32: the Taylor series of e^(r·log 2), |r| ≤ ½.
#[inline(always)]
fn exp2<I: Isa>(z: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let z = if z > 200.0 { 200.0 } else { z };
    let z = if z < -200.0 { -200.0 } else { z };
    let shifted = z + MAGIC;
    let t = (z - (shifted - MAGIC)) * std::f64::consts::LN_2;
    let p = I::fma(t, 1.0 / 3_628_800.0, 1.0 / 362_880.0);
    let p = I::fma(t, p, 1.0 / 40_320.0);
    let p = I::fma(t, p, 1.0 / 5_040.0);
    let p = I::fma(t, p, 1.0 / 720.0);
    let p = I::fma(t, p, 1.0 / 120.0);
    let p = I::fma(t, p, 1.0 / 24.0);
    let p = I::fma(t, p, 1.0 / 6.0);
    let p = I::fma(t, p, 0.5);
    let p = I::fma(t, p, 1.0);
    let p = I::fma(t, p, 1.0);
    p * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}
