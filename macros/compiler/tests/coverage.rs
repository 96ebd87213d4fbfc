//! The random programs of the tests contain every kind and every row: as made, among what derivatives add, and where
//! they are emitted.

use std::collections::BTreeSet;

use diabolo_compiler::autodiff::{differentiate_loss, vjp};
use diabolo_compiler::graph::*;
use diabolo_compiler::ops::rows;
use diabolo_compiler::passes;
use diabolo_compiler::print::live;
use diabolo_compiler::testing::coverage::{Counts, KINDS, all, count};
use diabolo_compiler::testing::{SEEDS, program, steps};

/// What the programs of all seeds contain: as made, among the nodes of their gradients, after the passes.
fn counts() -> [Counts; 3] {
    let [mut made, mut gradient, mut emitted] = [Counts::new(), Counts::new(), Counts::new()];
    for seed in SEEDS {
        let mut graph = program(seed, steps(seed)).graph;
        count(&graph, |_| true, &mut made);
        let first = graph.nodes.len();
        differentiate_loss(&mut graph);
        // A derivative counts where it arrives at a parameter.
        let live = live(&graph);
        count(&graph, |at| at >= first && live[at], &mut gradient);
        for (_, pass) in passes::ALL {
            graph = pass(&graph);
        }
        count(&graph, |_| true, &mut emitted);
    }
    [made, gradient, emitted]
}

/// The rows that the derivatives of rows are made of.
fn rows_of_derivatives() -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for row in rows() {
        let mut graph = Graph::default();
        let args: Vec<NodeId> = (0..row.arity)
            .map(|i| {
                graph.inputs.push(InputDecl { name: format!("x{i}"), ty: Type::scalar(), index: false });
                graph.push(Kind::Input(i), vec![], Type::scalar())
            })
            .collect();
        let y = graph.map(row, &args);
        let first = graph.nodes.len();
        let one = graph.number(1.0);
        let slopes = vjp(&mut graph, y, one, &args);
        for (index, node) in slopes.into_iter().enumerate() {
            graph.outputs.push(Output { role: Role::Result(index), node });
        }
        let live = live(&graph);
        let nodes = graph.nodes.iter().zip(&live).skip(first).filter(|(_, live)| **live);
        found.extend(nodes.filter_map(|(node, _)| match node.kind {
            Kind::Map(row) => Some(row.name),
            _ => None,
        }));
    }
    found
}

/// What no derivative makes: leaves, what is taken from the program itself, and what has no derivative.
const ELSEWHERE: [&str; 12] = [
    "an input",
    "a parameter",
    "a hyperparameter",
    "a size",
    "places in order",
    "normal numbers",
    "uniform numbers",
    "a largest",
    "positions as numbers",
    "the places of the largest",
    "the places of the smallest",
    "a stopped gradient",
];

/// What only a pass makes, when everything is differentiated.
const OF_PASSES: [&str; 1] = ["a triangular factor"];

/// What the passes remove wherever it is.
const REMOVED: [&str; 4] = ["a cut", "a product of one", "a product of more", "a stopped gradient"];

fn missing<'a>(counts: &Counts, wanted: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    wanted.into_iter().filter(|name| !counts.contains_key(*name)).collect()
}

#[test]
fn random_programs_contain_every_kind_and_row() {
    let [made, gradient, emitted] = counts();
    let none: Vec<&str> = Vec::new();
    let by_others: Vec<&str> = all().into_iter().filter(|kind| !OF_PASSES.contains(kind)).collect();
    assert_eq!(missing(&made, by_others), none, "as made: {made:#?}");
    assert_eq!(missing(&made, OF_PASSES), OF_PASSES, "as made: {made:#?}");
    assert_eq!(missing(&gradient, OF_PASSES), OF_PASSES, "in gradients: {gradient:#?}");
    assert_eq!(missing(&gradient, rows_of_derivatives()), none, "in gradients: {gradient:#?}");
    assert_eq!(
        missing(
            &gradient,
            KINDS.iter().copied().filter(|kind| !ELSEWHERE.contains(kind) && !OF_PASSES.contains(kind))
        ),
        none,
        "in gradients: {gradient:#?}"
    );
    assert_eq!(
        missing(&emitted, all().into_iter().filter(|kind| !REMOVED.contains(kind))),
        none,
        "as emitted: {emitted:#?}"
    );
    assert_eq!(missing(&emitted, REMOVED), REMOVED, "as emitted: {emitted:#?}");
}
