//! Rules for reductions: of repeated values, of reductions, of permuted values.
//!
//! In: a reduction of a simple argument. Out: something simpler, or nothing. Never: another order of terms
//! that could cancel more.

use super::Simplifier;
use crate::build::reduced_type;
use crate::graph::*;
use crate::size::Size;

impl Simplifier {
    pub(super) fn reduce(&mut self, reduction: Reduction, axes: &[usize], arg: NodeId) -> Option<NodeId> {
        let node = self.graph.node(arg).clone();
        match &node.kind {
            Kind::Reduce { reduction: inner, axes: first } if *inner == reduction => {
                // The axes of the inner result, in numbers of its argument.
                let from = node.args[0];
                let rank = self.graph.ty(from).rank();
                let left: Vec<usize> = (0..rank).filter(|axis| !first.contains(axis)).collect();
                let mut all: Vec<usize> = axes.iter().map(|axis| left[*axis]).chain(first.clone()).collect();
                all.sort_unstable();
                let both = reduced_type(self.graph.ty(from), &all);
                (both == reduced_type(&node.ty, axes)).then(|| self.reduced(reduction, from, all))
            }
            Kind::View(View::Permute(order)) => {
                let all: Vec<usize> = axes.iter().map(|axis| order[*axis]).collect();
                let left = (0..order.len()).filter(|axis| !axes.contains(axis)).map(|axis| order[axis]);
                let same = left.is_sorted()
                    && reduced_type(self.graph.ty(node.args[0]), &all) == reduced_type(&node.ty, axes);
                same.then(|| self.reduced(reduction, node.args[0], all))
            }
            Kind::View(View::Broadcast(places)) => Some(self.of_repeated(reduction, axes, &node, places)),
            _ => None,
        }
    }

    fn reduced(&mut self, reduction: Reduction, arg: NodeId, mut axes: Vec<usize>) -> NodeId {
        axes.sort_unstable();
        if axes.is_empty() {
            return arg;
        }
        let ty = reduced_type(self.graph.ty(arg), &axes);
        self.make(Kind::Reduce { reduction, axes }, vec![arg], ty)
    }

    /// Along new axes, a sum is a product with their size, and the largest is the value itself.
    fn of_repeated(
        &mut self,
        reduction: Reduction,
        axes: &[usize],
        node: &Node,
        places: &[Option<usize>],
    ) -> NodeId {
        let shape = node.ty.shape();
        let count =
            Size::product(axes.iter().filter(|axis| places[**axis].is_none()).map(|axis| &shape[*axis]));
        let inner: Vec<usize> = axes.iter().filter_map(|axis| places[*axis]).collect();
        let mut value = self.reduced(reduction, node.args[0], inner.clone());
        if reduction == Reduction::Sum && !count.is_one() {
            let ty = self.graph.ty(value).clone();
            let size = self.make(Kind::Const(Constant::Size(count)), vec![], Type::scalar());
            let size = self.make(Kind::View(View::Broadcast(vec![None; ty.rank()])), vec![size], ty);
            value = self.row("mul", &[value, size]);
        }
        let left = (0..places.len()).filter(|axis| !axes.contains(axis));
        let lower = |place: usize| place - inner.iter().filter(|axis| **axis < place).count();
        let places = left.map(|axis| places[axis].map(lower)).collect();
        self.make(Kind::View(View::Broadcast(places)), vec![value], reduced_type(&node.ty, axes))
    }
}
