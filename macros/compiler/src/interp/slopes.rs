//! The derivatives of rows as numbers, for the scales.
//!
//! In: a row and its arguments' values. Out: ∂row/∂argument there. Never: a formula of its own; it evaluates
//! the row's derivative, a small graph of scalars, built once a row.

use std::collections::HashMap;

use crate::graph::*;
use crate::ops::Row;

/// The derivative graphs met so far.
#[derive(Default)]
pub(super) struct Slopes(HashMap<Row, (Graph, Vec<Option<NodeId>>)>);

impl Slopes {
    /// All partial derivatives at a point.
    pub(super) fn at(&mut self, row: Row, x: &[f64]) -> Vec<f64> {
        let (graph, slopes) = self.0.entry(row).or_insert_with(|| derivatives(row));
        let mut values: Vec<f64> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            values.push(match &node.kind {
                Kind::Input(index) => x[*index],
                Kind::Const(Constant::Number(value)) => *value,
                Kind::Map(row) => {
                    (row.eval)(&node.args.iter().map(|arg| values[arg.index()]).collect::<Vec<_>>())
                }
                _ => f64::NAN, // a derivative is made of rows and numbers; the tests of the table see to it
            });
        }
        slopes.iter().map(|slope| slope.map_or(0.0, |id| values[id.index()])).collect()
    }
}

fn derivatives(row: Row) -> (Graph, Vec<Option<NodeId>>) {
    let mut graph = Graph::default();
    let args: Vec<NodeId> =
        (0..row.arity).map(|i| graph.push(Kind::Input(i), vec![], Type::scalar())).collect();
    let node = graph.map(row, &args);
    let slopes = (0..row.arity).map(|i| (row.derivative)(&mut graph, node, &args, i)).collect();
    (graph, slopes)
}
