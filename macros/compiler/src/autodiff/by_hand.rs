//! Derivatives that the user wrote.
//!
//! In: a call of `Graph::by_hand`, and the adjoints of its results. Out: the shares of its arguments, made from the
//! nodes that the user's function left, with the real adjoints in the place of the ones it was lowered with. Never:
//! a look behind the cut at what the value was made from.

use std::collections::{BTreeSet, HashMap};

use super::vmap;
use crate::graph::*;

/// Which nodes are results of such calls.
pub(super) struct Hands {
    calls: HashMap<NodeId, usize>,
    visited: BTreeSet<usize>,
}

impl Hands {
    /// Those of a graph.
    pub fn of(graph: &Graph) -> Self {
        let calls = graph.by_hand.iter().enumerate();
        let calls = calls.flat_map(|(call, hand)| hand.results.iter().map(move |result| (*result, call)));
        Hands { calls: calls.collect(), visited: BTreeSet::new() }
    }

    /// The call that has this node as a result.
    pub fn index(&self, id: NodeId) -> Option<usize> {
        self.calls.get(&id).copied()
    }

    /// Whether nobody has asked this for the call before.
    pub fn is_first_visit(&mut self, call: usize) -> bool {
        self.visited.insert(call)
    }

    /// What a node has a derivative for.
    pub fn sources<'g>(&self, graph: &'g Graph, id: NodeId) -> &'g [NodeId] {
        match self.index(id) {
            Some(call) => &graph.by_hand[call].args,
            None if !super::passes(&graph.node(id).kind) => &[],
            None => &graph.node(id).args,
        }
    }
}

/// The share of each active argument of a call.
pub(super) fn pull_back(
    graph: &mut Graph,
    call: usize,
    adjoints: &HashMap<NodeId, NodeId>,
    active: &[bool],
) -> Vec<(NodeId, NodeId)> {
    let ByHand { results, args, adjoints: places, shares } = graph.by_hand[call].clone();
    let mut real = HashMap::new();
    for (result, place) in results.iter().zip(places) {
        let adjoint = match adjoints.get(result) {
            Some(adjoint) => *adjoint,
            None => graph.full_like(0.0, *result),
        };
        real.insert(place, adjoint);
    }
    let wanted: Vec<usize> = (0..args.len()).filter(|index| active[args[*index].index()]).collect();
    let shares: Vec<NodeId> = wanted.iter().map(|index| shares[*index]).collect();
    let shares = vmap::extend(graph, &mut real, &[], &shares);
    wanted.into_iter().map(|index| args[index]).zip(shares).collect()
}
