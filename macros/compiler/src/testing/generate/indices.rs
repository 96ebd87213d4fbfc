//! Random positions, and what follows them.
//!
//! In: the values so far. Out: one more that is chosen or placed by an index. Never: an order of computed values:
//! rounding could turn it.

use super::Maker;
use crate::graph::*;
use crate::size::Size;

impl Maker {
    pub(super) fn indexed(&mut self) -> NodeId {
        if self.indices.len() < 3 || self.rng.chance(0.3) {
            let index = self.order();
            if self.elements(self.graph.ty(index)) <= 100 {
                self.indices.push(index);
            }
        }
        let Some(last) = self.indices.len().checked_sub(1) else { return self.any() };
        let index = self.indices[last - self.rng.below(last + 1).min(self.rng.below(last + 1))];
        match self.rng.below(7) {
            0..=2 => self.chosen(index),
            3..=5 => self.placed(index),
            _ => self.graph.positions(index),
        }
    }

    /// The first in order of something that no rounding has touched; or another index, seen or chosen otherwise.
    fn order(&mut self) -> NodeId {
        if !self.indices.is_empty() && self.rng.chance(0.4) {
            return self.seen();
        }
        let leaves: Vec<NodeId> = self.graph.ids().filter(|id| self.is_leaf(*id)).collect();
        let mut x = *self.rng.pick(&leaves);
        if self.graph.ty(x).rows.len() == 1 && self.rng.chance(0.2) {
            x = self.graph.batch(x);
        }
        let ty = self.graph.ty(x).clone();
        let (rows, rank) = (ty.rows.len(), ty.rank());
        let mut axes: Vec<usize> = (0..rank).collect();
        axes[rows..].rotate_left(self.rng.below(rank - rows));
        x = self.graph.permute(x, &axes, rows);
        if self.rng.chance(0.2) {
            // Ties.
            let mut wide = self.graph.ty(x).clone();
            wide.features.push(Size::known(3));
            let axes = (0..rank).map(Some).chain([None]).collect();
            x = self.graph.broadcast(x, axes, wide);
        }
        let n = self.graph.ty(x).features.last().cloned().unwrap_or_default();
        let k = match n.value() {
            Some(n) => Size::known(1 + self.rng.below(n)),
            None if self.rng.chance(0.5) => Size::known(1),
            None => n,
        };
        let largest = self.rng.chance(0.5);
        self.graph.top_k(x, k, largest)
    }

    fn is_leaf(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        let exact = matches!(node.kind, Kind::Input(_) | Kind::Param(_) | Kind::Random { .. });
        exact && !node.ty.features.is_empty()
    }

    /// An index under other axes.
    fn seen(&mut self) -> NodeId {
        let index = *self.rng.pick(&self.indices);
        let ty = self.graph.ty(index).clone();
        let (rows, rank) = (ty.rows.len(), ty.rank());
        match self.rng.below(5) {
            0 if rank > rows => {
                let flat = Type { rows: ty.rows.clone(), features: vec![Size::product(&ty.features)] };
                self.graph.reshape(index, flat)
            }
            1 => {
                let size = self.length();
                let mut wide = ty;
                wide.features.insert(0, size);
                let axes = (0..rows).map(Some).chain([None]).chain((rows..rank).map(Some)).collect();
                self.graph.broadcast(index, axes, wide)
            }
            2 if rows == 0 => {
                let wide = Type { rows: vec![Size::batch()], features: ty.features };
                let axes = (0..=rank).map(|axis| axis.checked_sub(1)).collect();
                self.graph.broadcast(index, axes, wide)
            }
            3 if rank > rows => {
                let other = *self.rng.pick(&self.indices);
                match self.fitting(index, other) {
                    Some(shared) => self.graph.gather(index, other, shared),
                    None => self.graph.stop_gradient(index),
                }
            }
            _ if rows == 1 => self.graph.batch(index),
            _ => self.graph.identity(index),
        }
    }

    /// How many axes a table and an index have in common, at random where several would do; none where the index
    /// cannot choose from the table.
    fn fitting(&mut self, table: NodeId, index: NodeId) -> Option<usize> {
        let (from, at) = (self.graph.ty(table).clone(), self.graph.ty(index).clone());
        let same = from.shape().iter().zip(at.shape()).take_while(|(a, b)| **a == *b).count();
        let most = same.min(from.rank().checked_sub(1)?);
        let least = from.rows.len();
        if !from.rows.is_empty() && (from.rows != at.rows || most < least) {
            return None;
        }
        match from.rows.is_empty() && !at.rows.is_empty() {
            true => Some(0),
            false => Some(least + self.rng.below(most - least + 1)),
        }
    }

    pub(super) fn chosen(&mut self, index: NodeId) -> NodeId {
        let table = self.any();
        match self.fitting(table, index) {
            Some(shared) => self.graph.gather(table, index, shared),
            None => self.any(),
        }
    }

    fn placed(&mut self, index: NodeId) -> NodeId {
        let at = self.graph.ty(index).clone();
        let fits = |id: &NodeId| {
            let ty = self.graph.ty(*id);
            ty.rows == at.rows
                && ty.shape().get(..at.rank()) == Some(&at.shape())
                && ty.rank() <= at.rank() + 2
        };
        let fitting: Vec<NodeId> = self.pool.iter().copied().filter(fits).collect();
        let values = if fitting.is_empty() || self.rng.chance(0.2) {
            let mut ty = at.clone();
            if self.rng.chance(0.5) {
                ty.features.push(Size::known(2));
            }
            self.graph.full(0.7, &ty)
        } else {
            *self.rng.pick(&fitting)
        };
        let shared = match self.rng.chance(0.4) {
            true => 0,
            false => at.rows.len() + self.rng.below(at.rank() - at.rows.len() + 1),
        };
        let n = self.length();
        self.graph.scatter(values, index, shared, n)
    }
}
