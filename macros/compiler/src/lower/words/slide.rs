//! Words for pieces of an axis: what convolution, its transpose and pooling are made of.
//!
//! In: values, and steps known at compile time. Out: views. Never: a piece that lies partly outside; `pad` comes
//! first.

use super::{Call, Entry};
use crate::build::pieces;
use crate::graph::NodeId;
use crate::lower::Lowerer;
use crate::lower::value::Value;
use crate::size::Size;

pub(super) static WORDS: &[Entry] = &[
    Entry {
        name: "window",
        params: &["x", "axis", "kernel", "stride?", "dilation?"],
        rest_after: None,
        run: |l, call| window(l, &call),
    },
    Entry {
        name: "fold",
        params: &["x", "axis", "stride?", "dilation?", "output_padding?"],
        rest_after: None,
        run: |l, call| fold(l, &call),
    },
    Entry {
        name: "pad",
        params: &["x", "axis", "before?", "after?"],
        rest_after: None,
        run: |l, call| pad(l, &call),
    },
];

/// A step or a length: an integer known now, of at least `least`; 1 or 0 where it is left out.
fn count<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    index: usize,
    name: &str,
    least: i64,
) -> Option<usize> {
    let Some(operand) = call.arg(index) else { return usize::try_from(least).ok() };
    let n = call.integer(l, index, &format!("`{name}`"))?;
    match usize::try_from(n).ok().filter(|_| (least..super::LONGEST as i64).contains(&n)) {
        Some(n) => Some(n),
        None => l.fail(operand.at, format!("`{name}` is an integer of {least} or more, and this is {n}")),
    }
}

/// The argument, and the graph's axis that `axis = k` means: a feature axis.
fn along<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<(NodeId, usize)> {
    let x = call.tensor(l, 0)?;
    let ty = l.graph.ty(x).clone();
    let operand = call.arg(1)?;
    match operand.value {
        Value::Rows => l.fail(operand.at, format!("`{}` works along a feature axis", call.word)),
        _ => Some((x, call.axis(l, &operand.value, &ty, operand.at)?)),
    }
}

fn window<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let (x, axis) = along(l, call)?;
    let kernel = count(l, call, 2, "kernel", 1)?;
    let (stride, dilation) = (count(l, call, 3, "stride", 1)?, count(l, call, 4, "dilation", 1)?);
    l.mark(call.at, call.word);
    if let Some(node) = l.graph.window(x, axis, kernel, stride, dilation) {
        return Some(Value::Tensor(node));
    }
    let ty = l.graph.ty(x).clone();
    let (shown, place) = (l.show(&ty), axis + 1 - ty.rows.len());
    let size = l.sizes.show(&ty.shape()[axis]);
    let span = dilation.saturating_mul(kernel - 1).saturating_add(1);
    let spread =
        if dilation > 1 { format!(" with dilation {dilation} spans {span} and") } else { String::new() };
    l.fail(
        call.at,
        match size.value() {
            Some(_) => format!(
                "a kernel of {kernel}{spread} does not fit into axis {place} of {shown}, which has {size}, any padding included"
            ),
            None => format!(
                "how many steps of {stride} a kernel of {kernel} takes along {size}, axis {place} of {shown}, is known only at \
                 run time: a size that is not known here takes `stride = 1`"
            ),
        },
    )
}

fn fold<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let (x, axis) = along(l, call)?;
    let (stride, dilation) = (count(l, call, 2, "stride", 1)?, count(l, call, 3, "dilation", 1)?);
    let more = count(l, call, 4, "output_padding", 0)?;
    let ty = l.resolved(&l.graph.ty(x).clone());
    let shape = ty.shape();
    let Some(kernel) = shape.get(axis + 1).and_then(Size::value).filter(|kernel| *kernel > 0) else {
        let shown = l.show(&ty);
        return l.fail(
            call.at,
            format!("`fold` adds up the pieces that lie along the axis after this one, of known size, and {shown} has none there"),
        );
    };
    if more >= stride {
        return l.fail(
            call.arg(4).map_or(call.at, |operand| operand.at),
            format!("`output_padding` is below the stride: with `stride = {stride}` it cannot be {more}"),
        );
    }
    // (out − 1) · stride + dilation · (kernel − 1) + 1, and what no piece reaches.
    let last = &(&shape[axis] - &Size::known(1)) * &Size::known(stride);
    let len = &last + &Size::known(dilation.saturating_mul(kernel - 1).saturating_add(1 + more));
    if pieces(&len, kernel, stride, dilation).as_ref() != Some(&shape[axis]) {
        let (shown, out) = (l.show(&ty), l.sizes.show(&shape[axis]));
        return l.fail(
            call.at,
            format!("`fold` needs 1 piece or more, and there are {out} along this axis of {shown}"),
        );
    }
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.fold(x, axis, stride, dilation, len)))
}

fn pad<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let (x, axis) = along(l, call)?;
    let (before, after) = (count(l, call, 2, "before", 0)?, count(l, call, 3, "after", 0)?);
    let ty = l.resolved(&l.graph.ty(x).clone());
    let len = &ty.shape()[axis] + &Size::known(before.saturating_add(after));
    l.mark(call.at, call.word);
    Some(Value::Tensor(l.graph.pad(x, axis, before, len)))
}
