//! The bodies of loops: loads, operations, stores.
//!
//! In: a loop of items, and the places of buffers. Out: a loop over memory, collapsed. Never: an item moved.

use std::collections::HashMap;

use crate::graph::*;
use crate::ops::Row;
use crate::size::Size;

use super::assemble::Context;
use super::collapse::collapse;
use super::fuse::DraftLoop;
use super::interchange::interchange;
use super::items::{Does, Follows, Item, Operand};
use super::view::contiguous;
use super::*;

impl Context<'_> {
    /// The loop, and the cost of an element.
    pub(super) fn fused(&mut self, l: &DraftLoop, rows: bool) -> (Loop, usize) {
        let space: Vec<Extent> = l
            .space
            .iter()
            .enumerate()
            .map(|(i, size)| match rows && i == 0 {
                true => Extent { rows: true, size: Size::known(1) },
                false => Extent::plain(size.clone()),
            })
            .collect();
        let mut body = Body { ops: Vec::new(), values: HashMap::new() };
        let mut fills = Vec::new();
        let mut cost = 1.0;
        for item in &l.items {
            let mut args: Vec<usize> = Vec::with_capacity(item.operands.len());
            // The indices come last, and are read first.
            for operand in item.operands.iter().skip(item.values()) {
                args.push(self.operand(&mut body, l, operand, &[], rows));
            }
            let indices = std::mem::take(&mut args);
            for operand in item.operands.iter().take(item.values()) {
                let index = operand.follows.as_ref().map(|follows| indices[follows.operand - item.values()]);
                args.push(self.operand(&mut body, l, operand, index.as_slice(), rows));
            }
            let value = self.value(&mut body, item, &args, &l.space, rows);
            let place = item.into.as_ref().and_then(|into| into.follows.as_ref());
            let place = place.map(|follows| follow(follows, indices[follows.operand - item.values()]));
            if let Some(Op::Map(row, _)) = body.ops.get(value) {
                cost += row.cost;
            }
            self.result(&mut body, &mut fills, l, item, (value, place), rows);
        }
        let row_elements = Size::product(l.space.iter().skip(usize::from(rows)));
        let nodes = l.items.iter().map(|item| item.node).collect();
        let space = if space.is_empty() { body.widen() } else { space };
        let mut this = Loop { space, row_elements, fills, body: body.ops, nodes };
        let items = l.items.iter().filter(|item| self.views.overlaps(item.node));
        let overlapping: Vec<usize> =
            items.filter_map(|item| self.places.of.get(&item.node).copied()).collect();
        collapse(&mut this);
        interchange(&mut this);
        settle(&mut this, &overlapping);
        (this, cost as usize)
    }

    fn operand(
        &self,
        body: &mut Body,
        l: &DraftLoop,
        operand: &Operand,
        index: &[usize],
        rows: bool,
    ) -> usize {
        match &self.graph.node(operand.source).kind {
            Kind::Const(Constant::Number(value)) => body.push(Op::Number(*value)),
            Kind::Const(Constant::Size(size)) => body.push(Op::Extent(size.clone())),
            _ if l.reads_inside(operand) => body.values[&operand.source],
            _ => body.push(match (&operand.follows, index) {
                (Some(follows), [index]) => Op::Choose(self.access(operand, rows), follow(follows, *index)),
                _ => Op::Load(self.access(operand, rows)),
            }),
        }
    }

    fn value(&self, body: &mut Body, item: &Item, args: &[usize], space: &[Size], rows: bool) -> usize {
        match (item.does, &self.graph.node(item.node).kind) {
            (Does::Map, Kind::Map(row)) => body.push(Op::Map(*row, args.to_vec())),
            (Does::Count, _) => body.push(Op::Count(contiguous(space))),
            (Does::Fill(value), _) => body.push(Op::Number(value)),
            (Does::Random, Kind::Random { distribution, site }) => body.push(Op::Random {
                distribution: *distribution,
                site: *site,
                row: if rows { Size::product(&space[1..]) } else { Size::default() },
                strides: contiguous(space),
            }),
            _ => match (args, Row::named("mul")) {
                ([a, b], Some(mul)) => body.push(Op::Map(mul, vec![*a, *b])),
                _ => args[0],
            },
        }
    }

    fn result(
        &mut self,
        body: &mut Body,
        fills: &mut Vec<(Source, Extent, f64)>,
        l: &DraftLoop,
        item: &Item,
        (value, place): (usize, Option<Follow>),
        rows: bool,
    ) {
        let stored = self.places.of.get(&item.node).copied();
        let Some(into) = &item.into else {
            body.values.insert(item.node, value);
            if stored.is_some() && self.written.insert(item.node, ()).is_none() {
                let plain = contiguous(&l.space);
                let operand =
                    Operand { source: item.node, offset: Size::default(), strides: plain, follows: None };
                let access = self.access(&operand, rows);
                body.ops.push(Op::Store(access, value));
            }
            return;
        };
        let Some(buffer) = stored else { return };
        let (offset, strides) = (into.offset.clone(), into.strides.clone());
        let operand = Operand { source: item.node, offset, strides, follows: None };
        let into_access = self.access(&operand, rows);
        body.ops.push(match into.reduction {
            None => Op::Store(into_access, value),
            Some(reduction) => {
                let source = into_access.place.source;
                let buffer = &self.places.buffers[buffer];
                if !matches!(buffer.home, Home::Lane(_)) {
                    let none = if reduction == Reduction::Max { f64::NEG_INFINITY } else { 0.0 };
                    // In a stage, the part that a row holds is what its stride spans.
                    let whole = match (rows, buffer.rows) {
                        (true, _) => Extent { rows: true, size: into.strides[0].clone() },
                        (false, true) => Extent::plain(&buffer.elements * &Size::batch()),
                        (false, false) => Extent::plain(buffer.elements.clone()),
                    };
                    fills.push((source, whole, none));
                }
                Op::Reduce { reduction, value, into: into_access, fresh: false, follow: place }
            }
        });
    }
}

/// The index of an operation.
fn follow(follows: &Follows, index: usize) -> Follow {
    Follow { index, step: follows.step.clone(), bound: follows.bound.clone(), window: false }
}

/// The operations of a loop, each once.
struct Body {
    ops: Vec<Op>,
    values: HashMap<NodeId, usize>,
}

impl Body {
    fn push(&mut self, op: Op) -> usize {
        // A load after a store of the same loop never meets it: stored values are read inside.
        if let Some(at) = self.ops.iter().position(|other| *other == op) {
            return at;
        }
        self.ops.push(op);
        self.ops.len() - 1
    }
}

impl Body {
    /// A scalar is a run of one element.
    fn widen(&mut self) -> Vec<Extent> {
        for op in &mut self.ops {
            match op {
                Op::Load(Access { strides, .. })
                | Op::Choose(Access { strides, .. }, _)
                | Op::Count(strides)
                | Op::Store(Access { strides, .. }, _)
                | Op::Random { strides, .. } => strides.push(Size::known(1)),
                Op::Reduce { into, .. } => into.strides.push(Size::default()),
                Op::Number(_) | Op::Extent(_) | Op::Map(..) => {}
            }
        }
        vec![Extent::plain(Size::known(1))]
    }
}

/// A sum over the innermost axis alone writes each place once: nothing to set to 0 first. Not where positions share
/// a place.
fn settle(l: &mut Loop, overlapping: &[usize]) {
    let mut settled: Vec<Source> = Vec::new();
    for op in &mut l.body {
        if let Op::Reduce { into, fresh, follow: None, .. } = op
            && let Some((last, outer)) = into.strides.split_last()
        {
            let alone = *last == Size::default() && outer.iter().all(|stride| *stride != Size::default());
            let source = into.place.source;
            let shared = matches!(source, Source::Buffer(buffer) if overlapping.contains(&buffer));
            if alone && !shared && l.fills.iter().any(|(other, _, _)| *other == source) {
                *fresh = true;
                settled.push(source);
            }
        }
    }
    l.fills.retain(|(source, _, _)| !settled.contains(source));
}
