// log |Γ| and its derivative, in f64. In: f32. Out: f32, within one unit in the last place above 0 (below, relative to the
// terms of the reflection). Never: the CPU's bits, which are those of a library of each machine.

static constexpr double GAMMA_PI = 3.14159265358979323846;

/// The logarithm of a positive, finite, normal number: FreeBSD's msun (e_log.c).
DEVICE double gamma_log(double x) {
    const unsigned long long bits = (unsigned long long)__double_as_longlong(x) - 0x3fe6a09e667f3bcdull;
    const double k = (double)((long long)bits >> 52);
    const double m =
        __longlong_as_double((long long)((bits & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdull));
    const double f = m - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    const double w = z * z;
    const double even = w * fma(w, fma(w, 1.531383769920937332e-01, 2.222219843214978396e-01),
                                3.999999999940941908e-01);
    const double odd = z * fma(w, fma(w, fma(w, 1.479819860511658591e-01, 1.818357216161805012e-01),
                                      2.857142874366239149e-01), 6.666666666666735130e-01);
    const double half = 0.5 * f * f;
    return k * 6.93147180369123816490e-01 -
           ((half - (s * (half + (even + odd)) + k * 1.90821492927058770002e-10)) - f);
}

/// The sine of πx of a finite number, and with `cosine` the cosine: exact reduction, then the kernels of FreeBSD's
/// msun (k_sin.c, k_cos.c).
DEVICE double gamma_circle(double x, bool cosine) {
    // To [0, 2), then x = n/2 + r with |r| ≤ ¼.
    x -= 2.0 * floor(0.5 * x);
    const double n = floor(2.0 * x + 0.5);
    const double r = (x - 0.5 * n) * GAMMA_PI;
    const int quadrant = (int)n + (cosine ? 1 : 0);
    const double z = r * r;
    double s = fma(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08);
    s = fma(z, s, 2.75573137070700676789e-06);
    s = fma(z, s, -1.98412698298579493134e-04);
    s = fma(z, s, 8.33333333332248946124e-03);
    s = fma(z, s, -1.66666666666666324348e-01);
    s = fma(r * z, s, r);
    double c = fma(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09);
    c = fma(z, c, -2.75573143513906633035e-07);
    c = fma(z, c, 2.48015872894767294178e-05);
    c = fma(z, c, -1.38888888888741095749e-03);
    c = fma(z, c, 4.16666666666666019037e-02);
    c = fma(z * z, c, fma(-0.5, z, 1.0));
    const double y = (quadrant & 1) == 0 ? s : c;
    return (quadrant & 2) == 0 ? y : -y;
}

/// log Γ(2 + z) for |z| ≤ ½: (1 - γ) z + Σ (-1)ᵏ (ζ(k) - 1) zᵏ / k (Abramowitz and Stegun 6.1.33, about 2).
DEVICE double gamma_near_two(double z) {
    const double terms[21] = {
        0.3224670334241132,     -0.0673523010531981,    0.020580808427784546,   -0.007385551028673986,
        0.0028905103307415234,  -0.001192753911703261,  0.0005096695247430425,  -0.00022315475845357939,
        9.945751278180853e-05,  -4.492623673813314e-05, 2.050721277567069e-05,  -9.439488275268397e-06,
        4.374866789907488e-06,  -2.039215753801366e-06, 9.55141213040742e-07,   -4.492469198764566e-07,
        2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08, -2.2711094608943164e-08,
        1.0838659214896955e-08,
    };
    double sum = terms[20];
#pragma unroll
    for (int k = 19; k >= 0; k--) {
        sum = fma(sum, z, terms[k]);
    }
    return z * fma(sum, z, 0.42278433509846714);
}

/// log Γ(x) for x ≥ ½.
DEVICE double gamma_positive(double x) {
    if (x < 1.5) {
        return gamma_near_two(x - 1.0) - gamma_log(x);
    }
    if (x <= 2.5) {
        return gamma_near_two(x - 2.0);
    }
    // Recurrence up to 10 (6.1.15), then Stirling's series (6.1.41).
    double product = 1.0;
    while (x < 10.0) {
        product *= x;
        x += 1.0;
    }
    const double y = 1.0 / (x * x);
    double series = fma(y, -691.0 / 360360.0, 1.0 / 1188.0);
    series = fma(y, series, -1.0 / 1680.0);
    series = fma(y, series, 1.0 / 1260.0);
    series = fma(y, series, -1.0 / 360.0);
    series = fma(y, series, 1.0 / 12.0) / x;
    return (x - 0.5) * gamma_log(x) - x + 0.91893853320467274178 + series - gamma_log(product);
}

/// log |Γ(x)|; ∞ at 0 and the negative integers.
static __device__ __noinline__ T math_lgamma(T value) {
    const double x = (double)value;
    const float infinity = __uint_as_float(0x7f800000u);
    if (value != value) {
        return value;
    }
    if (fabsf(value) == infinity || (x <= 0.0 && x == floor(x))) {
        return infinity;
    }
    if (x >= 0.5) {
        return (float)gamma_positive(x);
    }
    // Reflection (6.1.17).
    const double sine = gamma_circle(fabs(x), false);
    return (float)(gamma_log(GAMMA_PI / fabs(sine)) - gamma_positive(1.0 - x));
}

/// ψ(x), the derivative of log Γ(x); NaN at 0 and the negative integers.
static __device__ __noinline__ T math_digamma(T value) {
    double x = (double)value, rest = 0.0;
    if (value != value || value == __uint_as_float(0x7f800000u)) {
        return value;
    }
    if (x <= 0.0) {
        if (x == floor(x)) {
            return __uint_as_float(0x7fc00000u);
        }
        // Reflection (6.3.7), of the distance from the nearest integer only.
        const double beside = x - rint(x), sine = gamma_circle(fabs(beside), false);
        rest = GAMMA_PI * gamma_circle(fabs(beside), true) / (beside < 0.0 ? -sine : sine);
        x = 1.0 - x;
    }
    // Recurrence up to 10 (6.3.5), then the asymptotic series (6.3.18).
    double shift = 0.0;
    while (x < 10.0) {
        shift += 1.0 / x;
        x += 1.0;
    }
    const double y = 1.0 / (x * x);
    double series = fma(y, -1.0 / 12.0, 691.0 / 32760.0);
    series = fma(-y, series, 1.0 / 132.0);
    series = fma(-y, series, 1.0 / 240.0);
    series = fma(-y, series, 1.0 / 252.0);
    series = fma(-y, series, 1.0 / 120.0);
    series = y * fma(-y, series, 1.0 / 12.0);
    return (float)(gamma_log(x) - 0.5 / x - series - shift - rest);
}
