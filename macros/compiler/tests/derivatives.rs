//! Derivatives of every row and every kind, first and second order, against central differences.

use diabolo_compiler::autodiff::vjp;
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::ops::rows;
use diabolo_compiler::print::print_live;
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, gradients, is_slope, program};
use diabolo_compiler::verify::verify;

#[test]
fn rows_to_second_order() {
    let mut rng = Rng(1);
    for row in rows() {
        let mut graph = Graph::default();
        let args: Vec<NodeId> = (0..row.arity)
            .map(|i| {
                graph.inputs.push(InputDecl { name: format!("x{i}"), ty: Type::scalar(), index: false });
                graph.push(Kind::Input(i), vec![], Type::scalar())
            })
            .collect();
        let y = graph.map(row, &args);
        let one = graph.number(1.0);
        let first = vjp(&mut graph, y, one, &args);
        let second: Vec<Vec<NodeId>> = first.iter().map(|d| vjp(&mut graph, *d, one, &args)).collect();
        verify(&graph, "vjp").unwrap();
        for _ in 0..20 {
            let x = row.domain.iter().map(|(low, high)| vec![rng.between(*low, *high)]).collect();
            let inputs = Inputs { inputs: x, ..Inputs::default() };
            let values = interpret(&graph, &inputs).unwrap();
            for i in 0..row.arity {
                let what = format!("{row:?} at {:?}, argument {i}", inputs.inputs);
                let (d, scale) = (values[first[i]].number(), values[first[i]].scale[0]);
                is_slope(&graph, &inputs, y, d, scale, |inputs| &mut inputs.inputs[i][0])
                    .unwrap_or_else(|e| panic!("{what}: {e}"));
                for j in 0..row.arity {
                    let (d, scale) = (values[second[i][j]].number(), values[second[i][j]].scale[0]);
                    let what = format!("{what}, then {j}");
                    is_slope(&graph, &inputs, first[i], d, scale, |inputs| &mut inputs.inputs[j][0])
                        .unwrap_or_else(|e| panic!("{what}: {e}"));
                }
            }
        }
    }
}

#[test]
fn kinds_in_random_programs() {
    let mut compared = 0;
    for seed in 0..150 {
        compared += gradients(seed, 14)
            .unwrap_or_else(|error| panic!("seed {seed}, {error}\n{}", print_live(&program(seed, 14).graph)));
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn random_programs_to_second_order() {
    let mut tested = 0;
    for seed in 1000..1120 {
        let mut made = program(seed, 9);
        if made.is_frozen() {
            continue;
        }
        let graph = &mut made.graph;
        let loss = graph.outputs[0].node;
        let params: Vec<NodeId> =
            graph.ids().filter(|id| matches!(graph.node(*id).kind, Kind::Param(_))).collect();
        let one = graph.number(1.0);
        let first = vjp(graph, loss, one, &params);
        // A number that depends on all first derivatives.
        let mut norm = graph.number(0.0);
        for d in first {
            let square = graph.square(d);
            let rank = graph.ty(square).rank();
            let sum = graph.sum(square, &(0..rank).collect::<Vec<_>>());
            norm = graph.add(norm, sum);
        }
        let second = vjp(graph, norm, one, &params);
        verify(graph, "vjp of vjp").unwrap_or_else(|e| panic!("{seed}: {e}"));
        let values = interpret(graph, &made.inputs).unwrap();
        if values[norm].number() == 0.0 {
            continue;
        }
        tested += 1;
        for (param, d) in second.iter().enumerate() {
            for e in 0..values[*d].data.len().min(2) {
                let what = format!("seed {seed}, parameter {param}, element {e}");
                is_slope(graph, &made.inputs, norm, values[*d].data[e], values[*d].scale[e], |i| {
                    &mut i.params[param][e]
                })
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            }
        }
    }
    assert!(tested > 20, "{tested}");
}

#[test]
fn a_hessian_times_a_vector_is_exact() {
    // f(x) = Σ exp(a·x): the Hessian is Σ exp(a·x) a aᵀ.
    let mut graph = Graph::default();
    let vector = |n| Type { rows: vec![], features: vec![Size::known(n)] };
    for (name, n) in [("x", 3), ("a", 3), ("v", 3)] {
        graph.inputs.push(InputDecl { name: name.into(), ty: vector(n), index: false });
    }
    let [x, a, v] = [0, 1, 2].map(|i| graph.push(Kind::Input(i), vec![], vector(3)));
    let dot = graph.contract(vec![vec![0], vec![0]], &[a, x], vec![], 0);
    let f = graph.exp(dot);
    let one = graph.number(1.0);
    let slope = vjp(&mut graph, f, one, &[x])[0];
    let along = graph.contract(vec![vec![0], vec![0]], &[slope, v], vec![], 0);
    let product = vjp(&mut graph, along, one, &[x])[0];
    let (x, a, v) = ([0.3, -0.2, 0.5], [1.0, 2.0, -1.0], [0.5, 0.25, 2.0]);
    let inputs = Inputs { inputs: vec![x.to_vec(), a.to_vec(), v.to_vec()], ..Inputs::default() };
    let got = &interpret(&graph, &inputs).unwrap()[product];
    let dot = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for (got, a_i) in got.data.iter().zip(a) {
        let expected = dot(&a, &x).exp() * a_i * dot(&a, &v);
        assert!((got - expected).abs() < 1e-14, "{got} {expected}");
    }
}

#[test]
fn the_largest_shares_its_gradient_among_ties() {
    let mut graph = Graph::default();
    let ty = Type { rows: vec![], features: vec![Size::known(4)] };
    graph.inputs.push(InputDecl { name: "x".into(), ty: ty.clone(), index: false });
    let x = graph.push(Kind::Input(0), vec![], ty);
    let largest = graph.max(x, &[0]);
    let one = graph.number(1.0);
    let slope = vjp(&mut graph, largest, one, &[x])[0];
    let inputs = Inputs { inputs: vec![vec![2.0, 1.0, 2.0, 0.0]], ..Inputs::default() };
    assert_eq!(interpret(&graph, &inputs).unwrap()[slope].data, [0.5, 0.0, 0.5, 0.0]);
}

#[test]
fn stop_gradient_stops() {
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "x".into(), ty: Type::scalar(), index: false });
    let x = graph.push(Kind::Input(0), vec![], Type::scalar());
    let frozen = graph.stop_gradient(x);
    let product = graph.mul(x, frozen);
    let one = graph.number(1.0);
    let slope = vjp(&mut graph, product, one, &[x, frozen]);
    let inputs = Inputs { inputs: vec![vec![3.0]], ..Inputs::default() };
    let values = interpret(&graph, &inputs).unwrap();
    assert_eq!((values[slope[0]].number(), values[slope[1]].number()), (3.0, 3.0));
}
