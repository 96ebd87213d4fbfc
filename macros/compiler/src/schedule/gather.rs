//! One product instead of two.
//!
//! In: a graph. Out: the same, where a sum of products with a common factor, `a·b + a·c`, is the product
//! `a·(b + c)`: what derivatives leave of a weight that is used twice. Never: a sum that another node reads.

use std::collections::HashMap;

use crate::graph::*;

/// Gathers all sums.
pub(super) fn gather(graph: &Graph) -> Graph {
    let mut uses = vec![0_usize; graph.nodes.len()];
    let args = graph.nodes.iter().flat_map(|node| &node.args);
    for id in args.chain(graph.outputs.iter().map(|output| &output.node)) {
        uses[id.index()] += 1;
    }
    let mut out = Graph { nodes: Vec::with_capacity(graph.nodes.len()), ..graph.clone() };
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    for id in graph.ids() {
        let node = graph.node(id);
        out.origin = node.origin.clone();
        let sum = if is_add(node) { gathered(graph, &uses, id) } else { None };
        map.push(match sum {
            Some(terms) => rebuild(&mut out, &map, terms),
            None => {
                let args = node.args.iter().map(|arg| map[arg.index()]).collect();
                out.push(node.kind.clone(), args, node.ty.clone())
            }
        });
    }
    for output in &mut out.outputs {
        output.node = map[output.node.index()];
    }
    out
}

/// A term of a sum: a node, or a product whose factors are sums.
enum Term {
    Node(NodeId),
    Product { of: NodeId, factors: [Vec<NodeId>; 2] },
}

fn is_add(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(row) if row.name == "add")
}

/// The terms of a sum, products gathered; `None` where nothing is to be gained.
fn gathered(graph: &Graph, uses: &[usize], sum: NodeId) -> Option<Vec<Term>> {
    let mut leaves = Vec::new();
    let mut open = vec![sum];
    while let Some(id) = open.pop() {
        if is_add(graph.node(id)) && (id == sum || uses[id.index()] == 1) {
            open.extend(graph.node(id).args.iter().rev());
        } else {
            leaves.push(id);
        }
    }
    let mut terms: Vec<Term> = Vec::new();
    let mut gained = false;
    for leaf in leaves {
        let product = matches!(&graph.node(leaf).kind, Kind::Contract { inputs, .. } if inputs.len() == 2);
        if !product || uses[leaf.index()] != 1 {
            terms.push(Term::Node(leaf));
            continue;
        }
        let joined = terms.iter_mut().any(|term| match term {
            Term::Product { of, factors } => join(graph, *of, factors, leaf),
            Term::Node(_) => false,
        });
        gained |= joined;
        if !joined {
            let args = &graph.node(leaf).args;
            terms.push(Term::Product { of: leaf, factors: [vec![args[0]], vec![args[1]]] });
        }
    }
    gained.then_some(terms)
}

/// Adds the product `other` to a factor of the term, where one factor is the same in both.
fn join(graph: &Graph, of: NodeId, factors: &mut [Vec<NodeId>; 2], other: NodeId) -> bool {
    let (Kind::Contract { inputs, output }, Kind::Contract { inputs: theirs, output: to }) =
        (&graph.node(of).kind, &graph.node(other).kind)
    else {
        return false;
    };
    let args = &graph.node(other).args;
    for (mine, place) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        // Factor `mine` of the term is factor `place` of the other product; the rest is added.
        let (rest, rest_place) = (1 - mine, 1 - place);
        let same = factors[mine] == [args[place]]
            && graph.ty(factors[rest][0]) == graph.ty(args[rest_place])
            && alike([&inputs[mine], &inputs[rest], output], [&theirs[place], &theirs[rest_place], to]);
        if same {
            factors[rest].push(args[rest_place]);
            return true;
        }
    }
    false
}

/// Whether label lists are the same up to names.
fn alike(left: [&Vec<u32>; 3], right: [&Vec<u32>; 3]) -> bool {
    let (mut there, mut back) = (HashMap::new(), HashMap::new());
    left.iter().zip(right).all(|(a, b)| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(x, y)| *there.entry(*x).or_insert(*y) == *y && *back.entry(*y).or_insert(*x) == *x)
    })
}

fn rebuild(out: &mut Graph, map: &[NodeId], terms: Vec<Term>) -> NodeId {
    let mut total: Option<NodeId> = None;
    for term in terms {
        let node = match term {
            Term::Node(id) => map[id.index()],
            Term::Product { of, factors } => {
                // The node that `gather` copied for it serves as the pattern; unused, it is never scheduled.
                let pattern = out.node(map[of.index()]).clone();
                let args: Vec<NodeId> = factors
                    .iter()
                    .map(|list| {
                        let nodes = list.iter().map(|id| map[id.index()]);
                        nodes.reduce(|a, b| out.add(a, b)).unwrap_or(map[of.index()])
                    })
                    .collect();
                out.push(pattern.kind, args, pattern.ty)
            }
        };
        total = Some(match total {
            Some(sum) => out.add(sum, node),
            None => node,
        });
    }
    total.unwrap_or(NodeId(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::{Inputs, interpret};
    use crate::size::Size;

    #[test]
    fn a_common_factor_is_multiplied_once() {
        let mut graph = Graph::default();
        let ty = |n: usize| Type { rows: vec![], features: vec![Size::known(n), Size::known(3)] };
        let params: Vec<NodeId> = (0..4).map(|i| graph.push(Kind::Param(i), vec![], ty(2 + i / 3))).collect();
        let mut product = |a: usize, b: usize| {
            graph.contract(vec![vec![0, 1], vec![2, 1]], &[params[a], params[b]], vec![0, 2], 0)
        };
        let (ab, ac) = (product(0, 1), product(0, 2));
        let ca = graph.contract(vec![vec![5, 7], vec![6, 7]], &[params[2], params[0]], vec![6, 5], 0);
        let sum = graph.add(ab, ac);
        let sum = graph.add(sum, ca);
        graph.outputs.push(Output { role: Role::Result(0), node: sum });
        let new = gather(&graph);
        let live = crate::print::live(&new);
        let products = new.ids().filter(|id| live[id.index()]);
        let products = products.filter(|id| matches!(new.node(*id).kind, Kind::Contract { .. })).count();
        assert_eq!(products, 1);
        let params =
            (0..4).map(|i| (0..9).map(|j| (i * j + 1) as f64).take(if i == 3 { 9 } else { 6 }).collect());
        let inputs = Inputs { params: params.collect(), ..Inputs::default() };
        let (old_values, new_values) =
            (interpret(&graph, &inputs).unwrap(), interpret(&new, &inputs).unwrap());
        assert_eq!(old_values[sum].data, new_values[new.outputs[0].node].data);
    }
}
