//! What is chosen of computed values.
//!
//! In: a gather of a row or a product that nothing else needs. Out: the same of what it is made of. Never: more work
//! than before.

use super::Rewriting;
use crate::graph::*;

impl Rewriting<'_> {
    pub(super) fn chosen(&mut self, node: &Node, shared: usize) -> Option<NodeId> {
        let (from, index) = (node.args[0], node.args[1]);
        let elements = |ty: &Type| ty.elements().nominal();
        if self.uses[from.index()] != 1 || 2.0 * elements(&node.ty) > elements(self.old.ty(from)) {
            return None;
        }
        let (from, order) = self.under_permutes(from)?;
        let made = self.old.node(from).clone();
        let still = order.iter().copied().eq(0..order.len());
        match &made.kind {
            Kind::Map(row) if still => {
                let i = self.moved[&index];
                let args: Vec<NodeId> =
                    made.args.iter().map(|arg| self.new.gather(self.moved[arg], i, shared)).collect();
                Some(self.new.map(*row, &args))
            }
            Kind::Contract { inputs, output } => {
                let output: Vec<u32> = order.iter().map(|axis| output[*axis]).collect();
                self.product(node, &made, inputs, &output, (index, shared))
            }
            _ => None,
        }
    }

    /// What lies under permutations that nothing else needs, and which of its axes each axis is.
    fn under_permutes(&self, mut id: NodeId) -> Option<(NodeId, Vec<usize>)> {
        let mut order: Vec<usize> = (0..self.old.ty(id).rank()).collect();
        while let Kind::View(View::Permute(axes)) = &self.old.node(id).kind {
            order.iter_mut().for_each(|axis| *axis = axes[*axis]);
            id = self.old.node(id).args[0];
            if self.uses[id.index()] != 1 {
                return None;
            }
        }
        Some((id, order))
    }

    /// The product of factors of which the index has chosen.
    fn product(
        &mut self,
        node: &Node,
        made: &Node,
        inputs: &[Vec<u32>],
        output: &[u32],
        (index, shared): (NodeId, usize),
    ) -> Option<NodeId> {
        let (common, n) = (&output[..shared], output[shared]);
        let once =
            |labels: &Vec<u32>| labels.iter().enumerate().all(|(i, label)| !labels[..i].contains(label));
        if !inputs.iter().all(once) {
            return None;
        }
        // A table without rows, chosen from row by row: the rows are new labels.
        let fresh = inputs.iter().flatten().max().map_or(0, |label| label + 1);
        let rank = self.old.ty(index).rank();
        let inside: Vec<u32> = (fresh..).take(rank - shared).collect();
        let (mut terms, mut args) = (Vec::new(), Vec::new());
        for (arg, labels) in made.args.iter().zip(inputs) {
            let (term, arg) = self.along(*arg, labels, n, (index, common), &inside)?;
            terms.push(term);
            args.push(arg);
        }
        let whole = [common, &inside, &output[shared + 1..]].concat();
        let rows = node.ty.rows.len();
        // The rows of all factors are those of the result, or they have none.
        let fits = args.iter().zip(&terms).all(|(arg, term)| {
            let own = self.new.ty(*arg).rows.len();
            own == 0 || term.first() == whole.first()
        });
        (fits || rows == 0).then(|| self.new.contract(terms, &args, whole, rows))
    }
}
