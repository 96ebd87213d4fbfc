//! What `TopK`, `Gather` and `Scatter` are.
//!
//! In: the shape of the result and the values of the arguments. Out: its value. Never: a position past the end;
//! it means the last place.

use std::cmp::Ordering;

use super::{Value, elements, indices, position};

/// The order of numbers, NaN last: it counts as larger than every number.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

pub(super) fn top_k(largest: bool, shape: Vec<usize>, arg: &Value) -> Value {
    let (n, k) = (arg.shape.last().copied().unwrap_or(0), shape.last().copied().unwrap_or(0));
    let mut out = Value::default();
    for row in 0..elements(&shape).checked_div(k).unwrap_or(0) {
        let row = &arg.data[row * n..][..n];
        let mut places: Vec<usize> = (0..n).collect();
        // Stable: of equals the lowest stays first.
        places.sort_by(|a, b| if largest { order(row[*b], row[*a]) } else { order(row[*a], row[*b]) });
        out.data.extend((0..k).map(|i| places.get(i).map_or(0.0, |place| *place as f64)));
    }
    out.scale = out.data.clone();
    out.shape = shape;
    out
}

/// The place that an element of an index means, among `n`.
fn place(x: f64, n: usize) -> usize {
    (x as usize).min(n.saturating_sub(1))
}

pub(super) fn gather(shared: usize, shape: Vec<usize>, table: &Value, index: &Value) -> Value {
    let (n, rank) = (table.shape[shared], index.shape.len());
    let mut out = Value::default();
    for at in indices(&shape) {
        let place = place(index.data[position(&at[..rank], &index.shape)], n);
        let from = [&at[..shared], &[place], &at[rank..]].concat();
        let e = position(&from, &table.shape);
        // Nothing can be taken from a table without rows.
        out.data.push(table.data.get(e).copied().unwrap_or(0.0));
        out.scale.push(table.scale.get(e).copied().unwrap_or(0.0));
    }
    out.shape = shape;
    out
}

/// How many terms one accumulator may add before their number, and not only their size, counts in the rounding error.
const ADDED_IN_ORDER: usize = 1024;

pub(super) fn scatter(shared: usize, shape: Vec<usize>, values: &Value, index: &Value) -> Value {
    let (n, rank, count) = (shape[shared], index.shape.len(), elements(&shape));
    let mut out = Value { data: vec![0.0; count], scale: vec![0.0; count], shape };
    let mut terms = vec![0; count];
    for (e, at) in indices(&values.shape).enumerate() {
        let place = place(index.data[position(&at[..rank], &index.shape)], n);
        let to = position(&[&at[..shared], &[place], &at[rank..]].concat(), &out.shape);
        if to < count {
            out.data[to] += values.data[e];
            out.scale[to] += values.scale[e];
            terms[to] += 1;
        }
    }
    // What falls on one place is added one after the other, for there is no room for a tree at every place: the error
    // is up to (n − 1) ε Σ|terms| (Higham 2002, equation 4.4), and reaches it where the terms are equal.
    for (scale, terms) in out.scale.iter_mut().zip(terms) {
        *scale *= (terms as f64 / ADDED_IN_ORDER as f64).max(1.0);
    }
    out
}
