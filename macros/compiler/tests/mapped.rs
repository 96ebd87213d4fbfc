//! `vmap` is a loop, and `jacobian` one derivative for each element.

use diabolo_compiler::autodiff::{jacobian, vmap};
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, is_slope, program};
use diabolo_compiler::verify::verify;

#[test]
fn jacobians_of_random_programs() {
    let mut tested = 0;
    for seed in 2000..3200 {
        let mut made = program(seed, 12);
        if made.is_frozen() {
            continue;
        }
        let graph = &mut made.graph;
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
                    probe.inputs.push(InputDecl { name: "probe".into(), ty: ty.clone(), index: false });
                    let unit = probe.push(Kind::Input(probe.inputs.len() - 1), vec![], ty);
                    let labels: Vec<u32> = (0..probe.ty(f).rank() as u32).collect();
                    let of = probe.contract(vec![labels.clone(), labels], &[f, unit], vec![], 0);
                    let mut inputs = made.inputs.clone();
                    let mut unit = vec![0.0; rows * k];
                    unit[b * k + i] = 1.0;
                    inputs.inputs.push(unit);
                    let what = format!("seed {seed}, row {b}, output {i}, input {e}");
                    is_slope(&probe, &inputs, of, values[j].data[at], values[j].scale[at], |n| {
                        &mut n.inputs[0][b * d + e]
                    })
                    .unwrap_or_else(|e| panic!("{what}: {e}"));
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
        graph.inputs.push(InputDecl { name: "copies".into(), ty: wide.clone(), index: false });
        let mapped = graph.push(Kind::Input(3), vec![], wide);
        let results: Vec<NodeId> = graph.outputs.iter().map(|o| o.node).collect();
        let copies = vmap(graph, &[(from, mapped)], 1, &results);
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
        graph.inputs.push(InputDecl { name: "x".into(), ty: ty.clone(), index: false });
    }
    let x = graph.push(Kind::Input(0), vec![], narrow);
    let repeated = Type { rows: vec![Size::batch(), size(4)], features: vec![size(2)] };
    let repeated = graph.broadcast(x, vec![Some(0), None, Some(1)], repeated);
    let sum = graph.sum(repeated, &[0]);
    let mapped = graph.push(Kind::Input(1), vec![], copies);
    let copy = vmap(&mut graph, &[(x, mapped)], 1, &[sum])[0];
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
    graph.inputs.push(InputDecl { name: "x".into(), ty: rows(2), index: false });
    let x = graph.push(Kind::Input(0), vec![], rows(2));
    let all = graph.batch(x);
    let largest = graph.max(all, &[0]);
    let back = graph.broadcast_like(largest, &rows(2)).unwrap();
    let mixed = graph.mul(x, back);
    assert!(jacobian(&mut graph, mixed, x).unwrap_err().contains("rows meet"));
    let mean = graph.mean(x, &[0]);
    assert!(jacobian(&mut graph, mean, x).unwrap_err().contains("the same rows"));
    // A second row axis that is summed away, and another of the same size in its place.
    let pair = Type { rows: vec![Size::batch(), Size::known(2)], features: vec![] };
    graph.inputs.push(InputDecl { name: "y".into(), ty: pair.clone(), index: false });
    let y = graph.push(Kind::Input(1), vec![], pair.clone());
    let triple = Type { rows: [pair.rows.clone(), vec![Size::known(2)]].concat(), features: vec![] };
    let repeated = graph.broadcast(y, vec![Some(0), None, Some(1)], triple);
    let other = graph.sum(repeated, &[2]);
    assert_eq!(*graph.ty(other), pair);
    assert!(jacobian(&mut graph, other, y).unwrap_err().contains("rows meet"));
    // What is held constant may meet.
    let frozen = graph.stop_gradient(back);
    let fine = graph.mul(x, frozen);
    assert!(jacobian(&mut graph, fine, x).is_ok());
}

/// `x: Tensor<B, 3>` and three copies of it.
fn copies() -> (Graph, NodeId, NodeId) {
    let ty = |features: &[usize]| Type {
        rows: vec![Size::batch()],
        features: features.iter().map(|n| Size::known(*n)).collect(),
    };
    let mut graph = Graph::default();
    for ty in [ty(&[3]), ty(&[2, 3])] {
        graph.inputs.push(InputDecl { name: "x".into(), ty, index: false });
    }
    let [x, mapped] = [0, 1].map(|i| graph.push(Kind::Input(i), vec![], graph.inputs[i].ty.clone()));
    (graph, x, mapped)
}

#[test]
fn vmap_through_an_index_that_is_mapped_itself() {
    // The rows of the batch that the order of a row's own elements names; and sums placed by that order.
    let (mut graph, x, mapped) = copies();
    let all = graph.batch(x);
    let order = graph.top_k(x, Size::known(2), true);
    let chosen = graph.gather(all, order, 0);
    let own = graph.gather(x, order, 1);
    let met = graph.scatter(own, order, 0, Size::known(3));
    let placed = graph.scatter(own, order, 1, Size::known(4));
    let results = [chosen, own, met, placed];
    let wide = vmap(&mut graph, &[(x, mapped)], 1, &results);
    verify(&graph, "vmap").unwrap();
    let (b, k) = (3, 2);
    let copied: Vec<f64> = (0..b * k * 3).map(|e| ((e * 7) % 11) as f64 + 0.1 * e as f64).collect();
    let symbols = [("B".to_owned(), b)];
    let inputs = Inputs {
        inputs: vec![vec![0.0; b * 3], copied.clone()],
        symbols: symbols.clone().into(),
        ..Inputs::default()
    };
    let values = interpret(&graph, &inputs).unwrap();
    for n in 0..k {
        let one: Vec<f64> = (0..b).flat_map(|row| copied[(row * k + n) * 3..][..3].to_vec()).collect();
        let inputs = Inputs { inputs: vec![one, copied.clone()], ..inputs.clone() };
        let expected = interpret(&graph, &inputs).unwrap();
        for (result, copy) in results.iter().zip(&wide) {
            let rows: usize = if graph.ty(*result).rows.is_empty() { 1 } else { b };
            let inner = expected[*result].data.len() / rows;
            for (e, want) in expected[*result].data.iter().enumerate() {
                let got = values[*copy].data[((e / inner) * k + n) * inner + e % inner];
                assert_eq!(got, *want, "copy {n}, %{}, element {e}", result.0);
            }
        }
    }
}

#[test]
fn rows_may_meet_in_an_index() {
    let (mut graph, x, _) = copies();
    let all = graph.batch(x);
    let first = graph.top_k(all, Size::known(1), true);
    let flat = graph.reshape(first, Type { rows: vec![], features: vec![Size::batch()] });
    let table = graph.iota(Size::known(3));
    let chosen = graph.gather(table, flat, 0);
    let total = graph.sum(chosen, &[0]);
    let ty = graph.ty(x).clone();
    let total = graph.broadcast(total, vec![None, None], ty);
    let product = graph.mul(x, total);
    let slope = jacobian(&mut graph, product, x).expect("a position has no derivative");
    let inputs = Inputs {
        inputs: vec![vec![1.0, 3.0, 2.0, 5.0, 4.0, 6.0], vec![0.0; 12]],
        symbols: [("B".to_owned(), 2)].into(),
        ..Inputs::default()
    };
    let value = &interpret(&graph, &inputs).unwrap()[slope];
    assert_eq!(value.data, [3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 3.0].repeat(2));
}
