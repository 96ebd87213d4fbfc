//! Words that take parts, put them together, repeat them, or make the batch an axis.
//!
//! In: values, and sizes known at compile time. Out: views. Never: a part that may lie outside.

use super::reduce::one_row_axis;
use super::{Call, Entry};
use crate::graph::{NodeId, Type};
use crate::lower::Lowerer;
use crate::lower::value::Value;
use crate::size::Size;

pub(super) static WORDS: &[Entry] = &[
    Entry {
        name: "slice",
        params: &["x", "axis?", "start?", "end?"],
        rest_after: None,
        run: |l, call| slice(l, &call),
    },
    Entry { name: "concat", params: &["axis?"], rest_after: Some(0), run: |l, call| concat(l, &call) },
    Entry { name: "repeat", params: &["x", "n"], rest_after: None, run: |l, call| repeat(l, &call) },
    Entry {
        name: "batch",
        params: &["x"],
        rest_after: None,
        run: |l, call| {
            let x = call.tensor(l, 0)?;
            one_row_axis(l, &call, x)?;
            l.mark(call.at, call.word);
            Some(Value::Tensor(l.graph.batch(x)))
        },
    },
];

fn slice<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let axis = only_axis(l, call, 1, &ty)?;
    let size = ty.shape().get(axis)?.clone();
    let start = if call.arg(2).is_some() { call.integer(l, 2, "`start`")? } else { 0 };
    let end = match call.arg(3) {
        Some(operand) => match operand.value.size() {
            Some(end) => end,
            None => {
                call.integer(l, 3, "`end`")?;
                return None;
            }
        },
        None => size.clone(),
    };
    let len = &end - &Size::integer(start);
    let whole = start == 0 && end == size;
    let inside = match (size.value(), len.value(), usize::try_from(start)) {
        (Some(size), Some(len), Ok(start)) => start.checked_add(len).is_some_and(|end| end <= size),
        // Of an axis that a run knows: as far as its end, or a known number of elements before it.
        _ => whole || size.value().is_none() && start >= 0 && (&size - &end).value().is_some(),
    };
    if !inside {
        let known = size.value().is_some() && end.symbols().next().is_none();
        let (size, last) = (l.sizes.show(&size), l.sizes.show(&end));
        let message = match known {
            true if start < 0 => format!("`start` counts from 0, and this is {start}"),
            true if size.value().is_some() && len.value().is_none() => {
                format!("elements {start} to {last} are none: `end` comes before `start`")
            }
            true => format!("elements {start} to {last} are not inside an axis of {size}"),
            false => format!(
                "whether elements {start} to {last} are inside an axis of {size} is known only at run time"
            ),
        };
        return l.fail(call.at, message);
    }
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.slice(x, axis, Size::integer(start), len)))
}

/// The axis that is named, or the only one.
fn only_axis<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, index: usize, ty: &Type) -> Option<usize> {
    match (call.arg(index), ty.features.len()) {
        (Some(operand), _) => match operand.value {
            Value::Rows => l.fail(operand.at, format!("`{}` works along a feature axis", call.word)),
            _ => call.axis(l, &operand.value, ty, operand.at),
        },
        (None, 1) => Some(ty.rows.len()),
        (None, _) => {
            let shown = l.show(ty);
            l.fail(call.at, format!("`{}` of {shown} needs `axis = …`: features count from 1", call.word))
        }
    }
}

fn concat<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let mut nodes = Vec::new();
    for operand in &call.rest {
        nodes.push(l.tensor(&operand.value, operand.at)?);
    }
    let Some(first) = nodes.first() else {
        return l.fail(call.at, "`concat` needs something to put together: `concat(a, b)`");
    };
    // The first of those with the most rows, then axes: what the others have to be like.
    let axes = |node: &NodeId| (l.graph.ty(*node).rows.len(), l.graph.ty(*node).rank());
    let widest = nodes.iter().rev().copied().max_by_key(axes).unwrap_or(*first);
    let target = l.graph.ty(widest).clone();
    let axis = only_axis(l, call, 0, &target)?;
    let mut parts = Vec::new();
    for (node, operand) in nodes.iter().zip(&call.rest) {
        let mut ty = l.graph.ty(*node).clone();
        let shown = l.show_node(*node);
        if l.graph.is_index(*node) != l.graph.is_index(widest) {
            let other = l.show_node(widest);
            let message =
                format!("`concat` of {other} and {shown}: positions and numbers do not follow each other");
            return l.fail(operand.at, message);
        }
        if ty.rows.is_empty() {
            ty.rows = target.rows.clone();
        }
        let (have, wish) = (ty.shape(), target.shape());
        let fits = have.len() == wish.len()
            && ty.rows.len() == target.rows.len()
            && have.iter().zip(&wish).enumerate().all(|(i, (h, w))| i == axis || l.same(h, w));
        if !fits {
            let (other, along) = (l.show(&target), axis + 1 - target.rows.len());
            let message =
                format!("`concat` along axis {along} of {other} and {shown}: the other axes differ");
            return l.fail(operand.at, message);
        }
        l.mark(call.at, call.word);
        parts.push(l.repeat_to(*node, &ty)?);
    }
    Some(Value::Tensor(l.graph.concat(&parts, axis)))
}

fn repeat<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let n = call.size(l, 1, "how often `repeat` repeats")?;
    if ty.rows.is_empty() {
        let shown = l.show(&ty);
        return l
            .fail(call.at, format!("`repeat` adds a row axis to a value with rows, and {shown} has none"));
    }
    let rows = ty.rows.len();
    let places = (0..rows).map(Some).chain([None]).chain((rows..ty.rank()).map(Some)).collect();
    let mut wide = ty;
    wide.rows.push(n);
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.broadcast(x, places, wide)))
}
