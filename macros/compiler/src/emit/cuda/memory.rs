//! Where values lie on a device.
//!
//! In: a schedule. Out: for each source a place; slots of scratch. Never: a tile; all rows are there at once, so what a
//! tile keeps is kept for the whole batch, and stages take turns in the same slots.

use std::collections::BTreeMap;

use super::recording::{Place, Space};
use crate::schedule::{Buffer, Home, Loop, Op, Schedule, Segment, Source, Stage, Step};
use crate::size::Size;

/// The places of everything, and what is around a step.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// Where each buffer lies.
    buffers: Vec<Place>,
    /// The counters of the loops around.
    pub counters: Vec<String>,
    /// What stands for the rows of a tile.
    pub over: Size,
    /// How many steps write each buffer; in a loop over steps, more than one.
    writers: BTreeMap<usize, usize>,
    /// Accumulators that lie where a loop would copy them to.
    pub copied: BTreeMap<usize, usize>,
}

impl<'a> Scope<'a> {
    /// Places all buffers; and the slots of scratch that they need.
    pub fn of(schedule: &'a Schedule) -> (Self, Vec<Vec<Size>>) {
        let mut work: Vec<Vec<Size>> = schedule
            .slots
            .iter()
            .map(|slot| vec![if slot.rows { &slot.elements * &Size::batch() } else { slot.elements.clone() }])
            .collect();
        let shared = work.len();
        let mut lanes: BTreeMap<usize, Place> = BTreeMap::new();
        for stage in schedule.segments.iter().filter_map(Segment::stage) {
            for (slot, elements) in stage.scratch.iter().enumerate() {
                let whole = elements * &stage.over;
                match work.get_mut(shared + slot) {
                    Some(known) if known.contains(&whole) => {}
                    Some(known) => known.push(whole),
                    None => work.push(vec![whole]),
                }
            }
        }
        let copied = copied(schedule);
        for (index, buffer) in schedule.buffers.iter().enumerate() {
            if matches!(buffer.home, Home::Lane(_)) && !copied.contains_key(&index) {
                lanes.insert(index, Place { space: Space::Work(work.len()), start: Vec::new() });
                work.push(vec![buffer.elements.clone()]);
            }
        }
        let place = |index: usize, buffer: &Buffer| match &buffer.home {
            Home::Slot(slot) => Place { space: Space::Work(*slot), start: Vec::new() },
            Home::Scratch(slot) => Place { space: Space::Work(shared + slot), start: Vec::new() },
            Home::Lane(_) => match (lanes.get(&index), copied.get(&index)) {
                (Some(place), _) => place.clone(),
                (_, Some(to)) => handed_out(schedule, &schedule.buffers[*to].home),
                (None, None) => Place { space: Space::Work(0), start: Vec::new() },
            },
            home => handed_out(schedule, home),
        };
        let buffers =
            schedule.buffers.iter().enumerate().map(|(index, buffer)| place(index, buffer)).collect();
        let writers = writers(schedule);
        (Scope { schedule, buffers, counters: Vec::new(), over: Size::batch(), writers, copied }, work)
    }

    /// The first element of a source.
    pub fn place(&self, source: Source) -> Place {
        let graph = &self.schedule.graph;
        match source {
            Source::Buffer(index) => self.buffers[index].clone(),
            Source::Param(index) => Place { space: Space::Param(index), start: Vec::new() },
            Source::Hyper(index) => Place { space: Space::Hypers, start: Vec::new() }.at(&Size::known(index)),
            Source::Input(index) => {
                let before = graph.inputs[..index].iter().map(|input| input.ty.elements());
                Place { space: Space::Inputs, start: before.collect() }
            }
        }
    }

    /// Whether a source is an accumulator.
    pub fn is_lane(&self, source: Source) -> bool {
        matches!(source, Source::Buffer(i) if matches!(self.schedule.buffers[i].home, Home::Lane(_)))
    }

    /// The accumulators of a stage that several steps write, or several turns of one: they are 0 first.
    pub fn joined(&self, stage: &Stage) -> Vec<usize> {
        stage.local.iter().copied().filter(|index| self.joins(Source::Buffer(*index))).collect()
    }

    /// Whether a source is written more than once, and so is 0 first.
    pub fn joins(&self, source: Source) -> bool {
        let Source::Buffer(index) = source else { return false };
        self.is_lane(source) && self.writers.get(&index).is_some_and(|count| *count > 1)
    }

    /// A symbol in the text of a kernel: counters are named by their depth, so that equal loops have equal text.
    pub fn symbol(&self, name: &str) -> String {
        match self.counters.iter().position(|counter| counter == name) {
            Some(depth) => format!("turn{depth}"),
            None => format!("dim_{name}"),
        }
    }

    /// The user's words for nodes, each with its `file:line`.
    pub fn words(&self, nodes: &[crate::graph::NodeId]) -> Vec<String> {
        super::super::rust::words(self.schedule, nodes)
    }
}

/// Memory that belongs to the caller: behind the others of its kind.
fn handed_out(schedule: &Schedule, home: &Home) -> Place {
    let (space, at) = handed(home).unwrap_or((Space::Work(0), 0));
    Place { space, start: values(schedule, space).range(..at).map(|(_, size)| size.clone()).collect() }
}

/// Which memory of the caller's, and the number there.
fn handed(home: &Home) -> Option<(Space, usize)> {
    match home {
        Home::Gradient(at) => Some((Space::Gradients, *at)),
        Home::State(at) => Some((Space::States, *at)),
        Home::Result(at) => Some((Space::Outputs, *at)),
        Home::Metric(at) => Some((Space::Metrics, *at)),
        Home::Slot(_) | Home::Scratch(_) | Home::Lane(_) => None,
    }
}

/// The elements of each value of such memory.
fn values(schedule: &Schedule, space: Space) -> BTreeMap<usize, Size> {
    let of = |buffer: &Buffer| {
        let (_, at) = handed(&buffer.home).filter(|(other, _)| *other == space)?;
        let rows = if buffer.rows { Size::batch() } else { Size::known(1) };
        Some((at, &rows * &buffer.elements))
    };
    schedule.buffers.iter().filter_map(of).collect()
}

/// The elements of each gradient.
pub(super) fn gradients(schedule: &Schedule) -> Vec<Size> {
    values(schedule, Space::Gradients).into_values().collect()
}

/// The buffer that an operation of a copying loop fills from an accumulator, and that accumulator.
pub(super) fn copy_of(schedule: &Schedule, l: &Loop, at: usize) -> Option<(usize, usize)> {
    let Op::Store(to, value) = &l.body[at] else { return None };
    let Op::Load(from) = &l.body[*value] else { return None };
    let (Source::Buffer(source), Source::Buffer(target)) = (from.place.source, to.place.source) else {
        return None;
    };
    let buffer = &schedule.buffers[source];
    let [extent] = l.space.as_slice() else { return None };
    let plain = |access: &crate::schedule::Access| {
        access.place.offset == Size::default()
            && (access.strides == [Size::known(1)] || extent.size.is_one() && !extent.rows)
    };
    let whole = !extent.rows && extent.size == buffer.elements && plain(from) && plain(to);
    let lane = matches!(buffer.home, Home::Lane(_));
    let given = matches!(
        schedule.buffers[target].home,
        Home::Gradient(_) | Home::State(_) | Home::Result(_) | Home::Metric(_)
    );
    (lane && given && whole).then_some((source, target))
}

/// Accumulators that are only ever copied to where they are wanted: the sums go there at once.
fn copied(schedule: &Schedule) -> BTreeMap<usize, usize> {
    let mut reads: BTreeMap<usize, usize> = BTreeMap::new();
    let mut copies: BTreeMap<usize, usize> = BTreeMap::new();
    let mut written: BTreeMap<usize, usize> = BTreeMap::new();
    schedule.walk(&mut |step, _| {
        let touched = step.touched();
        for (count, sources) in [&mut reads, &mut written].into_iter().zip(touched) {
            sources.into_iter().for_each(|source| *count.entry(source).or_default() += 1);
        }
    });
    for segment in &schedule.segments {
        let Segment::Alone(steps) = segment else { continue };
        for step in steps {
            let Step::Loop(l) = step else { continue };
            for at in 0..l.body.len() {
                if let Some((from, to)) = copy_of(schedule, l, at) {
                    copies.insert(from, to);
                }
            }
        }
    }
    copies.retain(|from, to| reads.get(from) == Some(&1) && written.get(to) == Some(&1));
    copies
}

/// How often the steps write each accumulator.
fn writers(schedule: &Schedule) -> BTreeMap<usize, usize> {
    let mut count: BTreeMap<usize, usize> = BTreeMap::new();
    schedule.walk(&mut |step, inside| {
        let [_, writes] = step.touched();
        for source in writes {
            *count.entry(source).or_default() += if inside { 2 } else { 1 };
        }
    });
    count
}
