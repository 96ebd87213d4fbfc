//! Words that change the axes: the same elements, in another order or repeated.
//!
//! In: values, and sizes known at compile time. Out: views. Never: arithmetic.

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
    Entry {
        name: "expand_like",
        params: &["x", "like"],
        rest_after: None,
        run: |l, call| expand_like(l, &call),
    },
    Entry { name: "permute", params: &["x"], rest_after: Some(1), run: |l, call| permute(l, &call) },
    Entry { name: "transpose", params: &["x"], rest_after: None, run: |l, call| transpose(l, &call) },
];

fn reshaped<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    x: NodeId,
    features: Vec<Size>,
) -> Option<Value<'a>> {
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
                return l.fail(
                    operand.at,
                    format!("a size is an integer known at compile time, and this is {found}"),
                );
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
        return l.fail(
            call.at,
            format!("`reshape` keeps the elements: {from} has {have} a row, {to} has {wish}"),
        );
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
        return l
            .fail(call.at, format!("`squeeze` drops an axis of size 1, and this one of {shown} is larger"));
    }
    let keep = |(i, size): &(usize, &Size)| match axis {
        Some(axis) => rows + i != axis,
        None => !size.is_one(),
    };
    let features: Vec<_> =
        ty.features.iter().enumerate().filter(keep).map(|(_, size)| size.clone()).collect();
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
            return l.fail(
                call.at,
                format!("the new axis can be 1 to {last} here, counted after the rows, not {axis}"),
            );
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
        let message =
            format!("`permute` names every feature axis of {shown} once: {}, in any order", all.join(", "));
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
        return l.fail(
            call.at,
            format!("`transpose` exchanges two feature axes, and this is {shown}; see `permute`"),
        );
    }
    let axes: Vec<_> = (0..rows).chain([rows + 1, rows]).collect();
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.permute(x, &axes, rows)))
}
