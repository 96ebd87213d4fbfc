//! A matrix product.
//!
//! In: a product of the schedule. Out: one that writes each place once, or several that follow each other where
//! positions share places. Never: an axis of the result along which a recorded product would meet itself.

use super::distinct::in_order;
use super::loops::whole;
use super::memory::Scope;
use super::recording::{Command, Place, Product};
use crate::schedule::{self, Axis, Source};
use crate::size::Size;

/// Axes of one index that a kernel of `kernels::cuda::product` walks over itself.
const MOST: usize = 4;

/// The commands of a product.
pub(super) fn product(scope: &Scope<'_>, p: &schedule::Product, out: &mut Vec<Command>) {
    let place = |place: &schedule::Place| scope.place(place.source).at(&place.offset);
    let row = |axis: &Axis| -> [Size; 4] {
        [whole(scope, &axis.extent), axis.a.clone(), axis.b.clone(), axis.c.clone()]
    };
    let lists = [&p.outer, &p.m, &p.n, &p.k].map(|axes| axes.iter().map(row).collect::<Vec<_>>());
    let [outer, mut m, mut n, mut k] = lists;
    // What an outer loop sums is summed first.
    let (sums, outer): (Vec<_>, Vec<_>) =
        outer.into_iter().partition(|[extent, _, _, c]| *c == Size::default() && !extent.is_one());
    k.splice(0..0, sums);
    // What repeats with one of the factors only is a row or a column: a wide product keeps a device busier than many.
    let outer: Vec<[Size; 4]> = outer
        .into_iter()
        .rev()
        .filter_map(|axis| {
            let none = Size::default();
            let list = match (axis[1] == none, axis[2] == none) {
                (true, false) => &mut n,
                (false, true) => &mut m,
                _ => return Some(axis),
            };
            if list.len() == MOST {
                return Some(axis);
            }
            list.insert(0, axis);
            None
        })
        .collect();
    let outer: Vec<[Size; 4]> = outer.into_iter().rev().collect();
    let kept: Vec<&[Size; 4]> = [&outer, &m, &n].into_iter().flatten().collect();
    let steps: Vec<_> = kept.iter().map(|[extent, .., c]| (extent.clone(), c.clone())).collect();
    let elements = Size::product(steps.iter().map(|(extent, _)| extent));
    let turns = turns(&steps);

    let target = place(&p.c);
    let joins = scope.joins(p.c.source);
    let room = room(scope, p);
    // A product that writes all of the result, once, needs no zeros.
    let covers = turns.len() == 1 && room.as_ref().is_none_or(|room| *room == elements);
    if let Some(room) = room.filter(|_| !covers && !joins) {
        out.push(Command::Fill { to: scope.place(p.c.source), count: room, value: 0.0 });
    }
    let accumulate = joins || turns.len() > 1;
    for turn in turns {
        let mut axes: Vec<[Size; 4]> = kept.iter().map(|axis| (*axis).clone()).collect();
        let mut ends: [Place; 3] = [place(&p.a), place(&p.b), target.clone()];
        for (axis, start, count) in turn {
            for (end, stride) in ends.iter_mut().zip(1..) {
                *end = end.clone().at(&(&axes[axis][stride] * &Size::known(start)));
            }
            axes[axis][0] = Size::known(count);
        }
        axes.extend(k.iter().cloned());
        let counts = [outer.len(), m.len(), n.len()];
        out.push(Command::Product(Box::new(Product { ends, counts, axes, accumulate })));
    }
}

/// The elements that the result has, where it may start from something else than nothing.
fn room(scope: &Scope<'_>, p: &schedule::Product) -> Option<Size> {
    match (&p.clear, p.c.source) {
        (Some(extent), _) => Some(whole(scope, extent)),
        (None, Source::Buffer(index)) if p.accumulate && scope.is_lane(p.c.source) => {
            Some(scope.schedule.buffers[index].elements.clone())
        }
        _ => None,
    }
}

/// Products that follow each other: in each, axes that go from a start, so many positions.
fn turns(steps: &[(Size, Size)]) -> Vec<Vec<(usize, usize, usize)>> {
    let mut turns = vec![Vec::new()];
    // Sizes of convolutions are known, but for the rows; what is not seen to be apart goes one by one.
    let pieces = in_order(steps).unwrap_or_else(|| {
        let known = steps.iter().enumerate().filter(|(_, (extent, _))| extent.value().is_some());
        known.map(|(axis, _)| (axis, 1)).collect()
    });
    for (axis, piece) in pieces {
        let n = steps[axis].0.value().unwrap_or(0);
        let list = (0..n).step_by(piece).map(|start| (axis, start, piece.min(n - start)));
        let longer = turns.iter().flat_map(|known: &Vec<(usize, usize, usize)>| {
            list.clone().map(move |next| known.iter().copied().chain([next]).collect())
        });
        turns = longer.collect();
    }
    turns
}
