//! More axes through what follows an index.
//!
//! In: a table or values, and an index, any of them with the new axes. Out: the node over them, with the new axes
//! ahead of its features. Never: an index copied where it alone has no new axes.

use super::Mapping;
use crate::graph::*;
use crate::size::Size;

impl Mapping<'_> {
    pub(super) fn gather(&mut self, table: NodeId, index: NodeId, shared: usize) -> NodeId {
        let (rows, rank) = (self.graph.ty(index).rows.len(), self.graph.ty(index).rank());
        let count = self.new.len();
        match (self.copies.get(&table).copied(), self.copies.get(&index).copied()) {
            // The new axes are the last features of each row of the table.
            (Some(wide), None) => {
                let first = self.graph.ty(table).rows.len();
                let last = self.at_the_end(wide, first);
                let chosen = self.graph.gather(last, index, shared);
                self.at_the_front(chosen, rows)
            }
            (None, Some(wide)) if shared == 0 => self.graph.gather(table, wide, 0),
            _ => {
                let (index, mut table) = (self.arg(index), self.arg(table));
                let without_rows = rows > 0 && self.graph.ty(table).rows.is_empty();
                if without_rows {
                    let ty = self.graph.ty(table).clone();
                    let ty = Type { rows: self.graph.ty(index).rows.clone(), ..ty };
                    let axes = (0..ty.rank()).map(|axis| axis.checked_sub(rows)).collect();
                    table = self.graph.broadcast(table, axes, ty);
                }
                debug_assert!(rank >= rows);
                let shared = if without_rows { rows + count } else { shared + count };
                self.graph.gather(table, index, shared)
            }
        }
    }

    pub(super) fn scatter(&mut self, values: NodeId, index: NodeId, shared: usize, n: Size) -> NodeId {
        let rows = self.graph.ty(index).rows.len();
        let count = self.new.len();
        if !self.copies.contains_key(&index) {
            let wide = self.arg(values);
            let last = self.at_the_end(wide, rows);
            let placed = self.graph.scatter(last, index, shared, n);
            return self.at_the_front(placed, if shared == 0 { 0 } else { rows });
        }
        let (values, index) = (self.arg(values), self.arg(index));
        if shared == 0 && rows > 0 {
            // Row by row, then the sum.
            let each = self.graph.scatter(values, index, rows + count, n);
            return self.graph.sum(each, &(0..rows).collect::<Vec<_>>());
        }
        self.graph.scatter(values, index, shared + count, n)
    }

    /// The new axes, behind `rows` row axes, become the last ones.
    fn at_the_end(&mut self, id: NodeId, rows: usize) -> NodeId {
        let (count, rank) = (self.new.len(), self.graph.ty(id).rank());
        let axes: Vec<usize> = (0..rows).chain(rows + count..rank).chain(rows..rows + count).collect();
        self.graph.permute(id, &axes, rows)
    }

    /// The last axes, which are the new ones, move behind `rows` row axes.
    fn at_the_front(&mut self, id: NodeId, rows: usize) -> NodeId {
        let (count, rank) = (self.new.len(), self.graph.ty(id).rank());
        let axes: Vec<usize> = (0..rows).chain(rank - count..rank).chain(rows..rank - count).collect();
        self.graph.permute(id, &axes, rows)
    }
}
