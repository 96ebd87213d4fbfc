//! Passes keep the meaning: random programs with their gradients, before and after.

use diabolo_compiler::autodiff::differentiate_loss;
use diabolo_compiler::graph::*;
use diabolo_compiler::passes::{contract, simplify, sparse};
use diabolo_compiler::print::{print_bare, print_live};
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Program, program, same_meaning};
use diabolo_compiler::verify::verify;

fn trained(seed: u64, steps: usize) -> Program {
    let mut made = program(seed, steps);
    differentiate_loss(&mut made.graph);
    made
}

fn keeps_meaning(name: &str, pass: impl Fn(&Graph) -> Graph, tolerance: f64) {
    for seed in 0..1000 {
        let made = trained(seed, 4 + seed as usize % 20);
        let new = pass(&made.graph);
        verify(&new, name).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        same_meaning(&made.graph, &new, &made.inputs, tolerance).unwrap_or_else(|e| {
            panic!("seed {seed}: {e}\n{}\nbecame\n{}", print_live(&made.graph), print_bare(&new))
        });
    }
}

#[test]
fn simplify_keeps_the_meaning() {
    keeps_meaning("simplify", simplify, 1e-13);
}

#[test]
fn simplify_is_done_after_two_rounds() {
    for seed in 0..100 {
        let once = simplify(&simplify(&trained(seed, 16).graph));
        assert_eq!(print_bare(&once), print_bare(&simplify(&once)), "seed {seed}");
    }
}

#[test]
fn sparse_keeps_the_meaning() {
    keeps_meaning("sparse", sparse, 1e-12);
}

#[test]
fn contract_keeps_the_meaning() {
    keeps_meaning("contract", contract, 1e-12);
}

#[test]
fn contracts_become_binary_products_of_sums() {
    for seed in 0..400 {
        let new = contract(&trained(seed, 4 + seed as usize % 20).graph);
        for node in &new.nodes {
            let Kind::Contract { inputs, output } = &node.kind else { continue };
            let count = |label: &u32| inputs.iter().flatten().filter(|l| *l == label).count();
            if inputs.len() == 1 {
                assert!(inputs[0].iter().any(|l| count(l) > 1), "seed {seed}: {node:?}");
                continue;
            }
            let summed: Vec<&u32> = inputs.iter().flatten().filter(|l| !output.contains(l)).collect();
            assert!(inputs.len() == 2 && !summed.is_empty(), "seed {seed}: {node:?}");
            for labels in inputs {
                assert!(
                    summed.iter().all(|l| labels.iter().filter(|m| m == l).count() == 1),
                    "seed {seed}: {node:?}"
                );
            }
        }
    }
}

#[test]
fn sums_of_sums_and_views_of_views_are_one() {
    let size = Size::known;
    let ty = Type { rows: vec![Size::batch()], features: vec![size(2), size(3), size(4)] };
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "x".into(), ty: ty.clone(), index: false });
    let x = graph.push(Kind::Input(0), vec![], ty);
    let once = graph.sum(x, &[1]);
    let twice = graph.sum(once, &[2]);
    let turned = graph.permute(x, &[0, 2, 3, 1], 1);
    let turned = graph.permute(turned, &[0, 2, 3, 1], 1);
    let largest = graph.max(turned, &[2]);
    let part = graph.slice(x, 3, 1, size(3));
    let part = graph.slice(part, 3, 1, size(1));
    for (index, node) in [twice, largest, part].into_iter().enumerate() {
        graph.outputs.push(Output { role: Role::Result(index), node });
    }
    let expected = "\
%0: Tensor<B, 2, 3, 4> = input x
%1: Tensor<B, 3> = sum[1, 3] %0
%2: Tensor<B, 4, 2, 3> = permute[0, 3, 1, 2] %0
%3: Tensor<B, 4, 3> = max[2] %2
%4: Tensor<B, 2, 3, 1> = slice[axis 3 from 2] %0
result 0 = %1
result 1 = %3
result 2 = %4
";
    assert_eq!(print_bare(&simplify(&graph)), expected);
}
