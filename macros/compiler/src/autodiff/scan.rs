//! The derivative of a loop: a loop that runs the other way.
//!
//! In: the adjoints of a scan's results. Out: those of its arguments. Never: a kind of its own; the reverse loop is
//! a scan, so it has derivatives too.
//!
//! Its carries are the adjoints of the carries, its sequences the carries before each step, the sequences, and the
//! adjoints of the stacks. A step does the forward step again and pulls back through it; `scan::build` moves all of
//! this that needs no adjoint carry before the loop, and the adjoints of sequences and constants behind it.

use std::collections::HashMap;
use std::rc::Rc;

use super::pull_back;
use crate::graph::*;
use crate::scan::{Carry, Recurrence, Sequence, build, open, place};

/// The loops of a graph, each with the active ones of its results.
pub(super) struct Loops(Vec<Loop>);

/// A loop, its arguments, and its active results.
type Loop = (Rc<Scan>, Vec<NodeId>, Vec<(ScanResult, NodeId)>);

impl Loops {
    /// Groups the active results by loop.
    pub fn of(graph: &Graph, active: &[bool]) -> Self {
        let mut loops = Loops(Vec::new());
        for id in (0..active.len() as u32).map(NodeId).filter(|id| active[id.index()]) {
            let node = graph.node(id);
            let Kind::Scan { scan, result } = &node.kind else { continue };
            let same = loops.0.iter_mut().find(|(other, args, _)| *args == node.args && other == scan);
            match same {
                Some((_, _, results)) => results.push((*result, id)),
                None => loops.0.push((scan.clone(), node.args.clone(), vec![(*result, id)])),
            }
        }
        loops
    }

    /// The adjoints of the loop's active arguments, where `id` is the first of its results; else nothing.
    pub fn pull_back(
        &self,
        graph: &mut Graph,
        id: NodeId,
        adjoints: &HashMap<NodeId, NodeId>,
        active: &[bool],
    ) -> Vec<(NodeId, NodeId)> {
        let first = self.0.iter().find(|(_, _, results)| results.first().is_some_and(|(_, of)| *of == id));
        let Some((scan, args, results)) = first else { return Vec::new() };
        let given: Vec<(ScanResult, NodeId)> =
            results.iter().filter_map(|(result, of)| Some((*result, *adjoints.get(of)?))).collect();
        if given.is_empty() {
            return Vec::new();
        }
        let wanted: Vec<bool> = args.iter().map(|arg| active[arg.index()]).collect();
        reverse(graph, scan, args, &given, &wanted)
    }
}

/// The terms of a sum of products: each is then summed over time as it is made.
fn products(graph: &Graph, id: NodeId) -> Option<Vec<NodeId>> {
    let node = graph.node(id);
    match &node.kind {
        Kind::Contract { .. } => Some(vec![id]),
        Kind::Map(row) if row.name == "add" => {
            let mut terms = products(graph, node.args[0])?;
            terms.extend(products(graph, node.args[1])?);
            Some(terms)
        }
        _ => None,
    }
}

/// The reverse loop.
fn reverse(
    graph: &mut Graph,
    scan: &Rc<Scan>,
    args: &[NodeId],
    given: &[(ScanResult, NodeId)],
    wanted: &[bool],
) -> Vec<(NodeId, NodeId)> {
    let (count, whole) = (scan.carries, scan.carries + scan.sequences);
    let adjoint = |graph: &mut Graph, of: ScanResult| -> Option<NodeId> {
        let parts = given.iter().filter(|(result, _)| *result == of).map(|(_, adjoint)| *adjoint);
        parts.collect::<Vec<_>>().into_iter().reduce(|a, b| graph.add(a, b))
    };
    let previous: Vec<NodeId> = (0..count)
        .map(|carry| {
            let ty = scan.stacked(graph.ty(args[carry]));
            let result = ScanResult::Previous(carry);
            graph.push(Kind::Scan { scan: scan.clone(), result }, args.to_vec(), ty)
        })
        .collect();
    // What is the same in every step is cut, so that its adjoint is that of one step.
    let first = NodeId(graph.nodes.len() as u32);
    let constants: Vec<NodeId> = args[whole..].iter().map(|constant| graph.identity(*constant)).collect();
    let step = open(graph, scan, &constants);
    let mut sequences = Vec::new();
    for (place, whole) in step.carries.iter().zip(&previous).chain(step.slices.iter().zip(&args[count..])) {
        sequences.push(Sequence { place: *place, whole: *whole });
    }
    let mut slice = |graph: &mut Graph, result: ScanResult, step: NodeId| {
        let whole = adjoint(graph, result)?;
        let ty = graph.ty(step).clone();
        let place = place(graph, &ty);
        sequences.push(Sequence { place, whole });
        Some(place)
    };
    let mut seeds = Vec::new();
    let mut places = Vec::new();
    for (index, output) in step.outputs.iter().enumerate() {
        if index < count {
            let ty = graph.ty(*output).clone();
            let carried = place(graph, &ty);
            places.push(carried);
            seeds.push((*output, carried));
        }
        if let Some(part) = slice(graph, ScanResult::Stacked(index), *output) {
            seeds.push((*output, part));
        }
    }
    let wrt: Vec<NodeId> = step.carries.iter().chain(&step.slices).chain(&constants).copied().collect();
    let parts = pull_back(graph, &seeds, &wrt);
    let mut carries = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let before = slice(graph, ScanResult::Previous(index), *place);
        let next = match (parts[index], before) {
            (Some(a), Some(b)) => graph.add(a, b),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => graph.full_like(0.0, *place),
        };
        let init = adjoint(graph, ScanResult::Last(index));
        let init = init.unwrap_or_else(|| graph.full_like(0.0, *place));
        carries.push(Carry { place: *place, init, next });
    }
    let mut outer: Vec<(usize, NodeId)> = Vec::new();
    for at in (count..args.len()).filter(|at| wanted[*at]) {
        let Some(part) = parts[at] else { continue };
        let products = if at < whole { None } else { products(graph, part) };
        outer.extend(products.unwrap_or_else(|| vec![part]).into_iter().map(|part| (at, part)));
    }
    let outputs = outer.iter().map(|(_, part)| *part).collect();
    let results = build(
        graph,
        &Recurrence {
            carries,
            sequences,
            outputs,
            length: scan.length.clone(),
            reverse: !scan.reverse,
            first,
            fixed: Vec::new(),
        },
    );
    let mut found: Vec<(NodeId, NodeId)> =
        (0..count).filter(|at| wanted[*at]).map(|at| (args[at], results.last[at])).collect();
    for ((at, _), stack) in outer.into_iter().zip(&results.stacked[count..]) {
        // Every step has its share of what is the same in all of them.
        let share = if at < whole {
            *stack
        } else {
            let time = graph.ty(*stack).rows.len();
            graph.sum(*stack, &[time])
        };
        found.push((args[at], share));
    }
    found
}
