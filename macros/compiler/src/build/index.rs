//! Constructors of nodes that make, follow or fill by an index.
//!
//! In: nodes whose shapes fit. Out: appended nodes with their types. Never: a look at what an index holds.

use super::typed;
use crate::graph::*;
use crate::size::Size;

impl Graph {
    /// 0, 1, …, n - 1.
    pub fn iota(&mut self, n: Size) -> NodeId {
        self.push(Kind::Const(Constant::Iota), vec![], Type { rows: vec![], features: vec![n] })
    }

    /// The positions of the `k` first elements along the last feature axis.
    pub fn top_k(&mut self, x: NodeId, k: Size, largest: bool) -> NodeId {
        let mut ty = self.ty(x).clone();
        if let Some(last) = ty.features.last_mut() {
            *last = k;
        }
        self.push(Kind::TopK { largest }, vec![x], ty)
    }

    /// Positions as numbers.
    pub fn positions(&mut self, index: NodeId) -> NodeId {
        let ty = self.ty(index).clone();
        self.view(View::Number, index, ty)
    }

    /// Elements of `table`, whose first `shared` axes are those of the index.
    pub fn gather(&mut self, table: NodeId, index: NodeId, shared: usize) -> NodeId {
        let ty = gathered_type(self.ty(table), self.ty(index), shared);
        self.push(Kind::Gather { shared }, vec![table, index], ty)
    }

    /// The sums of `values` at the places that the index says, among `n` of them.
    pub fn scatter(&mut self, values: NodeId, index: NodeId, shared: usize, n: Size) -> NodeId {
        let ty = scattered_type(self.ty(values), self.ty(index), shared, n);
        self.push(Kind::Scatter { shared }, vec![values, index], ty)
    }
}

/// The type of a gather.
pub fn gathered_type(table: &Type, index: &Type, shared: usize) -> Type {
    let mut shape = index.shape();
    shape.extend(table.shape().into_iter().skip(shared + 1));
    typed(shape, index.rows.len())
}

/// The type of a scatter onto an axis of `n`.
pub fn scattered_type(values: &Type, index: &Type, shared: usize, n: Size) -> Type {
    let shape = values.shape();
    let mut target = shape[..shared].to_vec();
    target.push(n);
    target.extend_from_slice(&shape[index.rank()..]);
    typed(target, if shared == 0 { 0 } else { values.rows.len() })
}
