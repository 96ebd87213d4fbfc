//! Fusion: nodes join loops.
//!
//! In: a legal graph, its views and levels. Out: for every level the steps in order; a loop holds items over
//! one space, and an item reads another item of its loop without memory. Never: a buffer, a stride of the
//! arena, a value computed twice (that is `recompute`'s).
//!
//! Nodes are visited in topological order. Each joins the earliest loop over the same space that has
//! something in common with it and comes no earlier than its operands; the result of a reduction or of a
//! product is ready only after its loop.

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
    let graph = &legal.graph;
    let live = live(legal, views);
    let mut draft = Draft { levels: (0..levels.count().max(1)).map(|_| Vec::new()).collect() };
    // Where a source becomes readable in its level: the step that computes it.
    let mut step_of: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    for id in graph.ids().filter(|id| views.is_source(*id) && live[id.index()] && !is_leaf(graph, *id)) {
        let level = levels.run(id);
        let rows = level % 2 == 1;
        let steps = &mut draft.levels[level];
        if matches!(graph.node(id).kind, Kind::Contract { .. })
            && let Some(matrix) = product::matrix(graph, views, id, rows)
        {
            step_of[id.index()] = Some(push_product(graph, views, steps, id, matrix, rows));
            continue;
        }
        if matches!(graph.node(id).kind, Kind::TopK { .. }) {
            steps.push(DraftStep::Select(id));
            step_of[id.index()] = Some(steps.len() - 1);
            continue;
        }
        let late = matches!(graph.node(id).kind, Kind::Scatter { .. })
            && crossing(graph, views, id) == Crossing::Late;
        if late {
            let alone = items(graph, views, id, rows)?;
            steps.extend(
                alone.into_iter().map(|(space, item)| {
                    DraftStep::Loop(DraftLoop { space, items: vec![item], alone: true })
                }),
            );
            step_of[id.index()] = Some(steps.len() - 1);
            continue;
        }
        for (space, item) in items(graph, views, id, rows)? {
            let step = join(graph, levels, &step_of, steps, level, space, item);
            let last = step_of[id.index()].map_or(step, |s| s.max(step));
            step_of[id.index()] = Some(last);
        }
    }
    Ok(draft)
}

/// Products go to the end of their level: what they wait for is there.
fn push_product(
    graph: &Graph,
    views: &Views,
    steps: &mut Vec<DraftStep>,
    node: NodeId,
    matrix: Matrix,
    rows: bool,
) -> usize {
    let late = !rows && crossing(graph, views, node) == Crossing::Late;
    let flops = [&matrix.m, &matrix.n, &matrix.k].iter().map(|axis| axis.extent.nominal()).product::<f64>();
    let dense = matrix.outer.is_empty() && matrix.n.c.is_one() && matrix.m.c == matrix.n.extent.size;
    let wide = !rows && dense && (late || flops >= 1e6);
    steps.push(DraftStep::Product(DraftProduct { node, matrix, wide }));
    steps.len() - 1
}

/// Puts an item into a loop; the step's position.
fn join(
    graph: &Graph,
    levels: &Levels,
    step_of: &[Option<usize>],
    steps: &mut Vec<DraftStep>,
    level: usize,
    space: Vec<Size>,
    item: Item,
) -> usize {
    let mut first = 0;
    for operand in &item.operands {
        let Some(at) = step_of[operand.source.index()].filter(|_| levels.run(operand.source) == level) else {
            continue;
        };
        // Random numbers read in order are drawn again by every loop that needs them.
        if matches!(graph.node(operand.source).kind, Kind::Random { .. }) && operand.is_plain(&space) {
            continue;
        }
        let inside = matches!(&steps[at], DraftStep::Loop(l) if l.space == space && l.reads_inside(operand));
        first = first.max(if inside { at } else { at + 1 });
    }
    // Parts of one value follow each other: zeros first.
    if let Some(at) = step_of[item.node.index()] {
        first = first.max(at + 1);
    }
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

/// Which nodes an output needs.
fn live(legal: &Legal, views: &Views) -> Vec<bool> {
    let graph = &legal.graph;
    let mut live = vec![false; graph.nodes.len()];
    let outputs = legal.homes.iter().map(|(node, _)| node).chain(legal.inspects.iter().map(|(_, node)| node));
    for node in outputs {
        views.sources(*node).for_each(|source| live[source.index()] = true);
    }
    for id in graph.ids().rev() {
        if live[id.index()] {
            for arg in &graph.node(id).args {
                views.sources(*arg).for_each(|source| live[source.index()] = true);
            }
        }
    }
    live
}
