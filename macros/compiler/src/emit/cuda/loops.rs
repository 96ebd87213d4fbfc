//! A fused loop as kernels.
//!
//! In: a loop. Out: one command, mostly; one more for each set of axes that sums drop. Never: a value read after the
//! kernel that may overwrite it: kernels that only sum come first, the one with the stores last, and after it those
//! that sum what it stored.

mod body;
mod fills;
mod owners;

use super::distinct::distinct;
use super::kernel::{Draft, Shape, Turned, write};
use super::memory::{Scope, copy_of};
use super::recording::{Command, Walk};
use super::shared::Kernels;
use crate::graph::NodeId;
use crate::schedule::{Access, Extent, Loop, Op};
use crate::size::Size;
pub(super) use body::operands;
use body::{joined, renumbered};

/// Nominal elements of a result that a thread sums alone.
const THREAD: f64 = 16.0;
/// Nominal elements of a result that a warp sums; a block sums more.
const WARP: f64 = 512.0;
/// So many nominal results beside each other keep all threads of a device busy: then each sums up to so many elements alone.
const MANY: f64 = 262_144.0;
const ALONE: f64 = 128.0;

/// The commands of a loop.
pub(super) fn fused(scope: &Scope<'_>, l: &Loop, kernels: &mut Kernels, out: &mut Vec<Command>) {
    let split = Split::new(scope, l);
    split.fills(l, out);
    let stores = split.pick(|op| matches!(op, Op::Store(..)));
    let mut groups: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    let mut wholes = Vec::new();
    for at in split.pick(|op| matches!(op, Op::Reduce { .. })) {
        let Op::Reduce { into, follow, .. } = &split.ops[at] else { continue };
        let dropped = split.dropped(into);
        if follow.is_some() || dropped.is_empty() || split.joins.contains(&at) || !split.is_distinct(into) {
            split.owners(at, kernels, out);
        } else if into.strides.iter().all(|stride| *stride == Size::default()) {
            wholes.push(at);
        } else {
            match groups.iter_mut().find(|(of, _)| *of == dropped) {
                Some((_, list)) => list.push(at),
                None => groups.push((dropped, vec![at])),
            }
        }
    }
    let last = split.space.len().saturating_sub(1);
    // With the stores goes the sum that reads along rows; of several others, the first.
    let main = groups.iter().position(|(dropped, _)| dropped.contains(&last)).unwrap_or(0);
    let main = (main < groups.len()).then(|| groups.remove(main));
    let mut after = Vec::new();
    for (dropped, sums) in groups {
        let (stored, others): (Vec<usize>, Vec<usize>) =
            sums.into_iter().partition(|at| split.stored(*at).is_some());
        if !others.is_empty() {
            split.sums(&dropped, others, kernels, out);
        }
        after.extend(stored);
    }
    let all = stores.into_iter().chain(wholes.iter().copied());
    match main {
        Some((dropped, sums)) => {
            split.sums(&dropped, all.chain(sums).collect(), kernels, out);
        }
        None if wholes.is_empty() => split.each(all.collect(), kernels, out),
        None => split.elements(all.collect(), kernels, out),
    }
    for at in after {
        split.stored_sum(at, kernels, out);
    }
}

/// A loop whose writes are divided among kernels.
struct Split<'a> {
    scope: &'a Scope<'a>,
    nodes: &'a [NodeId],
    space: Vec<Size>,
    ops: Vec<Op>,
    /// Operations of the loop that join what memory holds.
    joins: Vec<usize>,
}

impl<'a> Split<'a> {
    fn new(scope: &'a Scope<'a>, l: &'a Loop) -> Self {
        let space: Vec<Size> = l.space.iter().map(|extent| whole(scope, extent)).collect();
        let mut ops = l.body.clone();
        for (at, op) in l.body.iter().enumerate() {
            if let Op::Reduce { into, value, follow: None, .. } = op
                && !scope.joins(into.place.source)
                && into.strides.iter().zip(&space).all(|(s, n)| n.is_one() || *s != Size::default())
                && distinct(&steps(&space, into))
            {
                // Nothing is summed.
                ops[at] = Op::Store(into.clone(), *value);
            }
            // What the sums wrote there at once.
            if let Some((from, to)) = copy_of(scope.schedule, l, at)
                && scope.copied.get(&from) == Some(&to)
            {
                ops[at] = Op::Number(0.0);
            }
        }
        let joins = l.body.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Reduce { into, .. } if scope.joins(into.place.source) => Some(at),
            _ => None,
        });
        Split { scope, nodes: &l.nodes, space, ops, joins: joins.collect() }
    }

    fn pick(&self, wanted: impl Fn(&Op) -> bool) -> Vec<usize> {
        (0..self.ops.len()).filter(|at| wanted(&self.ops[*at])).collect()
    }

    /// The axes along which an access stays where it is.
    fn dropped(&self, access: &Access) -> Vec<usize> {
        let axes = access.strides.iter().zip(&self.space).enumerate();
        axes.filter(|(_, (s, n))| **s == Size::default() && !n.is_one()).map(|(axis, _)| axis).collect()
    }

    /// Whether the positions that an access keeps have places of their own.
    fn is_distinct(&self, access: &Access) -> bool {
        let steps: Vec<_> =
            steps(&self.space, access).into_iter().filter(|(_, s)| *s != Size::default()).collect();
        distinct(&steps)
    }

    /// The store of what an operation sums, if there is one that could be read instead.
    fn stored(&self, at: usize) -> Option<&Access> {
        let Op::Reduce { value, .. } = &self.ops[at] else { return None };
        self.ops.iter().find_map(|op| match op {
            Op::Store(access, of)
                if of == value && self.is_distinct(access) && self.dropped(access).is_empty() =>
            {
                Some(access)
            }
            _ => None,
        })
    }

    /// The operations that some need.
    fn pruned(&self, wanted: &[usize]) -> Vec<Op> {
        let mut needed = vec![false; self.ops.len()];
        for at in (0..self.ops.len()).rev() {
            needed[at] |= wanted.contains(&at);
            if needed[at] {
                operands(&self.ops[at]).into_iter().for_each(|of| needed[of] = true);
            }
        }
        let mut places = vec![0; self.ops.len()];
        let mut ops = Vec::new();
        for (at, op) in self.ops.iter().enumerate().filter(|(at, _)| needed[*at]) {
            places[at] = ops.len();
            ops.push(renumbered(op, &places));
        }
        ops
    }

    /// The loop of some writes, its axes joined where these allow.
    fn part(&self, wanted: &[usize]) -> (Vec<Size>, Vec<Op>) {
        joined(&self.space, self.pruned(wanted))
    }

    fn each(&self, wanted: Vec<usize>, kernels: &mut Kernels, out: &mut Vec<Command>) {
        if wanted.is_empty() {
            return;
        }
        let (space, ops) = self.part(&wanted);
        let kept = (0..space.len()).collect();
        let shape = if Turned::of(&space, &ops).is_some() { Shape::Turned } else { Shape::Each };
        self.emit(Draft { space, ops, shape, kept, dropped: vec![], even: false }, kernels, out);
    }

    fn elements(&self, wanted: Vec<usize>, kernels: &mut Kernels, out: &mut Vec<Command>) {
        let (space, ops) = self.part(&wanted);
        let kept = (0..space.len()).collect();
        let shape = Shape::Sums(Walk::Elements);
        self.emit(Draft { space, ops, shape, kept, dropped: vec![], even: false }, kernels, out);
    }

    /// Sums that drop these axes, and perhaps stores and sums over everything.
    fn sums(&self, dropped: &[usize], wanted: Vec<usize>, kernels: &mut Kernels, out: &mut Vec<Command>) {
        let last = dropped.contains(&(self.space.len() - 1));
        let (space, ops) = self.part(&wanted);
        let probe = ops.iter().find_map(|op| match op {
            Op::Reduce { into, .. } if into.strides.iter().any(|s| *s != Size::default()) => Some(into),
            _ => None,
        });
        let Some(probe) = probe else { return };
        let (dropped, kept): (Vec<usize>, Vec<usize>) = (0..space.len())
            .partition(|axis| probe.strides[*axis] == Size::default() && !space[*axis].is_one());
        let even = ops.iter().all(|op| match op {
            Op::Reduce { into, .. } => {
                let along: Vec<Size> = kept.iter().map(|axis| into.strides[*axis].clone()).collect();
                along.iter().all(|s| *s == Size::default()) || is_even(&space, &kept, &along)
            }
            _ => true,
        });
        let nominal = |axes: &[usize]| axes.iter().map(|axis| space[*axis].nominal()).product::<f64>();
        let walk = match (last, nominal(&dropped) <= WARP) {
            _ if nominal(&dropped) <= THREAD && nominal(&dropped) < nominal(&kept) => Walk::Threads,
            (false, _) if nominal(&kept) >= MANY && nominal(&dropped) <= ALONE => Walk::Threads,
            (true, true) => Walk::Warps,
            (true, false) => Walk::Blocks,
            (false, _) => match nominal(&kept) {
                few if few < 32.0 => Walk::Columns((few as usize).max(1).next_power_of_two()),
                _ => Walk::Columns(32),
            },
        };
        self.emit(Draft { space, ops, shape: Shape::Sums(walk), kept, dropped, even }, kernels, out);
    }

    /// A sum over what the loop stored.
    fn stored_sum(&self, at: usize, kernels: &mut Kernels, out: &mut Vec<Command>) {
        let (Some(from), Op::Reduce { reduction, into, fresh, .. }) = (self.stored(at), &self.ops[at]) else {
            return;
        };
        let (reduction, fresh) = (*reduction, *fresh);
        let body = vec![
            Op::Load(from.clone()),
            Op::Reduce { reduction, value: 0, into: into.clone(), fresh, follow: None },
        ];
        let split = Split { ops: body, joins: Vec::new(), space: self.space.clone(), ..*self };
        split.sums(&self.dropped(into), vec![1], kernels, out);
    }

    fn emit(&self, draft: Draft, kernels: &mut Kernels, out: &mut Vec<Command>) {
        let written = write(self.scope, &draft);
        let words = self.scope.words(self.nodes);
        let kernel = kernels.share(written.kernel, &super::shared::words(&draft.ops), words);
        let count = |axes: &[usize]| Size::product(axes.iter().map(|axis| &draft.space[*axis]));
        out.push(match draft.shape {
            Shape::Places => {
                let bound = draft.ops.iter().find_map(|op| match op {
                    Op::Reduce { follow: Some(follow), .. } => Some(follow.bound.clone()),
                    _ => None,
                });
                Command::Places { kernel, count: bound.unwrap_or_default(), arguments: written.arguments }
            }
            Shape::Each | Shape::Turned | Shape::Owners => {
                Command::Each { kernel, count: count(&draft.kept), arguments: written.arguments }
            }
            Shape::Sums(walk) => {
                let (results, summed) = match walk {
                    Walk::Elements => (Size::known(1), count(&draft.kept)),
                    _ => (count(&draft.kept), count(&draft.dropped)),
                };
                Command::Sums {
                    kernel,
                    walk,
                    even: draft.even,
                    results,
                    count: summed,
                    sums: written.sums,
                    arguments: written.arguments,
                }
            }
        });
    }
}

/// An extent, where the tile is the whole batch.
pub(super) fn whole(scope: &Scope<'_>, extent: &Extent) -> Size {
    if extent.rows { &scope.over * &extent.size } else { extent.size.clone() }
}

/// Extents with the strides of an access.
fn steps(space: &[Size], access: &Access) -> Vec<(Size, Size)> {
    space.iter().cloned().zip(access.strides.iter().cloned()).collect()
}

/// Whether strides along some axes are those of a contiguous value.
fn is_even(space: &[Size], axes: &[usize], strides: &[Size]) -> bool {
    let mut next = Size::known(1);
    axes.iter().zip(strides).rev().all(|(axis, stride)| {
        let even = *stride == next || space[*axis].is_one();
        next = &next * &space[*axis];
        even
    })
}
