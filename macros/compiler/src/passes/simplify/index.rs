//! Rules for what follows an index: numbers stay numbers, and what was just placed is found again.
//!
//! In: a gather or a scatter of simple arguments. Out: something simpler, or nothing. Never: a look at what an
//! index holds; what is known of it, its kind says.

use super::Simplifier;
use crate::graph::*;

impl Simplifier {
    pub(super) fn gather(&mut self, shared: usize, args: &[NodeId], ty: &Type) -> Option<NodeId> {
        if let Some(number) = self.number(args[0]) {
            return Some(self.full(number, ty));
        }
        let table = self.graph.node(args[0]).clone();
        match &table.kind {
            // Placed by the same index, each at a place of its own.
            Kind::Scatter { shared: placed } if *placed == shared && table.args[1] == args[1] => {
                is_distinct(&self.graph, args[1], shared).then_some(table.args[0])
            }
            // Numbers in a row, chosen: the index itself.
            Kind::Const(Constant::Iota) => {
                Some(self.make(Kind::View(View::Number), vec![args[1]], ty.clone()))
            }
            _ => None,
        }
    }

    pub(super) fn scatter(&mut self, values: NodeId, ty: &Type) -> Option<NodeId> {
        (self.number(values) == Some(0.0)).then(|| self.full(0.0, ty))
    }
}

/// Whether an index names no place twice, for each position along its first `shared` axes.
pub(crate) fn is_distinct(graph: &Graph, index: NodeId, shared: usize) -> bool {
    let node = graph.node(index);
    let rank = node.ty.rank();
    let one = node.ty.shape()[shared..].iter().all(|size| size.is_one());
    one || matches!(node.kind, Kind::TopK { .. }) && shared + 1 == rank
}
