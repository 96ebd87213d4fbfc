//! Derivatives: adjoints appended to the same graph, in the same kinds, so that they have derivatives too.
//!
//! In: a graph, the value to differentiate, and for what. Out: the same graph with more nodes.
//! Never: a kind or a row by name; a node changed that was there before.

mod jacobian;
mod transpose;
mod vmap;

use std::collections::HashMap;

use crate::graph::*;

pub use jacobian::jacobian;
pub use vmap::vmap;

/// The gradient of `Σ seed · output` for each of `wrt`, by reverse accumulation over the nodes on a path from
/// `wrt` to `output`; zeros where there is none. `seed` has the type of `output`.
pub fn vjp(graph: &mut Graph, output: NodeId, seed: NodeId, wrt: &[NodeId]) -> Vec<NodeId> {
    debug_assert_eq!(graph.ty(output), graph.ty(seed));
    let active = depends_on(graph, wrt, output);
    let mut adjoints: HashMap<NodeId, NodeId> = HashMap::from([(output, seed)]);
    let origin = graph.origin.clone();
    for id in (0..=output.0).rev().map(NodeId).filter(|id| active[id.index()]) {
        let Some(adjoint) = adjoints.get(&id).copied() else { continue };
        graph.origin = graph.node(id).origin.clone();
        for index in 0..graph.node(id).args.len() {
            let arg = graph.node(id).args[index];
            if !active[arg.index()] {
                continue;
            }
            if let Some(part) = transpose::pull_back(graph, id, adjoint, index) {
                let sum = match adjoints.get(&arg) {
                    Some(sum) => graph.add(*sum, part),
                    None => part,
                };
                adjoints.insert(arg, sum);
            }
        }
    }
    graph.origin = origin;
    wrt.iter()
        .map(|x| match adjoints.get(x) {
            Some(adjoint) => *adjoint,
            None => graph.full_like(0.0, *x),
        })
        .collect()
}

/// Appends the gradient of the loss for the parameters of every trained network, as outputs in their order.
/// A graph without a loss stays as it is.
pub fn differentiate_loss(graph: &mut Graph) {
    let Some(loss) = graph.outputs.iter().find(|o| o.role == Role::Loss).map(|o| o.node) else { return };
    let trained: Vec<usize> = (0..graph.params.len())
        .filter(|param| {
            let param = &graph.params[*param];
            !param.state && graph.networks.get(param.network).is_some_and(|n| n.trained)
        })
        .collect();
    // A parameter may have been appended at each of its uses.
    let uses: Vec<(usize, NodeId)> = graph
        .ids()
        .filter_map(|id| match graph.node(id).kind {
            Kind::Param(param) if trained.contains(&param) => Some((param, id)),
            _ => None,
        })
        .collect();
    let seed = graph.full_like(1.0, loss);
    let wrt: Vec<NodeId> = uses.iter().map(|(_, id)| *id).collect();
    let adjoints = vjp(graph, loss, seed, &wrt);
    for param in trained {
        let parts = uses.iter().zip(&adjoints).filter(|((p, _), _)| *p == param).map(|(_, adjoint)| *adjoint);
        let node = match parts.collect::<Vec<_>>().into_iter().reduce(|a, b| graph.add(a, b)) {
            Some(sum) => sum,
            None => {
                let ty = graph.params[param].ty.clone();
                graph.full(0.0, &ty)
            }
        };
        graph.outputs.push(Output { role: Role::Gradient(param), node });
    }
}

/// For each node up to `output`, whether it is one of `wrt` or differentiably made from one, and `output`
/// is made from it.
fn depends_on(graph: &Graph, wrt: &[NodeId], output: NodeId) -> Vec<bool> {
    let end = output.index() + 1;
    let mut from = vec![false; end];
    for id in wrt.iter().filter(|id| **id <= output) {
        from[id.index()] = true;
    }
    for id in (0..=output.0).map(NodeId) {
        let node = graph.node(id);
        let passes = node.kind != Kind::StopGradient;
        from[id.index()] |= passes && node.args.iter().any(|arg| from[arg.index()]);
    }
    let mut to = vec![false; end];
    to[output.index()] = from[output.index()];
    for id in (0..=output.0).rev().map(NodeId).filter(|id| from[id.index()]) {
        if to[id.index()] && graph.node(id).kind != Kind::StopGradient {
            for arg in &graph.node(id).args {
                to[arg.index()] |= from[arg.index()];
            }
        }
    }
    to
}
