//! Fusion: nodes join loops.
//!
//! In: a legal graph, its views and levels. Out: for every level the steps in order; a loop holds items over
//! one space, and an item reads another item of its loop without memory. Never: a buffer, a stride of the
//! arena, a value computed twice (that is `recompute`'s).
//!
//! Nodes are visited in topological order. Each joins the earliest loop over the same space that has
//! something in common with it and comes no earlier than its operands; the result of a reduction or of a
//! product is ready only after its loop.

use std::ops::Range;

use crate::graph::*;
use crate::size::Size;

use super::items::{Item, Operand, items};
use super::legal::Legal;
use super::level::{Crossing, Levels, crossing};
use super::product::{self, Matrix};
use super::view::Views;

/// The steps of all levels.
pub(super) struct Draft {
    /// Even ones without rows, odd ones over tiles.
    pub levels: Vec<Vec<DraftStep>>,
}

/// A step before buffers are known.
#[allow(clippy::large_enum_variant)] // a program has dozens of them, not thousands
pub(super) enum DraftStep {
    /// A fused loop.
    Loop(DraftLoop),
    /// A matrix product.
    Product(DraftProduct),
    /// The first of many, in order: the node.
    Select(NodeId),
    /// Triangular factors: the node.
    Factor(NodeId),
    /// A loop over steps.
    Scan(DraftScan),
}

/// A loop over steps before buffers are known.
pub(super) struct DraftScan {
    /// Which of [`Legal::regions`].
    pub region: usize,
    /// What a turn does.
    pub steps: Vec<DraftStep>,
}

/// A matrix product before buffers are known.
pub(super) struct DraftProduct {
    /// The node.
    pub node: NodeId,
    /// Its axes.
    pub matrix: Matrix,
    /// Whether all threads share it.
    pub wide: bool,
}

/// A loop before buffers are known.
pub(super) struct DraftLoop {
    /// The extents, without axes of size 1; in a stage the first one is the batch.
    pub space: Vec<Size>,
    /// What it computes, in order.
    pub items: Vec<Item>,
    /// Whether nothing else may join: a sum over the whole batch through an index, see `window`.
    pub alone: bool,
}

impl DraftLoop {
    /// Whether an operand is a value of this loop, element by element.
    pub fn reads_inside(&self, operand: &Operand) -> bool {
        operand.is_plain(&self.space)
            && self.items.iter().any(|item| item.is_value() && item.node == operand.source)
    }
}

/// Whether a source has memory without being computed, or is a number.
pub(super) fn is_leaf(graph: &Graph, id: NodeId) -> bool {
    match &graph.node(id).kind {
        Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) => true,
        Kind::Const(constant) => !matches!(constant, Constant::Delta | Constant::Iota),
        _ => false,
    }
}

/// Schedules every node into loops and products.
pub(super) fn fuse(legal: &Legal, views: &Views, levels: &Levels) -> Result<Draft, String> {
    let (graph, count) = (&legal.graph, levels.count().max(1));
    let mut fuser = Fuser {
        legal,
        graph,
        views,
        levels,
        live: live(legal, views),
        lists: (0..count + legal.regions.len()).map(|_| Vec::new()).collect(),
        step_of: vec![None; graph.nodes.len()],
    };
    fuser.nodes(0..graph.nodes.len() as u32, None)?;
    fuser.lists.truncate(count);
    Ok(Draft { levels: fuser.lists })
}

/// The draft while it is made.
pub(super) struct Fuser<'a> {
    pub legal: &'a Legal,
    pub graph: &'a Graph,
    pub views: &'a Views,
    levels: &'a Levels,
    pub live: Vec<bool>,
    /// The steps of each level, then those of each loop.
    pub lists: Vec<Vec<DraftStep>>,
    /// Where a source becomes readable: the list, and the step there that computes it.
    pub step_of: Vec<Option<(usize, usize)>>,
}

impl Fuser<'_> {
    /// The list of a loop.
    pub fn list_of(&self, region: usize) -> usize {
        self.lists.len() - self.legal.regions.len() + region
    }

    /// Schedules a range of nodes: those of a whole graph, or of the step of a loop whose list is `inside`.
    pub fn nodes(&mut self, range: Range<u32>, inside: Option<usize>) -> Result<(), String> {
        let mut at = range.start;
        while at < range.end {
            let id = NodeId(at);
            at += 1;
            if !self.views.is_source(id) || !self.live[id.index()] || is_leaf(self.graph, id) {
                continue;
            }
            let level = self.levels.run(id);
            let (list, rows) = (inside.unwrap_or(level), level % 2 == 1);
            if let Some(region) = self.legal.regions.iter().position(|region| region.start == id.0) {
                self.region(region, list)?;
                at = self.legal.regions[region].end;
                continue;
            }
            if matches!(self.graph.node(id).kind, Kind::Contract { .. })
                && let Some(matrix) = product::matrix(self.graph, self.views, id, rows)
            {
                self.product(id, matrix, rows, (list, inside.is_some()));
                continue;
            }
            if matches!(self.graph.node(id).kind, Kind::TopK { .. }) {
                self.own_step(list, id, DraftStep::Select(id));
                continue;
            }
            if matches!(self.graph.node(id).kind, Kind::TriangularFactor) {
                self.own_step(list, id, DraftStep::Factor(id));
                continue;
            }
            let scatter = matches!(self.graph.node(id).kind, Kind::Scatter { .. });
            let late = scatter && crossing(self.graph, self.views, id) == Crossing::Late;
            for (space, item) in items(self.graph, self.views, id, rows)? {
                if late {
                    let alone = DraftLoop { space, items: vec![item], alone: true };
                    self.own_step(list, id, DraftStep::Loop(alone));
                    continue;
                }
                self.item(list, space, item);
            }
        }
        Ok(())
    }

    /// Products go to the end of their list: what they wait for is there.
    fn product(&mut self, node: NodeId, matrix: Matrix, rows: bool, (list, inside): (usize, bool)) {
        let late = !rows && crossing(self.graph, self.views, node) == Crossing::Late;
        let wide = !rows && !inside && matrix.is_dense() && (late || matrix.work() >= 1e6);
        self.lists[list].push(DraftStep::Product(DraftProduct { node, matrix, wide }));
        self.step_of[node.index()] = Some((list, self.lists[list].len() - 1));
    }

    /// A step that computes one node and nothing else.
    fn own_step(&mut self, list: usize, node: NodeId, step: DraftStep) {
        self.lists[list].push(step);
        self.step_of[node.index()] = Some((list, self.lists[list].len() - 1));
    }

    /// Puts an item into a loop.
    pub fn item(&mut self, list: usize, space: Vec<Size>, item: Item) {
        let node = item.node;
        let step = self.join(list, space, item);
        let last = self.step_in(list, node).map_or(step, |other| other.max(step));
        self.step_of[node.index()] = Some((list, last));
    }

    /// The step of a list that computes a source.
    pub fn step_in(&self, list: usize, source: NodeId) -> Option<usize> {
        self.step_of[source.index()].filter(|(of, _)| *of == list).map(|(_, at)| at)
    }

    /// The first step that an operand can be read in, by a loop over this space.
    pub fn readable(&self, list: usize, space: &[Size], operand: &Operand) -> usize {
        let Some(at) = self.step_in(list, operand.source) else { return 0 };
        // Random numbers read in order are drawn again by every loop that needs them.
        if matches!(self.graph.node(operand.source).kind, Kind::Random { .. }) && operand.is_plain(space) {
            return 0;
        }
        let inside = matches!(&self.lists[list][at], DraftStep::Loop(l) if l.space == space && l.reads_inside(operand));
        if inside { at } else { at + 1 }
    }

    fn join(&mut self, list: usize, space: Vec<Size>, item: Item) -> usize {
        let operands = item.operands.iter().map(|operand| self.readable(list, &space, operand));
        let mut first = operands.max().unwrap_or(0);
        // Parts of one value follow each other, zeros first; only those of `Concat` lie apart.
        let apart = matches!(self.graph.node(item.node).kind, Kind::View(View::Concat { .. }));
        if let Some(at) = self.step_in(list, item.node).filter(|_| !apart) {
            first = first.max(at + 1);
        }
        let steps = &mut self.lists[list];
        let related = |l: &DraftLoop| {
            item.operands.iter().any(|operand| {
                let shares = |other: &Operand| other == operand;
                l.reads_inside(operand) || l.items.iter().flat_map(|i| &i.operands).any(shares)
            })
        };
        for (at, step) in steps.iter_mut().enumerate().skip(first) {
            if let DraftStep::Loop(l) = step
                && l.space == space
                && !l.alone
                && related(l)
            {
                l.items.push(item);
                return at;
            }
        }
        steps.push(DraftStep::Loop(DraftLoop { space, items: vec![item], alone: false }));
        steps.len() - 1
    }
}

/// Which nodes an output needs.
fn live(legal: &Legal, views: &Views) -> Vec<bool> {
    let graph = &legal.graph;
    let mut live = vec![false; graph.nodes.len()];
    let outputs = legal.homes.iter().map(|(node, _)| node).chain(legal.inspects.iter().map(|(_, node)| node));
    for node in outputs {
        views.sources(*node).for_each(|source| live[source.index()] = true);
    }
    loop {
        for id in graph.ids().rev() {
            if live[id.index()] {
                for arg in &graph.node(id).args {
                    views.sources(*arg).for_each(|source| live[source.index()] = true);
                }
            }
        }
        // A loop whose memory is read runs, with all its carries.
        let mut more = false;
        for region in &legal.regions {
            let (start, body) = (region.start as usize, region.body as usize);
            if live[start..body].contains(&true) {
                let nexts = region.carries.iter().flat_map(|(memory, next)| [Some(*memory), *next]);
                let stacks = region.stacks.iter().filter(|(memory, _)| live[memory.index()]);
                let values: Vec<NodeId> = nexts.flatten().chain(stacks.map(|(_, value)| *value)).collect();
                for id in values {
                    more |= !std::mem::replace(&mut live[views.get(id).source.index()], true);
                }
            }
        }
        if !more {
            return live;
        }
    }
}
