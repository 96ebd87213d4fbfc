//! Words that move elements: other axes, parts, repetition, the batch as an axis.
//!
//! In: values, and sizes known at compile time. Out: views. Never: arithmetic.

use super::reduce::one_row_axis;
use super::{Call, Entry};
use crate::graph::{NodeId, Type};
use crate::lower::Lowerer;
use crate::lower::value::Value;
use crate::size::Size;

pub(super) static WORDS: &[Entry] = &[
    Entry { name: "reshape", params: &["x"], rest_after: Some(1), run: |l, call| reshape(l, &call) },
    Entry { name: "flatten", params: &["x"], rest_after: None, run: |l, call| flatten(l, &call) },
    Entry { name: "squeeze", params: &["x", "axis?"], rest_after: None, run: |l, call| squeeze(l, &call) },
    Entry { name: "unsqueeze", params: &["x", "axis"], rest_after: None, run: |l, call| unsqueeze(l, &call) },
    Entry { name: "expand_like", params: &["x", "like"], rest_after: None, run: |l, call| expand_like(l, &call) },
    Entry { name: "permute", params: &["x"], rest_after: Some(1), run: |l, call| permute(l, &call) },
    Entry { name: "transpose", params: &["x"], rest_after: None, run: |l, call| transpose(l, &call) },
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

fn reshaped<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, x: NodeId, features: Vec<Size>) -> Option<Value<'a>> {
    l.mark(call.at, call.word);
    let rows = l.graph.ty(x).rows.clone();
    let ty = l.resolved(&Type { rows, features });
    Some(Value::Tensor(l.graph.reshape(x, ty)))
}

fn reshape<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let mut features = Vec::new();
    for operand in &call.rest {
        match operand.value.size().filter(|size| size.value().is_some() || size.symbols().next().is_some()) {
            Some(size) => features.push(size),
            None => {
                let found = l.describe(&operand.value);
                return l.fail(operand.at, format!("a size is an integer known at compile time, and this is {found}"));
            }
        }
    }
    if call.rest.is_empty() {
        let Some(wanted) = call.want.ty() else {
            let message = "`reshape` needs to know the new axes: `let y: Tensor<B, 4, 16> = reshape(x);`, \
                           or `reshape(x, 4, 16)`";
            return l.fail(call.at, message);
        };
        features = wanted.features.clone();
    }
    let (have, wish) = (Size::product(&ty.features), Size::product(&features));
    if !l.same(&have, &wish) {
        let (from, to) = (l.show(&ty), l.show(&Type { rows: ty.rows.clone(), features }));
        let (have, wish) = (l.sizes.show(&have), l.sizes.show(&wish));
        return l.fail(call.at, format!("`reshape` keeps the elements: {from} has {have} a row, {to} has {wish}"));
    }
    reshaped(l, call, x, features)
}

fn flatten<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let features = vec![Size::product(&l.graph.ty(x).features)];
    reshaped(l, call, x, features)
}

fn squeeze<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let rows = ty.rows.len();
    let axis = match call.arg(1) {
        Some(operand) => Some(call.axis(l, &operand.value, &ty, operand.at)?),
        None => None,
    };
    if let Some(size) = axis.and_then(|axis| ty.features.get(axis.checked_sub(rows)?))
        && !l.same(size, &Size::known(1))
    {
        let shown = l.show(&ty);
        return l.fail(call.at, format!("`squeeze` drops an axis of size 1, and this one of {shown} is larger"));
    }
    let keep = |(i, size): &(usize, &Size)| match axis {
        Some(axis) => rows + i != axis,
        None => !size.is_one(),
    };
    let features: Vec<_> = ty.features.iter().enumerate().filter(keep).map(|(_, size)| size.clone()).collect();
    if features.len() == ty.features.len() {
        let shown = l.show(&ty);
        return l.fail(call.at, format!("`squeeze` drops the axes of size 1, and {shown} has none"));
    }
    reshaped(l, call, x, features)
}

fn unsqueeze<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let mut features = l.graph.ty(x).features.clone();
    let axis = call.integer(l, 1, "`axis`")?;
    match usize::try_from(axis).ok().filter(|axis| (1..=features.len() + 1).contains(axis)) {
        Some(axis) => features.insert(axis - 1, Size::known(1)),
        None => {
            let last = features.len() + 1;
            return l.fail(call.at, format!("the new axis can be 1 to {last} here, counted after the rows, not {axis}"));
        }
    }
    reshaped(l, call, x, features)
}

/// The axes of `x` are the last ones of `like`; the others are new.
fn expand_like<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let like = call.tensor(l, 1)?;
    let target = l.graph.ty(like).clone();
    let x = match call.arg(0)?.value {
        Value::Pending(index) if l.settled(index).is_none() => l.settle(index, &target)?,
        _ => call.tensor(l, 0)?,
    };
    let ty = l.graph.ty(x).clone();
    let new = target.features.len().checked_sub(ty.features.len());
    let fits = new.is_some_and(|new| {
        let axes = ty.features.iter().zip(target.features.iter().skip(new));
        let rows = ty.rows.is_empty() || l.same_list(&ty.rows, &target.rows).is_ok();
        rows && axes.into_iter().all(|(from, to)| from.is_one() || l.same(from, to))
    });
    let (Some(new), true) = (new, fits) else {
        let (from, to) = (l.show(&ty), l.show(&target));
        return l.fail(call.at, format!("`expand_like`: the axes of {from} are not the last ones of {to}"));
    };
    l.mark(call.at, call.word);
    let target = l.resolved(&target);
    let from = l.resolved(&ty);
    let rows = (0..target.rows.len()).map(|axis| (axis < from.rows.len()).then_some(axis));
    let features = target.features.iter().enumerate().map(|(axis, to)| {
        let own = axis.checked_sub(new)?;
        (from.features.get(own) == Some(to)).then_some(from.rows.len() + own)
    });
    let places = rows.chain(features).collect();
    Some(Value::Tensor(l.graph.broadcast(x, places, target)))
}

fn permute<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let mut axes: Vec<usize> = (0..ty.rows.len()).collect();
    for operand in &call.rest {
        axes.push(call.axis(l, &operand.value, &ty, operand.at)?);
    }
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..ty.rank()) {
        let shown = l.show(&ty);
        let all: Vec<_> = (1..=ty.features.len()).map(|k| k.to_string()).collect();
        let message = format!("`permute` names every feature axis of {shown} once: {}, in any order", all.join(", "));
        return l.fail(call.at, message);
    }
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.permute(x, &axes, ty.rows.len())))
}

fn transpose<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let rows = ty.rows.len();
    if ty.features.len() != 2 {
        let shown = l.show(&ty);
        return l.fail(call.at, format!("`transpose` exchanges two feature axes, and this is {shown}; see `permute`"));
    }
    let axes: Vec<_> = (0..rows).chain([rows + 1, rows]).collect();
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.permute(x, &axes, rows)))
}

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
        _ => whole,
    };
    if !inside {
        let (size, end) = (l.sizes.show(&size), l.sizes.show(&end));
        return l.fail(call.at, format!("elements {start} to {end} of an axis of {size} are not inside it for certain"));
    }
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.slice(x, axis, usize::try_from(start).ok()?, len)))
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
        let shown = l.show(&ty);
        if ty.rows.is_empty() {
            ty.rows = target.rows.clone();
        }
        let (have, wish) = (ty.shape(), target.shape());
        let fits = have.len() == wish.len()
            && ty.rows.len() == target.rows.len()
            && have.iter().zip(&wish).enumerate().all(|(i, (h, w))| i == axis || l.same(h, w));
        if !fits {
            let (other, along) = (l.show(&target), axis + 1 - target.rows.len());
            let message = format!("`concat` along axis {along} of {other} and {shown}: the other axes differ");
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
    let count = call.arg(1)?;
    let Some(n) = count.value.size().filter(|n| n.value() != Some(0) && (n.value().is_some() || n.symbols().next().is_some()))
    else {
        let found = l.describe(&count.value);
        return l.fail(count.at, format!("`repeat(x, n)` takes how often, an integer of 1 or more; this is {found}"));
    };
    if ty.rows.is_empty() {
        let shown = l.show(&ty);
        return l.fail(call.at, format!("`repeat` adds a row axis to a value with rows, and {shown} has none"));
    }
    let rows = ty.rows.len();
    let places = (0..rows).map(Some).chain([None]).chain((rows..ty.rank()).map(Some)).collect();
    let mut wide = ty;
    wide.rows.push(n);
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.broadcast(x, places, wide)))
}
