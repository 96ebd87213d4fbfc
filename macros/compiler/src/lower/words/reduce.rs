//! Words that reduce: sums, means, maxima, and what is made of them.
//!
//! In: a value and `axis = …`: a feature axis counted from 1 after the rows, a tuple of them, or `rows`. Out:
//! fewer axes. Never: the batch itself reduced, but by `batch_mean`.

use super::{Call, Entry};
use crate::graph::{NodeId, Type};
use crate::lower::Lowerer;
use crate::lower::value::Value;

const fn entry(name: &'static str, params: &'static [&'static str], run: Run) -> Entry {
    Entry { name, params, rest_after: None, run }
}

type Run = for<'a> fn(&mut Lowerer<'a>, Call<'a, '_>) -> Option<Value<'a>>;

pub(super) static WORDS: &[Entry] = &[
    entry("sum", &["x", "axis?"], |l, call| reduce(l, &call, |l, x, axes| l.graph.sum(x, axes))),
    entry("mean", &["x", "axis?"], |l, call| reduce(l, &call, |l, x, axes| l.graph.mean(x, axes))),
    entry("max", &["x", "axis?"], |l, call| reduce(l, &call, |l, x, axes| l.graph.max(x, axes))),
    entry("min", &["x", "axis?"], |l, call| {
        reduce(l, &call, |l, x, axes| {
            let negative = l.graph.neg(x);
            let largest = l.graph.max(negative, axes);
            l.graph.neg(largest)
        })
    }),
    entry("logsumexp", &["x", "axis?"], |l, call| reduce(l, &call, logsumexp)),
    entry("softmax", &["x", "axis?"], |l, call| {
        reduce(l, &call, |l, x, axes| {
            let largest = largest(l, x, axes);
            let shifted = l.graph.sub(x, largest);
            let weights = l.graph.exp(shifted);
            let total = l.graph.sum(weights, axes);
            let total = spread(l, total, x, axes);
            l.graph.div(weights, total)
        })
    }),
    entry("log_softmax", &["x", "axis?"], |l, call| {
        reduce(l, &call, |l, x, axes| {
            let total = logsumexp(l, x, axes);
            let total = spread(l, total, x, axes);
            l.graph.sub(x, total)
        })
    }),
    entry("sum_squares", &["x"], |l, call| {
        reduce(l, &call, |l, x, axes| {
            let squares = l.graph.square(x);
            l.graph.sum(squares, axes)
        })
    }),
    entry("dot", &["a", "b"], |l, call| {
        let operands = [call.arg(0)?.clone(), call.arg(1)?.clone()];
        let nodes = l.together(call.word, &operands, call.at, &Default::default())?;
        let [a, b] = nodes.as_slice() else { return None };
        l.mark(call.at, call.word);
        let product = l.graph.mul(*a, *b);
        let ty = l.graph.ty(product);
        let axes: Vec<_> = (ty.rows.len()..ty.rank()).collect();
        Some(Value::Tensor(l.graph.sum(product, &axes)))
    }),
    entry("batch_mean", &["x"], |l, call| {
        let x = call.tensor(l, 0)?;
        one_row_axis(l, &call, x)?;
        l.mark(call.at, call.word);
        Some(Value::Tensor(l.batch_average(x)))
    }),
];

fn reduce<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    run: impl Fn(&mut Lowerer<'a>, NodeId, &[usize]) -> NodeId,
) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let axes = call.axes(l, 1, &ty)?;
    l.mark(call.at, call.word);
    Some(Value::Tensor(run(l, x, &axes)))
}

/// log Σ exp(x) = m + log Σ exp(x − m) with m = max x, which no derivative has to follow.
fn logsumexp(l: &mut Lowerer<'_>, x: NodeId, axes: &[usize]) -> NodeId {
    if axes.is_empty() {
        return x;
    }
    let largest = l.graph.max(x, axes);
    let largest = l.graph.stop_gradient(largest);
    let shift = spread(l, largest, x, axes);
    let shifted = l.graph.sub(x, shift);
    let weights = l.graph.exp(shifted);
    let total = l.graph.sum(weights, axes);
    let log = l.graph.log(total);
    l.graph.add(log, largest)
}

/// The largest element along axes, repeated along them, without derivative.
fn largest(l: &mut Lowerer<'_>, x: NodeId, axes: &[usize]) -> NodeId {
    let largest = l.graph.max(x, axes);
    let largest = l.graph.stop_gradient(largest);
    spread(l, largest, x, axes)
}

/// A value from which `axes` were dropped, repeated along them again.
fn spread(l: &mut Lowerer<'_>, reduced: NodeId, like: NodeId, axes: &[usize]) -> NodeId {
    let ty = l.graph.ty(like).clone();
    let mut next = 0..;
    let places = (0..ty.rank()).map(|axis| if axes.contains(&axis) { None } else { next.next() }).collect();
    l.graph.broadcast(reduced, places, ty)
}

/// Words that cross rows work on the batch alone, not on a value that is mapped over further rows.
pub(super) fn one_row_axis<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, x: NodeId) -> Option<()> {
    let ty = l.graph.ty(x).clone();
    if ty.rows.len() == 1 {
        return Some(());
    }
    let (word, shown) = (call.word, l.show(&Type { ..ty.clone() }));
    let why = match ty.rows.len() {
        0 => format!("`{word}` is about the rows of the batch, and {shown} has no rows"),
        _ => format!(
            "`{word}` crosses the rows of the batch, so it cannot be mapped over the further rows of {shown}: \
             reduce them first (`axis = rows`), or call it before `repeat`"
        ),
    };
    l.fail(call.at, why)
}
