//! What steps read and write.
//!
//! In: a schedule, a step. Out: its steps, one after the other; the buffers of one. Never: what is shown to whoever inspects a
//! value, which is no step.

use super::{Op, Schedule, Segment, Source, Step};

/// Steps, and those of loops over steps in their place; and whether each is inside of one, as all are if the first are.
pub(super) fn walk(list: &[Step], inside: bool, see: &mut dyn FnMut(&Step, bool)) {
    for step in list {
        match step {
            Step::Scan(turns) => walk(&turns.steps, true, see),
            _ => see(step, inside),
        }
    }
}

impl Schedule {
    /// All steps; and whether each is inside a loop over steps.
    pub(crate) fn walk(&self, see: &mut dyn FnMut(&Step, bool)) {
        for segment in &self.segments {
            match segment {
                Segment::Alone(list) => walk(list, false, see),
                Segment::Stage(stage) => walk(&stage.steps, false, see),
                Segment::Wide(list) => list.iter().for_each(|p| see(&Step::Product(p.clone()), false)),
                Segment::Inspect(..) => {}
            }
        }
    }
}

impl Step {
    /// The buffers that it reads, and those that it writes, as often as it names them; of a loop over steps none.
    pub(crate) fn touched(&self) -> [Vec<usize>; 2] {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        match self {
            Step::Loop(l) => l.body.iter().for_each(|op| match op {
                Op::Load(access) | Op::Choose(access, _) => reads.push(access.place.source),
                Op::Store(access, _) | Op::Reduce { into: access, .. } => writes.push(access.place.source),
                Op::Count(_) | Op::Number(_) | Op::Extent(_) | Op::Random { .. } | Op::Map(..) => {}
            }),
            Step::Product(p) => (reads, writes) = (vec![p.a.source, p.b.source], vec![p.c.source]),
            Step::Select(s) => (reads, writes) = (vec![s.from.source], vec![s.into.source]),
            Step::Factor(f) => (reads, writes) = (vec![f.from.source], vec![f.into.source]),
            Step::Scan(_) => {}
        }
        let of = |source: &Source| if let Source::Buffer(i) = source { Some(*i) } else { None };
        [reads, writes].map(|sources| sources.iter().filter_map(of).collect())
    }
}
