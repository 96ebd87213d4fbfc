//! What `inspect` prints.
//!
//! In: a name, a place, values. Out: one line on standard error. Never: a change of the values.

use diabolo_kernels::Float;

use crate::program::Spec;

/// One line: name, place, number of values, range, count of values that are not finite.
pub(crate) fn print<F: Float>(spec: &Spec, index: usize, values: &[F]) {
    let Some((name, place)) = spec.inspects.get(index) else { return };
    let (mut low, mut high, mut bad) = (f64::INFINITY, f64::NEG_INFINITY, 0usize);
    for value in values.iter().map(|v| v.to_f64()) {
        if value.is_finite() {
            (low, high) = (low.min(value), high.max(value));
        } else {
            bad += 1;
        }
    }
    eprintln!("{name} ({place}): {} values in {low:.4} ..= {high:.4}, {bad} not finite", values.len());
}
