//! Matrices that are filled row by row and wanted the other way: the stage that fills one turns each tile while it is near.
//!
//! In: a schedule. Out: the same, where such a stage keeps its rows in the tile's scratch, and the copy after it is gone.
//! Never: a value that somebody else reads; a stage that does anything else.
//!
//! The encoder's gradient of sparse codes is such a matrix: a row for each place that an index names, in memory a column.

use crate::size::Size;

use super::place::largest;
use super::{Home, Schedule, Segment, Source, Stage, Step, Turned};

/// The schedule without copies of what stages can turn themselves.
pub(super) fn aside(schedule: &Schedule) -> Schedule {
    let mut changed = schedule.clone();
    let mut at = 0;
    while at < changed.segments.len() {
        if let Some((from, into)) = copies(&changed, &changed.segments[at])
            && let Some((writer, width)) = writer(&changed, from, into)
            && let Some(Segment::Stage(stage)) = changed.segments.get_mut(writer)
        {
            stage.full.clear();
            stage.scratch = vec![width.clone()];
            stage.turned = Some(Turned { from, into });
            let buffer = &mut changed.buffers[from];
            let home = std::mem::replace(&mut buffer.home, Home::Scratch(0));
            (buffer.rows, buffer.elements) = (true, width);
            changed.segments.remove(at);
            if let Home::Slot(slot) = home {
                let left = largest(changed.buffers.iter(), &home).cloned();
                changed.slots[slot].elements = left.unwrap_or_default();
            }
        } else {
            at += 1;
        }
    }
    changed
}

/// The buffers of a segment that copies one, a matrix, to another that lies the other way, and does nothing else.
fn copies(schedule: &Schedule, segment: &Segment) -> Option<(usize, usize)> {
    let steps = match segment {
        Segment::Stage(stage) => &stage.steps,
        Segment::Alone(steps) => steps,
        Segment::Wide(_) | Segment::Inspect(..) => return None,
    };
    let [Step::Loop(l)] = steps.as_slice() else { return None };
    let (from, into) = l.transposed()?;
    let [outer, inner] = l.space.as_slice() else { return None };
    let rows = if outer.rows { &segment.stage()?.over * &outer.size } else { outer.size.clone() };
    let (Source::Buffer(a), Source::Buffer(b)) = (from.place.source, into.place.source) else { return None };
    let dense = from.strides[1] == rows && into.strides[0] == inner.size;
    let elements = &rows * &inner.size;
    let whole = [(a, from), (b, into)].into_iter().all(|(index, access)| {
        let buffer = &schedule.buffers[index];
        !buffer.rows && buffer.elements == elements && access.place.offset.is_zero()
    });
    // What lies in the arena may take the place of something that still lives when the stage runs.
    let lasts = matches!(schedule.buffers[b].home, Home::Gradient(_) | Home::State(_) | Home::Result(_));
    (dense && whole && lasts && !inner.rows && elements.value().is_some()).then_some((a, b))
}

/// The stage that writes a buffer and nothing else, if nobody but one copy reads that, and the width of its rows.
fn writer(schedule: &Schedule, from: usize, into: usize) -> Option<(usize, Size)> {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    schedule.walk(&mut |step, _| {
        let [read, written] = step.touched();
        reads.extend(read);
        writes.extend(written);
    });
    let count = |list: &[usize], buffer| list.iter().filter(|touched| **touched == buffer).count();
    let shown =
        |segment: &Segment| matches!(segment, Segment::Inspect(_, buffer) if [from, into].contains(buffer));
    let apart = count(&reads, from) == 1 && count(&writes, from) == 1 && count(&reads, into) == 0;
    if !apart || count(&writes, into) != 1 || schedule.segments.iter().any(shown) {
        return None;
    }
    let is_writer = |stage: &Stage| {
        let alone = stage.full == [from] && stage.local == [from] && stage.scratch.is_empty();
        alone && stage.lane.is_zero() && stage.turned.is_none()
    };
    let at = schedule.segments.iter().position(|segment| segment.stage().is_some_and(is_writer))?;
    let stage = schedule.segments[at].stage()?;
    let (elements, over) = (schedule.buffers[from].elements.value()?, stage.over.value()?);
    let width = elements.checked_div(over)?;
    (width * over == elements && width > 0).then(|| (at, Size::known(width)))
}
