//! Rows: the logarithm of the gamma function, and its derivative.

use super::RowDef;
use crate::graph::{Graph, NodeId};
use std::f64::consts::PI;

pub(super) static ROWS: &[RowDef] = &[
    RowDef {
        name: "lgamma",
        arity: 1,
        rust: "math::lgamma::<I, F>({0})",
        cuda: "math_lgamma({0})",
        eval: |x| lgamma(x[0]),
        derivative: |g, _, x, _| Some(g.row("digamma", &[x[0]])),
        domain: &[(0.3, 6.0)],
        cost: 60.0,
        doc: "The logarithm of |Γ(a)|.",
    },
    RowDef {
        name: "digamma",
        arity: 1,
        rust: "math::digamma::<I, F>({0})",
        cuda: "math_digamma({0})",
        eval: |x| digamma(x[0]),
        derivative: |g, _, x, _| Some(trigamma(g, x[0])),
        domain: &[(0.3, 6.0)],
        cost: 60.0,
        doc: "The derivative of lgamma; its own derivative is a series for `a` above 0.",
    },
];

/// Bernoulli numbers B₂, B₄, … of the asymptotic series.
const BERNOULLI: [f64; 7] =
    [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];

/// Where the asymptotic series take over: their last term is below 1e-17 there.
const FAR: f64 = 12.0;

/// log |Γ(x)|: recurrence up to `FAR`, then Stirling's series; reflection below ½.
pub(super) fn lgamma(x: f64) -> f64 {
    if x <= 0.0 && x == x.floor() {
        return f64::INFINITY;
    }
    if x < 0.5 {
        return (PI / (PI * x).sin().abs()).ln() - lgamma(1.0 - x);
    }
    let (mut x, mut product) = (x, 1.0);
    while x < FAR {
        product *= x;
        x += 1.0;
    }
    let series: f64 = BERNOULLI
        .iter()
        .enumerate()
        .map(|(k, b)| b / ((2 * k + 1) * (2 * k + 2)) as f64 / x.powi(2 * k as i32 + 1))
        .sum();
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - product.ln()
}

/// The derivative of `lgamma`, by the same three steps.
pub(super) fn digamma(x: f64) -> f64 {
    if x <= 0.0 && x == x.floor() {
        return f64::NAN;
    }
    if x < 0.5 {
        return digamma(1.0 - x) - PI / (PI * x).tan();
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < FAR {
        sum += 1.0 / x;
        x += 1.0;
    }
    let series: f64 =
        BERNOULLI.iter().enumerate().map(|(k, b)| b / (2 * k + 2) as f64 / x.powi(2 * k as i32 + 2)).sum();
    x.ln() - 0.5 / x - series - sum
}

/// ψ′(x) for x > 0 in graph terms, so that it has derivatives of every order itself:
/// Σ_{k<6} 1/(x+k)² + 1/y + 1/(2y²) + Σ Bₙ/y²ⁿ⁺¹ at y = x + 6 (Abramowitz and Stegun, 6.4.6 and 6.4.12).
fn trigamma(g: &mut Graph, x: NodeId) -> NodeId {
    const STEPS: usize = 6;
    let mut sum = None;
    for k in 0..STEPS {
        let shifted = g.offset(x, k as f64);
        let square = g.square(shifted);
        let term = g.recip(square);
        sum = Some(sum.map_or(term, |sum| g.add(sum, term)));
    }
    let far = g.offset(x, STEPS as f64);
    let inverse = g.recip(far);
    let square = g.square(inverse);
    // Horner from the last Bernoulli number, in 1/y².
    let mut series = g.full_like(BERNOULLI[BERNOULLI.len() - 1], x);
    for b in BERNOULLI.iter().rev().skip(1) {
        let higher = g.mul(series, square);
        series = g.offset(higher, *b);
    }
    let tail = g.mul(series, square);
    let half = g.scale(inverse, 0.5);
    let factor = g.add(tail, half);
    let factor = g.offset(factor, 1.0);
    let tail = g.mul(factor, inverse);
    match sum {
        Some(sum) => g.add(sum, tail),
        None => tail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_tables() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 2e-14 * (1.0 + b.abs()), "{a} {b}");
        close(lgamma(1.0), 0.0);
        close(lgamma(0.5), 0.5 * PI.ln());
        close(lgamma(10.0), 362_880.0f64.ln());
        close(lgamma(-0.5), (2.0 * PI.sqrt()).ln());
        close(digamma(1.0), -0.577_215_664_901_532_9);
        close(digamma(0.25), -4.227_453_533_376_265);
        close(digamma(-0.5), 0.036_489_973_978_576_52);
    }
}
