//! One more set of axes through a part of a graph.
//!
//! In: a node, and the same node with more axes. Out: every value made from it, with these axes ahead of its
//! features. Never: a loop; a value that does not depend on the node is not copied.

mod index;

use std::collections::{HashMap, HashSet};

use super::by_hand::Hands;
use crate::graph::*;
use crate::size::Size;

/// Rebuilds `results` with `mapped` for `from`: `mapped` has `axes` more axes ahead of its features, and so
/// has every result that depends on `from`. A result that does not is repeated along the new axes.
pub fn vmap(graph: &mut Graph, from: NodeId, mapped: NodeId, axes: usize, results: &[NodeId]) -> Vec<NodeId> {
    let rows = graph.ty(from).rows.len();
    let new = graph.ty(mapped).shape()[rows..rows + axes].to_vec();
    rebuild(graph, HashMap::from([(from, mapped)]), &new, results)
}

/// The same for several nodes at once: `copies` has for each what stands in its place, with the axes `new` more.
/// Without new axes it is a substitution.
pub(super) fn rebuild(
    graph: &mut Graph,
    mut copies: HashMap<NodeId, NodeId>,
    new: &[Size],
    results: &[NodeId],
) -> Vec<NodeId> {
    let origin = graph.origin.clone();
    let end = results.iter().map(|id| id.0 + 1).max().unwrap_or(0);
    copy_from(graph, &mut copies, new, end);
    graph.origin = origin;
    results.iter().map(|id| Mapping { graph, copies: &copies, new }.arg(*id)).collect()
}

/// Copies every node before `end` that is made from one that has a copy.
fn copy_from(graph: &mut Graph, copies: &mut HashMap<NodeId, NodeId>, new: &[Size], end: u32) {
    let first = copies.keys().map(|id| id.0 + 1).min().unwrap_or(end);
    let given: HashSet<NodeId> = copies.keys().copied().collect();
    let hands = Hands::of(graph);
    for id in (first..end).map(NodeId).filter(|id| !given.contains(id)) {
        if let Some(call) = hands.index(id) {
            if graph.by_hand[call].results.first() == Some(&id) {
                copy_by_hand(graph, copies, new, call);
            }
        } else if graph.node(id).args.iter().any(|arg| copies.contains_key(arg)) {
            graph.origin = graph.node(id).origin.clone();
            let copy = Mapping { graph, copies, new }.node(id);
            copies.insert(id, copy);
        }
    }
}

/// A call with a derivative by hand keeps it: what its function left is copied with new places for the adjoints.
fn copy_by_hand(graph: &mut Graph, copies: &mut HashMap<NodeId, NodeId>, new: &[Size], call: usize) {
    let ByHand { results, args, adjoints, shares } = graph.by_hand[call].clone();
    let values: Vec<NodeId> = results.iter().map(|result| graph.node(*result).args[0]).collect();
    if !args.iter().chain(&values).any(|id| copies.contains_key(id)) {
        return;
    }
    // What lies behind the adjoints is made from them, or is cheap to make again.
    let Some(start) = adjoints.iter().min() else { return };
    let mut inner: HashMap<NodeId, NodeId> =
        copies.iter().filter(|(id, _)| *id < start).map(|(id, copy)| (*id, *copy)).collect();
    let mut places = Vec::new();
    for adjoint in &adjoints {
        let ty = graph.ty(*adjoint).clone();
        let ty = Mapping { graph, copies, new }.widened(&ty);
        let zeros = graph.full(0.0, &ty);
        places.push(graph.identity(zeros));
    }
    inner.extend(adjoints.iter().copied().zip(places.iter().copied()));
    let end = shares.iter().map(|id| id.0 + 1).max().unwrap_or(0);
    copy_from(graph, &mut inner, new, end);
    let all = |graph: &mut Graph, copies: &HashMap<NodeId, NodeId>, ids: &[NodeId]| -> Vec<NodeId> {
        ids.iter().map(|id| Mapping { graph, copies, new }.arg(*id)).collect()
    };
    let shares = all(graph, &inner, &shares);
    let (args, values) = (all(graph, copies, &args), all(graph, copies, &values));
    let wide: Vec<NodeId> = values.into_iter().map(|value| graph.identity(value)).collect();
    copies.extend(results.into_iter().zip(wide.iter().copied()));
    graph.by_hand.push(ByHand { results: wide, args, adjoints: places, shares });
}

struct Mapping<'a> {
    graph: &'a mut Graph,
    copies: &'a HashMap<NodeId, NodeId>,
    new: &'a [Size],
}

impl Mapping<'_> {
    /// The copy of a value, or the value repeated.
    fn arg(&mut self, id: NodeId) -> NodeId {
        if let Some(copy) = self.copies.get(&id) {
            return *copy;
        }
        let ty = self.widened(self.graph.ty(id));
        let (rows, rank) = (ty.rows.len(), ty.rank());
        let axes = (0..rank).map(|axis| match axis {
            _ if axis < rows => Some(axis),
            _ if axis < rows + self.new.len() => None,
            _ => Some(axis - self.new.len()),
        });
        self.graph.broadcast(id, axes.collect(), ty)
    }

    /// A type with the new axes.
    fn widened(&self, ty: &Type) -> Type {
        Type { rows: ty.rows.clone(), features: [self.new, &ty.features].concat() }
    }

    /// Where the axis of a value of type `ty` is in its copy.
    fn moved(&self, ty: &Type, axis: usize) -> usize {
        if axis < ty.rows.len() { axis } else { axis + self.new.len() }
    }

    /// The same node over the copies of its arguments.
    fn node(&mut self, id: NodeId) -> NodeId {
        let Node { kind, args, ty, .. } = self.graph.node(id).clone();
        let wide = self.widened(&ty);
        let from = self.graph.ty(args[0]).clone();
        let count = self.new.len();
        match kind {
            Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Random { .. } => id,
            Kind::Map(row) => {
                let args: Vec<NodeId> = args.iter().map(|arg| self.arg(*arg)).collect();
                self.graph.map(row, &args)
            }
            Kind::StopGradient => {
                let arg = self.arg(args[0]);
                self.graph.stop_gradient(arg)
            }
            Kind::Reduce { reduction, axes } => {
                let arg = self.arg(args[0]);
                let moved: Vec<usize> = axes.iter().map(|axis| self.moved(&from, *axis)).collect();
                let reduced = self.graph.reduce(reduction, arg, &moved);
                // Where the batch goes, row axes that stay become features, ahead of the new axes.
                let stay = (0..from.rows.len()).filter(|axis| !axes.contains(axis)).count();
                self.ahead(reduced, stay, ty.rows.len())
            }
            Kind::Contract { inputs, output } => self.contract(inputs, &args, output, ty.rows.len()),
            Kind::TopK { largest } => {
                let arg = self.arg(args[0]);
                self.graph.push(Kind::TopK { largest }, vec![arg], wide)
            }
            Kind::Gather { shared } => self.gather(args[0], args[1], shared),
            Kind::Scatter { shared } => {
                let n = ty.shape()[shared].clone();
                self.scatter(args[0], args[1], shared, n)
            }
            Kind::View(View::Permute(axes)) => {
                let arg = self.arg(args[0]);
                let rows = ty.rows.len();
                let mut moved: Vec<usize> = axes.iter().map(|axis| self.moved(&from, *axis)).collect();
                let new = from.rows.len()..from.rows.len() + count;
                moved.splice(rows..rows, new);
                self.graph.permute(arg, &moved, rows)
            }
            Kind::View(View::Broadcast(axes)) => {
                let arg = self.arg(args[0]);
                let rows = ty.rows.len();
                let mut moved: Vec<Option<usize>> =
                    axes.iter().map(|axis| axis.map(|axis| self.moved(&from, axis))).collect();
                let new = (from.rows.len()..from.rows.len() + count).map(Some);
                moved.splice(rows..rows, new);
                self.broadcast(arg, moved, wide)
            }
            Kind::View(View::Batch) => {
                let arg = self.arg(args[0]);
                let batch = self.graph.batch(arg);
                self.ahead(batch, 1, 0)
            }
            Kind::View(View::Unbatch) => {
                let arg = self.arg(args[0]);
                let mut axes: Vec<usize> = (0..count).collect();
                axes.insert(0, count);
                axes.extend(count + 1..count + from.rank());
                let arg = self.graph.permute(arg, &axes, 0);
                self.graph.unbatch(arg)
            }
            Kind::View(view) => {
                let view = match view {
                    View::Slice { axis, start } => View::Slice { axis: self.moved(&from, axis), start },
                    View::Pad { axis, before } => View::Pad { axis: self.moved(&from, axis), before },
                    View::Concat { axis } => View::Concat { axis: self.moved(&from, axis) },
                    same => same,
                };
                let args = args.iter().map(|arg| self.arg(*arg)).collect();
                self.graph.push(Kind::View(view), args, wide)
            }
        }
    }

    /// A broadcast whose axes may not ascend: features that become rows pass the new axes.
    fn broadcast(&mut self, arg: NodeId, axes: Vec<Option<usize>>, ty: Type) -> NodeId {
        let named: Vec<usize> = axes.iter().copied().flatten().collect();
        if named.is_sorted() {
            return self.graph.broadcast(arg, axes, ty);
        }
        let rank = self.graph.ty(arg).rank();
        let dropped = (0..rank).filter(|axis| !axes.contains(&Some(*axis)));
        let order: Vec<usize> = named.iter().copied().chain(dropped).collect();
        let rows = self.graph.ty(arg).rows.len();
        let sorted = self.graph.permute(arg, &order, rows);
        let mut next = 0..;
        let axes = axes.iter().map(|axis| axis.and_then(|_| next.next())).collect();
        self.graph.broadcast(sorted, axes, ty)
    }

    /// Moves the new axes from behind `stay` axes to behind the rows.
    fn ahead(&mut self, id: NodeId, stay: usize, rows: usize) -> NodeId {
        let count = self.new.len();
        let rank = self.graph.ty(id).rank();
        let mut axes: Vec<usize> = (0..rank).collect();
        let new: Vec<usize> = axes.drain(stay..stay + count).collect();
        axes.splice(rows..rows, new);
        self.graph.permute(id, &axes, rows)
    }

    fn contract(
        &mut self,
        mut inputs: Vec<Vec<u32>>,
        args: &[NodeId],
        mut output: Vec<u32>,
        rows: usize,
    ) -> NodeId {
        let fresh = inputs.iter().flatten().max().map_or(0, |label| label + 1);
        let new: Vec<u32> = (fresh..).take(self.new.len()).collect();
        for (labels, arg) in inputs.iter_mut().zip(args).filter(|(_, arg)| self.copies.contains_key(arg)) {
            let at = self.graph.ty(*arg).rows.len();
            labels.splice(at..at, new.iter().copied());
        }
        let wide: Vec<NodeId> = args.iter().map(|arg| *self.copies.get(arg).unwrap_or(arg)).collect();
        output.splice(rows..rows, new);
        self.graph.contract(inputs, &wide, output, rows)
    }
}
