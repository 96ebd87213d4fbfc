//! Loops: what they mean, their derivatives, and that every pass and `vmap` keep both.

use diabolo_compiler::autodiff::{differentiate_loss, jacobian, vjp, vmap};
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::passes;
use diabolo_compiler::scan::{Carry, Recurrence, Results, Sequence, build, crossing, place};
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, same_meaning, same_value};
use diabolo_compiler::verify::verify;

const I: usize = 3;
const H: usize = 2;

fn size(n: usize) -> Size {
    Size::known(n)
}

fn rows(features: &[Size]) -> Type {
    Type { rows: vec![Size::batch()], features: features.to_vec() }
}

/// `x: [B | T, 3]`, a first state `[B | 2]`, weights `[3, 2]` and `[2, 2]`.
fn leaves(length: &Size) -> (Graph, [NodeId; 4]) {
    let mut graph = Graph::default();
    graph.networks.push(NetworkDecl { name: "net".into(), id: "net".into(), routes: vec![], trained: true });
    let x = rows(&[length.clone(), size(I)]);
    let h = rows(&[size(H)]);
    for (index, ty) in [x.clone(), h.clone()].into_iter().enumerate() {
        graph.inputs.push(InputDecl { name: format!("x{index}"), ty, index: false });
    }
    let (x, h) = (graph.push(Kind::Input(0), vec![], x), graph.push(Kind::Input(1), vec![], h));
    let mut weights = Vec::new();
    for (index, n) in [I, H].into_iter().enumerate() {
        let ty = Type { rows: vec![], features: vec![size(n), size(H)] };
        let path = format!("net.w{index}");
        graph.params.push(ParamDecl {
            path,
            network: 0,
            ty: ty.clone(),
            initial: Initial::Normal(1.0),
            state: false,
        });
        weights.push(graph.push(Kind::Param(index), vec![], ty));
    }
    (graph, [x, h, weights[0], weights[1]])
}

fn data(length: usize) -> Inputs {
    let mut rng = Rng(7 + length as u64);
    let mut draw = |n: usize| (0..n).map(|_| rng.between(-1.0, 1.0)).collect::<Vec<f64>>();
    Inputs {
        symbols: [("B".to_owned(), 2), ("T".to_owned(), length)].into(),
        inputs: vec![draw(2 * length * I), draw(2 * H)],
        params: vec![draw(I * H), draw(H * H)],
        seed: 5,
        ..Inputs::default()
    }
}

/// `h' = tanh(x W + h U) + h / 2`, and `sin(h' h)` beside it.
fn step(graph: &mut Graph, x: NodeId, h: NodeId, w: NodeId, u: NodeId) -> (NodeId, NodeId) {
    let xw = graph.contract(vec![vec![0, 1], vec![1, 2]], &[x, w], vec![0, 2], 1);
    let hu = graph.contract(vec![vec![0, 1], vec![1, 2]], &[h, u], vec![0, 2], 1);
    let sum = graph.add(xw, hu);
    let half = graph.scale(h, 0.5);
    let squashed = graph.row("tanh", &[sum]);
    let next = graph.add(squashed, half);
    let product = graph.mul(next, h);
    (next, graph.row("sin", &[product]))
}

fn looped(graph: &mut Graph, [x, h, w, u]: [NodeId; 4], length: &Size, reverse: bool) -> Results {
    let first = NodeId(graph.nodes.len() as u32);
    let (slice_ty, state_ty) = (rows(&[size(I)]), rows(&[size(H)]));
    let (slice, state) = (place(graph, &slice_ty), place(graph, &state_ty));
    let (next, beside) = step(graph, slice, state, w, u);
    let recurrence = Recurrence {
        carries: vec![Carry { place: state, init: h, next }],
        sequences: vec![Sequence { place: slice, whole: x }],
        outputs: vec![beside],
        length: length.clone(),
        reverse,
        first,
        fixed: vec![],
    };
    assert_eq!(crossing(graph, &recurrence), None);
    build(graph, &recurrence)
}

/// The same without a loop: the last state, the states stacked, the values beside them stacked.
fn unrolled(graph: &mut Graph, [x, h, w, u]: [NodeId; 4], length: usize, reverse: bool) -> [NodeId; 3] {
    let (mut state, mut states, mut besides) = (h, Vec::new(), Vec::new());
    for turn in 0..length {
        let time = if reverse { length - 1 - turn } else { turn };
        let slice = graph.slice(x, 1, time, size(1));
        let slice = graph.reshape(slice, rows(&[size(I)]));
        let (next, beside) = step(graph, slice, state, w, u);
        let long = |graph: &mut Graph, id| graph.reshape(id, rows(&[size(1), size(H)]));
        states.push(long(graph, next));
        besides.push(long(graph, beside));
        state = next;
    }
    if reverse {
        states.reverse();
        besides.reverse();
    }
    [state, graph.concat(&states, 1), graph.concat(&besides, 1)]
}

/// A loss of the three results, each weighed differently at each place.
fn loss(graph: &mut Graph, results: [NodeId; 3]) -> NodeId {
    let mut loss = graph.number(0.0);
    for (at, id) in results.into_iter().enumerate() {
        let moved = graph.offset(id, 0.3 * at as f64);
        let cubed = graph.square(moved);
        let cubed = graph.mul(cubed, moved);
        let rank = graph.ty(cubed).rank();
        let sum = graph.sum(cubed, &(0..rank).collect::<Vec<_>>());
        loss = graph.add(loss, sum);
    }
    loss
}

/// Both programs with what `outputs` makes of them, for every length and both directions.
fn compare(outputs: impl Fn(&mut Graph, [NodeId; 4], [NodeId; 3])) {
    for (length, symbol) in [(1, false), (2, false), (3, true), (7, true), (65, false)] {
        for reverse in [false, true] {
            let n = if symbol { Size::symbol("T") } else { size(length) };
            let (mut graph, given) = leaves(&n);
            let results = looped(&mut graph, given, &n, reverse);
            let results = [results.last[0], results.stacked[0], results.stacked[1]];
            outputs(&mut graph, given, results);
            let (mut other, given) = leaves(&size(length));
            let results = unrolled(&mut other, given, length, reverse);
            outputs(&mut other, given, results);
            let inputs = data(length);
            let place = format!("length {n} of {length}, reverse {reverse}");
            let (scanned, plain) = (interpret(&graph, &inputs).unwrap(), interpret(&other, &inputs).unwrap());
            verify(&graph, "build").unwrap_or_else(|e| panic!("{place}: {e}"));
            for (a, b) in graph.outputs.iter().zip(&other.outputs) {
                same_value(&plain[b.node], &scanned[a.node], 1e-11)
                    .unwrap_or_else(|e| panic!("{place} {:?}: {e}", a.role));
            }
            assert_eq!(graph.outputs.len(), other.outputs.len());
            let mut passed = graph.clone();
            for (name, pass) in passes::ALL {
                passed = pass(&passed);
                verify(&passed, name).unwrap_or_else(|e| panic!("{place}: {e}"));
                same_meaning(&graph, &passed, &inputs, 1e-11)
                    .unwrap_or_else(|e| panic!("{place} {name}: {e}"));
            }
        }
    }
}

fn give(graph: &mut Graph, node: NodeId) {
    let index = graph.outputs.len();
    graph.outputs.push(Output { role: Role::Result(index), node });
}

#[test]
fn a_loop_is_the_same_as_its_turns_one_by_one() {
    compare(|graph, _, results| results.into_iter().for_each(|id| give(graph, id)));
}

#[test]
fn its_gradient_is_that_of_its_turns() {
    compare(|graph, given, results| {
        let loss = loss(graph, results);
        let seed = graph.full_like(1.0, loss);
        vjp(graph, loss, seed, &given).into_iter().for_each(|id| give(graph, id));
    });
}

#[test]
fn its_second_derivative_is_that_of_its_turns() {
    compare(|graph, given, results| {
        let loss = loss(graph, results);
        let seed = graph.full_like(1.0, loss);
        let first = vjp(graph, loss, seed, &given);
        let mut slopes = graph.number(0.0);
        for id in first {
            let square = graph.square(id);
            let rank = graph.ty(square).rank();
            let sum = graph.sum(square, &(0..rank).collect::<Vec<_>>());
            slopes = graph.add(slopes, sum);
        }
        let seed = graph.full_like(1.0, slopes);
        vjp(graph, slopes, seed, &given).into_iter().for_each(|id| give(graph, id));
    });
}

#[test]
fn its_jacobians_are_those_of_its_turns() {
    compare(|graph, [x, h, ..], [last, stacked, _]| {
        // The cuts are the leaves themselves.
        for (y, x) in [(last, h), (last, x), (stacked, h)] {
            let rows = jacobian(graph, y, x).unwrap();
            give(graph, rows);
        }
    });
}

#[test]
fn more_axes_go_through_a_loop() {
    compare(|graph, given, results| {
        let wide: Vec<(NodeId, NodeId)> = given[1..]
            .iter()
            .map(|id| {
                let ty = graph.ty(*id).clone();
                let rows = ty.rows.len();
                let features = [vec![size(4)], ty.features.clone()].concat();
                let axes = (0..=ty.rank()).map(|a| match a {
                    _ if a < rows => Some(a),
                    _ if a == rows => None,
                    _ => Some(a - 1),
                });
                let wide = graph.broadcast(*id, axes.collect(), Type { rows: ty.rows, features });
                let count = graph.size(size(3));
                let count = graph.broadcast(count, vec![None; graph.ty(wide).rank()], graph.ty(wide).clone());
                (*id, graph.div(wide, count))
            })
            .collect();
        for id in vmap(graph, &wide, 1, &results) {
            give(graph, id);
        }
    });
}

#[test]
fn the_gradient_of_a_weight_is_one_product_over_rows_and_steps() {
    let n = Size::symbol("T");
    let (mut graph, given) = leaves(&n);
    let results = looped(&mut graph, given, &n, false);
    let loss = loss(&mut graph, [results.last[0], results.stacked[0], results.stacked[1]]);
    graph.outputs.push(Output { role: Role::Loss, node: loss });
    differentiate_loss(&mut graph);
    let graph = passes::contract(&passes::simplify(&graph));
    for output in graph.outputs.iter().filter(|output| matches!(output.role, Role::Gradient(_))) {
        let node = graph.node(output.node);
        let Kind::Contract { inputs, .. } = &node.kind else { panic!("{:?}", node.kind) };
        assert_eq!(inputs.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    }
    // In the loops: one product with the square weight each.
    for node in &graph.nodes {
        if let Kind::Scan { scan, .. } = &node.kind {
            let products = scan.body.nodes.iter().filter(|n| matches!(n.kind, Kind::Contract { .. })).count();
            assert_eq!(products, 1);
        }
    }
}
