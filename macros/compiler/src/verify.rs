//! The rules of a well-formed graph, checked after every pass.
//!
//! In: a graph and the name of the pass that made it. Out: a complaint that names the pass and the node.
//! Never: a repair; a rule that depends on a machine.

mod index;

use crate::build::{factor_type, folded_type, pieces, reduced_type, resized, typed, windowed_type};
use crate::graph::*;
use crate::size::Size;

mod scan;

use scan::check_scan;

/// Whether every node's type follows from its kind and arguments, all arguments come first, and every
/// output exists and has the type of its role.
///
/// # Errors
/// The first broken rule, with the pass and the node.
pub fn verify(graph: &Graph, pass: &str) -> Result<(), String> {
    for id in graph.ids() {
        let node = graph.node(id);
        check(graph, id).map_err(|rule| {
            let Node { kind, ty, origin, .. } = node;
            let args: String = node.args.iter().map(|a| format!(" %{}", a.0)).collect();
            let place = format!("{}:{} {}", origin.file, origin.line, origin.label);
            format!("after `{pass}`: %{}: {ty} = {kind:?}{args}: {rule} ({place})", id.0)
        })?;
    }
    for hand in &graph.by_hand {
        check_by_hand(graph, hand).map_err(|rule| format!("after `{pass}`: a derivative by hand: {rule}"))?;
    }
    for Output { role, node } in &graph.outputs {
        let complain = |rule: &str| Err(format!("after `{pass}`: output {role:?} is %{}: {rule}", node.0));
        if node.index() >= graph.nodes.len() {
            return complain("there is no such node");
        }
        let fits = match role {
            Role::Loss | Role::Metric(_) => graph.ty(*node).rank() == 0,
            Role::Gradient(index) | Role::State(index) => {
                let state = matches!(role, Role::State(_));
                let fits = |param: &ParamDecl| param.ty == *graph.ty(*node) && param.state == state;
                graph.params.get(*index).is_some_and(fits)
            }
            Role::Result(_) | Role::Inspect(_) => true,
        };
        if !fits {
            return complain(&format!("{} is not the type of its role", graph.ty(*node)));
        }
    }
    Ok(())
}

type Rule = Result<(), String>;

fn ensure(holds: bool, rule: impl FnOnce() -> String) -> Rule {
    if holds { Ok(()) } else { Err(rule()) }
}

/// The rules of a derivative by hand.
fn check_by_hand(graph: &Graph, hand: &ByHand) -> Rule {
    let ByHand { results, args, adjoints, shares } = hand;
    let exists = |id: &NodeId| id.index() < graph.nodes.len();
    let all = || results.iter().chain(args).chain(adjoints).chain(shares);
    ensure(all().all(exists), || "there is no such node".into())?;
    let same = |left: &[NodeId], right: &[NodeId]| {
        left.len() == right.len() && left.iter().zip(right).all(|(l, r)| graph.ty(*l) == graph.ty(*r))
    };
    ensure(same(results, adjoints), || "an adjoint for each result, of its type".into())?;
    ensure(same(args, shares), || "a share for each argument, of its type".into())?;
    let is_cut = |id: &NodeId| graph.node(*id).kind == Kind::View(View::Identity);
    ensure(results.iter().chain(adjoints).all(is_cut), || "results and adjoints are cuts".into())?;
    let last = args.iter().chain(adjoints).chain(shares).max();
    let follow = results.iter().zip(results.iter().skip(1)).all(|(a, b)| a.0 + 1 == b.0);
    let comes_last = results.first().is_none_or(|first| last.is_none_or(|last| last < first));
    ensure(follow && comes_last, || "the results come last, next to each other".into())
}

/// The rules of one node.
fn check(graph: &Graph, id: NodeId) -> Rule {
    let node = graph.node(id);
    ensure(node.args.iter().all(|arg| arg < &id), || "an argument does not come before it".into())?;
    let batch = node.ty.rows.first();
    ensure(batch.is_none_or(|b| *b == Size::batch()), || "the first row axis is not the batch".into())?;
    let arity = match &node.kind {
        Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Random { .. } => 0,
        Kind::Map(row) => row.arity,
        Kind::Contract { inputs, .. } => inputs.len().max(1),
        Kind::View(View::Concat { .. }) => node.args.len().max(1),
        Kind::Reduce { .. } | Kind::View(_) | Kind::TopK { .. } | Kind::StopGradient => 1,
        Kind::TriangularFactor => 1,
        Kind::Gather { .. } | Kind::Scatter { .. } => 2,
        Kind::Scan { scan, .. } => scan.body.inputs.len(),
    };
    ensure(node.args.len() == arity, || format!("{} arguments where {arity} are expected", node.args.len()))?;
    let computes = matches!(
        node.kind,
        Kind::Map(_)
            | Kind::Reduce { .. }
            | Kind::Contract { .. }
            | Kind::TopK { .. }
            | Kind::Scatter { .. }
            | Kind::TriangularFactor
    );
    let values = if matches!(node.kind, Kind::Scatter { .. }) { &node.args[..1] } else { &node.args[..] };
    ensure(!computes || !values.iter().any(|arg| graph.is_index(*arg)), || {
        "it computes with an index".into()
    })?;
    let is = |ty: Option<&Type>| match ty {
        Some(ty) => ensure(*ty == node.ty, || format!("the type should be {ty}")),
        None => Err("it is not declared".to_owned()),
    };
    let arg = node.args.first().map(|arg| graph.ty(*arg));
    match &node.kind {
        Kind::Input(index) => is(graph.inputs.get(*index).map(|d| &d.ty)),
        Kind::Param(index) => {
            ensure(node.ty.rows.is_empty(), || "a parameter has rows".into())?;
            is(graph.params.get(*index).map(|d| &d.ty))
        }
        Kind::Hyper(index) => {
            ensure(*index < graph.hypers.len(), || "it is not declared".into())?;
            is(Some(&Type::scalar()))
        }
        Kind::Const(Constant::Number(_) | Constant::Size(_)) => is(Some(&Type::scalar())),
        Kind::Const(Constant::Delta) => match (node.ty.rows.as_slice(), node.ty.features.as_slice()) {
            ([], [n, m]) if n == m => Ok(()),
            _ => Err("an identity matrix is square".into()),
        },
        Kind::Const(Constant::Iota) => ensure(node.ty.rows.is_empty() && node.ty.features.len() == 1, || {
            "numbers in a row have one axis".into()
        }),
        Kind::Random { site, .. } => ensure(*site < graph.sites, || "its site is not counted".into()),
        Kind::Map(_) => node.args.iter().try_for_each(|arg| is(Some(graph.ty(*arg)))),
        Kind::StopGradient | Kind::View(View::Identity) => is(arg),
        Kind::Reduce { axes, .. } => {
            let from = arg.ok_or("no argument")?;
            ensure(!axes.is_empty() && axes.is_sorted_by(|a, b| a < b), || "axes do not ascend".into())?;
            ensure(axes.iter().all(|axis| *axis < from.rank()), || format!("{from} lacks an axis"))?;
            is(Some(&reduced_type(from, axes)))
        }
        Kind::View(view) => check_view(graph, node, view),
        Kind::Contract { inputs, output } => check_contract(graph, node, inputs, output),
        Kind::TopK { .. } | Kind::Gather { .. } | Kind::Scatter { .. } => index::check(graph, node),
        Kind::TriangularFactor => {
            let from = arg.ok_or("no argument")?;
            ensure(from.rows.is_empty() && from.rank() >= 2, || format!("{from} is no matrix without rows"))?;
            is(Some(&factor_type(from)))
        }
        Kind::Scan { scan, result } => check_scan(graph, node, scan, *result),
    }
}

fn check_view(graph: &Graph, node: &Node, view: &View) -> Rule {
    let from = graph.ty(node.args[0]);
    let (shape, to) = (from.shape(), node.ty.shape());
    let should = |ty: Type| ensure(ty == node.ty, || format!("the type should be {ty}"));
    let axis_exists = |axis: usize| ensure(axis < shape.len(), || format!("{from} has no axis {axis}"));
    match view {
        View::Identity => Ok(()),
        View::Number => {
            ensure(graph.is_index(node.args[0]), || "only an index becomes numbers".into())?;
            should(from.clone())
        }
        View::Reshape => {
            ensure(from.rows == node.ty.rows, || "the row axes change".into())?;
            ensure(from.elements() == node.ty.elements(), || "the number of elements changes".into())
        }
        View::Permute(axes) => {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            ensure(sorted.iter().copied().eq(0..shape.len()), || format!("{axes:?} is no permutation"))?;
            let batch_stays = from.rows.is_empty() == node.ty.rows.is_empty()
                && (from.rows.is_empty() || axes.first() == Some(&0));
            ensure(batch_stays, || "the batch's axis moves".into())?;
            should(typed(axes.iter().map(|axis| shape[*axis].clone()).collect(), node.ty.rows.len()))
        }
        View::Broadcast(axes) => {
            ensure(axes.len() == to.len(), || "one entry an output axis".into())?;
            let named: Vec<usize> = axes.iter().copied().flatten().collect();
            ensure(named.is_sorted_by(|a, b| a < b), || "axes do not ascend".into())?;
            for (axis, target) in axes.iter().zip(&to) {
                if let Some(axis) = axis {
                    axis_exists(*axis)?;
                    ensure(shape[*axis] == *target, || {
                        format!("axis {axis}: {} is not {target}", shape[*axis])
                    })?;
                }
            }
            for (axis, size) in shape.iter().enumerate().filter(|(axis, _)| !named.contains(axis)) {
                ensure(size.is_one(), || format!("axis {axis} of size {size} is dropped"))?;
            }
            let kept = axes.first() == Some(&Some(0));
            let batch = match (from.rows.is_empty(), node.ty.rows.is_empty()) {
                (true, true) => true,
                (true, false) => !kept,
                (false, rowless) => kept && !rowless,
            };
            ensure(batch, || "the batch's axis moves".into())
        }
        View::Slice { axis, start } => {
            axis_exists(*axis)?;
            let end = start + &to[*axis];
            ensure(!start.is_negative(), || format!("{start} is before the first element"))?;
            let inside = (&shape[*axis] - &end).value().is_some() || end.value().is_none();
            ensure(inside || shape[*axis].value().is_none(), || format!("{end} is beyond {}", shape[*axis]))?;
            should(resized(from, *axis, to[*axis].clone()))
        }
        View::Pad { axis, before } => {
            axis_exists(*axis)?;
            let end = before + &shape[*axis];
            ensure(!before.is_negative(), || format!("{before} zeros cannot come first"))?;
            let inside = (&to[*axis] - &end).value().is_some() || end.value().is_none();
            ensure(inside || to[*axis].value().is_none(), || format!("{end} is beyond {}", to[*axis]))?;
            should(resized(from, *axis, to[*axis].clone()))
        }
        View::Concat { axis } => {
            axis_exists(*axis)?;
            let mut len = Size::default();
            for arg in &node.args {
                let ty = graph.ty(*arg);
                let alike = graph.is_index(*arg) == graph.is_index(node.args[0]);
                ensure(alike, || "numbers follow an index".into())?;
                ensure(ty.rank() == shape.len(), || format!("{ty} has another number of axes"))?;
                let size = &ty.shape()[*axis];
                ensure(resized(ty, *axis, to[*axis].clone()) == node.ty, || format!("{ty} does not fit"))?;
                len = &len + size;
            }
            should(resized(from, *axis, len))
        }
        View::Window { axis, kernel, stride, dilation } => {
            let feature = *axis >= from.rows.len() && *axis < shape.len();
            ensure(feature, || format!("{from} has no feature axis {axis}"))?;
            ensure(*stride > 0 && *dilation > 0, || "a step is 0".into())?;
            let ty = windowed_type(from, *axis, *kernel, *stride, *dilation);
            should(ty.ok_or_else(|| format!("pieces of {kernel} do not fit into {}", shape[*axis]))?)
        }
        View::Fold { axis, stride, dilation } => {
            let feature = *axis >= from.rows.len() && axis + 1 < shape.len();
            ensure(feature, || format!("{from} has no feature axes {axis} and the next"))?;
            ensure(*stride > 0 && *dilation > 0, || "a step is 0".into())?;
            let kernel = shape[axis + 1].value().ok_or("the size of a piece is not known")?;
            let len = to.get(*axis).ok_or("the axis is missing")?;
            ensure(pieces(len, kernel, *stride, *dilation).as_ref() == Some(&shape[*axis]), || {
                format!("{} pieces of {kernel} do not come from {len}", shape[*axis])
            })?;
            should(folded_type(from, *axis, len.clone()))
        }
        View::Batch => {
            ensure(from.rows.len() == 1, || "the rows of one batch, and no others, become an axis".into())?;
            should(Type { rows: vec![], features: shape.clone() })
        }
        View::Unbatch => {
            ensure(from.rows.is_empty() && !from.features.is_empty(), || "the argument has rows".into())?;
            should(typed(shape.clone(), 1))
        }
    }
}

fn check_contract(graph: &Graph, node: &Node, inputs: &[Vec<u32>], output: &[u32]) -> Rule {
    let mut sizes: Vec<(u32, Size)> = Vec::new();
    let mut batch = Vec::new();
    for (labels, arg) in inputs.iter().zip(&node.args) {
        let ty = graph.ty(*arg);
        ensure(labels.len() == ty.rank(), || format!("{} labels for {ty}", labels.len()))?;
        if !ty.rows.is_empty() {
            batch.push(labels[0]);
        }
        for (label, size) in labels.iter().zip(ty.shape()) {
            match sizes.iter().find(|(l, _)| l == label) {
                Some((_, other)) => {
                    ensure(*other == size, || format!("label {label} is {other} and {size}"))?
                }
                None => sizes.push((*label, size)),
            }
        }
    }
    ensure(batch.iter().all(|label| *label == batch[0]), || "rows of several labels meet".into())?;
    for (labels, arg) in inputs.iter().zip(&node.args) {
        let first = usize::from(!graph.ty(*arg).rows.is_empty());
        let mixed = labels[first..].iter().any(|label| batch.first() == Some(label));
        ensure(!mixed, || "the batch's label is also a feature's".into())?;
    }
    for (place, label) in output.iter().enumerate() {
        ensure(!output[..place].contains(label), || format!("label {label} stands twice in the result"))?;
        ensure(sizes.iter().any(|(l, _)| l == label), || format!("label {label} is in no argument"))?;
    }
    let kept = batch.first().is_some_and(|label| output.contains(label));
    let in_place = kept != node.ty.rows.is_empty() && (!kept || output.first() == batch.first());
    ensure(in_place, || "the batch's axis moves".into())?;
    let shape: Vec<Size> =
        output.iter().filter_map(|l| sizes.iter().find(|(m, _)| m == l)).map(|(_, s)| s.clone()).collect();
    ensure(node.ty.rows.len() <= shape.len(), || "more rows than axes".into())?;
    let ty = typed(shape, node.ty.rows.len());
    ensure(ty == node.ty, || format!("the type should be {ty}"))
}
