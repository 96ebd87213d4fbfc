//! What steps read and write.
//!
//! In: a schedule, a step. Out: its steps, one after the other; the buffers of one. Never: what is shown to whoever inspects a
//! value, which is no step.

use super::{Op, Schedule, Segment, Source, Step};

impl Schedule {
    /// All steps; and whether each is inside a loop over steps.
    pub(crate) fn walk(&self, see: &mut dyn FnMut(&Step, bool)) {
        fn steps(list: &[Step], inside: bool, see: &mut dyn FnMut(&Step, bool)) {
            for step in list {
                match step {
                    Step::Scan(turns) => steps(&turns.steps, true, see),
                    _ => see(step, inside),
                }
            }
        }
        for segment in &self.segments {
            match segment {
                Segment::Alone(list) => steps(list, false, see),
                Segment::Stage(stage) => steps(&stage.steps, false, see),
                Segment::Wide(list) => list.iter().for_each(|p| see(&Step::Product(p.clone()), false)),
                Segment::Inspect(..) => {}
            }
        }
    }
}

impl Step {
    /// The buffers that it reads, as often as it names them; of a loop over steps none.
    pub(crate) fn reads(&self) -> Vec<usize> {
        let sources: Vec<Source> = match self {
            Step::Loop(l) => l
                .body
                .iter()
                .filter_map(|op| match op {
                    Op::Load(access) | Op::Choose(access, _) => Some(access.place.source),
                    _ => None,
                })
                .collect(),
            Step::Product(p) => vec![p.a.source, p.b.source],
            Step::Select(s) => vec![s.from.source],
            Step::Factor(f) => vec![f.from.source],
            Step::Scan(_) => Vec::new(),
        };
        buffers(&sources)
    }

    /// The buffers that it writes, likewise.
    pub(crate) fn writes(&self) -> Vec<usize> {
        let sources: Vec<Source> = match self {
            Step::Loop(l) => l
                .body
                .iter()
                .filter_map(|op| match op {
                    Op::Store(access, _) | Op::Reduce { into: access, .. } => Some(access.place.source),
                    _ => None,
                })
                .collect(),
            Step::Product(p) => vec![p.c.source],
            Step::Select(s) => vec![s.into.source],
            Step::Factor(f) => vec![f.into.source],
            Step::Scan(_) => Vec::new(),
        };
        buffers(&sources)
    }
}

fn buffers(sources: &[Source]) -> Vec<usize> {
    let of = |source: &Source| if let Source::Buffer(i) = source { Some(*i) } else { None };
    sources.iter().filter_map(of).collect()
}
