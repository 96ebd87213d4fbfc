//! The derivative of every kind: how an adjoint moves from a node to one of its arguments.
//!
//! In: a node, its adjoint, the position of an argument. Out: that argument's share, in its type.
//! Never: accumulation (`vjp` does that); a derivative of a row (the row has it).

use crate::graph::*;
use crate::size::Size;

/// The share of argument `index` in `adjoint`, or `None` where it is zero everywhere.
pub(super) fn pull_back(g: &mut Graph, id: NodeId, adjoint: NodeId, index: usize) -> Option<NodeId> {
    let node = g.node(id).clone();
    let arg = node.args[index];
    Some(match &node.kind {
        Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Random { .. } => {
            return None;
        }
        // `scan` handles all results of a loop together.
        Kind::StopGradient | Kind::TopK { .. } | Kind::View(View::Number) | Kind::Scan { .. } => return None,
        Kind::TriangularFactor => unreachable!("nothing is differentiated after `contract`"),
        // Positions have no derivative; what is chosen, or placed, has.
        Kind::Gather { .. } | Kind::Scatter { .. } if index > 0 => return None,
        Kind::Gather { shared } => {
            let n = g.ty(arg).shape()[*shared].clone();
            g.scatter(adjoint, node.args[1], *shared, n)
        }
        Kind::Scatter { shared } => g.gather(adjoint, node.args[1], *shared),
        Kind::Map(row) => {
            let factor = (row.derivative)(g, id, &node.args, index)?;
            g.mul(adjoint, factor)
        }
        Kind::Reduce { reduction: Reduction::Sum, axes } => spread(g, adjoint, arg, axes),
        Kind::Reduce { reduction: Reduction::Max, axes } => {
            // Shared equally among the elements that attain it.
            let largest = spread(g, id, arg, axes);
            let attained = g.row("eq", &[arg, largest]);
            let count = g.sum(attained, axes);
            let share = g.div(adjoint, count);
            let share = spread(g, share, arg, axes);
            g.mul(share, attained)
        }
        Kind::View(view) => pull_back_view(g, &node, view, adjoint, index),
        Kind::Contract { inputs, output } => pull_back_contract(g, &node, inputs, output, adjoint, index),
    })
}

/// `value`, which lacks `axes`, repeated to the type of `like`.
fn spread(g: &mut Graph, value: NodeId, like: NodeId, axes: &[usize]) -> NodeId {
    let ty = g.ty(like).clone();
    let mut kept = 0..;
    let from = (0..ty.rank()).map(|axis| if axes.contains(&axis) { None } else { kept.next() }).collect();
    g.broadcast(value, from, ty)
}

fn pull_back_view(g: &mut Graph, node: &Node, view: &View, adjoint: NodeId, index: usize) -> NodeId {
    let arg = node.args[index];
    let ty = g.ty(arg).clone();
    match view {
        View::Identity | View::Number => adjoint,
        View::Reshape => g.reshape(adjoint, ty),
        View::Permute(axes) => {
            let mut inverse = vec![0; axes.len()];
            for (to, from) in axes.iter().enumerate() {
                inverse[*from] = to;
            }
            g.permute(adjoint, &inverse, ty.rows.len())
        }
        View::Broadcast(axes) => {
            let new: Vec<usize> = (0..axes.len()).filter(|axis| axes[*axis].is_none()).collect();
            let sum = g.sum(adjoint, &new);
            // The axes of size 1 that the broadcast dropped come back.
            let mut kept = 0..;
            let back = (0..ty.rank()).map(|axis| axes.contains(&Some(axis)).then(|| kept.next()).flatten());
            g.broadcast(sum, back.collect(), ty)
        }
        View::Slice { axis, start } => {
            let len = ty.shape()[*axis].clone();
            g.pad(adjoint, *axis, start, len)
        }
        View::Pad { axis, before } => {
            let len = ty.shape()[*axis].clone();
            g.slice(adjoint, *axis, before, len)
        }
        View::Concat { axis } => {
            let before = node.args[..index].iter();
            let start = before.fold(Size::default(), |sum, arg| &sum + &g.ty(*arg).shape()[*axis]);
            let len = ty.shape()[*axis].clone();
            g.slice(adjoint, *axis, start, len)
        }
        View::Window { axis, stride, dilation, .. } => {
            let len = ty.shape()[*axis].clone();
            g.fold(adjoint, *axis, *stride, *dilation, len)
        }
        View::Fold { axis, stride, dilation } => {
            // `verify` has seen that the size of a piece is known.
            let kernel = ty.shape()[axis + 1].value().unwrap_or(1);
            g.view(View::Window { axis: *axis, kernel, stride: *stride, dilation: *dilation }, adjoint, ty)
        }
        View::Batch => g.unbatch(adjoint),
        View::Unbatch => g.batch(adjoint),
    }
}

/// The einsum of the adjoint with all other arguments, in the labels of this one. A label that only this
/// argument has was summed: the share is the same all along it. A label that it has twice took the diagonal:
/// the share is zero beside it.
fn pull_back_contract(
    g: &mut Graph,
    node: &Node,
    inputs: &[Vec<u32>],
    output: &[u32],
    adjoint: NodeId,
    index: usize,
) -> NodeId {
    let (labels, ty) = (&inputs[index], g.ty(node.args[index]).clone());
    let mut distinct: Vec<u32> = Vec::new();
    for label in labels {
        if !distinct.contains(label) {
            distinct.push(*label);
        }
    }
    let mut terms = vec![output.to_vec()];
    let mut args = vec![adjoint];
    for other in (0..inputs.len()).filter(|other| *other != index) {
        terms.push(inputs[other].clone());
        args.push(node.args[other]);
    }
    let found: Vec<u32> = distinct.iter().copied().filter(|l| terms.iter().any(|t| t.contains(l))).collect();
    // The axes that are rows both of this argument and of what is left of it.
    let batched = labels.first().is_some_and(|batch| found.contains(batch));
    let row_labels = if batched { &labels[..ty.rows.len()] } else { &[] };
    let rows = found.iter().take_while(|label| row_labels.contains(label)).count();
    let mut share = if terms.len() == 1 && found == terms[0] {
        adjoint
    } else {
        g.contract(terms, &args, found.clone(), rows)
    };
    let shape = ty.shape();
    let size = |label: &u32| {
        labels.iter().position(|l| l == label).map_or_else(Default::default, |a| shape[a].clone())
    };
    let distinct_rows = distinct.iter().take_while(|label| labels[..ty.rows.len()].contains(label)).count();
    if found.len() < distinct.len() {
        let wide = crate::build::typed(distinct.iter().map(size).collect(), distinct_rows);
        let axes = distinct.iter().map(|label| found.iter().position(|l| l == label)).collect();
        share = g.broadcast(share, axes, wide);
    }
    if distinct.len() < labels.len() {
        share = undo_diagonal(g, share, &distinct, labels, ty.rows.len());
    }
    share
}

/// From labels that stand once to labels that stand several times: zero where their axes differ.
fn undo_diagonal(g: &mut Graph, share: NodeId, distinct: &[u32], labels: &[u32], rows: usize) -> NodeId {
    let mut fresh = distinct.iter().max().map_or(0, |label| label + 1);
    let (mut terms, mut args, mut output) = (vec![distinct.to_vec()], vec![share], Vec::new());
    let sizes = g.ty(share).shape();
    for (place, label) in labels.iter().enumerate() {
        if !labels[..place].contains(label) {
            output.push(*label);
            continue;
        }
        let axis = distinct.iter().position(|l| l == label).unwrap_or(0);
        args.push(g.delta(sizes[axis].clone()));
        terms.push(vec![*label, fresh]);
        output.push(fresh);
        fresh += 1;
    }
    g.contract(terms, &args, output, rows)
}
