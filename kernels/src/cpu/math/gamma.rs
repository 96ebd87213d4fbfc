//! log |Γ| and its derivative, in f64 for both types. In: f64. Out: f64. Never vectorised.
use std::f64::consts::PI;

/// log |Γ(x)|; ∞ at 0 and the negative integers.
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x) = Γ'(x) / Γ(x); NaN at 0 and the negative integers.
///
/// Reflection below 0 (Abramowitz and Stegun 6.3.7), recurrence up to 10 (6.3.5), then the
/// asymptotic series (6.3.18), whose next term is below 1e-17 there.
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        // π·cot(πx), of the distance from the nearest integer only: π·x loses digits for large x, and the fraction
        // loses them for x just below 0.
        let beside = x - x.round();
        return digamma(1.0 - x) - PI / (PI * beside).tan();
    }
    let mut x = x;
    let mut shift = 0.0;
    while x < 10.0 {
        shift += 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    // B₂ₙ / 2n.
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0
                    - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * (691.0 / 32760.0 - y / 12.0))))));
    x.ln() - 0.5 / x - series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digamma_at_known_points() {
        // ψ(1) = -γ, ψ(1/2) = -γ - 2 log 2, ψ(1/4) = -γ - π/2 - 3 log 2, and the root.
        let gamma = 0.577_215_664_901_532_9;
        let ln2 = std::f64::consts::LN_2;
        for (x, expect) in [
            (1.0, -gamma),
            (2.0, 1.0 - gamma),
            (0.5, -gamma - 2.0 * ln2),
            (0.25, -gamma - PI / 2.0 - 3.0 * ln2),
            (0.75, -gamma + PI / 2.0 - 3.0 * ln2),
            (-0.5, -gamma - 2.0 * ln2 + 2.0),
            (1.461_632_144_968_362_2, 0.0),
            (100.0, 4.600_161_852_738_087),
        ] {
            assert!((digamma(x) - expect).abs() < 4e-15 * expect.abs().max(1.0), "ψ({x}) = {}", digamma(x));
        }
        assert!(digamma(0.0).is_nan() && digamma(-3.0).is_nan() && digamma(f64::NAN).is_nan());
        assert_eq!(digamma(f64::INFINITY), f64::INFINITY);
        assert!((digamma(-1e-30) - 1e30).abs() < 1e16, "{}", digamma(-1e-30));
    }

    #[test]
    fn digamma_is_the_slope_of_lgamma() {
        for i in 1..400 {
            let x = f64::from(i) * 0.1 + 0.033;
            let h = 1e-5;
            let slope = (lgamma(x + h) - lgamma(x - h)) / (2.0 * h);
            assert!((slope - digamma(x)).abs() < 1e-6 * digamma(x).abs().max(1.0), "{x}");
        }
        assert_eq!(lgamma(0.0), f64::INFINITY);
        assert!((lgamma(10.0) - 362_880_f64.ln()).abs() < 1e-14);
    }
}
