//! Loops with a longer innermost run.
//!
//! In: a collapsed loop. Out: the same loop; where its last axis is a few elements, as the pieces of a pool are, a
//! longer one that all accesses walk over in small steps stands there instead. Never: the rows moved; a loop that draws
//! random numbers, which lie in the order of the space.

use super::{Extent, Loop, Op};
use crate::size::Size;

/// A last axis of at most so many elements gives way.
const SHORT: usize = 4;
/// To one that every access walks over in steps of at most so many elements.
const NEAR: usize = 4;

/// Moves an axis to the end, where that pays.
pub(super) fn interchange(l: &mut Loop) {
    let known = |extent: &Extent| extent.size.value().filter(|_| !extent.rows);
    let Some(last) = l.space.last().and_then(known).filter(|last| (2..=SHORT).contains(last)) else { return };
    if l.body.iter().any(|op| matches!(op, Op::Random { .. })) {
        return;
    }
    let near = |axis: usize| {
        l.body.iter().filter_map(strides).all(|s| s[axis].value().is_some_and(|step| step <= NEAR))
    };
    let lengths = l.space.iter().enumerate().filter_map(|(axis, extent)| Some((known(extent)?, axis)));
    let longer = lengths.filter(|(n, axis)| *n > last && near(*axis));
    // Of equals the innermost.
    let Some((_, axis)) = longer.max() else { return };
    let extent = l.space.remove(axis);
    l.space.push(extent);
    for strides in super::collapse::strides_mut(l) {
        let stride = strides.remove(axis);
        strides.push(stride);
    }
    super::collapse::collapse(l);
}

fn strides(op: &Op) -> Option<&[Size]> {
    match op {
        Op::Load(access) | Op::Choose(access, _) | Op::Store(access, _) | Op::Reduce { into: access, .. } => {
            Some(&access.strides)
        }
        Op::Random { strides, .. } | Op::Count(strides) => Some(strides),
        Op::Number(_) | Op::Extent(_) | Op::Map(..) => None,
    }
}
