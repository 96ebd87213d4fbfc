//! The names of a program: its path, its function, its symbols.
//!
//! In: graphs. Out: names, and the symbols as locals. Never: a symbol twice, or in an order that a graph does not say.

use proc_macro2::TokenStream;
use quote::quote;

use super::sizes::{literal, symbol};
use crate::graph::{Constant, Graph, Kind};
use crate::schedule::Schedule;
use crate::size::BATCH;

/// Names that several rooms use.
pub struct Names<'a> {
    /// The path of the crate `diabolo`.
    pub krate: &'a TokenStream,
    /// The function's name.
    pub prefix: &'a str,
    /// The symbols, `B` first.
    pub symbols: Vec<String>,
}

impl<'a> Names<'a> {
    /// For a program that stands alone.
    pub fn of(krate: &'a TokenStream, prefix: &'a str, schedule: &Schedule) -> Self {
        Names { krate, prefix, symbols: symbols([&schedule.graph]) }
    }
}

/// The symbols of graphs: `B` first, then those of inputs, parameters and nodes in order.
pub(super) fn symbols<'g>(graphs: impl IntoIterator<Item = &'g Graph>) -> Vec<String> {
    let mut found = vec![BATCH.to_owned()];
    for graph in graphs {
        collect(graph, &mut found);
    }
    found
}

fn collect(graph: &Graph, found: &mut Vec<String>) {
    let types = graph.inputs.iter().map(|i| &i.ty).chain(graph.params.iter().map(|p| &p.ty));
    let sizes =
        types.chain(graph.nodes.iter().map(|n| &n.ty)).flat_map(|ty| ty.rows.iter().chain(&ty.features));
    let constants = graph.nodes.iter().filter_map(|node| match &node.kind {
        Kind::Const(Constant::Size(size)) => Some(size),
        Kind::Scan { scan, .. } => Some(&scan.length),
        _ => None,
    });
    for size in sizes.chain(constants) {
        for symbol in size.symbols() {
            if !found.iter().any(|other| other == symbol) {
                found.push(symbol.to_owned());
            }
        }
    }
}

/// The symbols as locals.
pub(super) fn dims(names: &Names<'_>) -> TokenStream {
    names
        .symbols
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let local = symbol(name);
            let i = literal(i);
            quote!(let #local = dims[#i];)
        })
        .collect()
}
