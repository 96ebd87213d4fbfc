//! Derivatives: adjoints appended to the same graph, in the same kinds, so that they have derivatives too.
//!
//! In: a graph, the value to differentiate, and for what. Out: the same graph with more nodes.
//! Never: a kind or a row by name; a node changed that was there before.

mod by_hand;
mod jacobian;
mod scan;
mod transpose;
mod vmap;

use std::collections::HashMap;

use crate::graph::*;

use by_hand::Hands;
pub use jacobian::jacobian;
pub(crate) use vmap::extend;
pub use vmap::vmap;

/// The gradient of `Σ seed · output` for each of `wrt`, by reverse accumulation over the nodes on a path from
/// `wrt` to `output`; zeros where there is none. `seed` has the type of `output`.
pub fn vjp(graph: &mut Graph, output: NodeId, seed: NodeId, wrt: &[NodeId]) -> Vec<NodeId> {
    let adjoints = pull_back(graph, &[(output, seed)], wrt);
    wrt.iter()
        .zip(adjoints)
        .map(|(x, adjoint)| match adjoint {
            Some(adjoint) => adjoint,
            None => graph.full_like(0.0, *x),
        })
        .collect()
}

/// The same of several outputs, each with its seed; none where no output depends on a node.
fn pull_back(graph: &mut Graph, seeds: &[(NodeId, NodeId)], wrt: &[NodeId]) -> Vec<Option<NodeId>> {
    let outputs: Vec<NodeId> = seeds.iter().map(|(output, _)| *output).collect();
    let active = depends_on(graph, wrt, &outputs);
    let mut adjoints: HashMap<NodeId, NodeId> = HashMap::new();
    for (output, seed) in seeds {
        debug_assert_eq!(graph.ty(*output), graph.ty(*seed));
        accumulate(graph, &mut adjoints, *output, *seed);
    }
    let loops = scan::Loops::of(graph, &active);
    let mut hands = Hands::of(graph);
    let origin = graph.origin.clone();
    for id in (0..active.len() as u32).rev().map(NodeId).filter(|id| active[id.index()]) {
        graph.origin = graph.node(id).origin.clone();
        if let Kind::Scan { .. } = graph.node(id).kind {
            // The results of one loop have one derivative; the first of them comes last.
            for (arg, part) in loops.pull_back(graph, id, &adjoints, &active) {
                accumulate(graph, &mut adjoints, arg, part);
            }
            continue;
        }
        let Some(adjoint) = adjoints.get(&id).copied() else { continue };
        match hands.index(id) {
            // All results of the call at once, at the last of them: whatever uses one comes after all.
            Some(call) if hands.is_first_visit(call) => {
                for (arg, part) in by_hand::pull_back(graph, call, &adjoints, &active) {
                    accumulate(graph, &mut adjoints, arg, part);
                }
            }
            Some(_) => {}
            None => {
                for index in 0..graph.node(id).args.len() {
                    let arg = graph.node(id).args[index];
                    if !active[arg.index()] {
                        continue;
                    }
                    if let Some(part) = transpose::pull_back(graph, id, adjoint, index) {
                        accumulate(graph, &mut adjoints, arg, part);
                    }
                }
            }
        }
    }
    graph.origin = origin;
    wrt.iter().map(|x| adjoints.get(x).copied()).collect()
}

/// One share more of an adjoint.
fn accumulate(graph: &mut Graph, adjoints: &mut HashMap<NodeId, NodeId>, to: NodeId, part: NodeId) {
    let sum = match adjoints.get(&to) {
        Some(sum) => graph.add(*sum, part),
        None => part,
    };
    adjoints.insert(to, sum);
}

/// The derivative of `output` when `x` moves along `along`, which has the type of `x`: the Jacobian times a vector,
/// in the type of `output`. It is the transpose of the pull-back, which is linear in its seed, so the pull-back
/// itself is not computed; Townsend, "A new trick for calculating Jacobian vector products", 2017.
pub fn jvp(graph: &mut Graph, output: NodeId, x: NodeId, along: NodeId) -> NodeId {
    debug_assert_eq!(graph.ty(x), graph.ty(along));
    // The cut keeps the seed apart from every other constant.
    let zeros = graph.full_like(0.0, output);
    let seed = graph.identity(zeros);
    let pulled = vjp(graph, output, seed, &[x])[0];
    vjp(graph, pulled, along, &[seed])[0]
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

/// Whether a derivative goes through a kind at all. Positions have none.
fn passes(kind: &Kind) -> bool {
    !matches!(kind, Kind::StopGradient | Kind::TopK { .. } | Kind::View(View::Number))
}

/// For each node up to the last output, whether it is one of `wrt` or differentiably made from one, and an output
/// is made from it.
fn depends_on(graph: &Graph, wrt: &[NodeId], outputs: &[NodeId]) -> Vec<bool> {
    let hands = Hands::of(graph);
    let end = outputs.iter().map(|output| output.index() + 1).max().unwrap_or(0);
    let mut from = vec![false; end];
    for id in wrt.iter().filter(|id| id.index() < end) {
        from[id.index()] = true;
    }
    for id in (0..end as u32).map(NodeId) {
        from[id.index()] |= hands.sources(graph, id).iter().any(|arg| from[arg.index()]);
    }
    let mut to = vec![false; end];
    for output in outputs {
        to[output.index()] = from[output.index()];
    }
    for id in (0..end as u32).rev().map(NodeId).filter(|id| from[id.index()]) {
        if to[id.index()] {
            for arg in hands.sources(graph, id) {
                to[arg.index()] |= from[arg.index()];
            }
        }
    }
    to
}
