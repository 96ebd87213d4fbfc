//! Places of buffers.
//!
//! In: the draft and the values that lie in memory. Out: a buffer for each, with a slot of the arena, of a
//! tile's scratch, or among the accumulators; slots are shared by values that never live together.
//! Never: an address; slots have sizes, and whoever emits lays them out.

use std::collections::{HashMap, HashSet};

use crate::graph::*;
use crate::size::Size;

use super::fuse::Draft;
use super::legal::Legal;
use super::level::{Crossing, crossing};
use super::lives::{Life, Time, lives};
use super::view::Views;
use super::{Buffer, Factor, Home, Slot};

/// Buffers, and the slots they share.
pub(super) struct Places {
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// Which one holds a node.
    pub of: HashMap<NodeId, usize>,
    /// The slots of the arena.
    pub slots: Vec<Slot>,
    /// Scratch slots of each level.
    pub scratch: Vec<Vec<Size>>,
    /// Elements of a lane of each level.
    pub lanes: Vec<Size>,
}

/// Places every stored value.
pub(super) fn place(legal: &Legal, views: &Views, draft: &Draft, stored: &HashSet<NodeId>) -> Places {
    let graph = &legal.graph;
    let lives = lives(legal, views, draft, stored);
    let homes: HashMap<NodeId, &Home> = legal.homes.iter().map(|(node, home)| (*node, home)).collect();
    let mut places = Places {
        buffers: Vec::new(),
        of: HashMap::new(),
        slots: Vec::new(),
        scratch: vec![Vec::new(); draft.levels.len()],
        lanes: vec![Size::default(); draft.levels.len()],
    };
    let mut arena = Pool::default();
    let mut tiles: Vec<Pool> = draft.levels.iter().map(|_| Pool::default()).collect();
    let mut order: Vec<NodeId> = stored.iter().copied().filter(|id| lives.contains_key(id)).collect();
    order.sort_by_key(|id| (lives[id].first, *id));
    for id in order {
        let (node, life) = (graph.node(id), lives[&id]);
        let rows = !node.ty.rows.is_empty();
        let mut elements = Size::product(node.ty.shape().iter().skip(usize::from(rows)));
        if let (Kind::TriangularFactor, [outer @ .., _, n]) = (&node.kind, node.ty.features.as_slice()) {
            elements = Factor::memory(&Size::product(outer), n);
        }
        let level = life.first.0;
        let home = if let Some(home) = homes.get(&id) {
            (*home).clone()
        } else if crossing(graph, views, id) == Crossing::Lane {
            let start = places.lanes[level].clone();
            places.lanes[level] = &start + &elements.room();
            Home::Lane(start)
        } else if rows && level == life.last.0 {
            Home::Scratch(tiles[level].take(&elements, true, life))
        } else {
            // Whole levels at a time: a stage's threads are not in step.
            let last = (life.last.0, usize::MAX, usize::MAX);
            let whole = Life { first: (level, 0, 0), last, yields: false, takes: false };
            Home::Slot(arena.take(&elements, rows, whole))
        };
        places.of.insert(id, places.buffers.len());
        places.buffers.push(Buffer { node: id, rows, elements, home, writer: level });
    }
    places.slots = arena.slots.into_iter().map(|taken| taken.slot).collect();
    for (sizes, pool) in places.scratch.iter_mut().zip(tiles) {
        *sizes = pool.slots.into_iter().map(|taken| taken.slot.elements).collect();
    }
    places
}

/// The elements of the largest of some buffers that lie in a place, if there is one.
pub(super) fn largest<'a>(buffers: impl Iterator<Item = &'a Buffer>, home: &Home) -> Option<&'a Size> {
    let sizes = buffers.filter(|buffer| buffer.home == *home).map(|buffer| &buffer.elements);
    sizes.max_by(|a, b| a.nominal().total_cmp(&b.nominal()))
}

/// Slots that values take one after the other.
#[derive(Default)]
struct Pool {
    slots: Vec<Taken>,
}

struct Taken {
    slot: Slot,
    until: Time,
    yields: bool,
}

impl Pool {
    /// The slot for a value: the free one whose size is nearest, else a new one. A value that is written in
    /// the order of its loop may take the place of one that the same loop reads last, in the same order.
    fn take(&mut self, elements: &Size, rows: bool, life: Life) -> usize {
        let free = |taken: &Taken| {
            taken.until < life.first || taken.until == life.first && taken.yields && life.takes
        };
        let fits = |slot: &Slot| {
            slot.rows == rows
                && (slot.elements == *elements
                    || slot.elements.value().is_some() && elements.value().is_some())
        };
        // A place of its own size in the cache first.
        let distance = |slot: &Slot| slot.elements.nominal() - elements.nominal();
        let best = (0..self.slots.len())
            .filter(|i| free(&self.slots[*i]) && fits(&self.slots[*i].slot))
            .min_by(|i, j| {
                let of = |i: &usize| distance(&self.slots[*i].slot);
                of(i).abs().total_cmp(&of(j).abs())
            });
        let at = best.unwrap_or_else(|| {
            let slot = Slot { elements: elements.clone(), rows };
            self.slots.push(Taken { slot, until: life.last, yields: false });
            self.slots.len() - 1
        });
        let taken = &mut self.slots[at];
        if distance(&taken.slot) < 0.0 {
            taken.slot.elements = elements.clone();
        }
        (taken.until, taken.yields) = (life.last, life.yields);
        at
    }
}
