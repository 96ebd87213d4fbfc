//! Loops with as few axes as the strides allow.
//!
//! In: a loop over the axes of a value. Out: the same loop, neighbouring axes joined wherever every access
//! steps from one to the next evenly, so that a contiguous tile is one run. Never: another order.

use crate::size::Size;

use super::{Access, Extent, Loop, Op};

/// Joins axes in place.
pub(crate) fn collapse(l: &mut Loop) {
    let mut outer = l.space.len().saturating_sub(1);
    while outer > 0 {
        outer -= 1;
        if joins(l, outer) {
            let inner = l.space.remove(outer + 1);
            l.space[outer] = l.space[outer].times(&inner);
            for strides in strides_mut(l) {
                strides.remove(outer);
            }
        }
    }
}

fn joins(l: &mut Loop, outer: usize) -> bool {
    let inner: Extent = l.space[outer + 1].clone();
    !inner.rows && strides_mut(l).all(|s| s[outer] == &s[outer + 1] * &inner.size)
}

/// The strides of every access.
pub(super) fn strides_mut(l: &mut Loop) -> impl Iterator<Item = &mut Vec<Size>> {
    l.body.iter_mut().filter_map(|op| match op {
        Op::Load(Access { strides, .. })
        | Op::Choose(Access { strides, .. }, _)
        | Op::Count(strides)
        | Op::Store(Access { strides, .. }, _)
        | Op::Random { strides, .. }
        | Op::Reduce { into: Access { strides, .. }, .. } => Some(strides),
        Op::Number(_) | Op::Extent(_) | Op::Map(..) => None,
    })
}
