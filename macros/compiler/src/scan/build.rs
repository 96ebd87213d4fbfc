//! The constructor of loops, which divides the step; see the header of the folder.
//!
//! In: a step on places. Out: a loop with the recurrence alone, what goes before it, and what comes after.
//! Never: a value computed inside that could be outside.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::{Recurrence, Results, Sequence};
use crate::autodiff::extend;
use crate::graph::*;

/// Which nodes of a step belong where.
pub(super) struct Division {
    /// Whether a node depends on a carry, by its distance from `first`.
    carried: Vec<bool>,
    /// Whether a node depends on a slice, or is drawn anew in each step.
    stepped: Vec<bool>,
    /// The nodes of the recurrence, in order.
    pub inside: Vec<NodeId>,
    first: u32,
}

impl Division {
    /// Divides a step.
    pub fn of(graph: &Graph, this: &Recurrence) -> Self {
        let first = this.first.0;
        let count = graph.nodes.len() - this.first.index();
        let (mut carried, mut stepped) = (vec![false; count], vec![false; count]);
        let carries: HashSet<NodeId> = this.carries.iter().map(|carry| carry.place).collect();
        let slices: HashSet<NodeId> = this.sequences.iter().map(|sequence| sequence.place).collect();
        for at in 0..count {
            let id = NodeId(first + at as u32);
            let node = graph.node(id);
            let of =
                |list: &[bool]| node.args.iter().any(|arg| arg.0 >= first && list[(arg.0 - first) as usize]);
            let place = carries.contains(&id) || slices.contains(&id);
            carried[at] = carries.contains(&id) || !place && of(&carried);
            let drawn = matches!(node.kind, Kind::Random { .. }) && !this.fixed.contains(&id);
            stepped[at] = slices.contains(&id) || drawn || !place && of(&stepped);
        }
        let mut division = Division { carried, stepped, inside: Vec::new(), first };
        let mut feeds: HashSet<NodeId> = this.carries.iter().map(|carry| carry.next).collect();
        for id in (first..first + count as u32).rev().map(NodeId) {
            if feeds.contains(&id) && division.carried(id) && !carries.contains(&id) {
                feeds.extend(&graph.node(id).args);
                division.inside.push(id);
            }
        }
        division.inside.reverse();
        division
    }

    pub fn carried(&self, id: NodeId) -> bool {
        id.0 >= self.first && self.carried[(id.0 - self.first) as usize]
    }

    fn stepped(&self, id: NodeId) -> bool {
        id.0 >= self.first && self.stepped[(id.0 - self.first) as usize]
    }
}

/// The loop of a step, and everything around it.
pub fn build(graph: &mut Graph, this: &Recurrence) -> Results {
    let (mut high, mut low) = (this.part(graph, true), this.part(graph, false));
    if high.carries.is_empty() || low.carries.is_empty() {
        return build_alike(graph, this);
    }
    // Carries without rows do not depend on those with rows, for which they are sequences.
    low.outputs = Vec::new();
    let own = build_alike(graph, &low);
    for (carry, whole) in low.carries.iter().zip(&own.previous) {
        high.sequences.push(Sequence { place: carry.place, whole: *whole });
    }
    let mut results = build_alike(graph, &high);
    for (at, carry) in this.carries.iter().enumerate() {
        if let Some(of) = low.carries.iter().position(|other| other.place == carry.place) {
            results.last.insert(at, own.last[of]);
            results.previous.insert(at, own.previous[of]);
            results.stacked.insert(at, own.stacked[of]);
        }
    }
    results
}

/// The loop of a step whose carries all have rows, or all have none.
fn build_alike(graph: &mut Graph, this: &Recurrence) -> Results {
    let division = Division::of(graph, this);
    let inside: HashSet<NodeId> = division.inside.iter().copied().collect();
    let places: HashMap<NodeId, usize> =
        this.carries.iter().enumerate().map(|(i, carry)| (carry.place, i)).collect();
    let new = std::slice::from_ref(&this.length);

    // Everything of all steps at once starts from the sequences, and from numbers drawn for all steps.
    let mut copies: HashMap<NodeId, NodeId> = this.sequences.iter().map(|s| (s.place, s.whole)).collect();
    for id in (this.first.0..graph.nodes.len() as u32).map(NodeId) {
        if let Kind::Random { .. } = graph.node(id).kind
            && division.stepped(id)
        {
            let Node { kind, ty, .. } = graph.node(id).clone();
            let wide = graph.push(kind, vec![], ty.along(&this.length));
            copies.insert(id, wide);
        }
    }

    let stacked = frontier(graph, this, &division, &inside, &places);
    let mut step = Step::new(graph, this, &division, &inside);
    let outputs: Vec<NodeId> = this.carries.iter().map(|carry| carry.next).chain(stacked.clone()).collect();
    let body = step.body(&outputs);
    let Step { sequences, constants, .. } = step;

    let mut args: Vec<NodeId> = this.carries.iter().map(|carry| carry.init).collect();
    args.extend(extend(graph, &mut copies, new, &sequences));
    args.extend(&constants);
    let scan = Rc::new(Scan {
        body,
        carries: this.carries.len(),
        sequences: sequences.len(),
        length: this.length.clone(),
        reverse: this.reverse,
    });
    let mut results = Results { last: Vec::new(), previous: Vec::new(), stacked: Vec::new() };
    for carry in 0..scan.carries {
        results.last.push(push(graph, &scan, ScanResult::Last(carry), &args));
        results.previous.push(push(graph, &scan, ScanResult::Previous(carry), &args));
        results.stacked.push(push(graph, &scan, ScanResult::Stacked(carry), &args));
    }
    // What comes after reads the loop's stacks.
    for (place, carry) in &places {
        copies.insert(*place, results.previous[*carry]);
    }
    for (at, id) in outputs.iter().enumerate().rev().filter(|(_, id)| inside.contains(id)) {
        let stack = push(graph, &scan, ScanResult::Stacked(at), &args);
        copies.insert(*id, stack);
    }
    results.stacked.extend(extend(graph, &mut copies, new, &this.outputs));
    results
}

fn push(graph: &mut Graph, scan: &Rc<Scan>, result: ScanResult, args: &[NodeId]) -> NodeId {
    let ty = match scan.result_type(result) {
        Some(ty) => ty,
        None => unreachable!("the scan has this result"),
    };
    graph.push(Kind::Scan { scan: scan.clone(), result }, args.to_vec(), ty)
}

/// The values of the recurrence that something after the loop reads, beside the next carries.
fn frontier(
    graph: &Graph,
    this: &Recurrence,
    division: &Division,
    inside: &HashSet<NodeId>,
    places: &HashMap<NodeId, usize>,
) -> Vec<NodeId> {
    let mut found: Vec<NodeId> = Vec::new();
    let mut seen: HashSet<NodeId> = HashSet::new();
    let mut open: Vec<NodeId> = this.outputs.iter().rev().copied().collect();
    while let Some(id) = open.pop() {
        if !division.carried(id) || places.contains_key(&id) || !seen.insert(id) {
            continue;
        }
        if !inside.contains(&id) {
            open.extend(graph.node(id).args.iter().rev());
        } else if this.carries.iter().all(|carry| carry.next != id) {
            found.push(id);
        }
    }
    found
}

/// The body of a loop while it is written.
struct Step<'g> {
    graph: &'g Graph,
    division: &'g Division,
    body: Graph,
    map: HashMap<NodeId, NodeId>,
    /// What the step reads of sequences, as nodes of the step.
    sequences: Vec<NodeId>,
    /// What is the same in every step.
    constants: Vec<NodeId>,
}

impl<'g> Step<'g> {
    fn new(graph: &'g Graph, this: &Recurrence, division: &'g Division, inside: &HashSet<NodeId>) -> Self {
        let mut step = Step {
            graph,
            division,
            body: Graph::default(),
            map: HashMap::new(),
            sequences: Vec::new(),
            constants: Vec::new(),
        };
        for (index, carry) in this.carries.iter().enumerate() {
            let id = step.input(index, "state", carry.place);
            step.map.insert(carry.place, id);
        }
        let args = division.inside.iter().flat_map(|id| graph.node(*id).args.iter().copied());
        let nexts = this.carries.iter().map(|carry| carry.next);
        for id in args.chain(nexts) {
            if inside.contains(&id) || step.map.contains_key(&id) || is_small(graph, id) {
                continue;
            }
            let list = if division.stepped(id) { &mut step.sequences } else { &mut step.constants };
            if !list.contains(&id) {
                list.push(id);
            }
        }
        let given = this.carries.len();
        let (sequences, constants) = (step.sequences.clone(), step.constants.clone());
        for (at, id) in sequences.iter().enumerate() {
            let input = step.input(given + at, "slice", *id);
            step.map.insert(*id, input);
        }
        for (at, id) in constants.iter().enumerate() {
            let input = step.input(given + sequences.len() + at, "constant", *id);
            step.map.insert(*id, input);
        }
        step
    }

    fn input(&mut self, index: usize, what: &str, like: NodeId) -> NodeId {
        let ty = self.graph.ty(like).clone();
        self.body.origin = self.graph.node(like).origin.clone();
        self.body.inputs.push(InputDecl {
            name: format!("{what}{index}"),
            ty: ty.clone(),
            index: self.graph.is_index(like),
        });
        self.body.push(Kind::Input(index), vec![], ty)
    }

    fn body(&mut self, outputs: &[NodeId]) -> Graph {
        for id in &self.division.inside {
            self.copy(*id);
        }
        for (index, id) in outputs.iter().enumerate() {
            let node = self.copy(*id);
            self.body.outputs.push(Output { role: Role::Result(index), node });
        }
        self.body.origin = Rc::default();
        std::mem::take(&mut self.body)
    }

    /// A node in the body; numbers and sizes move in.
    fn copy(&mut self, id: NodeId) -> NodeId {
        if let Some(copy) = self.map.get(&id) {
            return *copy;
        }
        let graph = self.graph;
        let node = graph.node(id);
        let args = node.args.iter().map(|arg| self.copy(*arg)).collect();
        self.body.origin = node.origin.clone();
        let copy = self.body.push(node.kind.clone(), args, node.ty.clone());
        self.map.insert(id, copy);
        copy
    }
}

/// A number or a size, perhaps repeated.
fn is_small(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    match &node.kind {
        Kind::Const(Constant::Number(_) | Constant::Size(_)) => true,
        Kind::View(View::Broadcast(_) | View::Reshape | View::Permute(_)) => is_small(graph, node.args[0]),
        _ => false,
    }
}
