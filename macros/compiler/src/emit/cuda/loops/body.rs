//! The operations of a loop's body as a list: what needs what, and the same list for a part of the loop.
//!
//! In: operations that name earlier ones by position. Out: others of the same meaning. Never: a decision.

use crate::schedule::{Extent, Loop, Op, collapse};
use crate::size::Size;

/// The same space with as few axes as the accesses of a body allow.
pub(super) fn joined(space: &[Size], body: Vec<Op>) -> (Vec<Size>, Vec<Op>) {
    let mut this = Loop {
        space: space.iter().cloned().map(Extent::plain).collect(),
        row_elements: Size::default(),
        fills: Vec::new(),
        body,
        nodes: Vec::new(),
    };
    collapse(&mut this);
    (this.space.into_iter().map(|extent| extent.size).collect(), this.body)
}

/// The operations that one reads.
pub(in super::super) fn operands(op: &Op) -> Vec<usize> {
    match op {
        Op::Map(_, args) => args.clone(),
        Op::Choose(_, follow) => vec![follow.index],
        Op::Store(_, value) => vec![*value],
        Op::Reduce { value, follow, .. } => {
            std::iter::once(*value).chain(follow.as_ref().map(|follow| follow.index)).collect()
        }
        Op::Load(_) | Op::Count(_) | Op::Number(_) | Op::Extent(_) | Op::Random { .. } => Vec::new(),
    }
}

/// An operation whose operands have other positions.
pub(super) fn renumbered(op: &Op, places: &[usize]) -> Op {
    let mut op = op.clone();
    match &mut op {
        Op::Map(_, args) => args.iter_mut().for_each(|arg| *arg = places[*arg]),
        Op::Choose(_, follow) => follow.index = places[follow.index],
        Op::Store(_, value) => *value = places[*value],
        Op::Reduce { value, follow, .. } => {
            *value = places[*value];
            if let Some(follow) = follow {
                follow.index = places[follow.index];
            }
        }
        Op::Load(_) | Op::Count(_) | Op::Number(_) | Op::Extent(_) | Op::Random { .. } => {}
    }
    op
}
