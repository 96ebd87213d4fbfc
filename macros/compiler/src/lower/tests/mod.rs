//! Programs in, graphs, values and messages out.

mod convolution;
mod derivatives;
mod errors;
mod functions;
mod golden;
mod indices;
mod loops;
mod meaning;
mod mutations;
mod optimizers;
mod parameters;
mod shapes;
mod states;

use std::collections::HashMap;

use super::{Lowered, Mode, lower};
use crate::error::Errors;
use crate::graph::{Graph, Role};
use crate::interp::{Inputs, interpret};
use crate::link::{Linked, from_source};

/// The library, as files.
const NN: [(&str, &str); 7] = [
    ("nn/convolution.rs", include_str!("../../../../../runtime/src/nn/convolution.rs")),
    ("nn/densities.rs", include_str!("../../../../../runtime/src/nn/densities.rs")),
    ("nn/errors.rs", include_str!("../../../../../runtime/src/nn/errors.rs")),
    ("nn/kernels.rs", include_str!("../../../../../runtime/src/nn/kernels.rs")),
    ("nn/layers.rs", include_str!("../../../../../runtime/src/nn/layers.rs")),
    ("nn/optim.rs", include_str!("../../../../../runtime/src/nn/optim.rs")),
    ("nn/recurrent.rs", include_str!("../../../../../runtime/src/nn/recurrent.rs")),
];

fn linked(text: &str, root: &str) -> Linked {
    let files = [&[("example.rs", text)], &NN[..]].concat();
    from_source(&files, root).unwrap_or_else(|e| panic!("{}", messages(&e)))
}

fn lowered(text: &str, root: &str, mode: Mode) -> Lowered {
    lower(&linked(text, root), mode).unwrap_or_else(|e| panic!("{}", messages(&e)))
}

/// The graph of a root in training mode, verified.
fn graph(text: &str, root: &str) -> Graph {
    let graph = lowered(text, root, Mode::Train).graph;
    crate::verify::verify(&graph, "lower").unwrap_or_else(|e| panic!("{e}\n{}", crate::print::print(&graph)));
    graph
}

fn messages(errors: &Errors) -> String {
    errors
        .0
        .iter()
        .map(|e| format!("{}: {}", e.span.start().line, e.message))
        .collect::<Vec<_>>()
        .join("\n---\n")
}

/// The messages of a program with mistakes, each after its line.
fn mistakes(text: &str, root: &str) -> String {
    match lower(&linked(text, root), Mode::Train) {
        Err(errors) => messages(&errors),
        Ok(lowered) => panic!("this should be refused:\n{}", crate::print::print_live(&lowered.graph)),
    }
}

/// The rows, and the values of inputs, parameters and hyperparameters.
#[derive(Default)]
struct Given<'d> {
    rows: usize,
    inputs: &'d [&'d [f64]],
    params: &'d [&'d [f64]],
    hypers: &'d [f64],
    symbols: &'d [(&'d str, usize)],
}

impl Given<'_> {
    fn inputs(&self) -> Inputs {
        let mut symbols: HashMap<_, _> = self.symbols.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
        symbols.insert("B".to_owned(), self.rows);
        let lists = |of: &[&[f64]]| of.iter().map(|list| list.to_vec()).collect();
        Inputs {
            symbols,
            inputs: lists(self.inputs),
            params: lists(self.params),
            hypers: self.hypers.to_vec(),
            seed: 7,
            ..Inputs::default()
        }
    }

    /// The values of the outputs with this role.
    fn run(&self, graph: &Graph, role: &Role) -> Vec<f64> {
        let values = interpret(graph, &self.inputs())
            .unwrap_or_else(|e| panic!("{e}\n{}", crate::print::print(graph)));
        let output = graph.outputs.iter().find(|output| output.role == *role);
        let output = output.unwrap_or_else(|| panic!("no output {role:?}"));
        values[output.node].data.clone()
    }
}

/// The result of a function without parameters on its inputs.
#[track_caller]
fn check(text: &str, given: &Given, expected: &[f64]) {
    let graph = graph(text, "f");
    let role = if graph.outputs.iter().any(|o| o.role == Role::Loss) { Role::Loss } else { Role::Result(0) };
    near(&given.run(&graph, &role), expected);
}

#[track_caller]
fn near(found: &[f64], expected: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-10 * (1.0 + b.abs());
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(close),
        "found {found:?}\nexpected {expected:?}"
    );
}
