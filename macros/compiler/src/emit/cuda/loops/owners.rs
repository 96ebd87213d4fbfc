//! Sums into places that positions share, or that an index says.
//!
//! In: such a sum of a loop. Out: a kernel in which each thread, or each block, has places of its own; several in turn where
//! positions meet. Never: two threads that add to one place.

use super::super::distinct::{distinct, in_order};
use super::super::kernel::{Draft, Shape};
use super::super::recording::Command;
use super::super::shared::Kernels;
use super::{Split, steps};
use crate::schedule::{Access, Op};
use crate::size::Size;

impl Split<'_> {
    /// A sum into places that positions share, or that an index says: each thread has places of its own.
    pub(super) fn owners(&self, at: usize, kernels: &mut Kernels, out: &mut Vec<Command>) {
        let Op::Reduce { into, follow, fresh, .. } = &self.ops[at] else { return };
        if *fresh {
            let kept = self.space.iter().zip(&into.strides).filter(|(_, s)| **s != Size::default());
            let count = Size::product(kept.map(|(n, _)| n));
            let to = self.scope.place(into.place.source).at(&into.place.offset);
            out.push(Command::Fill { to, count, value: 0.0 });
        }
        let all = steps(&self.space, into);
        let moving: Vec<usize> = (0..all.len()).filter(|axis| all[*axis].1 != Size::default()).collect();
        let places: Vec<_> = moving.iter().map(|axis| all[*axis].clone()).collect();
        let pieces = if follow.is_some() { Some(Vec::new()) } else { in_order(&places) };
        let (space, original) = (self.space.clone(), self.pruned(&[at]));
        // A position that is counted starts at 0.
        let counts = original.iter().any(|op| matches!(op, Op::Count(_) | Op::Random { .. }));
        let pieces = pieces.filter(|pieces| pieces.is_empty() || !counts);
        // An index that is the same for all that is kept: blocks share the places that it says.
        let shape = match follow {
            Some(_) if !self.moves(at, &moving) => Shape::Places,
            _ => Shape::Owners,
        };
        let draft = |space: Vec<Size>, ops: Vec<Op>, kept: Vec<usize>| {
            let dropped = (0..space.len()).filter(|axis| !kept.contains(axis)).collect();
            Draft { space, ops, shape, kept, dropped, even: false }
        };
        let Some(pieces) = pieces else {
            // Which positions share places is not known: axes whose steps are beyond all others' reach are apart.
            let mut apart = moving.clone();
            while !self.is_apart(&all, &apart, &moving) {
                apart.remove(0);
                if apart.is_empty() {
                    break;
                }
            }
            return self.emit(draft(space, original, apart), kernels, out);
        };
        // Turns take the positions that would share places, so many at a time, from a start each.
        let pieces: Vec<(usize, usize)> =
            pieces.iter().map(|(place, piece)| (moving[*place], *piece)).collect();
        let mut starts: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
        for (axis, piece) in &pieces {
            let n = space[*axis].value().unwrap_or(0);
            let list = (0..n).step_by(*piece).map(|start| (start, (*piece).min(n - start)));
            let longer = starts.iter().flat_map(|known| {
                list.clone().map(move |next| known.iter().copied().chain([next]).collect::<Vec<_>>())
            });
            starts = longer.collect();
        }
        for turn in starts {
            let (mut space, mut ops) = (space.clone(), original.clone());
            for ((axis, _), (start, n)) in pieces.iter().zip(&turn) {
                space[*axis] = Size::known(*n);
                for op in &mut ops {
                    advance(op, *axis, *start);
                }
            }
            let kept = moving.iter().copied().filter(|axis| !space[*axis].is_one()).collect();
            self.emit(draft(space, ops, kept), kernels, out);
        }
    }

    /// Whether the index that an operation follows differs along some axes.
    fn moves(&self, at: usize, axes: &[usize]) -> bool {
        let Op::Reduce { follow: Some(follow), .. } = &self.ops[at] else { return false };
        self.pruned(&[follow.index]).iter().any(|op| match op {
            Op::Load(Access { strides, .. })
            | Op::Choose(Access { strides, .. }, _)
            | Op::Count(strides)
            | Op::Random { strides, .. } => axes.iter().any(|axis| strides[*axis] != Size::default()),
            _ => false,
        })
    }

    /// Whether threads that differ along some axes never share a place, whatever the positions along the others.
    fn is_apart(&self, all: &[(Size, Size)], apart: &[usize], moving: &[usize]) -> bool {
        // The others as one axis of steps of one.
        let reach = moving.iter().filter(|axis| !apart.contains(axis)).fold(Size::known(1), |reach, axis| {
            let (extent, stride) = &all[*axis];
            &reach + &(&(extent - &Size::known(1)) * stride)
        });
        let mut steps: Vec<_> = apart.iter().map(|axis| all[*axis].clone()).collect();
        steps.push((reach, Size::known(1)));
        distinct(&steps)
    }
}

/// The same operation from a later position along an axis on.
fn advance(op: &mut Op, axis: usize, start: usize) {
    match op {
        Op::Load(access) | Op::Choose(access, _) | Op::Store(access, _) | Op::Reduce { into: access, .. } => {
            let step = &access.strides[axis] * &Size::known(start);
            access.place.offset = &access.place.offset + &step;
        }
        Op::Count(_) | Op::Random { .. } | Op::Number(_) | Op::Extent(_) | Op::Map(..) => {}
    }
}
