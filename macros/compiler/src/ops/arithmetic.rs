//! Rows: arithmetic. Derivatives are factors: what the adjoint of the node is multiplied by.

use super::RowDef;

pub(super) static ROWS: &[RowDef] = &[
    RowDef {
        name: "add",
        arity: 2,
        rust: "({0} + {1})",
        cuda: "({0} + {1})",
        eval: |x| x[0] + x[1],
        derivative: |g, y, _, _| Some(g.full_like(1.0, y)),
        domain: &[(-2.0, 2.0), (-2.0, 2.0)],
        cost: 1.0,
        doc: "The sum `a + b`.",
    },
    RowDef {
        name: "sub",
        arity: 2,
        rust: "({0} - {1})",
        cuda: "({0} - {1})",
        eval: |x| x[0] - x[1],
        derivative: |g, y, _, i| Some(g.full_like(if i == 0 { 1.0 } else { -1.0 }, y)),
        domain: &[(-2.0, 2.0), (-2.0, 2.0)],
        cost: 1.0,
        doc: "The difference `a - b`.",
    },
    RowDef {
        name: "mul",
        arity: 2,
        rust: "({0} * {1})",
        cuda: "({0} * {1})",
        eval: |x| x[0] * x[1],
        derivative: |_, _, x, i| Some(x[1 - i]),
        domain: &[(-2.0, 2.0), (-2.0, 2.0)],
        cost: 1.0,
        doc: "The product `a * b`.",
    },
    RowDef {
        name: "div",
        arity: 2,
        rust: "({0} / {1})",
        cuda: "({0} / {1})",
        eval: |x| x[0] / x[1],
        derivative: |g, y, x, i| {
            Some(if i == 0 {
                g.recip(x[1])
            } else {
                let slope = g.div(y, x[1]);
                g.neg(slope)
            })
        },
        domain: &[(-2.0, 2.0), (0.4, 2.0)],
        cost: 4.0,
        doc: "The quotient `a / b`.",
    },
    RowDef {
        name: "neg",
        arity: 1,
        rust: "(-{0})",
        cuda: "(-{0})",
        eval: |x| -x[0],
        derivative: |g, y, _, _| Some(g.full_like(-1.0, y)),
        domain: &[(-2.0, 2.0)],
        cost: 1.0,
        doc: "The negative `-a`.",
    },
    RowDef {
        name: "recip",
        arity: 1,
        rust: "(F::ONE / {0})",
        cuda: "(T(1) / {0})",
        eval: |x| 1.0 / x[0],
        derivative: |g, y, _, _| {
            let square = g.square(y);
            Some(g.neg(square))
        },
        domain: &[(0.4, 2.0)],
        cost: 4.0,
        doc: "The reciprocal `1 / a`.",
    },
    RowDef {
        name: "square",
        arity: 1,
        rust: "({0} * {0})",
        cuda: "({0} * {0})",
        eval: |x| x[0] * x[0],
        derivative: |g, _, x, _| Some(g.scale(x[0], 2.0)),
        domain: &[(-2.0, 2.0)],
        cost: 1.0,
        doc: "The square `a * a`.",
    },
    RowDef {
        name: "pow",
        arity: 2,
        rust: "math::pow::<I, F>({0}, {1})",
        cuda: "math_pow({0}, {1})",
        eval: |x| x[0].powf(x[1]),
        derivative: |g, y, x, i| {
            Some(if i == 0 {
                let less = g.offset(x[1], -1.0);
                let power = g.row("pow", &[x[0], less]);
                g.mul(x[1], power)
            } else {
                // The logarithm only where there is one.
                let (zero, one) = (g.full_like(0.0, y), g.full_like(1.0, y));
                let positive = g.row("gt", &[x[0], zero]);
                let base = g.row("select", &[positive, x[0], one]);
                let log = g.log(base);
                g.mul(y, log)
            })
        },
        domain: &[(0.3, 2.0), (-2.0, 2.0)],
        cost: 30.0,
        doc: "The power `a^b`; for `a` not above 0, the derivative for `b` is 0.",
    },
    RowDef {
        name: "sqrt",
        arity: 1,
        rust: "math::sqrt::<I, F>({0})",
        cuda: "math_sqrt({0})",
        eval: |x| x[0].sqrt(),
        derivative: |g, y, _, _| {
            let double = g.scale(y, 2.0);
            Some(g.recip(double))
        },
        domain: &[(0.2, 2.0)],
        cost: 5.0,
        doc: "The square root; its derivative at 0 is infinite.",
    },
    RowDef {
        name: "rsqrt",
        arity: 1,
        rust: "(F::ONE / math::sqrt::<I, F>({0}))",
        cuda: "(T(1) / math_sqrt({0}))",
        eval: |x| 1.0 / x[0].sqrt(),
        derivative: |g, y, x, _| {
            let slope = g.div(y, x[0]);
            Some(g.scale(slope, -0.5))
        },
        domain: &[(0.3, 2.0)],
        cost: 8.0,
        doc: "The reciprocal square root `1 / sqrt(a)`.",
    },
    RowDef {
        name: "abs",
        arity: 1,
        rust: "math::abs::<I, F>({0})",
        cuda: "math_abs({0})",
        eval: |x| x[0].abs(),
        derivative: |g, _, x, _| Some(g.row("sign", &[x[0]])),
        domain: &[(-2.0, 2.0)],
        cost: 1.0,
        doc: "The absolute value; its derivative at 0 is 0.",
    },
    RowDef {
        name: "min",
        arity: 2,
        rust: "math::min::<I, F>({0}, {1})",
        cuda: "math_min({0}, {1})",
        eval: |x| if x[1] < x[0] { x[1] } else { x[0] },
        derivative: |g, _, x, i| Some(g.row(if i == 0 { "le" } else { "gt" }, &[x[0], x[1]])),
        domain: &[(-2.0, 2.0), (-2.0, 2.0)],
        cost: 1.0,
        doc: "The smaller one; of equal arguments, the first has derivative 1, the second 0.",
    },
    RowDef {
        name: "max",
        arity: 2,
        rust: "math::max::<I, F>({0}, {1})",
        cuda: "math_max({0}, {1})",
        eval: |x| if x[1] > x[0] { x[1] } else { x[0] },
        derivative: |g, _, x, i| Some(g.row(if i == 0 { "ge" } else { "lt" }, &[x[0], x[1]])),
        domain: &[(-2.0, 2.0), (-2.0, 2.0)],
        cost: 1.0,
        doc: "The larger one; of equal arguments, the first has derivative 1, the second 0.",
    },
];
