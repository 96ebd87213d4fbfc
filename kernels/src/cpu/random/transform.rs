//! From bits to numbers. In: random words, uniform numbers. Out: uniform and normal numbers.
//! Never: anything but +, -, ×, ÷, √ rounded one by one, so that every instruction set and device
//! computes the same bits.

/// What each number type does with random bits.
pub trait Transform: Sized + Copy {
    /// (k + ½)·2⁻²³ from the high 23 bits k of a word: in (0, 1), exact in f32.
    fn unit(word: u32) -> Self;
    /// Two independent standard normal numbers from two uniform ones in (0, 1).
    fn normal_pair(u: Self, v: Self) -> (Self, Self);
}

impl Transform for f32 {
    #[inline(always)]
    fn unit(word: u32) -> Self {
        f32::from_bits(0x3f80_0000 | (word >> 9)) - (1.0 - 0.5 / 8_388_608.0)
    }

    #[inline(always)]
    fn normal_pair(u: Self, v: Self) -> (Self, Self) {
        let radius = (-2.0 * log32(u)).sqrt();
        // 4v = quadrant + t with |t| ≤ ½, exactly; the angle is t·π/2.
        let shifted = 4.0 * v + 12_582_912.0;
        let quadrant = shifted.to_bits();
        let r = (4.0 * v - (shifted - 12_582_912.0)) * std::f32::consts::FRAC_PI_2;
        let z = r * r;
        let sine = r + r * z * (-1.666_665_5e-1 + z * (8.332_161e-3 + z * -1.951_529_6e-4));
        let cosine = 1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
        let swap = quadrant & 1 != 0;
        let c = if swap { sine } else { cosine };
        let s = if swap { cosine } else { sine };
        // The cosine is negative in quadrants 1 and 2, the sine in 2 and 3.
        let c = f32::from_bits(c.to_bits() ^ ((quadrant.wrapping_add(1) & 2) << 30));
        let s = f32::from_bits(s.to_bits() ^ ((quadrant & 2) << 30));
        (radius * c, radius * s)
    }
}

/// The logarithm of a uniform number, as in `math::single`, without fma.
#[inline(always)]
fn log32(u: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = u.to_bits().wrapping_sub(SQRT_HALF);
    let k = ((bits as i32) >> 23) as f32;
    let f = f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    let z = f * f;
    let p = 7.037_683_6e-2 * f - 1.151_461e-1;
    let p = p * f + 1.167_699_9e-1;
    let p = p * f - 1.242_014_1e-1;
    let p = p * f + 1.424_932_3e-1;
    let p = p * f - 1.666_805_8e-1;
    let p = p * f + 2.000_071_5e-1;
    let p = p * f - 2.499_999_4e-1;
    let p = p * f + 3.333_333e-1;
    let tail = f * z * p + k * -2.121_944_4e-4;
    (f + (tail - 0.5 * z)) + k * 0.693_359_4
}

impl Transform for f64 {
    #[inline(always)]
    fn unit(word: u32) -> Self {
        f64::from(f32::unit(word))
    }

    #[inline(always)]
    fn normal_pair(u: Self, v: Self) -> (Self, Self) {
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let radius = (-2.0 * log64(u)).sqrt();
        let shifted = 4.0 * v + MAGIC;
        let quadrant = shifted.to_bits();
        let r = (4.0 * v - (shifted - MAGIC)) * std::f64::consts::FRAC_PI_2;
        let z = r * r;
        // The kernels of FreeBSD's msun (k_sin.c, k_cos.c).
        let s = -2.505_076_025_340_686_4e-8 + z * 1.589_690_995_211_55e-10;
        let s = 2.755_731_370_707_006_8e-6 + z * s;
        let s = -1.984_126_982_985_795e-4 + z * s;
        let s = 8.333_333_333_322_49e-3 + z * s;
        let s = -1.666_666_666_666_663_2e-1 + z * s;
        let sine = r + r * z * s;
        let c = 2.087_572_321_298_175e-9 + z * -1.135_964_755_778_819_5e-11;
        let c = -2.755_731_435_139_066_3e-7 + z * c;
        let c = 2.480_158_728_947_673e-5 + z * c;
        let c = -1.388_888_888_887_411e-3 + z * c;
        let c = 4.166_666_666_666_66e-2 + z * c;
        let cosine = (1.0 - 0.5 * z) + z * z * c;
        let swap = quadrant & 1 != 0;
        let c = if swap { sine } else { cosine };
        let s = if swap { cosine } else { sine };
        let c = f64::from_bits(c.to_bits() ^ ((quadrant.wrapping_add(1) & 2) << 62));
        let s = f64::from_bits(s.to_bits() ^ ((quadrant & 2) << 62));
        (radius * c, radius * s)
    }
}

/// The logarithm of a uniform number: FreeBSD's msun (e_log.c), without fma.
#[inline(always)]
fn log64(u: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let bits = u.to_bits().wrapping_sub(SQRT_HALF);
    // The exponent as a number, without a 64-bit integer conversion.
    let k = f64::from_bits(TWO_52 | ((bits >> 52) ^ 0x800)) - (4_503_599_627_370_496.0 + 2048.0);
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even =
        w * (3.999_999_999_940_942e-1 + w * (2.222_219_843_214_978_4e-1 + w * 1.531_383_769_920_937_3e-1));
    let odd = z
        * (6.666_666_666_666_735e-1
            + w * (2.857_142_874_366_239e-1
                + w * (1.818_357_216_161_805e-1 + w * 1.479_819_860_511_658_6e-1)));
    let half = 0.5 * f * f;
    k * 6.931_471_803_691_238e-1
        - ((half - (s * (half + (even + odd)) + k * 1.908_214_929_270_587_7e-10)) - f)
}
