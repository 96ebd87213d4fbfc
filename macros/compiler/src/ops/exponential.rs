//! Rows: exponentials, logarithms, circular functions, and the error function.

use super::RowDef;

pub(super) static ROWS: &[RowDef] = &[
    RowDef {
        name: "exp",
        arity: 1,
        rust: "math::exp::<I, F>({0})",
        cuda: "math_exp({0})",
        eval: |x| x[0].exp(),
        derivative: |_, y, _, _| Some(y),
        domain: &[(-3.0, 2.0)],
        cost: 12.0,
        doc: "The exponential.",
    },
    RowDef {
        name: "expm1",
        arity: 1,
        rust: "math::expm1::<I, F>({0})",
        cuda: "math_expm1({0})",
        eval: |x| x[0].exp_m1(),
        derivative: |g, _, x, _| Some(g.exp(x[0])),
        domain: &[(-3.0, 2.0)],
        cost: 14.0,
        doc: "`exp(a) - 1`, exact near 0.",
    },
    RowDef {
        name: "log",
        arity: 1,
        rust: "math::log::<I, F>({0})",
        cuda: "math_log({0})",
        eval: |x| x[0].ln(),
        derivative: |g, _, x, _| Some(g.recip(x[0])),
        domain: &[(0.3, 3.0)],
        cost: 14.0,
        doc: "The natural logarithm.",
    },
    RowDef {
        name: "log1p",
        arity: 1,
        rust: "math::log1p::<I, F>({0})",
        cuda: "math_log1p({0})",
        eval: |x| x[0].ln_1p(),
        derivative: |g, _, x, _| {
            let above = g.offset(x[0], 1.0);
            Some(g.recip(above))
        },
        domain: &[(-0.6, 3.0)],
        cost: 16.0,
        doc: "`log(1 + a)`, exact near 0.",
    },
    RowDef {
        name: "sin",
        arity: 1,
        rust: "math::sin::<I, F>({0})",
        cuda: "math_sin({0})",
        eval: |x| x[0].sin(),
        derivative: |g, _, x, _| Some(g.row("cos", &[x[0]])),
        domain: &[(-4.0, 4.0)],
        cost: 16.0,
        doc: "The sine.",
    },
    RowDef {
        name: "cos",
        arity: 1,
        rust: "math::cos::<I, F>({0})",
        cuda: "math_cos({0})",
        eval: |x| x[0].cos(),
        derivative: |g, _, x, _| {
            let sine = g.row("sin", &[x[0]]);
            Some(g.neg(sine))
        },
        domain: &[(-4.0, 4.0)],
        cost: 16.0,
        doc: "The cosine.",
    },
    RowDef {
        name: "tanh",
        arity: 1,
        rust: "math::tanh::<I, F>({0})",
        cuda: "math_tanh({0})",
        eval: |x| x[0].tanh(),
        derivative: |g, y, _, _| {
            let (one, square) = (g.full_like(1.0, y), g.square(y));
            Some(g.sub(one, square))
        },
        domain: &[(-3.0, 3.0)],
        cost: 16.0,
        doc: "The hyperbolic tangent.",
    },
    RowDef {
        name: "sigmoid",
        arity: 1,
        rust: "math::sigmoid::<I, F>({0})",
        cuda: "math_sigmoid({0})",
        eval: |x| sigmoid(x[0]),
        derivative: |g, y, _, _| {
            let one = g.full_like(1.0, y);
            let rest = g.sub(one, y);
            Some(g.mul(y, rest))
        },
        domain: &[(-4.0, 4.0)],
        cost: 16.0,
        doc: "The logistic function `1 / (1 + exp(-a))`.",
    },
    RowDef {
        name: "softplus",
        arity: 1,
        rust: "math::softplus::<I, F>({0})",
        cuda: "math_softplus({0})",
        eval: |x| x[0].max(0.0) + (-x[0].abs()).exp().ln_1p(),
        derivative: |g, _, x, _| Some(g.row("sigmoid", &[x[0]])),
        domain: &[(-4.0, 4.0)],
        cost: 24.0,
        doc: "`log(1 + exp(a))`, without overflow.",
    },
    RowDef {
        name: "erf",
        arity: 1,
        rust: "math::erf::<I, F>({0})",
        cuda: "math_erf({0})",
        eval: |x| erf(x[0]),
        derivative: |g, _, x, _| {
            let square = g.square(x[0]);
            let falling = g.neg(square);
            let bell = g.exp(falling);
            Some(g.scale(bell, std::f64::consts::FRAC_2_SQRT_PI))
        },
        domain: &[(-2.0, 2.0)],
        cost: 24.0,
        doc: "The error function.",
    },
];

pub(super) fn sigmoid(x: f64) -> f64 {
    // exp of a negative number only: no overflow on either side.
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// erf(x) = 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (Abramowitz and Stegun, 7.1.6): no term cancels.
pub(super) fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() > 6.0 {
        return x.signum(); // 1 - erf(6) is below the last bit of 1
    }
    let (mut term, mut sum, mut odd) = (x, 0.0, 1.0);
    while sum + term != sum {
        sum += term;
        odd += 2.0;
        term *= 2.0 * x * x / odd;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_its_tabulated_values() {
        for (x, y) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (-2.0, -0.995_322_265_018_952_7),
            (4.0, 0.999_999_984_582_742_1),
        ] {
            assert!((erf(x) - y).abs() < 4e-16, "{x}: {} {y}", erf(x));
        }
        assert_eq!((erf(0.0), erf(9.0), erf(f64::NEG_INFINITY)), (0.0, 1.0, -1.0));
    }
}
