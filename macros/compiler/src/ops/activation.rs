//! Rows: activation functions that are not already among the exponentials.

use super::RowDef;
use super::exponential::{erf, sigmoid};
use std::f64::consts::FRAC_1_SQRT_2;

/// 1/√(2π).
const BELL: f64 = 0.398_942_280_401_432_7;

pub(super) static ROWS: &[RowDef] = &[
    RowDef {
        name: "relu",
        arity: 1,
        rust: "math::max::<I, F>({0}, F::ZERO)",
        cuda: "math_max({0}, T(0))",
        eval: |x| if x[0] < 0.0 { 0.0 } else { x[0] },
        derivative: |g, y, _, _| {
            // Of the result, which is kept anyway: then nobody needs the argument.
            let zero = g.full_like(0.0, y);
            Some(g.row("gt", &[y, zero]))
        },
        domain: &[(-2.0, 2.0)],
        cost: 1.0,
        doc: "`max(a, 0)`; its derivative at 0 is 0.",
    },
    RowDef {
        name: "leaky_relu",
        arity: 1,
        rust: "math::max::<I, F>({0}, F::from_f64(0.01) * {0})",
        cuda: "math_max({0}, T(0.01) * {0})",
        eval: |x| if x[0] > 0.0 { x[0] } else { 0.01 * x[0] },
        derivative: |g, y, _, _| {
            let (zero, one, slope) = (g.full_like(0.0, y), g.full_like(1.0, y), g.full_like(0.01, y));
            let positive = g.row("gt", &[y, zero]);
            Some(g.row("select", &[positive, one, slope]))
        },
        domain: &[(-2.0, 2.0)],
        cost: 2.0,
        doc: "`a` above 0, else `0.01 a`; its derivative at 0 is 0.01.",
    },
    RowDef {
        name: "elu",
        arity: 1,
        rust: "math::select::<I, F>(math::gt::<I, F>({0}, F::ZERO), {0}, math::expm1::<I, F>(math::min::<I, F>({0}, F::ZERO)))",
        cuda: "math_select(math_gt({0}, T(0)), {0}, math_expm1(math_min({0}, T(0))))",
        eval: |x| if x[0] > 0.0 { x[0] } else { x[0].exp_m1() },
        derivative: |g, y, _, _| {
            // y + 1 = exp(a) below 0, 1 above.
            let zero = g.full_like(0.0, y);
            let below = g.row("min", &[y, zero]);
            Some(g.offset(below, 1.0))
        },
        domain: &[(-3.0, 2.0)],
        cost: 16.0,
        doc: "`a` above 0, else `exp(a) - 1`; its derivative at 0 is 1.",
    },
    RowDef {
        name: "gelu",
        arity: 1,
        rust: "(F::from_f64(0.5) * {0} * (F::ONE + math::erf::<I, F>({0} * F::from_f64(0.7071067811865476))))",
        cuda: "(T(0.5) * {0} * (T(1) + math_erf({0} * T(0.7071067811865476))))",
        eval: |x| 0.5 * x[0] * (1.0 + erf(x[0] * FRAC_1_SQRT_2)),
        derivative: |g, _, x, _| {
            // Φ(a) + a φ(a)
            let scaled = g.scale(x[0], FRAC_1_SQRT_2);
            let erf = g.row("erf", &[scaled]);
            let half = g.scale(erf, 0.5);
            let phi = g.offset(half, 0.5);
            let square = g.square(scaled);
            let falling = g.neg(square);
            let bell = g.exp(falling);
            let weighted = g.mul(x[0], bell);
            let density = g.scale(weighted, BELL);
            Some(g.add(phi, density))
        },
        domain: &[(-3.0, 3.0)],
        cost: 28.0,
        doc: "`a Φ(a)`, with the exact normal distribution function Φ.",
    },
    RowDef {
        name: "silu",
        arity: 1,
        rust: "({0} * math::sigmoid::<I, F>({0}))",
        cuda: "({0} * math_sigmoid({0}))",
        eval: |x| x[0] * sigmoid(x[0]),
        derivative: |g, y, x, _| {
            // s + a s (1 - s)
            let s = g.row("sigmoid", &[x[0]]);
            let one = g.full_like(1.0, y);
            let rest = g.sub(one, s);
            let bend = g.mul(y, rest);
            Some(g.add(s, bend))
        },
        domain: &[(-3.0, 3.0)],
        cost: 17.0,
        doc: "`a sigmoid(a)`, also called swish.",
    },
    RowDef {
        name: "soft_threshold",
        arity: 2,
        rust: "(math::sign::<I, F>({0}) * math::max::<I, F>(math::abs::<I, F>({0}) - {1}, F::ZERO))",
        cuda: "(math_sign({0}) * math_max(math_abs({0}) - {1}, T(0)))",
        eval: |x| {
            let rest = x[0].abs() - x[1];
            if rest > 0.0 { rest.copysign(x[0]) } else { 0.0 }
        },
        derivative: |g, y, x, i| {
            let size = g.row("abs", &[x[0]]);
            let outside = g.row("gt", &[size, x[1]]);
            if i == 0 {
                return Some(outside);
            }
            let sign = g.row("sign", &[y]);
            Some(g.neg(sign))
        },
        domain: &[(-2.0, 2.0), (0.1, 1.0)],
        cost: 4.0,
        doc: "`sign(a) max(|a| - t, 0)`; its derivatives where |a| is `t` are 0.",
    },
];
