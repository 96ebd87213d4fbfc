//! One more set of axes through a part of a graph.
//!
//! In: nodes, and the same nodes with more axes. Out: every value made from them, with these axes ahead of its
//! features. Never: a loop of its own; a value that does not depend on these nodes is not copied.

mod index;
mod scan;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::by_hand::Hands;
use crate::graph::*;
use crate::scan::Results;
use crate::size::Size;

/// Rebuilds `results` with the second for the first node of each pair in `from`: it has `axes` more axes ahead of
/// its features, and so has every result that depends on a first one. A result that does not is repeated along
/// the new axes.
pub fn vmap(graph: &mut Graph, from: &[(NodeId, NodeId)], axes: usize, results: &[NodeId]) -> Vec<NodeId> {
    let Some((_, mapped)) = from.first() else { return results.to_vec() };
    let ty = graph.ty(*mapped);
    let new = ty.features.get(..axes).unwrap_or(&ty.features).to_vec();
    let mut copies: HashMap<NodeId, NodeId> = from.iter().copied().collect();
    extend(graph, &mut copies, &new, results)
}

/// As `vmap`, where `copies` holds the pairs, and then also every copy that was made.
pub(crate) fn extend(
    graph: &mut Graph,
    copies: &mut HashMap<NodeId, NodeId>,
    new: &[Size],
    results: &[NodeId],
) -> Vec<NodeId> {
    let hands = Hands::of(graph);
    let first = copies.keys().map(|id| id.0).min().unwrap_or(0);
    let mut needed: BTreeSet<NodeId> = BTreeSet::new();
    let mut open: Vec<NodeId> = results.to_vec();
    while let Some(id) = open.pop() {
        if id.0 >= first && !copies.contains_key(&id) && needed.insert(id) {
            open.extend(&graph.node(id).args);
            if let Some(call) = hands.index(id) {
                open.extend(&graph.by_hand[call].args);
            }
        }
    }
    let origin = graph.origin.clone();
    let mut scans = Vec::new();
    for id in needed {
        if let Some(call) = hands.index(id) {
            // All its results at once, at the first that is needed.
            if !copies.contains_key(&id) {
                copy_by_hand(graph, copies, new, call);
            }
        } else if graph.node(id).args.iter().any(|arg| copies.contains_key(arg)) {
            graph.origin = graph.node(id).origin.clone();
            let copy = Mapping { graph, copies, new, scans: &mut scans }.node(id);
            copies.insert(id, copy);
        }
    }
    graph.origin = origin;
    results.iter().map(|id| Mapping { graph, copies, new, scans: &mut scans }.arg(*id)).collect()
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
        let ty = widened(graph.ty(*adjoint), new);
        let zeros = graph.full(0.0, &ty);
        places.push(graph.identity(zeros));
    }
    inner.extend(adjoints.iter().copied().zip(places.iter().copied()));
    let shares = extend(graph, &mut inner, new, &shares);
    let (args, values) = (extend(graph, copies, new, &args), extend(graph, copies, new, &values));
    let wide: Vec<NodeId> = values.into_iter().map(|value| graph.identity(value)).collect();
    copies.extend(results.into_iter().zip(wide.iter().copied()));
    graph.by_hand.push(ByHand { results: wide, args, adjoints: places, shares });
}

/// A type with new axes ahead of its features.
fn widened(ty: &Type, new: &[Size]) -> Type {
    Type { rows: ty.rows.clone(), features: [new, &ty.features].concat() }
}

/// The loops mapped so far: each with its arguments, and its results.
type Scans = Vec<(Rc<Scan>, Vec<NodeId>, Results)>;

struct Mapping<'a> {
    graph: &'a mut Graph,
    copies: &'a HashMap<NodeId, NodeId>,
    new: &'a [Size],
    scans: &'a mut Scans,
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
        widened(ty, self.new)
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
            Kind::Scan { scan, result } => self.scan(&scan, &args).get(result),
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
            Kind::TriangularFactor => {
                let arg = self.arg(args[0]);
                self.graph.triangular_factor(arg)
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
                    View::Window { axis, kernel, stride, dilation } => {
                        View::Window { axis: self.moved(&from, axis), kernel, stride, dilation }
                    }
                    View::Fold { axis, stride, dilation } => {
                        View::Fold { axis: self.moved(&from, axis), stride, dilation }
                    }
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
