//! Products whose factors slide over each other: a factor is read through a `Window`, or the result goes into a `Fold`.
//!
//! In: the labels of such a contraction. Out: m, n and k, each perhaps of several axes, and the loops around them.
//! Never: a copy of a factor; the kernel walks over the axes of the right one when it packs a block, so no value
//! with an element for each element of each piece exists (Chetlur et al., "cuDNN", 2014, §3.1).
//!
//! The left factor is the one in which m and k lie evenly: the weights, or the adjoint of the result. Rows of the
//! batch stand outside, unless what is inside would be thin without them.

use super::super::Axis;
use super::{Label, Matrix, work};
use crate::size::Size;

/// The most axes of m, of n and of k: as many as the kernel takes.
const MOST: usize = 4;
/// Fewer elements than this along m, n or k take the rows in.
const THIN: f64 = 16.0;

/// The contraction as a product, the factor on the left that leaves the least outside; `overlaps`: whether places
/// of the result are shared.
pub(super) fn matrix(labels: &[Label], overlaps: bool) -> Option<Matrix> {
    let ways = [false, true].map(|swapped| oriented(labels, swapped));
    let best = ways.into_iter().flatten().reduce(|a, b| {
        let (x, y) = (a.work(), b.work());
        // As much work either way: long runs along n, which is what the kernel walks over.
        let run = |m: &Matrix| m.n.last().map_or(0.0, |axis| axis.extent.nominal());
        if y > x || y == x && run(&b) > run(&a) { b } else { a }
    })?;
    let enough = best.work() >= 512.0 || best.outer.is_empty() && !overlaps;
    enough.then_some(best)
}

fn oriented(labels: &[Label], swapped: bool) -> Option<Matrix> {
    let (mut outer, mut sums_outside) = (Vec::new(), false);
    let mut lists: [Vec<Axis>; 3] = Default::default();
    // The rows last: what the others are decides where they go.
    let (rows, others): (Vec<&Label>, Vec<&Label>) = labels.iter().partition(|l| l.axis.extent.rows);
    for label in others.into_iter().chain(rows) {
        let (in_left, in_right) = if swapped { (label.in_b, label.in_a) } else { (label.in_a, label.in_b) };
        let axis = if swapped { super::swap(label.axis.clone()) } else { label.axis.clone() };
        let list = match (in_left, in_right, label.in_c) {
            (true, false, true) => Some(0),
            (false, true, true) => Some(1),
            (true, true, false) => Some(2),
            _ => None,
        };
        match list.map(|list| &mut lists[list]) {
            Some(list) if !axis.extent.rows || work(list) < THIN => {
                let at = if axis.extent.rows { 0 } else { list.len() };
                list.insert(at, axis);
            }
            _ => {
                sums_outside |= !label.in_c;
                outer.push(axis);
            }
        }
    }
    let [m, mut n, k] = lists;
    let (m, rest) = even(m)?;
    outer.extend(rest);
    let (k, rest) = even(k)?;
    sums_outside |= !rest.is_empty();
    outer.extend(rest);
    // Those that do not fit go outside, the first ones first.
    let over = n.len().saturating_sub(MOST);
    outer.extend(n.drain(..over));
    (!n.is_empty()).then_some(Matrix { outer, m, n, k, swapped, sums_outside })
}

/// The longest run of axes that lie one after the other in the left factor, outermost first; and the rest.
fn even(mut axes: Vec<Axis>) -> Option<(Vec<Axis>, Vec<Axis>)> {
    axes.sort_by(|x, y| y.a.nominal().total_cmp(&x.a.nominal()));
    let mut runs: Vec<Vec<Axis>> = Vec::new();
    for axis in axes {
        match runs.last_mut() {
            Some(run) if run.len() < MOST && follows(run, &axis) => run.push(axis),
            _ => runs.push(vec![axis]),
        }
    }
    let best = (0..runs.len()).max_by(|i, j| work(&runs[*i]).total_cmp(&work(&runs[*j])))?;
    let run = runs.remove(best);
    Some((run, runs.into_iter().flatten().collect()))
}

fn follows(run: &[Axis], next: &Axis) -> bool {
    let step: Size = &next.a * &next.extent.size;
    !next.extent.rows && run.last().is_some_and(|last| last.a == step)
}
