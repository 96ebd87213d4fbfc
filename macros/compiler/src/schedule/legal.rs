//! The graph that scheduling expects.
//!
//! In: a verified graph. Out: the same program in which a `Contract` has at most two factors, factors whose
//! rows are not the result's are whole batches, and every output has a node of its own to be stored in.
//! Never: another value.

mod indexed;

use std::collections::HashMap;

use crate::graph::*;
use crate::size::Size;

use super::Home;
pub(super) use indexed::Indexed;

use super::level::{Crossing, crossing};
use super::region::{Flattened, Memory, Region};
use super::view::Views;
use super::written::{Written, written};

/// The legal graph, and where outputs must lie.
pub(super) struct Legal {
    /// The graph; copies are identities of two equal arguments.
    pub graph: Graph,
    /// Outputs: the node, and its home.
    pub homes: Vec<(NodeId, Home)>,
    /// How values lie in memory that are not written in order.
    pub written: HashMap<NodeId, Written>,
    /// Inspected values: the index of the word, and the node.
    pub inspects: Vec<(usize, NodeId)>,
    /// Loops; an outer one before those inside it.
    pub regions: Vec<Region>,
}

/// Makes a graph legal.
pub(super) fn legalise(graph: &Graph) -> Result<Legal, String> {
    let mut out = Graph { nodes: Vec::new(), outputs: Vec::new(), ..graph.clone() };
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    let (uses, mut loops, mut memory) = (uses(graph), Flattened::default(), Memory::default());
    let mut indexed = Indexed::default();
    for id in graph.ids() {
        let node = graph.node(id);
        out.origin = node.origin.clone();
        let args: Vec<NodeId> = node.args.iter().map(|a| map[a.index()]).collect();
        map.push(match &node.kind {
            Kind::Contract { inputs, output } => {
                let product = contract(&mut out, inputs, output, args, &node.ty)?;
                indexed.factors(&mut out, product)
            }
            Kind::TopK { .. } | Kind::Gather { .. } | Kind::Scatter { .. } | Kind::TriangularFactor => {
                indexed.node(&mut out, (graph, &uses), id, args)
            }
            Kind::Scan { scan, result } => {
                loops.result(&mut out, &mut memory, graph, (scan, *result), (&node.args, args))?
            }
            Kind::View(View::Fold { .. } | View::Pad { .. }) => {
                direct(&mut out, &mut memory.written, (graph, &uses), &map, id)
            }
            kind => out.push(kind.clone(), args, node.ty.clone()),
        });
    }
    let (mut homes, mut inspects, mut taken) = (Vec::new(), Vec::new(), vec![]);
    let trained = indices(graph, gradient);
    let states = indices(graph, state);
    let mut metric = 1;
    let views = Views::of(&out, &memory.written);
    for output in &graph.outputs {
        let node = map[output.node.index()];
        let home = match &output.role {
            Role::Loss => Home::Metric(0),
            Role::Metric(_) => {
                metric += 1;
                Home::Metric(metric - 1)
            }
            Role::Result(index) => Home::Result(*index),
            Role::Gradient(param) => {
                Home::Gradient(trained.binary_search(param).map_err(|_| "a gradient without parameter")?)
            }
            Role::State(param) => {
                Home::State(states.binary_search(param).map_err(|_| "a state without parameter")?)
            }
            Role::Inspect(_) => {
                inspects.push((inspects.len(), node));
                continue;
            }
        };
        // A node computed here and stored once needs no copy.
        let own = has_own_memory(&out, &views, node);
        let home_of = if own && !taken.contains(&node) { node } else { copy(&mut out, node) };
        taken.push(home_of);
        homes.push((home_of, home));
    }
    for (_, node) in &mut inspects {
        if !has_own_memory(&out, &views, *node) {
            *node = copy(&mut out, *node);
        }
    }
    let Memory { regions, written } = memory;
    Ok(Legal { graph: out, homes, written, inspects, regions })
}

/// How often each node is read, as an argument or as an output.
pub(super) fn uses(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.nodes.len()];
    let live = crate::print::live(graph);
    let args = graph.ids().filter(|id| live[id.index()]).flat_map(|id| &graph.node(id).args);
    for id in args.chain(graph.outputs.iter().map(|output| &output.node)) {
        uses[id.index()] += 1;
    }
    uses
}

/// A `Fold` or `Pad` as what is written into it: its argument is the value that a chain of them ends with. The sums
/// of a product of the same rows go there as the product makes them: the node is that product, with the type of
/// its memory and the labels of what it computes.
pub(super) fn direct(
    out: &mut Graph,
    lying: &mut HashMap<NodeId, Written>,
    (graph, uses): (&Graph, &[usize]),
    map: &[NodeId],
    id: NodeId,
) -> NodeId {
    let node = graph.node(id);
    let Some((root, how)) = written(graph, uses, id) else {
        return out.push(node.kind.clone(), vec![map[node.args[0].index()]], node.ty.clone());
    };
    let made = out.node(map[root.index()]).clone();
    let keeps_rows = !made.ty.rows.is_empty() || made.args.iter().all(|a| out.ty(*a).rows.is_empty());
    let product = matches!(made.kind, Kind::Contract { .. }) && keeps_rows;
    let new = match product && how.sums && uses[root.index()] == 1 {
        true => out.push(made.kind, made.args, node.ty.clone()),
        false => out.push(node.kind.clone(), vec![map[root.index()]], node.ty.clone()),
    };
    lying.insert(new, how);
    new
}

/// Whether a node is computed straight into memory of its own: accumulators of lanes are not.
fn has_own_memory(graph: &Graph, views: &Views, id: NodeId) -> bool {
    let computed = matches!(
        graph.node(id).kind,
        Kind::Map(_)
            | Kind::Contract { .. }
            | Kind::Reduce { .. }
            | Kind::Scan { .. }
            | Kind::TopK { .. }
            | Kind::Scatter { .. }
    );
    computed && crossing(graph, views, id) != Crossing::Lane
}

/// The parameters of the outputs of one role, ascending.
fn indices(graph: &Graph, pick: fn(&Role) -> Option<usize>) -> Vec<usize> {
    let mut indices: Vec<usize> = graph.outputs.iter().filter_map(|output| pick(&output.role)).collect();
    indices.sort_unstable();
    indices
}

/// The parameter that a gradient is of.
pub(super) fn gradient(role: &Role) -> Option<usize> {
    match role {
        Role::Gradient(param) => Some(*param),
        _ => None,
    }
}

/// The parameter that a new value is for.
pub(super) fn state(role: &Role) -> Option<usize> {
    match role {
        Role::State(param) => Some(*param),
        _ => None,
    }
}

/// A copy: an identity of two equal arguments, which `Views` takes for a source of its own.
pub(super) fn copy(graph: &mut Graph, node: NodeId) -> NodeId {
    let ty = graph.ty(node).clone();
    graph.origin = graph.node(node).origin.clone();
    graph.push(Kind::View(View::Identity), vec![node, node], ty)
}

/// Whether a node is a copy.
pub(super) fn is_copy(node: &Node) -> bool {
    matches!(node.kind, Kind::View(View::Identity)) && node.args.len() == 2
}

/// Factors two at a time, from the left, dropping every label as soon as no one needs it.
pub(super) fn contract(
    graph: &mut Graph,
    inputs: &[Vec<u32>],
    output: &[u32],
    mut args: Vec<NodeId>,
    ty: &Type,
) -> Result<NodeId, String> {
    let has_rows = |graph: &Graph, id: NodeId| !graph.ty(id).rows.is_empty();
    // The label of the batch: the result's, else that of the first factor with rows.
    let row = match ty.rows.is_empty() {
        false => output.first().copied(),
        true => {
            args.iter().zip(inputs).find(|(a, _)| has_rows(graph, **a)).and_then(|(_, l)| l.first().copied())
        }
    };
    for (arg, labels) in args.iter_mut().zip(inputs) {
        let crosses = labels.iter().filter(|l| Some(**l) == row).count() != 1;
        if has_rows(graph, *arg) && (labels.first().copied() != row || crosses) {
            let shape = Type { rows: vec![], features: graph.ty(*arg).shape() };
            *arg = graph.push(Kind::View(View::Batch), vec![*arg], shape);
        }
    }
    if args.is_empty() {
        return Err("a product without factors".into());
    }
    let mut inputs = inputs.to_vec();
    while args.len() > 2 {
        let (left, right) = (inputs[0].clone(), inputs[1].clone());
        let needed = |l: &u32| output.contains(l) || inputs[2..].iter().flatten().any(|other| other == l);
        let mut labels: Vec<u32> = Vec::new();
        // The row label first, so that the result has rows where a factor has.
        for label in row.iter().chain(&left).chain(&right) {
            if (left.contains(label) || right.contains(label)) && needed(label) && !labels.contains(label) {
                labels.push(*label);
            }
        }
        let sizes: Vec<Size> =
            labels.iter().filter_map(|l| size_of(graph, &args[..2], &inputs[..2], *l)).collect();
        let rows = usize::from(
            labels.first().is_some_and(|l| Some(*l) == row) && args[..2].iter().any(|a| has_rows(graph, *a)),
        );
        let (rows, features) = sizes.split_at(rows);
        let ty = Type { rows: rows.to_vec(), features: features.to_vec() };
        let kind = Kind::Contract { inputs: vec![left, right], output: labels.clone() };
        let pair = graph.push(kind, args[..2].to_vec(), ty);
        args.splice(..2, [pair]);
        inputs.splice(..2, [labels]);
    }
    Ok(graph.push(Kind::Contract { inputs, output: output.to_vec() }, args, ty.clone()))
}

/// The size that a label stands for.
fn size_of(graph: &Graph, args: &[NodeId], inputs: &[Vec<u32>], label: u32) -> Option<Size> {
    args.iter().zip(inputs).find_map(|(arg, labels)| {
        let at = labels.iter().position(|l| *l == label)?;
        graph.ty(*arg).shape().get(at).cloned()
    })
}
