//! What is cheaper computed again than stored; and what nobody needs.
//!
//! In: the draft of `fuse`. Out: the same loops, where a value that a later loop reads element by element is
//! computed there again if it is cheap and brings at most one new operand along; dead items are gone.
//! Never: random numbers in memory for the sake of a second reader; a matrix product twice.

use std::collections::HashSet;

use crate::graph::*;

use super::fuse::{Draft, DraftLoop, DraftStep, is_leaf};
use super::items::{Does, Item, Operand};
use super::legal::Legal;
use super::turns::reads;
use super::view::Views;

/// The most additions that are computed again.
const CHEAP: f64 = 8.0;

/// Moves cheap values to their readers.
pub(super) fn recompute(legal: &Legal, views: &Views, draft: &mut Draft) {
    let graph = &legal.graph;
    let mut stored = forced(legal, views, draft);
    for level in (0..draft.levels.len()).rev() {
        for step in (0..draft.levels[level].len()).rev() {
            let DraftStep::Loop(this) = &draft.levels[level][step] else { continue };
            let mut extended =
                DraftLoop { space: this.space.clone(), items: this.items.clone(), alone: this.alone };
            let mut changed = false;
            // The list grows while it is walked: what a clone reads may be cloned as well.
            let mut at = 0;
            while at < extended.items.len() {
                for operand in extended.items[at].operands.clone() {
                    if let Some(cone) = cone(graph, draft, &stored, level, &extended, &operand) {
                        extended.items.extend(cone);
                        changed = true;
                    }
                }
                at += 1;
            }
            if changed {
                extended.items.sort_by_key(|item| item.node);
            }
            for item in &extended.items {
                stored.extend(item.operands.iter().filter(|o| !extended.reads_inside(o)).map(|o| o.source));
            }
            draft.levels[level][step] = DraftStep::Loop(extended);
        }
    }
}

/// What lies in memory whatever happens: operands of products, outputs, and what is not read in order.
fn forced(legal: &Legal, views: &Views, draft: &Draft) -> HashSet<NodeId> {
    let mut stored: HashSet<NodeId> = legal.homes.iter().map(|(node, _)| *node).collect();
    stored.extend(legal.inspects.iter().map(|(_, node)| *node));
    for (level, steps) in draft.levels.iter().enumerate() {
        for step in steps {
            match step {
                // A turn computes nothing again: what it reads may have changed since.
                DraftStep::Product(_) | DraftStep::Scan(_) | DraftStep::Select(_) | DraftStep::Factor(_) => {
                    stored.extend(reads(&legal.graph, views, step));
                }
                DraftStep::Loop(l) => {
                    let operands = l.items.iter().flat_map(|item| &item.operands);
                    let needs = operands.filter(|o| value_item(draft, level, l, o).is_none());
                    stored.extend(needs.filter(|o| !l.reads_inside(o)).map(|o| o.source));
                }
            }
        }
    }
    stored
}

/// The sources that a product reads.
pub(super) fn factors(graph: &Graph, views: &Views, node: NodeId) -> impl Iterator<Item = NodeId> {
    graph.node(node).args.iter().flat_map(|arg| views.sources(*arg))
}

/// The item of another loop over the same space that an operand reads in order.
fn value_item<'a>(draft: &'a Draft, level: usize, reader: &DraftLoop, operand: &Operand) -> Option<&'a Item> {
    if !operand.is_plain(&reader.space) {
        return None;
    }
    // Loops of the same parity only: rows of a tile are not rows of the batch.
    let levels = draft.levels.iter().enumerate().filter(|(other, _)| other % 2 == level % 2);
    levels.flat_map(|(_, steps)| steps).find_map(|step| match step {
        DraftStep::Loop(l) if l.space == reader.space => {
            l.items.iter().find(|item| item.is_value() && item.node == operand.source)
        }
        _ => None,
    })
}

/// The items that compute an operand inside the loop, where that is the better way.
fn cone(
    graph: &Graph,
    draft: &Draft,
    stored: &HashSet<NodeId>,
    level: usize,
    reader: &DraftLoop,
    operand: &Operand,
) -> Option<Vec<Item>> {
    if reader.reads_inside(operand) {
        return None;
    }
    let mut found: Vec<Item> = Vec::new();
    let mut open = vec![operand.clone()];
    let mut fresh: Vec<Operand> = Vec::new();
    let mut cost = 0.0;
    while let Some(next) = open.pop() {
        if reader.reads_inside(&next)
            || is_number(graph, &next)
            || found.iter().any(|i| i.node == next.source)
        {
            continue;
        }
        let item = value_item(draft, level, reader, &next).filter(|item| {
            !stored.contains(&item.node) && cost_of(graph, item) <= CHEAP || item.does == Does::Random
        });
        let Some(item) = item else {
            if next == *operand {
                return None;
            }
            let read = reader.items.iter().flat_map(|i| &i.operands).any(|other| *other == next);
            let repeated = next.strides.iter().any(|stride| *stride == Default::default());
            if !read && !repeated && !fresh.contains(&next) {
                fresh.push(next);
            }
            continue;
        };
        cost += cost_of(graph, item);
        open.extend(item.operands.iter().cloned());
        found.push(item.clone());
    }
    (cost <= CHEAP && fresh.len() <= 1).then_some(found)
}

fn cost_of(graph: &Graph, item: &Item) -> f64 {
    match (&graph.node(item.node).kind, item.does) {
        (_, Does::Random) => 0.0,
        (Kind::Map(row), _) => row.cost,
        _ => 1.0,
    }
}

fn is_number(graph: &Graph, operand: &Operand) -> bool {
    matches!(graph.node(operand.source).kind, Kind::Const(Constant::Number(_) | Constant::Size(_)))
}

/// Drops what no output needs; returns the nodes that are read from memory.
pub(super) fn sweep(legal: &Legal, views: &Views, draft: &mut Draft) -> HashSet<NodeId> {
    let graph = &legal.graph;
    let mut needed: HashSet<NodeId> = legal.homes.iter().map(|(node, _)| *node).collect();
    needed.extend(legal.inspects.iter().map(|(_, node)| *node));
    for steps in draft.levels.iter_mut().rev() {
        let mut kept = Vec::with_capacity(steps.len());
        for step in std::mem::take(steps).into_iter().rev() {
            match step {
                DraftStep::Product(product) => {
                    if needed.contains(&product.node) {
                        needed.extend(factors(graph, views, product.node));
                        kept.push(DraftStep::Product(product));
                    }
                }
                DraftStep::Select(node) | DraftStep::Factor(node) => {
                    if needed.contains(&node) {
                        needed.extend(factors(graph, views, node));
                        kept.push(step);
                    }
                }
                DraftStep::Scan(scan) => {
                    let region = &legal.regions[scan.region];
                    if (region.start..region.body).any(|id| needed.contains(&NodeId(id))) {
                        needed.extend(region.carries.iter().map(|(memory, _)| *memory));
                        needed.extend(scan.steps.iter().flat_map(|step| reads(graph, views, step)));
                        needed.extend(inner_memory(legal, &scan.steps));
                        kept.push(DraftStep::Scan(scan));
                    }
                }
                DraftStep::Loop(mut l) => {
                    let mut inside: HashSet<NodeId> = HashSet::new();
                    let mut live = vec![false; l.items.len()];
                    for at in (0..l.items.len()).rev() {
                        let item = &l.items[at];
                        live[at] =
                            needed.contains(&item.node) || item.is_value() && inside.contains(&item.node);
                        if live[at] {
                            for operand in &item.operands {
                                let list = if l.reads_inside(operand) { &mut inside } else { &mut needed };
                                list.insert(operand.source);
                            }
                        }
                    }
                    let mut live = live.into_iter();
                    l.items.retain(|_| live.next() == Some(true));
                    if !l.items.is_empty() {
                        kept.push(DraftStep::Loop(l));
                    }
                }
            }
        }
        kept.reverse();
        *steps = kept;
    }
    drop_repeats(draft);
    needed.retain(|id| !is_leaf(graph, *id));
    needed
}

/// The carries of the loops inside a loop.
fn inner_memory(legal: &Legal, steps: &[DraftStep]) -> Vec<NodeId> {
    let mut found = Vec::new();
    for step in steps {
        if let DraftStep::Scan(scan) = step {
            found.extend(legal.regions[scan.region].carries.iter().map(|(memory, _)| *memory));
            found.extend(inner_memory(legal, &scan.steps));
        }
    }
    found
}

/// A value that an earlier loop stores is computed again only where its own loop reads it.
fn drop_repeats(draft: &mut Draft) {
    let mut stored: HashSet<NodeId> = HashSet::new();
    for steps in &mut draft.levels {
        steps.retain_mut(|step| {
            let DraftStep::Loop(l) = step else { return true };
            for at in (0..l.items.len()).rev() {
                let item = &l.items[at];
                let read = |operand: &Operand| operand.source == item.node && l.reads_inside(operand);
                if item.is_value()
                    && stored.contains(&item.node)
                    && !l.items.iter().flat_map(|i| &i.operands).any(read)
                {
                    l.items.remove(at);
                }
            }
            stored.extend(l.items.iter().filter(|item| item.is_value()).map(|item| item.node));
            !l.items.is_empty()
        });
    }
}
