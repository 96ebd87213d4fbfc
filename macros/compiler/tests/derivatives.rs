//! Derivatives of every row and every kind, first and second order, against central differences.

use diabolo_compiler::autodiff::{differentiate_loss, jacobian, vjp, vmap};
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::ops::rows;
use diabolo_compiler::print::print_live;
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, difference, program};
use diabolo_compiler::verify::verify;

/// Fails unless the value of `slope` at `element` is the derivative of the first element of `of`.
fn check(
    graph: &Graph,
    inputs: &Inputs,
    of: NodeId,
    slope: f64,
    scale: f64,
    at: impl Fn(&mut Inputs) -> &mut f64,
    what: &str,
) {
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
                if frozen {
                    continue;
                }
                let what =
                    format!("seed {seed}, parameter {param}, element {e}\n{}", print_live(&made.graph));
                check(
                    &made.graph,
                    &made.inputs,
                    loss,
                    gradient.data[e],
                    gradient.scale[e],
                    |i| &mut i.params[param][e],
                    &what,
                );
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
        if frozen(graph) {
            continue;
        }
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
                check(
                    graph,
                    &made.inputs,
                    norm,
                    values[*d].data[e],
                    values[*d].scale[e],
                    |i| &mut i.params[param][e],
                    &what,
                );
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
        if frozen(graph) {
            continue;
        }
        let x = NodeId(0);
        let f = graph.outputs[2].node;
        let naive = graph.clone();
        let Ok(j) = jacobian(graph, f, x) else { continue };
        verify(graph, "jacobian").unwrap_or_else(|e| panic!("{seed}: {e}"));
        let values = interpret(graph, &made.inputs).unwrap();
        let (rows, k) = (values[f].shape[0], values[f].data.len() / values[f].shape[0]);
        let d = values[x].data.len() / rows;
        assert_eq!(values[j].data.len(), rows * k * d);
        if values[j].data.iter().any(|v| *v != 0.0) {
            tested += 1;
        }
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
                    check(
                        &probe,
                        &inputs,
                        of,
                        values[j].data[at],
                        values[j].scale[at],
                        |n| &mut n.inputs[0][b * d + e],
                        &what,
                    );
                }
            }
        }
    }
    assert!(tested > 20, "{tested}");
}

#[test]
fn vmap_is_a_loop() {
    const N: usize = 3;
    let mut tested = 0;
    for seed in 3000..3300 {
        let mut made = program(seed, 14);
        let naive = made.graph.clone();
        let graph = &mut made.graph;
        let from = NodeId(0);
        let ty = graph.ty(from).clone();
        let wide =
            Type { rows: ty.rows.clone(), features: [vec![Size::known(N)], ty.features.clone()].concat() };
        graph.inputs.push(InputDecl { name: "copies".into(), ty: wide.clone() });
        let mapped = graph.push(Kind::Input(3), vec![], wide);
        let results: Vec<NodeId> = graph.outputs.iter().map(|o| o.node).collect();
        let copies = vmap(graph, from, mapped, 1, &results);
        verify(graph, "vmap").unwrap_or_else(|e| panic!("{seed}: {e}"));
        let mut rng = Rng(seed);
        let inner = made.inputs.inputs[0].len() / 3;
        let copied: Vec<f64> = (0..3 * N * inner).map(|_| rng.between(-1.5, 1.5)).collect();
        let mut inputs = made.inputs.clone();
        inputs.inputs.push(copied.clone());
        let values = interpret(graph, &inputs).unwrap();
        for n in 0..N {
            let mut one = made.inputs.clone();
            one.inputs[0] =
                (0..3).flat_map(|b| copied[(b * N + n) * inner..(b * N + n + 1) * inner].to_vec()).collect();
            let expected = interpret(&naive, &one).unwrap();
            for (result, copy) in results.iter().zip(&copies) {
                let rows: usize = expected[*result].shape[..naive.ty(*result).rows.len()].iter().product();
                let inner = expected[*result].data.len() / rows;
                for (e, want) in expected[*result].data.iter().enumerate() {
                    let got = values[*copy].data[((e / inner) * N + n) * inner + e % inner];
                    let same = (got - want).abs() <= 1e-13 * expected[*result].scale[e] || got == *want;
                    assert!(same, "seed {seed}, copy {n}, %{}, element {e}: {got} is not {want}", result.0);
                    tested += usize::from(*want != 0.0);
                }
            }
        }
    }
    assert!(tested > 1000, "{tested}");
}

#[test]
fn vmap_puts_new_axes_ahead_of_rows_that_became_features() {
    // [B, 4 | 2] summed over the batch is | 4, 2; with three copies, | 3, 4, 2.
    let size = Size::known;
    let mut graph = Graph::default();
    let narrow = Type { rows: vec![Size::batch()], features: vec![size(2)] };
    let copies = Type { rows: vec![Size::batch()], features: vec![size(3), size(2)] };
    for ty in [&narrow, &copies] {
        graph.inputs.push(InputDecl { name: "x".into(), ty: ty.clone() });
    }
    let x = graph.push(Kind::Input(0), vec![], narrow);
    let repeated = Type { rows: vec![Size::batch(), size(4)], features: vec![size(2)] };
    let repeated = graph.broadcast(x, vec![Some(0), None, Some(1)], repeated);
    let sum = graph.sum(repeated, &[0]);
    let mapped = graph.push(Kind::Input(1), vec![], copies);
    let copy = vmap(&mut graph, x, mapped, 1, &[sum])[0];
    verify(&graph, "vmap").unwrap();
    let data: Vec<f64> = (0..6).map(f64::from).collect();
    let inputs = Inputs { inputs: vec![vec![0.0; 2], data.clone()], ..Inputs::default() };
    let inputs = Inputs { symbols: [("B".to_owned(), 1)].into(), ..inputs };
    let value = &interpret(&graph, &inputs).unwrap()[copy];
    assert_eq!(value.shape, [3, 4, 2]);
    let expected: Vec<f64> = data.chunks(2).flat_map(|pair| pair.repeat(4)).collect();
    assert_eq!(value.data, expected);
}

#[test]
fn jacobian_refuses_rows_that_meet() {
    let rows = |n| Type { rows: vec![Size::batch()], features: vec![Size::known(n)] };
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "x".into(), ty: rows(2) });
    let x = graph.push(Kind::Input(0), vec![], rows(2));
    let all = graph.batch(x);
    let largest = graph.max(all, &[0]);
    let back = graph.broadcast_like(largest, &rows(2)).unwrap();
    let mixed = graph.mul(x, back);
    assert!(jacobian(&mut graph, mixed, x).unwrap_err().contains("rows meet"));
    let mean = graph.mean(x, &[0]);
    assert!(jacobian(&mut graph, mean, x).unwrap_err().contains("the same rows"));
    // What is held constant may meet.
    let frozen = graph.stop_gradient(back);
    let fine = graph.mul(x, frozen);
    assert!(jacobian(&mut graph, fine, x).is_ok());
}

#[test]
fn a_hessian_times_a_vector_is_exact() {
    // f(x) = Σ exp(a·x): the Hessian is Σ exp(a·x) a aᵀ.
    let mut graph = Graph::default();
    let vector = |n| Type { rows: vec![], features: vec![Size::known(n)] };
    for (name, n) in [("x", 3), ("a", 3), ("v", 3)] {
        graph.inputs.push(InputDecl { name: name.into(), ty: vector(n) });
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
    graph.inputs.push(InputDecl { name: "x".into(), ty: ty.clone() });
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
    graph.inputs.push(InputDecl { name: "x".into(), ty: Type::scalar() });
    let x = graph.push(Kind::Input(0), vec![], Type::scalar());
    let frozen = graph.stop_gradient(x);
    let product = graph.mul(x, frozen);
    let one = graph.number(1.0);
    let slope = vjp(&mut graph, product, one, &[x, frozen]);
    let inputs = Inputs { inputs: vec![vec![3.0]], ..Inputs::default() };
    let values = interpret(&graph, &inputs).unwrap();
    assert_eq!((values[slope[0]].number(), values[slope[1]].number()), (3.0, 3.0));
}
