// xʸ: the twin of kernels/src/cpu/math/power.rs. In: f32. Out: the CPU's bits, within one unit in the last place.
// Never: a branch that threads of a warp take apart.

/// log₂x of a positive, finite f64 that was an f32.
DEVICE double math_log2_wide(double x) {
    const unsigned long long bits = (unsigned long long)__double_as_longlong(x) - 0x3fe6a09e667f3bcdull;
    const double k = __longlong_as_double((long long)(0x4330000000000000ull | ((bits >> 52) ^ 0x800ull))) -
                     (4503599627370496.0 + 2048.0);
    const double m =
        __longlong_as_double((long long)((bits & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdull));
    const double s = (m - 1.0) / (m + 1.0);
    const double q = s * s;
    double p = fma(q, 1.0 / 15.0, 1.0 / 13.0);
    p = fma(q, p, 1.0 / 11.0);
    p = fma(q, p, 1.0 / 9.0);
    p = fma(q, p, 1.0 / 7.0);
    p = fma(q, p, 1.0 / 5.0);
    p = fma(q, p, 1.0 / 3.0);
    p = fma(q, p, 1.0);
    return fma(2.0 * 1.44269504088896340736 * s, p, k);
}

/// 2ᶻ, 0 below -200 and ∞ above 200 once rounded to f32.
DEVICE double math_exp2_wide(double z) {
    z = z > 200.0 ? 200.0 : z;
    z = z < -200.0 ? -200.0 : z;
    const double shifted = z + MATH_MAGIC64;
    const double t = (z - (shifted - MATH_MAGIC64)) * 0.69314718055994530942;
    double p = fma(t, 1.0 / 3628800.0, 1.0 / 362880.0);
    p = fma(t, p, 1.0 / 40320.0);
    p = fma(t, p, 1.0 / 5040.0);
    p = fma(t, p, 1.0 / 720.0);
    p = fma(t, p, 1.0 / 120.0);
    p = fma(t, p, 1.0 / 24.0);
    p = fma(t, p, 1.0 / 6.0);
    p = fma(t, p, 0.5);
    p = fma(t, p, 1.0);
    p = fma(t, p, 1.0);
    const unsigned long long bits = (unsigned long long)__double_as_longlong(shifted) + 1023ull;
    return p * __longlong_as_double((long long)(bits << 52));
}

DEVICE bool math_is_whole(float y) {
    return floorf(y) == y;
}

DEVICE T math_pow(T x, T y) {
    const float infinity = __uint_as_float(0x7f800000u), nan = __uint_as_float(0x7fc00000u);
    const float size = fabsf(x);
    const double z = (double)y * math_log2_wide((double)size);
    float power = (float)math_exp2_wide(z);

    // Where |x| or y is 0 or infinite, log2 is infinite and the product may be 0·∞.
    const bool ends = size == 0.0f || size == infinity;
    const bool grows = (size > 1.0f) == (y > 0.0f);
    power = ends ? (grows ? infinity : 0.0f) : power;

    // Below 0 only integers are defined; odd ones keep the sign.
    const bool whole = math_is_whole(y);
    const bool odd = whole && !math_is_whole(0.5f * y);
    const bool negative = (__float_as_uint(x) >> 31) != 0u;
    power = negative && odd ? -power : power;
    power = x < 0.0f && !whole && size != infinity ? nan : power;

    power = x != x || y != y ? nan : power;
    return y == 0.0f || x == 1.0f || (x == -1.0f && fabsf(y) == infinity) ? 1.0f : power;
}
