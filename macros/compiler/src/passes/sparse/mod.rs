//! Sparse codes stay sparse: what was placed by an index is computed with as what it was before.
//!
//! In: a graph after `contract`. Out: the same meaning for finite values, without the zeros of a `Scatter` in products
//! and element-wise rows, and without what a `Gather` leaves of a product. Never: a rewrite where the index names as
//! many places as there are, or where rows of the batch meet in it.
//!
//! | what | becomes |
//! | - | - |
//! | Σₙ scatter(v, i)ₙ Wₙ | Σₖ vₖ gather(W, i)ₖ |
//! | Σ_b A_b scatter(v, i)_bn | scatter(A_b v_bk, i) over the batch |
//! | gather(A · W, i) | A · gather(W, i), where nothing else needs the product |
//! | scatter(v, i) · y | scatter(v · gather(y, i), i); signs, squares and the like go inside as well |
//! | Σ scatter(v, i) | Σ v over the places, or scatter(v, i) over the batch |
//!
//! Zeros are taken as annihilating: 0 · ∞, which is NaN, is not computed any more. `contract` runs before, on whole
//! products, and after, for those that are new.

mod chosen;
mod placed;

use std::collections::HashMap;

use super::{contract, simplify, without_nodes};
use crate::graph::*;
use crate::print::live;
use crate::size::Size;

/// The most rounds: each moves by one node.
const ROUNDS: usize = 24;

/// Rewrites around every index.
pub fn sparse(graph: &Graph) -> Graph {
    if !graph.nodes.iter().any(|node| matches!(node.kind, Kind::Scatter { .. } | Kind::Gather { .. })) {
        return graph.clone();
    }
    let mut old = graph.clone();
    let mut rewritten = false;
    for _ in 0..ROUNDS {
        let (new, changed) = round(&old);
        if !changed {
            break;
        }
        (old, rewritten) = (simplify(&new), true);
    }
    if rewritten { contract(&old) } else { old }
}

/// A graph on the way to another one.
struct Rewriting<'g> {
    old: &'g Graph,
    new: Graph,
    moved: HashMap<NodeId, NodeId>,
    /// How many live nodes and outputs use a node.
    uses: Vec<usize>,
}

fn round(graph: &Graph) -> (Graph, bool) {
    let live = live(graph);
    let mut uses = vec![0; graph.nodes.len()];
    for id in graph.ids().filter(|id| live[id.index()]) {
        graph.node(id).args.iter().for_each(|arg| uses[arg.index()] += 1);
    }
    graph.outputs.iter().for_each(|output| uses[output.node.index()] += 1);
    let mut to = Rewriting { old: graph, new: without_nodes(graph), moved: HashMap::new(), uses };
    let mut changed = false;
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        to.new.origin = node.origin.clone();
        let rewritten = to.rewritten(id);
        changed |= rewritten.is_some();
        let place = rewritten.unwrap_or_else(|| {
            let args = node.args.iter().map(|arg| to.moved[arg]).collect();
            to.new.push(node.kind.clone(), args, node.ty.clone())
        });
        debug_assert_eq!(*to.new.ty(place), node.ty, "{:?}", node.kind);
        to.moved.insert(id, place);
    }
    let mut new = to.new;
    new.outputs.iter_mut().for_each(|output| output.node = to.moved[&output.node]);
    new.origin = graph.origin.clone();
    (new, changed)
}

impl Rewriting<'_> {
    fn rewritten(&mut self, id: NodeId) -> Option<NodeId> {
        let node = self.old.node(id).clone();
        match &node.kind {
            Kind::Map(row) => self.map_of_placed(*row, &node.args),
            Kind::Reduce { reduction: Reduction::Sum, axes } => self.sum_of_placed(node.args[0], axes),
            Kind::Contract { inputs, output } => self.product_of_placed(&node, inputs, output),
            Kind::Gather { shared } => self.chosen(&node, *shared),
            _ => None,
        }
    }
}

/// Values at the places of an index, zeros elsewhere.
#[derive(Clone, Copy)]
struct Placed {
    /// The `Scatter`.
    node: NodeId,
    values: NodeId,
    index: NodeId,
    shared: usize,
    /// The number of axes of the index.
    rank: usize,
}

impl Placed {
    /// A scatter that has far fewer values than places, row by row.
    fn of(graph: &Graph, id: NodeId) -> Option<Placed> {
        let node = graph.node(id);
        let Kind::Scatter { shared } = node.kind else { return None };
        let (values, index) = (node.args[0], node.args[1]);
        let crosses = graph.ty(values).rows.len() != node.ty.rows.len();
        let few = 2.0 * graph.ty(values).elements().nominal() <= node.ty.elements().nominal();
        let rank = graph.ty(index).rank();
        (few && !crosses).then_some(Placed { node: id, values, index, shared, rank })
    }

    /// The number of places.
    fn places(&self, graph: &Graph) -> Size {
        graph.ty(self.node).shape()[self.shared].clone()
    }
}
