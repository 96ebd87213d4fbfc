//! What follows an index, as scheduling expects it.
//!
//! In: nodes of the graph in order, with arguments that are legal. Out: the same, over copies where an argument
//! must lie in memory as it is: what is sorted, an index or a table that would itself be reached through an index,
//! a factor of a matrix product. Never: another value.

use std::collections::HashMap;

use crate::graph::*;

use super::super::LANE;
use super::super::product;
use super::super::view::{Views, contiguous};
use super::copy;
use crate::size::Size;

/// How the nodes that are there already are read.
pub(in super::super) struct Indexed {
    views: Views,
}

impl Default for Indexed {
    fn default() -> Self {
        Indexed { views: Views::of(&Graph::default(), &HashMap::new()) }
    }
}

impl Indexed {
    /// A node that makes or follows an index.
    pub fn node(
        &mut self,
        out: &mut Graph,
        of: (&Graph, &[usize]),
        id: NodeId,
        mut args: Vec<NodeId>,
    ) -> NodeId {
        let node = of.0.node(id);
        self.views.follow(out);
        match node.kind {
            Kind::TopK { .. } if !self.in_order(out, args[0]) => args[0] = copy(out, args[0]),
            Kind::TriangularFactor if !self.is_matrix(out, args[0]) => args[0] = copy(out, args[0]),
            Kind::Gather { .. } => {
                for arg in &mut args {
                    *arg = self.direct(out, *arg);
                }
            }
            Kind::Scatter { .. } => {
                args[1] = self.direct(out, args[1]);
                if let Some(factors) = self.product(out, of, id, args[0]) {
                    args.splice(..1, factors.map(|factor| self.repeated(out, factor)));
                }
            }
            _ => {}
        }
        out.push(node.kind.clone(), args, node.ty.clone())
    }

    /// A value that no index leads to.
    fn direct(&self, out: &mut Graph, id: NodeId) -> NodeId {
        if self.views.get(id).through.is_some() { copy(out, id) } else { id }
    }

    /// A factor whose own elements no index leads to: what it was chosen from need not be kept for the whole batch.
    fn repeated(&self, out: &mut Graph, id: NodeId) -> NodeId {
        let node = out.node(id).clone();
        match node.kind {
            Kind::View(View::Broadcast(_)) => {
                let arg = self.direct(out, node.args[0]);
                out.push(node.kind, vec![arg], node.ty)
            }
            _ => id,
        }
    }

    /// Whether rows and columns lie evenly in memory: those of many matrices one after the other.
    fn is_matrix(&self, out: &Graph, id: NodeId) -> bool {
        let view = self.views.get(id);
        let evenly = view.strides.len() == 2 || view.strides == contiguous(&out.ty(id).shape());
        self.is_stored(out, id) && evenly && !lane(out, &self.views, view.source)
    }

    /// Whether a value lies in memory, and no index leads to it.
    fn is_stored(&self, out: &Graph, id: NodeId) -> bool {
        let view = self.views.get(id);
        let number = matches!(
            out.node(view.source).kind,
            Kind::Const(Constant::Number(_) | Constant::Size(_)) | Kind::Hyper(_)
        );
        !number && view.through.is_none()
    }

    /// Whether the elements lie one after the other, in memory.
    fn in_order(&self, out: &Graph, id: NodeId) -> bool {
        let view = self.views.get(id);
        self.is_stored(out, id)
            && view.offset == Size::default()
            && view.strides == contiguous(&out.ty(id).shape())
            && !lane(out, &self.views, view.source)
    }

    /// The factors of a value that only a sum over the whole batch needs: it is never stored.
    fn product(
        &self,
        out: &Graph,
        (graph, uses): (&Graph, &[usize]),
        scatter: NodeId,
        value: NodeId,
    ) -> Option<[NodeId; 2]> {
        let node = graph.node(scatter);
        let from = node.args[0];
        let late = node.ty.rows.is_empty() && node.ty.elements().nominal() >= LANE;
        let alone = late && uses[from.index()] == 1 && !graph.ty(from).rows.is_empty();
        match (&out.node(value).kind, out.node(value).args.as_slice()) {
            (Kind::Map(row), [a, b]) if alone && row.name == "mul" => Some([*a, *b]),
            _ => None,
        }
    }

    /// A product whose factors lie in memory, where it is one of matrices.
    pub fn factors(&mut self, out: &mut Graph, id: NodeId) -> NodeId {
        self.views.follow(out);
        let node = out.node(id).clone();
        let through = |arg: &NodeId| self.views.get(*arg).through.is_some();
        if !node.args.iter().any(through) || product::as_matrix(out, &self.views, id, false).is_none() {
            return id;
        }
        let args = node.args.iter().map(|arg| self.direct(out, *arg)).collect();
        out.push(node.kind, args, node.ty)
    }
}

/// Whether a value is summed in lanes, whose places are not in order in the arena.
fn lane(out: &Graph, views: &Views, id: NodeId) -> bool {
    use super::super::level::{Crossing, crossing};
    crossing(out, views, id) == Crossing::Lane
}
