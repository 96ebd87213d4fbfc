//! f32 maths: branch-free polynomials that LLVM vectorises. In: f32. Out: f32, within the bounds that
//! `math` states. Never: a call, a table, or a cast that saturates (all three break vectorisation).
//!
//! Polynomials: exp, log, sin, cos from Cephes (S. Moshier), erf after N. Juffa, log1p after FreeBSD's
//! msun; range reduction by the magic number 1.5·2²³, whose low bits hold the rounded integer.
use super::Elementary;
use crate::cpu::isa::Isa;
use std::f32::consts::FRAC_PI_4;

/// Adding it rounds to an integer, which its low bits then hold.
const MAGIC: f32 = 12_582_912.0;
/// The same for f64: 1.5·2⁵².
const MAGIC64: f64 = 6_755_399_441_055_744.0;
/// log 2 in two parts; the first has few bits, so its product with a small integer is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

impl Elementary for f32 {
    #[inline(always)]
    fn exp<I: Isa>(self) -> Self {
        let (n, r) = reduce_exp::<I>(clamp(self, -104.0, 89.0));
        let y = I::fma(r * r, exp_tail::<I>(r), r) + 1.0;
        // In two halves: 2ⁿ itself may be a denormal or too large.
        let half = n >> 1;
        y * power_of_two(half) * power_of_two(n.wrapping_sub(half))
    }

    #[inline(always)]
    fn expm1<I: Isa>(self) -> Self {
        let (n, r) = reduce_exp::<I>(clamp(self, -20.0, 89.0));
        let y = I::fma(r * r, exp_tail::<I>(r), r);
        // 2ⁿ·(y + 1) - 1, by 2ⁿ⁻¹, which cannot overflow.
        let scale = power_of_two(n.wrapping_sub(1));
        let y = 2.0 * I::fma(scale, y, scale - 0.5);
        if self.abs() < 1.5e-8 { self } else { y }
    }

    #[inline(always)]
    fn log<I: Isa>(self) -> Self {
        let denormal = self < f32::MIN_POSITIVE;
        let x = if denormal { self * 8_388_608.0 } else { self };
        let (k, m) = split(x);
        let k = if denormal { k - 23.0 } else { k };
        let f = m - 1.0;
        let z = f * f;
        let tail = I::fma(k, LN2_LOW, f * z * log_tail::<I>(f));
        let y = I::fma(-0.5, z, tail);
        log_ends(self, I::fma(k, LN2_HIGH, f + y))
    }

    #[inline(always)]
    fn log1p<I: Isa>(self) -> Self {
        let u = 1.0 + self;
        let (k, m) = split(u);
        // What the sum lost, as a fraction of it.
        let lost = if self > 1.0 { 1.0 - (u - self) } else { self - (u - 1.0) };
        let lost = lost / u;
        let f = m - 1.0;
        let z = f * f;
        let tail = I::fma(k, LN2_LOW, I::fma(f * z, log_tail::<I>(f), lost));
        let y = I::fma(-0.5, z, tail);
        let y = log_ends(u, I::fma(k, LN2_HIGH, f + y));
        if self.abs() < 1.5e-8 { self } else { y }
    }

    #[inline(always)]
    fn tanh<I: Isa>(self) -> Self {
        let e = Elementary::expm1::<I>(-2.0 * self.abs());
        (-e / (e + 2.0)).copysign(self)
    }

    #[inline(always)]
    fn sigmoid<I: Isa>(self) -> Self {
        let e = Elementary::exp::<I>(-self.abs());
        let top = if self >= 0.0 { 1.0 } else { e };
        top / (1.0 + e)
    }

    #[inline(always)]
    fn softplus<I: Isa>(self) -> Self {
        // log(1 + e) = 2·atanh(s) with s = e / (2 + e) ≤ 1/3: the odd series, fitted. Beside a sigmoid this
        // is half as slow again with the polynomial of `log`, whose chain of operations is longer.
        let e = Elementary::exp::<I>(-self.abs());
        let s = e / (2.0 + e);
        let q = s * s;
        let q2 = q * q;
        let low = I::fma(q, 0.199_994_73, 0.333_333_37);
        let high = I::fma(q, 0.107_223_555, 0.143_075_93);
        let p = I::fma(q2, I::fma(q2, 0.121_204_37, high), low);
        let tail = 2.0 * I::fma(s * q, p, s);
        let positive = if self > 0.0 { self } else { 0.0 };
        // NaN reaches the sum through `tail`.
        positive + tail
    }

    #[inline(always)]
    fn erf<I: Isa>(self) -> Self {
        let t = clamp(self.abs(), 0.0, 4.0);
        let s = t * t;
        // 1 - exp(-t·p(t)) for large t.
        let r = I::fma(-1.728_534_7e-5, t, 3.831_979_7e-4);
        let u = I::fma(-3.883_964e-3, t, 2.425_462_2e-2);
        let r = I::fma(r, s, u);
        let r = I::fma(r, t, -1.067_778_8e-1);
        let r = I::fma(r, t, -6.348_468_7e-1);
        let r = I::fma(r, t, -1.287_175_1e-1);
        let far = 1.0 - Elementary::exp::<I>(I::fma(r, t, -t));
        // t + t·p(t²) for small t.
        let r = I::fma(-5.967_617e-4, s, 4.991_194_2e-3);
        let r = I::fma(r, s, -2.676_813_5e-2);
        let r = I::fma(r, s, 1.128_199_2e-1);
        let r = I::fma(r, s, -3.761_253_4e-1);
        let r = I::fma(r, s, 1.283_791_7e-1);
        let near = I::fma(r, t, t);
        (if t > 0.927_734_4 { far } else { near }).copysign(self)
    }

    #[inline(always)]
    fn sin<I: Isa>(self) -> Self {
        let (quadrant, r) = reduce_circle::<I>(self);
        let y = circle::<I>(quadrant, r);
        if self.abs() < 1e-4 { self } else { y }
    }

    #[inline(always)]
    fn cos<I: Isa>(self) -> Self {
        let (quadrant, r) = reduce_circle::<I>(self);
        circle::<I>(quadrant.wrapping_add(1), r)
    }

    #[inline(always)]
    fn pow<I: Isa>(self, exponent: Self) -> Self {
        super::power::pow::<I>(self, exponent)
    }

    #[inline(always)]
    fn floor<I: Isa>(self) -> Self {
        if I::FUSED {
            return f32::floor(self);
        }
        let rounded = Elementary::round::<I>(self);
        let below = if rounded > self { rounded - 1.0 } else { rounded };
        below.copysign(self)
    }

    #[inline(always)]
    fn round<I: Isa>(self) -> Self {
        if I::FUSED {
            return f32::round_ties_even(self);
        }
        // Without the instruction, a call: so add and take away 2²³.
        let size = self.abs();
        let rounded = ((size + 8_388_608.0) - 8_388_608.0).copysign(self);
        if size < 8_388_608.0 { rounded } else { self }
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }

    #[inline(always)]
    fn lgamma(self) -> Self {
        super::gamma::lgamma(f64::from(self)) as f32
    }

    #[inline(always)]
    fn digamma(self) -> Self {
        super::gamma::digamma(f64::from(self)) as f32
    }
}

/// Between the two, NaN staying NaN (which `f32::min` and `max` would lose).
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// 2ⁿ for -126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// x = n·log 2 + r with |r| ≤ log 2 / 2.
#[inline(always)]
fn reduce_exp<I: Isa>(x: f32) -> (i32, f32) {
    let shifted = I::fma(x, std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = I::fma(-n, LN2_LOW, I::fma(-n, LN2_HIGH, x));
    ((shifted.to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32), r)
}

/// (eʳ - 1 - r) / r². Like [`log_tail`] after Estrin: pairs, then pairs of pairs. The loops are bound by
/// how long one value takes, not by how many instructions it takes.
#[inline(always)]
fn exp_tail<I: Isa>(r: f32) -> f32 {
    let r2 = r * r;
    let low = I::fma(r, 1.666_666_5e-1, 0.5);
    let middle = I::fma(r, 8.333_452e-3, 4.166_579_6e-2);
    let high = I::fma(r, 1.987_569_1e-4, 1.398_199_9e-3);
    I::fma(r2, I::fma(r2, high, middle), low)
}

/// x = 2ᵏ·m with √½ ≤ m < √2, for positive normal x.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let k = (bits as i32) >> 23;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF));
    (k as f32, m)
}

/// (log(1 + f) - f + f²/2) / f³.
#[inline(always)]
fn log_tail<I: Isa>(f: f32) -> f32 {
    let f2 = f * f;
    let f4 = f2 * f2;
    let a = I::fma(f, -2.499_999_4e-1, 3.333_333e-1);
    let b = I::fma(f, -1.666_805_8e-1, 2.000_071_5e-1);
    let c = I::fma(f, -1.242_014_1e-1, 1.424_932_3e-1);
    let d = I::fma(f, -1.151_461e-1, 1.167_699_9e-1);
    let low = I::fma(f2, b, a);
    let high = I::fma(f2, I::fma(f2, 7.037_683_6e-2, d), c);
    I::fma(f4, high, low)
}

/// The logarithm `y` of `x`, put right at 0, ∞, NaN and below 0. Asked of the bits: of float comparisons
/// LLVM makes a test of classes, which is four times slower.
#[inline(always)]
fn log_ends(x: f32, y: f32) -> f32 {
    let bits = x.to_bits() as i32;
    let end = if x > 0.0 { x } else { f32::NAN };
    let end = if x == 0.0 { f32::NEG_INFINITY } else { end };
    if bits > 0 && bits < 0x7f80_0000 { y } else { end }
}

/// x = n·π/2 + r: n mod 4 and r. In f64, where π/2 in two parts (25 and 53 bits) is enough to 2²⁸.
#[inline(always)]
fn reduce_circle<I: Isa>(x: f32) -> (u32, f32) {
    const HALF_PI_HIGH: f64 = 1.570_796_310_901_641_8;
    const HALF_PI_LOW: f64 = 1.589_325_477_352_819_6e-8;
    let x = f64::from(x);
    let shifted = I::fma(x, std::f64::consts::FRAC_2_PI, MAGIC64);
    let n = shifted - MAGIC64;
    let r = I::fma(-n, HALF_PI_LOW, I::fma(-n, HALF_PI_HIGH, x));
    // Past 2²⁸ what remains is no longer small.
    (shifted.to_bits() as u32, clamp(r as f32, -FRAC_PI_4, FRAC_PI_4))
}

/// The sine of r + quadrant·π/2, for |r| ≤ π/4.
#[inline(always)]
fn circle<I: Isa>(quadrant: u32, r: f32) -> f32 {
    let z = r * r;
    let s = I::fma(z, -1.951_529_6e-4, 8.332_161e-3);
    let s = I::fma(z, s, -1.666_665_5e-1);
    let sine = I::fma(z * r, s, r);
    let c = I::fma(z, 2.443_315_7e-5, -1.388_731_6e-3);
    let c = I::fma(z, c, 4.166_664_6e-2);
    let cosine = I::fma(z * z, c, I::fma(-0.5, z, 1.0));
    let y = if quadrant & 1 == 0 { sine } else { cosine };
    f32::from_bits(y.to_bits() ^ ((quadrant & 2) << 30))
}
