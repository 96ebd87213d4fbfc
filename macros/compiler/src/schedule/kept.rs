//! Products by panels that a loop turns into what outlives the tile, as a layer's activation is: written there at once.
//!
//! In: a schedule whose products name their panels. Out: the same, where such a product has the place of what the loop makes
//! of it, and the loop works in place. Never: a place that something else needs between the two; a change of any value.
//!
//! So a tile's memory is one place shorter, and the loop finds what it writes in the cache.

use std::slice;

use crate::size::Size;

use super::place::largest;
use super::touched::walk;
use super::{Access, Home, Loop, Op, Product, Schedule, Segment, Source, Stage, Step};

/// The schedule with such products where their loops keep the result.
pub(super) fn kept(schedule: &Schedule) -> Schedule {
    let mut changed = schedule.clone();
    let mut segments = std::mem::take(&mut changed.segments);
    for segment in &mut segments {
        let Segment::Stage(stage) = segment else { continue };
        let products = stage.steps.iter().enumerate().filter_map(|(at, step)| match step {
            Step::Product(p) if p.panels.is_some() => Some((at, p)),
            _ => None,
        });
        let mut moved = false;
        for (at, product) in products {
            if let Some((from, home)) = home(&changed, stage, at, product) {
                changed.buffers[from].home = home;
                moved = true;
            }
        }
        if moved {
            shrink(&mut changed, stage);
        }
    }
    changed.segments = segments;
    changed
}

/// The result of a product, and the place where the one loop that reads it keeps what it makes of each element.
fn home(schedule: &Schedule, stage: &Stage, at: usize, product: &Product) -> Option<(usize, Home)> {
    let Source::Buffer(from) = product.c.source else { return None };
    let of = |index: usize| &schedule.buffers[index];
    if product.accumulate || !matches!(of(from).home, Home::Scratch(_)) {
        return None;
    }
    let mut readers =
        (0..stage.steps.len()).filter(|step| *step != at && touches(&stage.steps[*step], &|i| i == from));
    let (reader, None) = (readers.next()?, readers.next()) else { return None };
    let Step::Loop(l) = &stage.steps[reader] else { return None };
    let read = only(l, from)?;
    let into = l.body.iter().find_map(|op| match op {
        Op::Store(Access { place, strides }, _) if *strides == read.strides => match place.source {
            Source::Buffer(i) if place.offset == read.place.offset && place.row == read.place.row => Some(i),
            _ => None,
        },
        _ => None,
    })?;
    let (value, home) = (of(from), of(into).home.clone());
    let outlives = of(into).rows && matches!(home, Home::Slot(_) | Home::Result(_));
    let whole = Size::product(l.space.iter().map(|axis| &axis.size)) == value.elements;
    let early = stage.steps[..reader].iter().any(|step| touches(step, &|i| of(i).home == home));
    (outlives && whole && of(into).elements == value.elements && !early).then_some((from, home))
}

/// How a loop reads a buffer, if it does so in one way and each element once.
fn only(l: &Loop, buffer: usize) -> Option<&Access> {
    let reads = |op: &&Op| matches!(op, Op::Load(access) | Op::Choose(access, _) if access.place.source == Source::Buffer(buffer));
    let mut reads = l.body.iter().filter(reads);
    let (Some(Op::Load(access)), None) = (reads.next(), reads.next()) else { return None };
    let apart = l
        .space
        .iter()
        .zip(&access.strides)
        .all(|(axis, stride)| axis.size.is_one() && !axis.rows || !stride.is_zero());
    apart.then_some(access)
}

/// Whether a step reads or writes such a buffer.
fn touches(step: &Step, wanted: &dyn Fn(usize) -> bool) -> bool {
    let mut found = false;
    walk(slice::from_ref(step), false, &mut |step, _| {
        found |= step.touched().iter().flatten().any(|i| wanted(*i));
    });
    found
}

/// The tile's memory without what nobody needs any more.
fn shrink(schedule: &mut Schedule, stage: &mut Stage) {
    let in_slot =
        |slot| largest(stage.local.iter().map(|i| &schedule.buffers[*i]), &Home::Scratch(slot)).cloned();
    let sizes: Vec<Option<Size>> = (0..stage.scratch.len()).map(in_slot).collect();
    for i in &stage.local {
        if let Home::Scratch(slot) = &mut schedule.buffers[*i].home {
            *slot = sizes[..*slot].iter().flatten().count();
        }
    }
    let all = |sizes: &[Size]| sizes.iter().fold(Size::default(), |sum, size| &sum + size);
    let before = all(&stage.scratch);
    stage.scratch = sizes.into_iter().flatten().collect();
    stage.row_elements = &(&stage.row_elements - &before) + &all(&stage.scratch);
}
