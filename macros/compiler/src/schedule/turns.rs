//! The steps of a loop: what a turn computes, stores into stacks, and hands to the next turn.
//!
//! In: a region of the legal graph. Out: one step of the list that the loop stands in. Never: a carry overwritten
//! before its last reader of the turn.

use crate::graph::*;
use crate::size::Size;

use super::fuse::{DraftLoop, DraftScan, DraftStep, Fuser};
use super::items::{self, Does, Into, Item};
use super::recompute::factors;
use super::region::Region;
use super::view::Views;

impl Fuser<'_> {
    /// Schedules a loop at the end of a list.
    pub(super) fn region(&mut self, index: usize, list: usize) -> Result<(), String> {
        let region = &self.legal.regions[index];
        for (carry, (memory, _)) in region.carries.iter().enumerate() {
            let (space, item) = items::part(self.graph, self.views, *memory, carry, Size::default(), None);
            self.item(list, space, item);
        }
        let inner = self.list_of(index);
        self.nodes(region.body..region.end, Some(inner))?;
        for (memory, value) in &region.stacks {
            if !self.live[memory.index()] {
                continue;
            }
            let (space, item) = stored(self.graph, self.views, *memory, *value, Some(region));
            self.item(inner, space, item);
        }
        for (memory, next) in &region.carries {
            if let Some(next) = next {
                let (space, item) = stored(self.graph, self.views, *memory, *next, None);
                self.commit(inner, space, item);
            }
        }
        let steps = std::mem::take(&mut self.lists[inner]);
        self.lists[list].push(DraftStep::Scan(DraftScan { region: index, steps }));
        let here = Some((list, self.lists[list].len() - 1));
        for id in region.start..region.body {
            self.step_of[id as usize] = here;
        }
        Ok(())
    }

    /// The next value of a carry: in the loop that computes it, where nothing reads the old one later or out of
    /// order; else in a loop at the end of the turn.
    fn commit(&mut self, list: usize, space: Vec<Size>, item: Item) {
        let operand = &item.operands[0];
        let mut first = self.readable(list, &space, operand);
        for (at, step) in self.lists[list].iter().enumerate() {
            let in_order = matches!(step, DraftStep::Loop(l) if l.space == space
                && l.items.iter().flat_map(|i| &i.operands).all(|o| o.source != item.node || o.is_plain(&space)));
            if reads(self.graph, self.views, step).contains(&item.node) {
                first = first.max(if in_order { at } else { at + 1 });
            }
        }
        let here = self.lists[list].iter_mut().skip(first).find_map(|step| match step {
            DraftStep::Loop(l) if l.space == space && l.reads_inside(operand) => Some(l),
            _ => None,
        });
        match here {
            Some(l) => l.items.push(item),
            None => {
                self.lists[list].push(DraftStep::Loop(DraftLoop { space, items: vec![item], alone: false }))
            }
        }
    }
}

/// A value stored in other memory: a slice of a stack, or a carry.
fn stored(
    graph: &Graph,
    views: &Views,
    memory: NodeId,
    value: NodeId,
    stack: Option<&Region>,
) -> (Vec<Size>, Item) {
    let shape = graph.ty(value).shape();
    let mut strides = super::view::whole_strides(&graph.ty(memory).shape());
    let mut offset = Size::default();
    if let Some(region) = stack {
        let time = strides.remove(graph.ty(value).rows.len());
        offset = &Size::symbol(&region.counter) * &time;
    }
    let keep = items::kept(&shape);
    let space = keep.iter().map(|axis| shape[*axis].clone()).collect();
    let operands =
        items::operands(views, &[value], |strides| keep.iter().map(|i| strides[*i].clone()).collect());
    let strides = keep.iter().map(|axis| strides[*axis].clone()).collect();
    let into = Some(Into { reduction: None, offset, strides, follows: None });
    (space, Item { node: memory, does: Does::Multiply, operands, into })
}

/// The sources that a step reads from memory.
pub(super) fn reads(graph: &Graph, views: &Views, step: &DraftStep) -> Vec<NodeId> {
    match step {
        DraftStep::Product(product) => factors(graph, views, product.node).collect(),
        DraftStep::Select(node) | DraftStep::Factor(node) => factors(graph, views, *node).collect(),
        DraftStep::Loop(l) => {
            let operands = l.items.iter().flat_map(|item| &item.operands);
            operands.filter(|operand| !l.reads_inside(operand)).map(|operand| operand.source).collect()
        }
        DraftStep::Scan(scan) => scan.steps.iter().flat_map(|step| reads(graph, views, step)).collect(),
    }
}
