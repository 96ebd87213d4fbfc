//! A step along a line that meets the strong Wolfe conditions.
//!
//! In: a function of the step's length, with its slope. Out: a length that lowers the function enough and flattens
//! it enough; Nocedal and Wright, *Numerical Optimization* (2006), algorithms 3.5 and 3.6. Never: a length whose
//! value is higher than that at 0.

/// Sufficient decrease, and flatness, as the book has them for quasi-Newton directions (§3.1).
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// The most evaluations of one search.
const EVALUATIONS: usize = 40;

/// A length, the function there, and its slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub length: f64,
    pub value: f64,
    pub slope: f64,
}

/// Searches from `start` (length 0, slope below 0), first at `first`. The last evaluation is at the returned
/// length. None where rounding leaves no lower value.
pub(super) fn search(start: Point, first: f64, mut at: impl FnMut(f64) -> (f64, f64)) -> Option<Point> {
    let mut left = EVALUATIONS;
    let mut evaluate = |length: f64| {
        left = left.checked_sub(1)?;
        let (value, slope) = at(length);
        // Where the function is no number, it counts as a wall.
        let value = if value.is_finite() && slope.is_finite() { value } else { f64::INFINITY };
        Some(Point { length, value, slope })
    };
    let enough = |point: &Point| point.value <= start.value + DECREASE * point.length * start.slope;
    let flat = |point: &Point| point.slope.abs() <= -CURVATURE * start.slope;
    let (mut before, mut length) = (start, first);
    // Algorithm 3.5: longer and longer, until a good point is passed.
    let (mut low, mut high) = loop {
        let Some(point) = evaluate(length) else { return settle(start, before, &mut at) };
        if !enough(&point) || (point.value >= before.value && before.length > 0.0) {
            break (before, point);
        }
        if flat(&point) {
            return Some(point);
        }
        if point.slope >= 0.0 {
            break (point, before);
        }
        (before, length) = (point, 4.0 * point.length);
    };
    // Algorithm 3.6: `low` meets the first condition and is the lowest so far; a good point is between.
    while (high.length - low.length).abs() > 1e-12 * low.length.max(high.length) {
        let Some(point) = evaluate(between(low, high)) else { break };
        if !enough(&point) || point.value >= low.value {
            high = point;
        } else {
            if flat(&point) {
                return Some(point);
            }
            if point.slope * (high.length - low.length) >= 0.0 {
                high = low;
            }
            low = point;
        }
    }
    settle(start, low, &mut at)
}

/// The best point so far, evaluated again, if it is lower than the start.
fn settle(start: Point, best: Point, at: &mut impl FnMut(f64) -> (f64, f64)) -> Option<Point> {
    if best.length == 0.0 || best.value >= start.value {
        return None;
    }
    let (value, slope) = at(best.length);
    Some(Point { length: best.length, value, slope })
}

/// The minimum of the cubic through two points and their slopes (equation 3.59), kept away from both ends; the
/// middle where there is none.
fn between(a: Point, b: Point) -> f64 {
    let width = b.length - a.length;
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.length - b.length);
    let d2 = width.signum() * (d1 * d1 - a.slope * b.slope).sqrt();
    let found = b.length - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    let (near, far) = (a.length + 0.1 * width, a.length + 0.9 * width);
    if found.is_finite() { found.clamp(near.min(far), near.max(far)) } else { 0.5 * (a.length + b.length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches along `f`, whose slope is `d`, from 0.
    fn found(first: f64, f: impl Fn(f64) -> f64, d: impl Fn(f64) -> f64) -> (Option<Point>, f64) {
        let start = Point { length: 0.0, value: f(0.0), slope: d(0.0) };
        let mut last = f64::NAN;
        let point = search(start, first, |t| {
            last = t;
            (f(t), d(t))
        });
        if let Some(point) = point {
            assert!(point.value <= start.value + DECREASE * point.length * start.slope, "{point:?}");
            assert!(point.slope.abs() <= -CURVATURE * start.slope, "{point:?}");
            assert_eq!(point.length, last);
        }
        (point, last)
    }

    #[test]
    fn it_finds_a_good_length_from_any_first_one() {
        for first in [1e-6, 0.1, 1.0, 50.0, 1e6] {
            // The functions of Moré and Thuente 1994, (5.1) with β = 2 and (5.4) with a narrow valley.
            found(first, |t| -t / (t * t + 2.0), |t| (t * t - 2.0) / (t * t + 2.0).powi(2)).0.unwrap();
            found(first, |t| (t - 1.0).powi(4) - t, |t| 4.0 * (t - 1.0).powi(3) - 1.0).0.unwrap();
            // A wall behind which there is nothing.
            let wall = |t: f64| if t > 2.0 { f64::NAN } else { (t - 1.5).powi(2) };
            found(first, wall, |t| 2.0 * (t - 1.5)).0.unwrap();
        }
    }

    #[test]
    fn where_nothing_is_lower_it_says_so() {
        let (point, _) = found(1.0, |_| 3.0, |_| -1e-20);
        assert_eq!(point, None);
    }
}
