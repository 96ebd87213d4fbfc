//! Matrices that are filled row by row and wanted the other way: the stage that fills one turns each tile while it is near.
//!
//! In: a schedule. Out: the same, where such a stage keeps its rows in the tile's scratch, and the copy after it is gone.
//! Never: a value that somebody else reads; a stage that does anything else.
//!
//! The encoder's gradient of sparse codes is such a matrix: a row for each place that an index names, in memory a column.

use crate::size::Size;

use super::{Home, Loop, Op, Schedule, Segment, Source, Stage, Step, Turned};

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
            (buffer.home, buffer.rows, buffer.elements) = (Home::Scratch(0), true, width);
            changed.segments.remove(at);
            shrink(&mut changed);
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
    let ([outer, inner], [Op::Load(from), Op::Store(into, 0)]) = (l.space.as_slice(), l.body.as_slice())
    else {
        return None;
    };
    let rows = if outer.rows { &segment.stage()?.over * &outer.size } else { outer.size.clone() };
    let (Source::Buffer(a), Source::Buffer(b)) = (from.place.source, into.place.source) else { return None };
    let one = Size::known(1);
    let turned = from.strides == [one.clone(), rows.clone()] && into.strides == [inner.size.clone(), one];
    let elements = &rows * &inner.size;
    let whole = [(a, from), (b, into)].into_iter().all(|(index, access)| {
        let buffer = &schedule.buffers[index];
        !buffer.rows && buffer.elements == elements && access.place.offset.is_zero()
    });
    // What lies in the arena may take the place of something that still lives when the stage runs.
    let lasts = matches!(schedule.buffers[b].home, Home::Gradient(_) | Home::State(_) | Home::Result(_));
    (turned && whole && lasts && !inner.rows && elements.value().is_some() && l.fills.is_empty())
        .then_some((a, b))
}

/// The stage that writes a buffer and nothing else, if nobody but one copy reads that, and the width of its rows.
fn writer(schedule: &Schedule, from: usize, into: usize) -> Option<(usize, Size)> {
    let (source, target) = (Source::Buffer(from), Source::Buffer(into));
    let uses = |source| schedule.segments.iter().filter(move |segment| touches(segment, source)).count();
    if uses(source) != 2 || uses(target) != 1 {
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

/// Whether a segment reads or writes something.
fn touches(segment: &Segment, source: Source) -> bool {
    match segment {
        Segment::Stage(stage) => {
            let turned = stage.turned.as_ref().is_some_and(|turned| source == Source::Buffer(turned.into));
            turned || stage.steps.iter().any(|step| step_touches(step, source))
        }
        Segment::Alone(steps) => steps.iter().any(|step| step_touches(step, source)),
        Segment::Wide(list) => {
            list.iter().any(|p| [&p.a, &p.b, &p.c].iter().any(|place| place.source == source))
        }
        Segment::Inspect(_, buffer) => source == Source::Buffer(*buffer),
    }
}

fn step_touches(step: &Step, source: Source) -> bool {
    match step {
        Step::Loop(l) => loop_touches(l, source),
        Step::Product(p) => [&p.a, &p.b, &p.c].iter().any(|place| place.source == source),
        Step::Select(s) => [&s.from, &s.into].iter().any(|place| place.source == source),
        Step::Factor(f) => [&f.from, &f.into].iter().any(|place| place.source == source),
        Step::Scan(turns) => turns.steps.iter().any(|step| step_touches(step, source)),
    }
}

fn loop_touches(l: &Loop, source: Source) -> bool {
    l.fills.iter().any(|(filled, ..)| *filled == source)
        || l.body.iter().any(|op| match op {
            Op::Load(access)
            | Op::Choose(access, _)
            | Op::Store(access, _)
            | Op::Reduce { into: access, .. } => access.place.source == source,
            Op::Count(_) | Op::Number(_) | Op::Extent(_) | Op::Random { .. } | Op::Map(..) => false,
        })
}

/// Slots as large as what is left in them.
fn shrink(schedule: &mut Schedule) {
    for (index, slot) in schedule.slots.iter_mut().enumerate() {
        let left = schedule.buffers.iter().filter(|buffer| buffer.home == Home::Slot(index));
        slot.elements = left
            .map(|buffer| &buffer.elements)
            .max_by(|a, b| a.nominal().total_cmp(&b.nominal()))
            .cloned()
            .unwrap_or_default();
    }
}
