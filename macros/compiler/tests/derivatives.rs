//! Derivatives of every row and every kind, first and second order, against central differences.

use diabolo_compiler::autodiff::{differentiate_loss, jacobian, vjp};
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::ops::rows;
use diabolo_compiler::print::print_live;
use diabolo_compiler::testing::{Rng, difference, program};
use diabolo_compiler::verify::verify;

/// Fails unless the value of `slope` at `element` is the derivative of the first element of `of`.
fn check(graph: &Graph, inputs: &Inputs, of: NodeId, slope: f64, scale: f64, at: impl Fn(&mut Inputs) -> &mut f64, what: &str) {
    let (expected, error) = difference(graph, inputs, of, at).unwrap();
    let allowed = 4.0 * error + 1e-7 * (1.0 + expected.abs()) + 1e-11 * scale;
    assert!((slope - expected).abs() <= allowed, "{what}: {slope} is not {expected} ± {allowed:e}");
}

#[test]
fn rows_to_second_order() {
    let mut rng = Rng(1);
    for row in rows() {
        let mut graph = Graph::default();
        let args: Vec<NodeId> = (0..row.arity)
            .map(|i| {
                graph.inputs.push(InputDecl { name: format!("x{i}"), ty: Type::scalar() });
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
                check(&graph, &inputs, y, d, scale, |inputs| &mut inputs.inputs[i][0], &what);
                for j in 0..row.arity {
                    let (d, scale) = (values[second[i][j]].number(), values[second[i][j]].scale[0]);
                    let what = format!("{what}, then {j}");
                    check(&graph, &inputs, first[i], d, scale, |inputs| &mut inputs.inputs[j][0], &what);
                }
            }
        }
    }
}

#[test]
fn kinds_in_random_programs() {
    for seed in 0..150 {
        let mut made = program(seed, 14);
        verify(&made.graph, "generate").unwrap_or_else(|e| panic!("{seed}: {e}"));
        let loss = made.graph.outputs[0].node;
        differentiate_loss(&mut made.graph);
        verify(&made.graph, "autodiff").unwrap_or_else(|e| panic!("{seed}: {e}"));
        let frozen = frozen(&made.graph);
        let values = interpret(&made.graph, &made.inputs).unwrap();
        for output in &made.graph.outputs {
            let Role::Gradient(param) = output.role else { continue };
            let gradient = &values[output.node];
            for e in 0..gradient.data.len().min(3) {
                if frozen { continue; }
                let what = format!("seed {seed}, parameter {param}, element {e}\n{}", print_live(&made.graph));
                check(&made.graph, &made.inputs, loss, gradient.data[e], gradient.scale[e], |i| &mut i.params[param][e], &what);
            }
        }
    }
}

/// Central differences see through `StopGradient`: such programs are tested by others.
fn frozen(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| node.kind == Kind::StopGradient)
}

#[test]
fn random_programs_to_second_order() {
    let mut tested = 0;
    for seed in 1000..1120 {
        let mut made = program(seed, 9);
        let graph = &mut made.graph;
        if frozen(graph) { continue; }
        let loss = graph.outputs[0].node;
        let params: Vec<NodeId> = graph.ids().filter(|id| matches!(graph.node(*id).kind, Kind::Param(_))).collect();
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
        if values[norm].number() == 0.0 { continue; }
        tested += 1;
        for (param, d) in second.iter().enumerate() {
            for e in 0..values[*d].data.len().min(2) {
                let what = format!("seed {seed}, parameter {param}, element {e}");
                check(graph, &made.inputs, norm, values[*d].data[e], values[*d].scale[e], |i| &mut i.params[param][e], &what);
            }
        }
    }
    assert!(tested > 20, "{tested}");
}

#[test]
fn jacobians_of_random_programs() {
    let mut tested = 0;
    for seed in 2000..2300 {
        let mut made = program(seed, 12);
        let graph = &mut made.graph;
        if frozen(graph) { continue; }
        let x = NodeId(0);
        let f = graph.outputs[2].node;
        let naive = graph.clone();
        let Ok(j) = jacobian(graph, f, x) else { continue };
        verify(graph, "jacobian").unwrap_or_else(|e| panic!("{seed}: {e}"));
        let values = interpret(graph, &made.inputs).unwrap();
        let (rows, k) = (values[f].shape[0], values[f].data.len() / values[f].shape[0]);
        let d = values[x].data.len() / rows;
        assert_eq!(values[j].data.len(), rows * k * d);
        if values[j].data.iter().any(|v| *v != 0.0) { tested += 1; }
        for b in 0..rows {
            for i in 0..k.min(4) {
                for e in 0..d {
                    let at = (b * k + i) * d + e;
                    // One element of the output, as a scalar, by a product with a constant input.
                    let mut probe = naive.clone();
                    let ty = probe.ty(f).clone();
                    probe.inputs.push(InputDecl { name: "probe".into(), ty: ty.clone() });
                    let unit = probe.push(Kind::Input(probe.inputs.len() - 1), vec![], ty);
                    let labels: Vec<u32> = (0..probe.ty(f).rank() as u32).collect();
                    let of = probe.contract(vec![labels.clone(), labels], &[f, unit], vec![], 0);
                    let mut inputs = made.inputs.clone();
                    let mut unit = vec![0.0; rows * k];
                    unit[b * k + i] = 1.0;
                    inputs.inputs.push(unit);
                    let what = format!("seed {seed}, row {b}, output {i}, input {e}");
                    check(&probe, &inputs, of, values[j].data[at], values[j].scale[at], |n| &mut n.inputs[0][b * d + e], &what);
                }
            }
        }
    }
    assert!(tested > 20, "{tested}");
}
