// Element-wise functions: the twins of kernels/src/cpu/math/single.rs, operation by operation. In: f32. Out: the bits of
// the CPU's instruction sets that fuse (AVX2, AVX-512, NEON), within the same bounds. Never: a function of the toolkit
// that rounds in its own way: only +, -, ×, ÷, √, fused multiply-add, and rounding to whole numbers.
//
// Sources of the polynomials: see the twin.

static constexpr float MATH_MAGIC = 12582912.0f;          // 1.5·2²³: adding it rounds to an integer
static constexpr double MATH_MAGIC64 = 6755399441055744.0; // 1.5·2⁵²
static constexpr float MATH_LN2_HIGH = 0.6933594f;
static constexpr float MATH_LN2_LOW = -2.1219444e-4f;

/// Between the two, NaN staying NaN.
DEVICE float math_clamp(float x, float low, float high) {
    x = x > high ? high : x;
    return x < low ? low : x;
}

/// 2ⁿ for -126 ≤ n ≤ 127.
DEVICE float math_power_of_two(int n) {
    return __uint_as_float((unsigned int)(n + 127) << 23);
}

/// x = n·log 2 + r with |r| ≤ log 2 / 2.
DEVICE int math_reduce_exp(float x, float *r) {
    const float shifted = fmaf(x, 1.44269504f, MATH_MAGIC);
    const float n = shifted - MATH_MAGIC;
    *r = fmaf(-n, MATH_LN2_LOW, fmaf(-n, MATH_LN2_HIGH, x));
    return (int)(__float_as_uint(shifted) - __float_as_uint(MATH_MAGIC));
}

/// (eʳ - 1 - r) / r².
DEVICE float math_exp_tail(float r) {
    const float r2 = r * r;
    const float low = fmaf(r, 1.6666665e-1f, 0.5f);
    const float middle = fmaf(r, 8.333452e-3f, 4.1665796e-2f);
    const float high = fmaf(r, 1.987569e-4f, 1.3981999e-3f);
    return fmaf(r2, fmaf(r2, high, middle), low);
}

DEVICE T math_exp(T x) {
    float r;
    // NaN has no exponent: the polynomial carries it.
    const int n = math_reduce_exp(math_clamp(x, -104.0f, 89.0f), &r);
    const float y = fmaf(r * r, math_exp_tail(r), r) + 1.0f;
    // In two halves: 2ⁿ itself may be a denormal or too large.
    const int half = n >> 1;
    return y * math_power_of_two(half) * math_power_of_two((int)((unsigned int)n - (unsigned int)half));
}

DEVICE T math_expm1(T x) {
    float r;
    const int n = math_reduce_exp(math_clamp(x, -20.0f, 89.0f), &r);
    const float y = fmaf(r * r, math_exp_tail(r), r);
    const float scale = math_power_of_two((int)((unsigned int)n - 1u));
    const float whole = 2.0f * fmaf(scale, y, scale - 0.5f);
    return fabsf(x) < 1.5e-8f ? x : whole;
}

/// x = 2ᵏ·m with √½ ≤ m < √2, for positive normal x.
DEVICE float math_split(float x, float *m) {
    const unsigned int bits = __float_as_uint(x) - 0x3f3504f3u;
    *m = __uint_as_float((bits & 0x007fffffu) + 0x3f3504f3u);
    return (float)((int)bits >> 23);
}

/// (log(1 + f) - f + f²/2) / f³.
DEVICE float math_log_tail(float f) {
    const float f2 = f * f;
    const float f4 = f2 * f2;
    const float a = fmaf(f, -2.4999994e-1f, 3.333333e-1f);
    const float b = fmaf(f, -1.6668058e-1f, 2.0000715e-1f);
    const float c = fmaf(f, -1.2420141e-1f, 1.4249323e-1f);
    const float d = fmaf(f, -1.151461e-1f, 1.1676999e-1f);
    const float low = fmaf(f2, b, a);
    const float high = fmaf(f2, fmaf(f2, 7.0376836e-2f, d), c);
    return fmaf(f4, high, low);
}

/// The logarithm `y` of `x`, put right at 0, ∞, NaN and below 0.
DEVICE float math_log_ends(float x, float y) {
    const int bits = (int)__float_as_uint(x);
    float end = x > 0.0f ? x : __uint_as_float(0x7fc00000u);
    end = x == 0.0f ? __uint_as_float(0xff800000u) : end;
    return bits > 0 && bits < 0x7f800000 ? y : end;
}

DEVICE T math_log(T x) {
    const bool denormal = x < 1.17549435e-38f;
    float m;
    float k = math_split(denormal ? x * 8388608.0f : x, &m);
    k = denormal ? k - 23.0f : k;
    const float f = m - 1.0f;
    const float z = f * f;
    const float tail = fmaf(k, MATH_LN2_LOW, f * z * math_log_tail(f));
    const float y = fmaf(-0.5f, z, tail);
    return math_log_ends(x, fmaf(k, MATH_LN2_HIGH, f + y));
}

DEVICE T math_log1p(T x) {
    const float u = 1.0f + x;
    float m;
    const float k = math_split(u, &m);
    // What the sum lost, as a fraction of it.
    const float lost = (x > 1.0f ? 1.0f - (u - x) : x - (u - 1.0f)) / u;
    const float f = m - 1.0f;
    const float z = f * f;
    const float tail = fmaf(k, MATH_LN2_LOW, fmaf(f * z, math_log_tail(f), lost));
    const float y = fmaf(-0.5f, z, tail);
    const float whole = math_log_ends(u, fmaf(k, MATH_LN2_HIGH, f + y));
    return fabsf(x) < 1.5e-8f ? x : whole;
}

DEVICE T math_tanh(T x) {
    const float e = math_expm1(-2.0f * fabsf(x));
    return copysignf(-e / (e + 2.0f), x);
}

DEVICE T math_sigmoid(T x) {
    const float e = math_exp(-fabsf(x));
    return (x >= 0.0f ? 1.0f : e) / (1.0f + e);
}

DEVICE T math_softplus(T x) {
    const float e = math_exp(-fabsf(x));
    const float s = e / (2.0f + e);
    const float q = s * s;
    const float q2 = q * q;
    const float low = fmaf(q, 0.19999473f, 0.33333337f);
    const float high = fmaf(q, 0.107223555f, 0.14307593f);
    const float p = fmaf(q2, fmaf(q2, 0.12120437f, high), low);
    const float tail = 2.0f * fmaf(s * q, p, s);
    return (x > 0.0f ? x : 0.0f) + tail;
}

DEVICE T math_erf(T x) {
    const float t = math_clamp(fabsf(x), 0.0f, 4.0f);
    const float s = t * t;
    // 1 - exp(-t·p(t)) for large t.
    float r = fmaf(-1.7285347e-5f, t, 3.8319797e-4f);
    const float u = fmaf(-3.883964e-3f, t, 2.4254622e-2f);
    r = fmaf(r, s, u);
    r = fmaf(r, t, -1.0677788e-1f);
    r = fmaf(r, t, -6.3484687e-1f);
    r = fmaf(r, t, -1.2871751e-1f);
    const float far = 1.0f - math_exp(fmaf(r, t, -t));
    // t + t·p(t²) for small t.
    r = fmaf(-5.967617e-4f, s, 4.9911942e-3f);
    r = fmaf(r, s, -2.6768135e-2f);
    r = fmaf(r, s, 1.1281992e-1f);
    r = fmaf(r, s, -3.7612534e-1f);
    r = fmaf(r, s, 1.2837917e-1f);
    const float near = fmaf(r, t, t);
    return copysignf(t > 0.9277344f ? far : near, x);
}

/// x = n·π/2 + r: n mod 4 and r. In f64, which is enough up to 2²⁸.
DEVICE unsigned int math_reduce_circle(float x, float *r) {
    const double wide = (double)x;
    const double shifted = fma(wide, 0.63661977236758134308, MATH_MAGIC64);
    const double n = shifted - MATH_MAGIC64;
    const double rest = fma(-n, 1.5893254773528196e-8, fma(-n, 1.5707963109016418, wide));
    // Past 2²⁸ what remains is no longer small.
    *r = math_clamp((float)rest, -0.785398163f, 0.785398163f);
    return (unsigned int)__double_as_longlong(shifted);
}

/// The sine of r + quadrant·π/2, for |r| ≤ π/4.
DEVICE float math_circle(unsigned int quadrant, float r) {
    const float z = r * r;
    float s = fmaf(z, -1.9515296e-4f, 8.332161e-3f);
    s = fmaf(z, s, -1.6666655e-1f);
    const float sine = fmaf(z * r, s, r);
    float c = fmaf(z, 2.4433157e-5f, -1.3887316e-3f);
    c = fmaf(z, c, 4.1666646e-2f);
    const float cosine = fmaf(z * z, c, fmaf(-0.5f, z, 1.0f));
    const float y = (quadrant & 1u) == 0u ? sine : cosine;
    return __uint_as_float(__float_as_uint(y) ^ ((quadrant & 2u) << 30));
}

DEVICE T math_sin(T x) {
    float r;
    const unsigned int quadrant = math_reduce_circle(x, &r);
    const float y = math_circle(quadrant, r);
    return fabsf(x) < 1e-4f ? x : y;
}

DEVICE T math_cos(T x) {
    float r;
    const unsigned int quadrant = math_reduce_circle(x, &r);
    return math_circle(quadrant + 1u, r);
}

DEVICE T math_floor(T x) {
    return floorf(x);
}

/// The nearest integer, ties to even.
DEVICE T math_round(T x) {
    return rintf(x);
}

DEVICE T math_sqrt(T x) {
    return sqrtf(x);
}

DEVICE T math_abs(T x) {
    return fabsf(x);
}

/// -1, 0 or 1 (and ±0 or NaN as it is).
DEVICE T math_sign(T x) {
    x = x > 0.0f ? 1.0f : x;
    return x < 0.0f ? -1.0f : x;
}

/// The smaller; NaN where one is NaN.
DEVICE T math_min(T a, T b) {
    const T least = a < b ? a : b;
    return a != a ? a : least;
}

/// The larger; NaN where one is NaN.
DEVICE T math_max(T a, T b) {
    const T most = a > b ? a : b;
    return a != a ? a : most;
}

/// `a` where `condition` is not 0, else `b`.
DEVICE T math_select(T condition, T a, T b) {
    return condition != 0.0f ? a : b;
}

DEVICE T math_lt(T a, T b) {
    return a < b ? 1.0f : 0.0f;
}
DEVICE T math_le(T a, T b) {
    return a <= b ? 1.0f : 0.0f;
}
DEVICE T math_gt(T a, T b) {
    return a > b ? 1.0f : 0.0f;
}
DEVICE T math_ge(T a, T b) {
    return a >= b ? 1.0f : 0.0f;
}
DEVICE T math_eq(T a, T b) {
    return a == b ? 1.0f : 0.0f;
}
DEVICE T math_ne(T a, T b) {
    return a != b ? 1.0f : 0.0f;
}
