//! `verify` accepts what is well formed and names the pass that made what is not.

use diabolo_compiler::autodiff::differentiate_loss;
use diabolo_compiler::graph::*;
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, program};
use diabolo_compiler::verify::verify;

/// One wrong thing in a graph: a mutation that leaves no node as it was allowed to be.
fn mutate(graph: &mut Graph, rng: &mut Rng) -> Option<String> {
    let id = rng.below(graph.nodes.len());
    let before = graph.nodes[id].clone();
    let node = &mut graph.nodes[id];
    let rank = node.ty.rank();
    let way = rng.below(6);
    match way {
        0 => node.ty.features.push(Size::known(7)),
        1 if rank > 0 => {
            let axes = if node.ty.features.is_empty() { &mut node.ty.rows } else { &mut node.ty.features };
            axes[0] = &axes[0] + &Size::known(1);
        }
        2 if !node.args.is_empty() => node.args[0] = NodeId(id as u32),
        3 if !node.args.is_empty() => drop(node.args.pop()),
        4 if !node.args.is_empty() => node.args.push(node.args[0]),
        5 => match &mut node.kind {
            Kind::Reduce { axes, .. } => axes.push(rank + 9),
            Kind::Contract { output, .. } => output.push(99),
            Kind::View(View::Permute(axes)) if axes.len() > 1 => axes[0] = axes[1],
            Kind::View(View::Broadcast(axes)) if rank > 0 => axes[0] = Some(17),
            Kind::View(View::Slice { start, axis }) => (*start, *axis) = (Size::known(1000), *axis),
            Kind::Input(index) | Kind::Param(index) | Kind::Hyper(index) => *index += 10,
            Kind::Random { site, .. } => *site += 1000,
            _ => return None,
        },
        _ => return None,
    }
    // How often a value is repeated, and how many arguments follow one another, is free.
    let free = match &before.kind {
        Kind::View(View::Concat { .. } | View::Slice { .. }) | Kind::Random { .. } => true,
        Kind::View(View::Broadcast(_) | View::Pad { .. }) => way == 1,
        _ => false,
    };
    (!free && graph.nodes[id] != before).then(|| format!("%{id}: {before:?} became {:?}", graph.nodes[id]))
}

#[test]
fn mutations_are_found() {
    let mut found = 0;
    for seed in 0..600 {
        let mut made = program(seed % 60, 15);
        differentiate_loss(&mut made.graph);
        let mut rng = Rng(seed);
        let Some(what) = mutate(&mut made.graph, &mut rng) else { continue };
        found += 1;
        let message = verify(&made.graph, "mutate").expect_err(&what);
        assert!(message.starts_with("after `mutate`: "), "{message}");
    }
    assert!(found > 200, "{found}");
}

#[test]
fn outputs_have_the_type_of_their_role() {
    let mut made = program(1, 10);
    made.graph.outputs[0].node = NodeId(0);
    assert!(verify(&made.graph, "p").unwrap_err().contains("Loss"));
    made.graph.outputs[0].node = NodeId(100_000);
    assert!(verify(&made.graph, "p").unwrap_err().contains("no such node"));
}

#[test]
fn the_batch_stays_in_its_place() {
    let ty = Type { rows: vec![Size::batch()], features: vec![Size::batch()] };
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "x".into(), ty: ty.clone(), index: false });
    let x = graph.push(Kind::Input(0), vec![], ty.clone());
    verify(&graph, "p").unwrap();
    let mut turned = graph.clone();
    turned.push(Kind::View(View::Permute(vec![1, 0])), vec![x], ty);
    assert!(verify(&turned, "p").unwrap_err().contains("batch's axis moves"));
    let mut mixed = graph.clone();
    let row = Type { rows: vec![Size::batch()], features: vec![] };
    mixed.push(Kind::Contract { inputs: vec![vec![0, 0]], output: vec![0] }, vec![x], row);
    assert!(verify(&mixed, "p").unwrap_err().contains("also a feature's"));
    let all = graph.batch(x);
    let back = graph.unbatch(all);
    assert_eq!(graph.ty(back), graph.ty(x));
    verify(&graph, "p").unwrap();
}

#[test]
fn a_type_must_follow_from_the_arguments() {
    let vector = |n| Type { rows: vec![Size::batch()], features: vec![Size::known(n)] };
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "x".into(), ty: vector(4), index: false });
    let x = graph.push(Kind::Input(0), vec![], vector(4));
    let nodes = [
        Kind::Reduce { reduction: Reduction::Sum, axes: vec![1] },
        Kind::View(View::Slice { axis: 1, start: Size::known(2) }),
        Kind::View(View::Pad { axis: 1, before: Size::known(1) }),
        // Three pieces of two, and two of three, are no vector; pieces of five do not fit.
        Kind::View(View::Window { axis: 1, kernel: 2, stride: 1, dilation: 1 }),
        Kind::View(View::Window { axis: 1, kernel: 5, stride: 1, dilation: 1 }),
        Kind::View(View::Window { axis: 0, kernel: 1, stride: 1, dilation: 1 }),
        Kind::View(View::Fold { axis: 1, stride: 1, dilation: 1 }),
        Kind::View(View::Reshape),
        Kind::View(View::Permute(vec![0, 1])),
        Kind::View(View::Batch),
        Kind::Contract { inputs: vec![vec![0, 1]], output: vec![0, 1] },
        Kind::StopGradient,
        Kind::Const(Constant::Delta),
        Kind::Hyper(0),
    ];
    for kind in nodes {
        let mut wrong = graph.clone();
        let args = if matches!(kind, Kind::Const(_) | Kind::Hyper(_)) { vec![] } else { vec![x] };
        wrong.push(kind.clone(), args, vector(3));
        assert!(verify(&wrong, "p").is_err(), "{kind:?}");
    }
}

#[test]
fn pieces_come_from_an_axis_that_has_them() {
    let ty = |features: &[usize]| Type {
        rows: vec![Size::batch()],
        features: features.iter().map(|n| Size::known(*n)).collect(),
    };
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "x".into(), ty: ty(&[2, 3]), index: false });
    let x = graph.push(Kind::Input(0), vec![], ty(&[2, 3]));
    // Two pieces of three, two apart: of five elements or six.
    for (len, fits) in [(4, false), (5, true), (6, true), (7, false)] {
        let mut folded = graph.clone();
        folded.push(Kind::View(View::Fold { axis: 1, stride: 2, dilation: 1 }), vec![x], ty(&[len]));
        assert_eq!(verify(&folded, "p").is_ok(), fits, "{len}");
    }
    for (stride, dilation) in [(0, 1), (1, 0)] {
        let mut stuck = graph.clone();
        stuck.push(Kind::View(View::Fold { axis: 1, stride, dilation }), vec![x], ty(&[3]));
        assert!(verify(&stuck, "p").unwrap_err().contains("a step is 0"));
        let mut stuck = graph.clone();
        stuck.push(
            Kind::View(View::Window { axis: 2, kernel: 1, stride, dilation }),
            vec![x],
            ty(&[2, 3, 1]),
        );
        assert!(verify(&stuck, "p").unwrap_err().contains("a step is 0"));
    }
}
