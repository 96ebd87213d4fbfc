//! Products and sums in a cheaper order: sums move inside products, identity matrices vanish, what has no
//! rows leaves the batch, and the order of a chain follows from the sizes.
//!
//! In: a simplified graph. Out: the same meaning, where the predicted cost falls clearly; everything else as
//! it was. Never: a *cancelling* rewrite (see `term`); a cost that depends on the machine.
//!
//! Afterwards every `Contract` is binary, with at least one summed label, each of which both arguments have
//! once; only a diagonal is taken by a `Contract` of one argument. What sums nothing is a `mul`.
//!
//! Each sum and each product is unfolded to factors, as far as that stays stable, and also stopping at each
//! inner product; the cheapest of these plans is compared with what the node costs now, together with the
//! nodes that only it needs.

mod order;
mod rebuild;
mod term;
mod triangular;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::{simplify, without_nodes};
use crate::graph::*;
use crate::print::live;
use crate::size::Size;
use rebuild::Plan;
use term::{Label, Unfolding};

/// A plan replaces a node where it costs less than this part of what is there.
const CLEARLY: f64 = 0.7;

/// The most rounds; each reaches deeper.
const ROUNDS: usize = 4;

/// Re-associates products and sums by cost.
pub fn contract(graph: &Graph) -> Graph {
    let mut old = simplify(graph);
    // What a first round made free, a second may use.
    for _ in 0..ROUNDS {
        let (new, changed) = round(&old);
        if !changed {
            break;
        }
        old = simplify(&new);
    }
    old
}

fn round(graph: &Graph) -> (Graph, bool) {
    let mut new = without_nodes(graph);
    let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
    let live = live(graph);
    let users = users(graph, &live);
    let mut changed = false;
    let mut loops = Vec::new();
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        new.origin = node.origin.clone();
        if let Some((kind, args)) = summed_product(graph, id, &users) {
            changed = true;
            let args = args.iter().map(|arg| moved[arg]).collect();
            moved.insert(id, new.push(kind, args, node.ty.clone()));
            continue;
        }
        let place = match better(graph, id, &users) {
            Some(plan) => {
                changed = true;
                plan.build(graph, &mut new, &moved)
            }
            None => {
                let args = node.args.iter().map(|arg| moved[arg]).collect();
                let kind = match &node.kind {
                    Kind::Scan { scan, result } => {
                        let scan = inside(scan, &mut loops);
                        changed |= scan.1;
                        Kind::Scan { scan: scan.0, result: *result }
                    }
                    kind => kind.clone(),
                };
                new.push(kind, args, node.ty.clone())
            }
        };
        debug_assert_eq!(*new.ty(place), node.ty, "{:?}", node.kind);
        moved.insert(id, place);
    }
    new.outputs.iter_mut().for_each(|output| output.node = moved[&output.node]);
    new.origin = graph.origin.clone();
    (new, changed)
}

/// The sum of a product that nothing else reads, as one product: the same terms, and no intermediate.
fn summed_product(graph: &Graph, id: NodeId, users: &[Vec<NodeId>]) -> Option<(Kind, Vec<NodeId>)> {
    let node = graph.node(id);
    let Kind::Reduce { reduction: Reduction::Sum, axes } = &node.kind else { return None };
    let product = graph.node(node.args[0]);
    let Kind::Contract { inputs, output } = &product.kind else { return None };
    let kept = output.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    let output: Vec<u32> = kept.map(|(_, label)| *label).collect();
    let alone = users[node.args[0].index()] == [id];
    (alone && product.args.len() == 2)
        .then(|| (Kind::Contract { inputs: inputs.clone(), output }, product.args.clone()))
}

/// A loop before and after this pass has gone through its step.
type Inside = Vec<(Rc<Scan>, Rc<Scan>)>;

/// The loop with its step contracted, and whether that changed anything. What no longer depends on a carry, the
/// next `simplify` puts outside.
fn inside(scan: &Rc<Scan>, loops: &mut Inside) -> (Rc<Scan>, bool) {
    if let Some((_, new)) = loops.iter().find(|(old, _)| old == scan) {
        return (new.clone(), new != scan);
    }
    let new = Rc::new(Scan { body: contract(&scan.body), ..Scan::clone(scan) });
    loops.push((scan.clone(), new.clone()));
    let changed = new != *scan;
    (new, changed)
}

/// The live nodes that use each node; an output counts as a use by itself.
fn users(graph: &Graph, live: &[bool]) -> Vec<Vec<NodeId>> {
    let mut users = vec![Vec::new(); graph.nodes.len()];
    for id in graph.ids().filter(|id| live[id.index()]) {
        graph.node(id).args.iter().for_each(|arg| users[arg.index()].push(id));
    }
    graph.outputs.iter().for_each(|output| users[output.node.index()].push(output.node));
    users
}

/// A clearly cheaper plan for a sum or a product, if there is one.
fn better(graph: &Graph, id: NodeId, users: &[Vec<NodeId>]) -> Option<Plan> {
    let node = graph.node(id);
    if !is_root(node) {
        return None;
    }
    let ratio = |plan: &Plan, opened: &[NodeId]| {
        let also = plan.narrows().map_or(Vec::new(), |of| together(graph, id, of, users));
        // A value without elements costs nothing either way.
        plan.cost / (cost(graph, id) + freed(graph, id, opened, users, also)).max(1.0)
    };
    let widest = plans(graph, id, &HashSet::new());
    let mut inner = widest.opened.clone();
    inner.extend(widest.squared.iter().filter(|node| !widest.opened.contains(node)));
    let mut best: Option<(f64, Plan)> = None;
    let mut consider = |plans: Plans| {
        for (plan, opened) in plans.plans {
            let part = ratio(&plan, &opened);
            if best.as_ref().is_none_or(|best| part < best.0) {
                best = Some((part, plan));
            }
        }
    };
    consider(widest);
    // Stopping at one of the products or sums inside.
    for inner in inner.into_iter().filter(|inner| *inner != id && cost(graph, *inner) > 0.0) {
        consider(plans(graph, id, &HashSet::from([inner])));
    }
    let (part, plan) = best?;
    (part < CLEARLY || !is_normal(node)).then_some(plan)
}

/// Whether a node is a sum or a product, which plans are made for.
fn is_root(node: &Node) -> bool {
    matches!(node.kind, Kind::Reduce { reduction: Reduction::Sum, .. } | Kind::Contract { .. })
}

/// Whether a node is in the form that `schedule` is made for; see the header.
fn is_normal(node: &Node) -> bool {
    let Kind::Contract { inputs, output } = &node.kind else { return true };
    let repeats = |labels: &Vec<u32>| labels.iter().enumerate().any(|(i, label)| labels[..i].contains(label));
    match inputs.as_slice() {
        [one] => repeats(one),
        [a, b] => {
            let summed: Vec<&u32> = a.iter().chain(b).filter(|label| !output.contains(label)).collect();
            let both = summed.iter().all(|label| a.contains(label) && b.contains(label));
            !summed.is_empty() && both && !repeats(a) && !repeats(b)
        }
        _ => false,
    }
}

/// The ways to compute a node without opening those that are closed.
struct Plans {
    /// Each with the nodes that it makes superfluous, unless something else needs them.
    plans: Vec<(Plan, Vec<NodeId>)>,
    /// The nodes that were opened.
    opened: Vec<NodeId>,
    /// Products that are squared, and so were not.
    squared: Vec<NodeId>,
}

fn plans(graph: &Graph, id: NodeId, closed: &HashSet<NodeId>) -> Plans {
    let ty = graph.ty(id);
    let mut unfolding =
        Unfolding { graph, closed, sizes: Vec::new(), opened: Vec::new(), squared: Vec::new(), depth: 0 };
    let output: Vec<Label> = ty.shape().into_iter().map(|size| unfolding.label(size)).collect();
    let term = unfolding.open(id, &output);
    let Unfolding { mut sizes, opened, squared, .. } = unfolding;
    let mut plans = Vec::new();
    for narrowed in triangular::narrowed(graph, id, &term, &mut sizes) {
        let mut gone = opened.clone();
        gone.extend(narrowed.product.iter().map(|product| product.of));
        let plan = Plan::new(graph, narrowed.term, sizes.clone(), output.clone(), ty.rows.len());
        plans.extend(plan.map(|plan| (plan.with(narrowed.product), gone)));
    }
    plans.extend(Plan::new(graph, term, sizes, output, ty.rows.len()).map(|plan| (plan, opened.clone())));
    Plans { plans, opened, squared }
}

/// The other sums of squares of the product `of`, where these are all that needs it and each can do with a narrower
/// one: all will, and share it. A penalty of each row and the mean that is logged of it are two such sums.
fn together(graph: &Graph, root: NodeId, of: NodeId, users: &[Vec<NodeId>]) -> Vec<NodeId> {
    let mut sums: Vec<NodeId> = Vec::new();
    for user in &users[of.index()] {
        match graph.node(*user).kind {
            Kind::Map(_) => sums.extend(&users[user.index()]),
            _ => sums.push(*user),
        }
    }
    sums.sort_unstable();
    sums.dedup();
    sums.retain(|sum| *sum != root);
    let narrows = |sum: &NodeId| {
        let plans = plans(graph, *sum, &HashSet::from([of])).plans;
        is_root(graph.node(*sum)) && plans.iter().any(|(plan, _)| plan.narrows() == Some(of))
    };
    if sums.iter().all(narrows) { sums } else { Vec::new() }
}

/// The cost of the opened nodes that nothing else needs, if `also` needs them no more than `root`.
fn freed(graph: &Graph, root: NodeId, opened: &[NodeId], users: &[Vec<NodeId>], also: Vec<NodeId>) -> f64 {
    let mut gone: HashSet<NodeId> = also.into_iter().chain([root]).collect();
    let mut order: Vec<NodeId> = opened.iter().copied().filter(|id| *id != root).collect();
    order.sort_unstable();
    order.dedup();
    let mut sum = 0.0;
    for id in order.into_iter().rev() {
        if users[id.index()].iter().all(|user| *user != id && gone.contains(user)) {
            gone.insert(id);
            sum += cost(graph, id);
        }
    }
    sum
}

/// The predicted cost of a node, in additions, at nominal sizes.
fn cost(graph: &Graph, id: NodeId) -> f64 {
    let node = graph.node(id);
    let elements = |id: NodeId| graph.ty(id).elements().nominal();
    match &node.kind {
        Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::StopGradient => 0.0,
        Kind::Random { .. } => 20.0 * elements(id),
        Kind::Map(row) => row.cost * elements(id),
        Kind::Reduce { .. } => elements(node.args[0]),
        Kind::View(View::Permute(_) | View::Slice { .. } | View::Pad { .. } | View::Concat { .. }) => {
            0.5 * elements(id)
        }
        Kind::View(View::Fold { .. }) => elements(node.args[0]),
        // Never opened, so never weighed.
        Kind::View(_) | Kind::Scan { .. } => 0.0,
        // Loads through an index cost more than others.
        Kind::Gather { .. } => elements(id),
        Kind::Scatter { .. } => elements(node.args[0]) + elements(id),
        Kind::TopK { .. } => 4.0 * elements(node.args[0]),
        Kind::TriangularFactor => triangular::cost(&graph.ty(node.args[0]).features),
        Kind::Contract { inputs, .. } => {
            let mut sizes: HashMap<u32, f64> = HashMap::new();
            for (labels, arg) in inputs.iter().zip(&node.args) {
                let shape = graph.ty(*arg).shape();
                sizes.extend(labels.iter().copied().zip(shape.iter().map(Size::nominal)));
            }
            sizes.values().product::<f64>() * (inputs.len().max(2) - 1) as f64
        }
    }
}
