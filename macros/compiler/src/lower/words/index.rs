//! Words that order, choose and place: what makes an index, and what follows one.
//!
//! In: values, and indices. Out: `TopK`, `Gather`, `Scatter`. Never: a derivative for a position; a place that is
//! surely outside.

use super::{Call, Entry};
use crate::graph::{NodeId, Type};
use crate::lower::Lowerer;
use crate::lower::value::Value;
use crate::size::Size;

const fn entry(name: &'static str, params: &'static [&'static str], run: Run) -> Entry {
    Entry { name, params, rest_after: None, run }
}

type Run = for<'a> fn(&mut Lowerer<'a>, Call<'a, '_>) -> Option<Value<'a>>;

pub(super) static WORDS: &[Entry] = &[
    entry("argmin", &["x", "axis?"], |l, call| extreme(l, &call, false)),
    entry("argmax", &["x", "axis?"], |l, call| extreme(l, &call, true)),
    entry("sort", &["x", "axis?", "descending?"], |l, call| {
        let (line, order) = sorted(l, &call)?;
        let chosen = l.graph.gather(line.x, order, line.shared);
        Some(Value::Tensor(line.back(l, chosen)))
    }),
    entry("argsort", &["x", "axis?", "descending?"], |l, call| {
        let (line, order) = sorted(l, &call)?;
        Some(Value::Tensor(line.back(l, order)))
    }),
    entry("top_k", &["x", "k", "axis?"], |l, call| {
        let (line, first) = largest(l, &call)?;
        let chosen = l.graph.gather(line.x, first, line.shared);
        let placed = l.graph.scatter(chosen, first, line.shared, line.n.clone());
        Some(Value::Tensor(line.back(l, placed)))
    }),
    entry("top_k_indices", &["x", "k", "axis?"], |l, call| {
        let (line, first) = largest(l, &call)?;
        Some(Value::Tensor(line.back(l, first)))
    }),
    entry("gather", &["table", "index"], |l, call| gather(l, &call)),
    entry("one_hot", &["index", "n"], |l, call| {
        let index = positions(l, &call, 0)?;
        let n = call.size(l, 1, "the number of places of `one_hot`")?;
        l.indexable(&n, call.at)?;
        l.mark(call.at, call.word);
        let ty = l.graph.ty(index).clone();
        let ones = l.graph.full(1.0, &ty);
        Some(Value::Tensor(l.graph.scatter(ones, index, ty.rank(), n)))
    }),
    entry("number", &["index"], |l, call| {
        let index = positions(l, &call, 0)?;
        l.mark(call.at, call.word);
        Some(Value::Tensor(l.graph.positions(index)))
    }),
    entry("range", &["n"], |l, call| {
        let n = call.size(l, 0, "the length of `range`")?;
        l.mark(call.at, call.word);
        Some(Value::Tensor(l.graph.iota(n)))
    }),
];

/// A value whose axis in question is the last one.
struct Line {
    x: NodeId,
    /// Where it was.
    axis: usize,
    /// The axes before it.
    shared: usize,
    n: Size,
}

impl Line {
    /// The last axis, or the one that argument `index` names, moved to the end.
    fn of<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, index: usize) -> Option<Line> {
        let x = call.tensor(l, 0)?;
        let ty = l.graph.ty(x).clone();
        if ty.features.is_empty() {
            let (word, shown) = (call.word, l.show(&ty));
            return l.fail(call.at, format!("`{word}` works along a feature axis, and {shown} has none"));
        }
        let axis = match call.arg(index) {
            Some(operand) if matches!(operand.value, Value::Rows) => {
                let word = call.word;
                return l.fail(operand.at, format!("`{word}` works along a feature axis, not along rows"));
            }
            Some(operand) => call.axis(l, &operand.value, &ty, operand.at)?,
            None => ty.rank() - 1,
        };
        let n = ty.shape().get(axis)?.clone();
        l.indexable(&n, call.at)?;
        l.mark(call.at, call.word);
        let order: Vec<usize> = (0..ty.rank()).filter(|a| *a != axis).chain([axis]).collect();
        let x = l.graph.permute(x, &order, ty.rows.len());
        Some(Line { x, axis, shared: ty.rank() - 1, n })
    }

    /// A result whose last axis belongs where the axis was.
    fn back(&self, l: &mut Lowerer<'_>, node: NodeId) -> NodeId {
        let rows = l.graph.ty(node).rows.len();
        let mut order: Vec<usize> = (0..self.shared).collect();
        order.insert(self.axis, self.shared);
        l.graph.permute(node, &order, rows)
    }
}

/// The position of the first in order, its axis dropped.
fn extreme<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, largest: bool) -> Option<Value<'a>> {
    let line = Line::of(l, call, 1)?;
    let first = l.graph.top_k(line.x, Size::known(1), largest);
    let mut ty = l.graph.ty(first).clone();
    ty.features.pop();
    Some(Value::Tensor(l.graph.reshape(first, ty)))
}

/// All positions in order.
fn sorted<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<(Line, NodeId)> {
    let descending = match call.arg(2).map(|operand| (&operand.value, operand.at)) {
        None => false,
        Some((Value::Flag(flag), _)) => *flag,
        Some((other, at)) => {
            let found = l.describe(other);
            return l.fail(at, format!("`descending` is true or false, and this is {found}"));
        }
    };
    let line = Line::of(l, call, 1)?;
    let order = l.graph.top_k(line.x, line.n.clone(), descending);
    Some((line, order))
}

/// The positions of the k largest.
fn largest<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<(Line, NodeId)> {
    let k = call.size(l, 1, "how many `top_k` keeps")?;
    let line = Line::of(l, call, 2)?;
    let (k, n) = (l.sizes.resolve(&k), l.sizes.resolve(&line.n));
    let fits = k == n || k.is_one() || k.value().zip(n.value()).is_some_and(|(k, n)| k <= n);
    if !fits {
        let (word, shown) = (call.word, l.show(&l.graph.ty(line.x).clone()));
        let (k, n) = (l.sizes.show(&k), l.sizes.show(&n));
        let why = match n.value() {
            Some(_) => format!("`{word}` cannot keep {k} of {n}: the axis of {shown} is shorter"),
            None => format!(
                "`{word}` keeps {k} of {n}, and nothing says before the program runs that there are as many"
            ),
        };
        return l.fail(call.at, why);
    }
    let first = l.graph.top_k(line.x, k, true);
    Some((line, first))
}

/// Argument `index`, which is positions.
fn positions<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, index: usize) -> Option<NodeId> {
    let operand = call.arg(index)?.clone();
    if let Some(node) = l.as_index(&operand.value) {
        return Some(node);
    }
    let (word, found) = (call.word, l.describe(&operand.value));
    l.fail(
        operand.at,
        format!(
            "`{word}` takes an index here, and this is {found}: `argmax(x)`, `argmin(x)`, `top_k_indices(x, k)` and \
             arguments declared as `Index<B>` are indices; a place known now is `slice(x, start = i, end = i + 1)`"
        ),
    )
}

fn gather<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let table = call.tensor(l, 0)?;
    let mut index = positions(l, call, 1)?;
    let (from, at) = (l.graph.ty(table).clone(), l.graph.ty(index).clone());
    let Some(n) = from.features.first().cloned() else {
        let shown = l.show_node(table);
        return l.fail(
            call.at,
            format!("`gather` takes places along the first feature axis of a table, and {shown} has none"),
        );
    };
    l.indexable(&n, call.at)?;
    let rows = from.rows.len();
    if rows > 0 {
        let fits = at.rows.is_empty() || l.same_list(&from.rows, &at.rows).is_ok();
        if !fits {
            let (table, index) = (l.show_node(table), l.show_node(index));
            return l.fail(
                call.at,
                format!(
                    "`gather` from {table} is taken row by row, so its index has the same rows, and this is {index}. \
                     `repeat(x, n)` adds a row axis"
                ),
            );
        }
        if at.rows.is_empty() {
            let wide = Type { rows: from.rows.clone(), features: at.features.clone() };
            let places = (0..wide.rank()).map(|axis| axis.checked_sub(rows)).collect();
            l.mark(call.at, call.word);
            index = l.graph.broadcast(index, places, l.resolved(&wide));
        }
    }
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.gather(table, index, rows)))
}
