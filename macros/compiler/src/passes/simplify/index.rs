//! Rules for what follows an index: numbers stay numbers, and what was just placed is found again.
//!
//! In: a gather or a scatter of simple arguments. Out: something simpler, or nothing. Never: a look at what an
//! index holds; what is known of it, its kind says.

use super::Simplifier;
use crate::graph::*;
use crate::size::Size;

impl Simplifier {
    pub(super) fn gather(&mut self, shared: usize, args: &[NodeId], ty: &Type) -> Option<NodeId> {
        if let Some(number) = self.number(args[0]) {
            return Some(self.full(number, ty));
        }
        let table = self.graph.node(args[0]).clone();
        match &table.kind {
            // Placed by the same index, each at a place of its own.
            Kind::Scatter { shared: placed } if *placed == shared && table.args[1] == args[1] => {
                let n = &table.ty.shape()[shared];
                is_distinct(&self.graph, args[1], shared, n).then_some(table.args[0])
            }
            // Repeated along the axis of the places: the same wherever it is taken.
            Kind::View(View::Broadcast(axes)) if axes[shared].is_none() => {
                let inside = self.graph.ty(args[1]).rank() - shared;
                let places = std::iter::repeat_n(None, inside);
                let axes =
                    axes[..shared].iter().copied().chain(places).chain(axes[shared + 1..].iter().copied());
                Some(self.make(Kind::View(View::Broadcast(axes.collect())), table.args, ty.clone()))
            }
            // Numbers in a row, chosen: the index itself.
            Kind::Const(Constant::Iota) if is_inside(&self.graph, args[1], &table.ty.features[0]) => {
                Some(self.make(Kind::View(View::Number), vec![args[1]], ty.clone()))
            }
            _ => None,
        }
    }

    pub(super) fn scatter(&mut self, values: NodeId, ty: &Type) -> Option<NodeId> {
        (self.number(values) == Some(0.0)).then(|| self.full(0.0, ty))
    }
}

/// Whether an index names no place twice among `n`, for each position along its first `shared` axes.
pub(crate) fn is_distinct(graph: &Graph, index: NodeId, shared: usize, n: &Size) -> bool {
    let node = graph.node(index);
    let one = node.ty.shape()[shared..].iter().all(|size| size.is_one());
    one || matches!(node.kind, Kind::TopK { .. })
        && shared + 1 == node.ty.rank()
        && is_inside(graph, index, n)
}

/// Whether every position is surely one of `n`: others would mean the last place, and fall together.
fn is_inside(graph: &Graph, index: NodeId, n: &Size) -> bool {
    let node = graph.node(index);
    match &node.kind {
        Kind::TopK { .. } => graph
            .ty(node.args[0])
            .features
            .last()
            .is_some_and(|of| of == n || of.value().zip(n.value()).is_some_and(|(of, n)| of <= n)),
        Kind::View(_) | Kind::StopGradient => node.args.iter().all(|arg| is_inside(graph, *arg, n)),
        _ => false,
    }
}
