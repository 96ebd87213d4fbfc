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

use super::legal::{Legal, is_copy};
use super::level::{Crossing, Levels, crossing};
use super::product::{self, Matrix};
use super::view::{Views, contiguous};

/// The steps of all levels.
pub(super) struct Draft {
    /// Even ones without rows, odd ones over tiles.
    pub levels: Vec<Vec<DraftStep>>,
}

/// A step before buffers are known.
pub(super) enum DraftStep {
    /// A fused loop.
    Loop(DraftLoop),
    /// A matrix product.
    Product(DraftProduct),
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
}

/// What an item does with its operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Does {
    /// The node's element-wise function.
    Map,
    /// The node's random numbers.
    Random,
    /// The product of the operands; of one operand, itself.
    Multiply,
    /// A number.
    Fill(f64),
}

/// One computation inside a loop.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The node that it computes, or a part of it.
    pub node: NodeId,
    /// How.
    pub does: Does,
    /// From what.
    pub operands: Vec<Operand>,
    /// Where it goes: `None` for a value of the loop's own space.
    pub into: Option<Into>,
}

/// Where an item goes that is not simply the value of its node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Into {
    /// How it joins what is there; `None` for a plain store.
    pub reduction: Option<Reduction>,
    /// The first element.
    pub offset: Size,
    /// Strides along the space.
    pub strides: Vec<Size>,
}

/// How an item reads a source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    /// The node that is read.
    pub source: NodeId,
    /// The first element.
    pub offset: Size,
    /// Strides along the space.
    pub strides: Vec<Size>,
}

impl Item {
    /// Whether the item is a value that others in its loop read without memory.
    pub fn is_value(&self) -> bool {
        self.into.is_none()
    }
}

impl DraftLoop {
    /// Whether an operand is a value of this loop, element by element.
    pub fn reads_inside(&self, operand: &Operand) -> bool {
        operand.is_plain(&self.space)
            && self.items.iter().any(|item| item.is_value() && item.node == operand.source)
    }
}

impl Operand {
    /// Whether it takes the elements in the order of the space.
    pub fn is_plain(&self, space: &[Size]) -> bool {
        self.offset == Size::default() && self.strides == contiguous(space)
    }
}

/// Whether a source has memory without being computed, or is a number.
pub(super) fn is_leaf(graph: &Graph, id: NodeId) -> bool {
    match &graph.node(id).kind {
        Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) => true,
        Kind::Const(constant) => *constant != Constant::Delta,
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
            step_of[id.index()] = Some(push_product(graph, steps, id, matrix, rows));
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
    steps: &mut Vec<DraftStep>,
    node: NodeId,
    matrix: Matrix,
    rows: bool,
) -> usize {
    let late = !rows && crossing(graph, node) == Crossing::Late;
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
            && related(l)
        {
            l.items.push(item);
            return at;
        }
    }
    steps.push(DraftStep::Loop(DraftLoop { space, items: vec![item] }));
    steps.len() - 1
}

/// Which nodes an output needs.
fn live(legal: &Legal, views: &Views) -> Vec<bool> {
    let graph = &legal.graph;
    let mut live = vec![false; graph.nodes.len()];
    let outputs = legal.homes.iter().map(|(node, _)| node).chain(legal.inspects.iter().map(|(_, node)| node));
    for node in outputs {
        live[views.get(*node).source.index()] = true;
    }
    for id in graph.ids().rev() {
        if live[id.index()] {
            for arg in &graph.node(id).args {
                live[views.get(*arg).source.index()] = true;
            }
        }
    }
    live
}

/// The items that compute a source, each with its space.
fn items(graph: &Graph, views: &Views, id: NodeId, rows: bool) -> Result<Vec<(Vec<Size>, Item)>, String> {
    let node = graph.node(id);
    let shape = node.ty.shape();
    let value = |does: Does| {
        let keep = kept(&shape);
        let space: Vec<Size> = keep.iter().map(|i| shape[*i].clone()).collect();
        let operands = match does {
            Does::Random => Vec::new(),
            _ => node.args.iter().map(|a| operand(views, *a, &keep)).collect(),
        };
        (space, Item { node: id, does, operands, into: None })
    };
    Ok(match &node.kind {
        Kind::Map(_) => vec![value(Does::Map)],
        Kind::Random { .. } => vec![value(Does::Random)],
        Kind::View(View::Identity) if is_copy(node) => {
            let (space, mut item) = value(Does::Multiply);
            item.operands.truncate(1);
            vec![(space, item)]
        }
        Kind::Reduce { reduction, axes } => {
            let from = graph.ty(node.args[0]).shape();
            let keep = kept(&from);
            let mut left = contiguous(&shape).into_iter();
            let strides: Vec<Size> = (0..from.len())
                .map(|i| if axes.contains(&i) { Size::default() } else { left.next().unwrap_or_default() })
                .collect();
            let into = Into {
                reduction: Some(*reduction),
                offset: Size::default(),
                strides: keep.iter().map(|i| strides[*i].clone()).collect(),
            };
            let operands = vec![operand(views, node.args[0], &keep)];
            let space = keep.iter().map(|i| from[*i].clone()).collect();
            vec![(space, Item { node: id, does: Does::Multiply, operands, into: Some(into) })]
        }
        Kind::Contract { .. } => vec![contraction(graph, views, id, rows)],
        Kind::View(View::Reshape) => vec![part(graph, views, id, 0, Size::default(), None)],
        Kind::View(View::Concat { axis }) => {
            let mut before = Size::default();
            let mut parts = Vec::new();
            for (arg, of) in node.args.iter().enumerate() {
                let start = &before * &contiguous_all(&shape)[*axis];
                parts.push(part(graph, views, id, arg, start, Some(&shape)));
                before = &before + &graph.ty(*of).shape()[*axis];
            }
            parts
        }
        Kind::View(View::Pad { axis, before }) => {
            let start = &Size::known(*before) * &contiguous_all(&shape)[*axis];
            vec![fill(id, &shape, contiguous(&shape), 0.0), part(graph, views, id, 0, start, Some(&shape))]
        }
        Kind::Const(Constant::Delta) => {
            let diagonal = &shape[0] + &Size::known(1);
            vec![fill(id, &shape, contiguous(&shape), 0.0), fill(id, &shape[..1], vec![diagonal], 1.0)]
        }
        kind => return Err(format!("no loop computes {kind:?}")),
    })
}

/// An argument stored as a part of its node: at `start`, with the strides of `whole` (or its own).
fn part(
    graph: &Graph,
    views: &Views,
    id: NodeId,
    arg: usize,
    start: Size,
    whole: Option<&[Size]>,
) -> (Vec<Size>, Item) {
    let of = graph.node(id).args[arg];
    let from = graph.ty(of).shape();
    let keep = kept(&from);
    let strides = contiguous_all(whole.unwrap_or(&from));
    let into =
        Into { reduction: None, offset: start, strides: keep.iter().map(|i| strides[*i].clone()).collect() };
    let space = keep.iter().map(|i| from[*i].clone()).collect();
    let operands = vec![operand(views, of, &keep)];
    (space, Item { node: id, does: Does::Multiply, operands, into: Some(into) })
}

fn fill(id: NodeId, shape: &[Size], strides: Vec<Size>, value: f64) -> (Vec<Size>, Item) {
    let keep = kept(shape);
    let space = keep.iter().map(|i| shape[*i].clone()).collect();
    let strides = keep.iter().map(|i| strides[*i].clone()).collect();
    let into = Into { reduction: None, offset: Size::default(), strides };
    (space, Item { node: id, does: Does::Fill(value), operands: vec![], into: Some(into) })
}

/// A contraction as a loop over its labels: the batch first, what is summed last.
fn contraction(graph: &Graph, views: &Views, id: NodeId, rows: bool) -> (Vec<Size>, Item) {
    let node = graph.node(id);
    let mut labels = product::labels(graph, views, id, rows);
    let sums = labels.iter().any(|l| !l.in_c);
    if sums {
        // Innermost the axis along which most accesses are steps of 1 or 0; of equals the last.
        let steps = |l: &product::Label| {
            [&l.axis.a, &l.axis.b, &l.axis.c].iter().filter(|s| s.is_one() || ***s == Size::default()).count()
        };
        let movable = |l: &product::Label| !l.axis.extent.rows;
        if let Some(best) =
            (0..labels.len()).filter(|i| movable(&labels[*i])).max_by_key(|i| steps(&labels[*i]))
        {
            let inner = labels.remove(best);
            labels.push(inner);
        }
        labels.sort_by_key(|l| !l.axis.extent.rows);
    }
    let extent = |l: &product::Label| match l.axis.extent.rows {
        true => Size::batch(),
        false => l.axis.extent.size.clone(),
    };
    let read = |arg: usize| {
        let view = views.get(node.args[arg]);
        let strides = labels.iter().map(|l| if arg == 0 { l.axis.a.clone() } else { l.axis.b.clone() });
        Operand { source: view.source, offset: view.offset.clone(), strides: strides.collect() }
    };
    let operands = (0..node.args.len()).map(read).collect();
    let into = sums.then(|| Into {
        reduction: Some(Reduction::Sum),
        offset: Size::default(),
        strides: labels.iter().map(|l| l.axis.c.clone()).collect(),
    });
    (labels.iter().map(extent).collect(), Item { node: id, does: Does::Multiply, operands, into })
}

/// The axes that are not of size 1.
fn kept(shape: &[Size]) -> Vec<usize> {
    (0..shape.len()).filter(|i| !shape[*i].is_one()).collect()
}

/// Row-major strides, also for axes of size 1.
fn contiguous_all(shape: &[Size]) -> Vec<Size> {
    (0..shape.len()).map(|i| Size::product(&shape[i + 1..])).collect()
}

fn operand(views: &Views, id: NodeId, keep: &[usize]) -> Operand {
    let view = views.get(id);
    let strides = keep.iter().map(|i| view.strides[*i].clone()).collect();
    Operand { source: view.source, offset: view.offset.clone(), strides }
}
