//! Rows: functions that are constant between steps; their derivative is 0 everywhere.

use super::RowDef;

pub(super) static ROWS: &[RowDef] = &[
    RowDef {
        name: "sign",
        arity: 1,
        rust: "math::sign::<I, F>({0})",
        cuda: "math_sign({0})",
        eval: |x| if x[0] == 0.0 { 0.0 } else { x[0].signum() },
        derivative: |_, _, _, _| None,
        domain: &[(-2.0, 2.0)],
        cost: 2.0,
        doc: "-1, 0 or 1; its derivative is 0 everywhere.",
    },
    RowDef {
        name: "floor",
        arity: 1,
        rust: "math::floor::<I, F>({0})",
        cuda: "math_floor({0})",
        eval: |x| x[0].floor(),
        derivative: |_, _, _, _| None,
        domain: &[(-2.9, 2.9)],
        cost: 2.0,
        doc: "The largest integer not above; its derivative is 0 everywhere.",
    },
    RowDef {
        name: "round",
        arity: 1,
        rust: "math::round::<I, F>({0})",
        cuda: "math_round({0})",
        eval: |x| x[0].round_ties_even(),
        derivative: |_, _, _, _| None,
        domain: &[(-2.9, 2.9)],
        cost: 2.0,
        doc: "The nearest integer, ties to even; its derivative is 0 everywhere.",
    },
];
