//! What is computed with placed values.
//!
//! In: a row, a sum or a product over a scatter. Out: the same over its values. Never: a row that makes something of
//! nothing.

use super::{Placed, Rewriting};
use crate::graph::*;
use crate::ops::Row;
use crate::passes::simplify::is_distinct;
use crate::size::Size;

impl Rewriting<'_> {
    /// A row that leaves the zeros alone.
    pub(super) fn map_of_placed(&mut self, row: Row, args: &[NodeId]) -> Option<NodeId> {
        let (at, placed) =
            args.iter().enumerate().find_map(|(at, arg)| Some((at, Placed::of(self.old, *arg)?)))?;
        let Placed { values, index, shared, .. } = placed;
        let places = placed.places(self.old);
        let other = args.get(1 - at.min(1)).copied().filter(|_| args.len() == 2);
        let twin = other.and_then(|other| Placed::of(self.old, other));
        let twin = twin.filter(|twin| twin.index == index && twin.shared == shared);
        let distinct = is_distinct(self.old, index, shared, &places);
        let [v, i] = [values, index].map(|id| self.moved[&id]);
        let inside = match (row.name, other) {
            ("neg", None) => self.new.map(row, &[v]),
            (_, None) if args.len() == 1 && distinct && (row.eval)(&[0.0]) == 0.0 => self.new.map(row, &[v]),
            ("add" | "sub", Some(_)) => {
                let twin = self.moved[&twin?.values];
                let pair = if at == 0 { [v, twin] } else { [twin, v] };
                self.new.map(row, &pair)
            }
            ("mul", Some(other)) => {
                let factor = self.new.gather(self.moved[&other], i, shared);
                self.new.map(row, &[v, factor])
            }
            ("div", Some(other)) if at == 0 => {
                let number = self.old.as_number(other).filter(|number| number.is_normal())?;
                let number = self.new.full_like(number, v);
                self.new.map(row, &[v, number])
            }
            _ => return None,
        };
        Some(self.new.scatter(inside, i, shared, places))
    }

    /// A sum over the places is one over the values; a sum over all that shares an index meets in it.
    pub(super) fn sum_of_placed(&mut self, arg: NodeId, axes: &[usize]) -> Option<NodeId> {
        let placed = Placed::of(self.old, arg)?;
        let Placed { values, index, shared, rank, .. } = placed;
        let [v, i] = [values, index].map(|id| self.moved[&id]);
        let inner = |axis: usize| axis - shared - 1 + rank;
        if axes.contains(&shared) {
            let own = axes.iter().filter(|axis| **axis != shared);
            let own = own.map(|axis| if *axis < shared { *axis } else { inner(*axis) });
            let all: Vec<usize> = own.chain(shared..rank).collect();
            return Some(self.new.sum(v, &all));
        }
        let kept = kept(shared, |axis| !axes.contains(&axis))?;
        let features: Vec<usize> = axes.iter().filter(|axis| **axis > shared).map(|a| inner(*a)).collect();
        let v = self.new.sum(v, &features);
        Some(self.placed_again(v, i, kept, placed.places(self.old)))
    }

    /// A scatter that shares only the first `shared` axes: the others are summed in it.
    fn placed_again(&mut self, values: NodeId, index: NodeId, shared: usize, places: Size) -> NodeId {
        let rows = self.new.ty(index).rows.len();
        if shared == 0 || rows <= shared {
            return self.new.scatter(values, index, shared, places);
        }
        // Row axes that are summed are features.
        let [values, index] = [values, index].map(|id| {
            let all: Vec<usize> = (0..self.new.ty(id).rank()).collect();
            self.new.permute(id, &all, shared)
        });
        self.new.scatter(values, index, shared, places)
    }

    /// A product over the places has as many terms as there are values; one that keeps them, summed over all that
    /// shares an index, is placed by it.
    pub(super) fn product_of_placed(
        &mut self,
        node: &Node,
        inputs: &[Vec<u32>],
        output: &[u32],
    ) -> Option<NodeId> {
        let (at, placed, own) =
            node.args.iter().zip(inputs).enumerate().find_map(|(at, (arg, labels))| {
                let (id, labels) = through_permutes(self.old, *arg, labels);
                Some((at, Placed::of(self.old, id)?, labels))
            })?;
        let Placed { values, index, shared, rank, .. } = placed;
        let once = |labels: &[u32]| labels.iter().enumerate().all(|(i, label)| !labels[..i].contains(label));
        let (common, n) = (&own[..shared], own[shared]);
        if !inputs.iter().all(|labels| once(labels)) {
            return None;
        }
        let fresh = inputs.iter().flatten().max().map_or(0, |label| label + 1);
        let inside: Vec<u32> = (fresh..).take(rank - shared).collect();
        let mut terms = vec![[common, &inside, &own[shared + 1..]].concat()];
        let mut args = vec![self.moved[&values]];
        for other in (0..inputs.len()).filter(|other| *other != at) {
            let (term, arg) = self.along(node.args[other], &inputs[other], n, (index, common), &inside)?;
            terms.push(term);
            args.push(arg);
        }
        let rows = self.old.ty(values).rows.len();
        if !output.contains(&n) {
            return Some(self.new.contract(terms, &args, output.to_vec(), node.ty.rows.len()));
        }
        // With the places kept: some of what shares an index is summed, the last of it, and nothing else is.
        let kept = kept(shared, |axis| output.contains(&common[axis]))?;
        let rest: Vec<u32> =
            output.iter().copied().filter(|label| *label != n && !common.contains(label)).collect();
        let whole = [common, &inside, &rest].concat();
        let summed = terms.iter().flatten().any(|label| !whole.contains(label));
        let rows_meet = rows == 0 && node.args.iter().any(|arg| !self.old.ty(*arg).rows.is_empty());
        if summed || rows_meet {
            return None;
        }
        let values = self.new.contract(terms, &args, whole, rows);
        let places = placed.places(self.old);
        let placed = self.placed_again(values, self.moved[&index], kept, places);
        let have = [&common[..kept], &[n], &rest[..]].concat();
        let order: Vec<usize> =
            output.iter().filter_map(|label| have.iter().position(|l| l == label)).collect();
        Some(self.new.permute(placed, &order, node.ty.rows.len()))
    }

    /// A factor, in the new graph, with what the index chooses in the place of label `n`, where it has that label:
    /// its labels, and the value. `common` are the labels of the axes that the index shares.
    pub(super) fn along(
        &mut self,
        arg: NodeId,
        labels: &[u32],
        n: u32,
        (index, common): (NodeId, &[u32]),
        inside: &[u32],
    ) -> Option<(Vec<u32>, NodeId)> {
        let here = self.moved[&arg];
        let Some(place) = labels.iter().position(|label| *label == n) else {
            return Some((labels.to_vec(), here));
        };
        let rest: Vec<u32> = labels.iter().copied().filter(|l| *l != n && !common.contains(l)).collect();
        let present: Vec<u32> = common.iter().copied().filter(|label| labels.contains(label)).collect();
        let (ty, at) = (self.old.ty(arg).clone(), self.old.ty(index).clone());
        let axis = |label: &u32| labels.iter().position(|l| l == label);
        let order: Vec<usize> =
            present.iter().filter_map(axis).chain([place]).chain(rest.iter().filter_map(axis)).collect();
        if !ty.rows.is_empty() && (order[0] != 0 || at.rows.is_empty()) {
            return None;
        }
        let new = [common, inside, &rest].concat();
        if present.is_empty() {
            let table = self.new.permute(here, &order, 0);
            return Some((new, self.new.gather(table, self.moved[&index], 0)));
        }
        let rows = at.rows.len();
        let own = if ty.rows.is_empty() {
            0
        } else {
            common[..rows].iter().filter(|l| present.contains(l)).count()
        };
        let table = self.new.permute(here, &order, own);
        // What the index shares, and this factor lacks, is repeated.
        let mut next = 0..;
        let lead = common.iter().map(|label| present.contains(label).then(|| next.next()).flatten());
        let axes: Vec<Option<usize>> = lead.collect();
        let axes = axes.into_iter().chain((present.len()..order.len()).map(Some)).collect();
        let inner = ty.shape();
        let mut shape = at.shape()[..common.len()].to_vec();
        shape.extend(order[present.len()..].iter().map(|axis| inner[*axis].clone()));
        let wide = crate::build::typed(shape, rows);
        let table = self.new.broadcast(table, axes, wide);
        Some((new, self.new.gather(table, self.moved[&index], common.len())))
    }
}

/// How many of the first axes that an index shares are kept, where some are not, and these are the last.
fn kept(shared: usize, keeps: impl Fn(usize) -> bool) -> Option<usize> {
    let kept = (0..shared).take_while(|axis| keeps(*axis)).count();
    (kept < shared && !(kept..shared).any(keeps)).then_some(kept)
}

/// What lies under permutations, and its labels.
pub(super) fn through_permutes(graph: &Graph, mut id: NodeId, labels: &[u32]) -> (NodeId, Vec<u32>) {
    let mut labels = labels.to_vec();
    while let Kind::View(View::Permute(axes)) = &graph.node(id).kind {
        let mut inner = vec![0; axes.len()];
        axes.iter().zip(&labels).for_each(|(axis, label)| inner[*axis] = *label);
        (id, labels) = (graph.node(id).args[0], inner);
    }
    (id, labels)
}
