//! How items read what an index leads to, and add where one says.
//!
//! In: views, and the axes of a space. Out: operands, the indices behind the values that follow them. Never: an index
//! that is itself reached through one; `legal` has copied it.

use super::{Does, Follows, Into, Item, Operand, kept};
use crate::graph::*;
use crate::size::Size;

use super::super::view::{Strided, Views, whole_strides};

/// Strides along the axes that are kept.
pub(in super::super) fn at(strides: &[Size], keep: &[usize]) -> Vec<Size> {
    keep.iter().map(|i| strides[*i].clone()).collect()
}

/// How values are read along a space, given what the strides of a view are there; then the indices they follow.
pub(in super::super) fn operands(
    views: &Views,
    args: &[NodeId],
    along: impl Fn(&[Size]) -> Vec<Size>,
) -> Vec<Operand> {
    let read = |view: &Strided| Operand {
        source: view.source,
        offset: view.offset.clone(),
        strides: along(&view.strides),
        follows: None,
    };
    let all = args.iter().map(|arg| {
        let view = views.get(*arg);
        let mut value = vec![read(view)];
        if let Some(through) = &view.through {
            value[0].follows =
                Some(Follows { operand: 1, step: through.step.clone(), bound: through.bound.clone() });
            value.push(read(&through.index));
        }
        value
    });
    joined(all.collect())
}

/// Values, each followed by its index: the values first, then the indices.
pub(super) fn joined(parts: Vec<Vec<Operand>>) -> Vec<Operand> {
    let (mut values, mut indices) = (Vec::new(), Vec::new());
    let count = parts.len();
    for part in parts {
        let mut part = part.into_iter();
        let Some(mut value) = part.next() else { continue };
        if let (Some(follows), Some(index)) = (&mut value.follows, part.next()) {
            follows.operand = count + indices.len();
            indices.push(index);
        }
        values.push(value);
    }
    values.extend(indices);
    values
}

/// Values added where an index says. More arguments than one before the index are factors of the values.
pub(super) fn scattered(graph: &Graph, views: &Views, id: NodeId, shared: usize) -> (Vec<Size>, Item) {
    let node = graph.node(id);
    let Some((index, factors)) = node.args.split_last() else { unreachable!("a scatter has an index") };
    let from = graph.ty(factors[0]).shape();
    let rank = graph.ty(*index).rank();
    let keep = kept(&from);
    let target = whole_strides(&node.ty.shape());
    let none = std::iter::repeat_n(Size::default(), rank - shared);
    let strides: Vec<Size> =
        target[..shared].iter().cloned().chain(none).chain(target[shared + 1..].iter().cloned()).collect();
    let mut all = operands(views, factors, |strides| at(strides, &keep));
    let own = views.get(*index);
    let wide: Vec<Size> = (0..from.len()).map(|i| own.strides.get(i).cloned().unwrap_or_default()).collect();
    let follows =
        Follows { operand: all.len(), step: target[shared].clone(), bound: node.ty.shape()[shared].clone() };
    all.push(Operand {
        source: own.source,
        offset: own.offset.clone(),
        strides: at(&wide, &keep),
        follows: None,
    });
    let into = Into {
        reduction: Some(Reduction::Sum),
        offset: Size::default(),
        strides: at(&strides, &keep),
        follows: Some(follows),
    };
    let space = keep.iter().map(|i| from[*i].clone()).collect();
    (space, Item { node: id, does: Does::Multiply, operands: all, into: Some(into) })
}
