//! `jacobian(f, x)`: all rows of the derivative at once.
//!
//! In: an output and what it is differentiated for, both with the same rows. Out: `[rows | out…, in…]`.
//! Never: a derivative across rows; that is an error.

use super::by_hand::Hands;
use super::{depends_on, vjp, vmap};
use crate::build::typed;
use crate::graph::*;

/// ∂output/∂x, row by row: for `x: [B | D…]` and `output: [B | K…]` the result is `[B | K…, D…]`. It is the
/// pull-back of one seed, mapped over the rows of an identity matrix.
///
/// # Errors
/// Where the rows of `x` meet on the way to `output`; the text says where.
pub fn jacobian(graph: &mut Graph, output: NodeId, x: NodeId) -> Result<NodeId, String> {
    let (from, to) = (graph.ty(x).clone(), graph.ty(output).clone());
    if from.rows != to.rows {
        return Err(format!("a derivative row by row needs the same rows on both sides: {from} and {to}"));
    }
    if let Some(id) = meeting(graph, &[x], output, from.rows.len()) {
        let Origin { file, line, label } = &*graph.node(id).origin;
        let place = if file.is_empty() { String::new() } else { format!(" ({file}:{line} {label})") };
        return Err(format!("rows meet on the way from {from} to {to}{place}"));
    }
    // The cut keeps the seed apart from every other constant.
    let zeros = graph.full_like(0.0, output);
    let seed = graph.identity(zeros);
    let row = vjp(graph, output, seed, &[x])[0];
    let axes = to.features.len();
    let unit = unit_seeds(graph, &to);
    Ok(vmap(graph, &[(seed, unit)], axes, &[row])[0])
}

/// Where the first `rows` axes meet on the way from `wrt` to `output`, if they do. Of a call with a derivative by
/// hand, both its value and that derivative have to keep them apart.
fn meeting(graph: &Graph, wrt: &[NodeId], output: NodeId, rows: usize) -> Option<NodeId> {
    let active = depends_on(graph, wrt, &[output]);
    let hands = Hands::of(graph);
    let start = wrt.iter().map(|x| x.0 + 1).min().unwrap_or(0);
    for id in (start..=output.0).map(NodeId).filter(|id| active[id.index()] && !wrt.contains(id)) {
        let found = match hands.index(id) {
            None => (!keeps_rows(graph, id, &active, rows)).then_some(id),
            Some(call) => {
                let ByHand { args, adjoints, shares, .. } = &graph.by_hand[call];
                let changing: Vec<NodeId> = args.iter().filter(|arg| active[arg.index()]).copied().collect();
                let given = [changing.as_slice(), adjoints].concat();
                let shares = args.iter().zip(shares).filter(|(arg, _)| active[arg.index()]);
                let value = meeting(graph, &changing, graph.node(id).args[0], rows);
                value.or_else(|| {
                    shares.into_iter().find_map(|(_, share)| meeting(graph, &given, *share, rows))
                })
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The identity from features to features, for every row: `[rows | K…, K…]`.
fn unit_seeds(graph: &mut Graph, ty: &Type) -> NodeId {
    let shape = [ty.rows.as_slice(), &ty.features, &ty.features].concat();
    let wide = typed(shape, ty.rows.len());
    let n = ty.features.len() as u32;
    if n == 0 {
        return graph.full(1.0, &wide);
    }
    let deltas: Vec<NodeId> = ty.features.iter().map(|size| graph.delta(size.clone())).collect();
    let unit = match deltas.as_slice() {
        [one] => *one,
        _ => graph.contract((0..n).map(|i| vec![i, n + i]).collect(), &deltas, (0..2 * n).collect(), 0),
    };
    let rows = ty.rows.len();
    let axes = (0..wide.rank()).map(|axis| axis.checked_sub(rows)).collect();
    graph.broadcast(unit, axes, wide)
}

/// Whether the first `rows` axes of every active argument are those of the node, each by itself.
fn keeps_rows(graph: &Graph, id: NodeId, active: &[bool], rows: usize) -> bool {
    let node = graph.node(id);
    if node.ty.rows.len() < rows {
        return false;
    }
    let own = |axes: &[usize]| axes.iter().copied().take(rows).eq(0..rows);
    match &node.kind {
        Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Random { .. } => true,
        Kind::Map(_) | Kind::StopGradient => true,
        Kind::Reduce { axes, .. } => axes.iter().all(|axis| *axis >= rows),
        Kind::View(view) => match view {
            View::Identity | View::Number | View::Reshape => true,
            View::Permute(axes) => own(axes),
            View::Broadcast(axes) => axes.iter().copied().take(rows).eq((0..rows).map(Some)),
            View::Slice { axis, .. }
            | View::Pad { axis, .. }
            | View::Concat { axis }
            | View::Window { axis, .. }
            | View::Fold { axis, .. } => *axis >= rows,
            View::Batch | View::Unbatch => rows == 0,
        },
        // What is active is the table, or the values; an index has no derivative.
        Kind::Gather { shared } | Kind::Scatter { shared } => *shared >= rows,
        Kind::TopK { .. } | Kind::TriangularFactor => true,
        Kind::Contract { inputs, output } => inputs
            .iter()
            .zip(&node.args)
            .filter(|(_, arg)| active.get(arg.index()).copied().unwrap_or(false))
            .all(|(labels, _)| labels.iter().take(rows).eq(output.iter().take(rows))),
        // Nothing in a step crosses the batch; further row axes could still change places.
        Kind::Scan { scan, .. } => {
            let body = &scan.body;
            let from: Vec<bool> =
                node.args.iter().map(|arg| active.get(arg.index()) == Some(&true)).collect();
            let mut steps: Vec<bool> = Vec::with_capacity(body.nodes.len());
            for step in &body.nodes {
                steps.push(match step.kind {
                    Kind::Input(index) => index < scan.carries || from.get(index) == Some(&true),
                    _ => step.args.iter().any(|arg| steps[arg.index()]),
                });
            }
            body.ids().filter(|id| steps[id.index()]).all(|id| keeps_rows(body, id, &steps, rows))
        }
    }
}
