//! The final schedule.
//!
//! In: the draft and the places of buffers. Out: segments with loops and products over memory.
//! Never: a decision; all have been taken.

use std::collections::HashMap;

use crate::graph::*;
use crate::ops::Row;
use crate::size::Size;

use super::collapse::collapse;
use super::fuse::{Does, Draft, DraftLoop, DraftProduct, DraftStep, Item, Operand};
use super::legal::Legal;
use super::level::{Crossing, crossing};
use super::place::Places;
use super::product;
use super::view::{Views, contiguous};
use super::*;

/// Assembles all segments.
pub(super) fn assemble(legal: Legal, views: &Views, draft: &Draft, places: Places) -> Schedule {
    let mut segments = Vec::new();
    {
        let mut context = Context { graph: &legal.graph, views, places: &places, written: HashMap::new() };
        for (level, steps) in draft.levels.iter().enumerate() {
            if level % 2 == 1 {
                if !steps.is_empty() {
                    segments.push(Segment::Stage(context.stage(level, steps)));
                }
            } else {
                context.alone(steps, &mut segments);
            }
            for (index, node) in &legal.inspects {
                match places.of.get(node) {
                    Some(buffer) if places.buffers[*buffer].writer == level => {
                        segments.push(Segment::Inspect(*index, *buffer));
                    }
                    _ => {}
                }
            }
        }
    }
    Schedule { graph: legal.graph, segments, buffers: places.buffers, slots: places.slots, homes: Vec::new() }
}

struct Context<'a> {
    graph: &'a Graph,
    views: &'a Views,
    places: &'a Places,
    /// Which loop stores a value that several compute.
    written: HashMap<NodeId, ()>,
}

impl Context<'_> {
    fn stage(&mut self, level: usize, steps: &[DraftStep]) -> Stage {
        let mut row_flops = Size::default();
        let steps: Vec<Step> = steps
            .iter()
            .map(|step| match step {
                DraftStep::Loop(l) => {
                    let (this, cost) = self.fused(l, true);
                    row_flops = &row_flops + &(&this.row_elements * &Size::known(cost));
                    Step::Loop(this)
                }
                DraftStep::Product(p) => {
                    let this = self.product(p, true);
                    let axes = [&this.m, &this.n, &this.k].into_iter().chain(&this.outer);
                    let madds = Size::product(axes.map(|axis| &axis.extent.size));
                    row_flops = &row_flops + &(&madds * &Size::known(2));
                    Step::Product(this)
                }
            })
            .collect();
        let scratch = self.places.scratch[level].clone();
        let full: Vec<usize> = (0..self.places.buffers.len())
            .filter(|i| {
                let buffer = &self.places.buffers[*i];
                let whole = matches!(buffer.home, Home::Slot(_) | Home::Result(_));
                buffer.rows && buffer.writer == level && whole
            })
            .collect();
        let wide = full.iter().map(|i| &self.places.buffers[*i].elements);
        let row_elements = scratch.iter().chain(wide).fold(Size::default(), |sum, size| &sum + size);
        Stage { level, steps, scratch, lane: self.places.lanes[level].clone(), row_elements, row_flops, full }
    }

    /// Steps without rows: those that share threads are gathered where they follow each other.
    fn alone(&mut self, steps: &[DraftStep], segments: &mut Vec<Segment>) {
        // Wide products wait for stages only, unless a factor is computed in this very level.
        let here: Vec<NodeId> = steps.iter().flat_map(nodes).collect();
        let waits = |p: &DraftProduct| {
            super::recompute::factors(self.graph, self.views, p.node).any(|source| here.contains(&source))
        };
        let first = |step: &DraftStep| matches!(step, DraftStep::Product(p) if p.wide && !waits(p));
        let (early, late): (Vec<&DraftStep>, Vec<&DraftStep>) = steps.iter().partition(|step| first(step));
        for step in early.into_iter().chain(late) {
            match step {
                DraftStep::Product(p) if p.wide => {
                    let this = self.product(p, false);
                    match segments.last_mut() {
                        Some(Segment::Wide(list)) if !waits(p) => list.push(this),
                        _ => segments.push(Segment::Wide(vec![this])),
                    }
                }
                DraftStep::Product(p) => {
                    let this = self.product(p, false);
                    push_alone(segments, Step::Product(this));
                }
                DraftStep::Loop(l) => {
                    let (this, _) = self.fused(l, false);
                    push_alone(segments, Step::Loop(this));
                }
            }
        }
    }

    /// Where a source is read from, given its stride along the batch.
    fn place(&self, source: NodeId, offset: &Size, row: Size) -> Place {
        let from = match &self.graph.node(source).kind {
            Kind::Input(index) => Source::Input(*index),
            Kind::Param(index) => Source::Param(*index),
            Kind::Hyper(index) => Source::Hyper(*index),
            _ => Source::Buffer(self.places.of[&source]),
        };
        Place { source: from, row, offset: offset.clone() }
    }

    fn access(&self, operand: &Operand, rows: bool) -> Access {
        let row = if rows { operand.strides[0].clone() } else { Size::default() };
        Access { place: self.place(operand.source, &operand.offset, row), strides: operand.strides.clone() }
    }

    /// The loop, and the cost of an element.
    fn fused(&mut self, l: &DraftLoop, rows: bool) -> (Loop, usize) {
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
            for operand in &item.operands {
                args.push(self.operand(&mut body, l, operand, rows));
            }
            let value = self.value(&mut body, item, &args, &l.space, rows);
            if let Some(Op::Map(row, _)) = body.ops.get(value) {
                cost += row.cost;
            }
            self.result(&mut body, &mut fills, l, item, value, rows);
        }
        let row_elements = Size::product(l.space.iter().skip(usize::from(rows)));
        let nodes = l.items.iter().map(|item| item.node).collect();
        let space = if space.is_empty() { body.widen() } else { space };
        let mut this = Loop { space, row_elements, fills, body: body.ops, nodes };
        collapse(&mut this);
        settle(&mut this);
        (this, cost as usize)
    }

    fn operand(&self, body: &mut Body, l: &DraftLoop, operand: &Operand, rows: bool) -> usize {
        match &self.graph.node(operand.source).kind {
            Kind::Const(Constant::Number(value)) => body.push(Op::Number(*value)),
            Kind::Const(Constant::Size(size)) => body.push(Op::Extent(size.clone())),
            _ if l.reads_inside(operand) => body.values[&operand.source],
            _ => body.push(Op::Load(self.access(operand, rows))),
        }
    }

    fn value(&self, body: &mut Body, item: &Item, args: &[usize], space: &[Size], rows: bool) -> usize {
        match (item.does, &self.graph.node(item.node).kind) {
            (Does::Map, Kind::Map(row)) => body.push(Op::Map(*row, args.to_vec())),
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
        value: usize,
        rows: bool,
    ) {
        let stored = self.places.of.get(&item.node).copied();
        let Some(into) = &item.into else {
            body.values.insert(item.node, value);
            if stored.is_some() && self.written.insert(item.node, ()).is_none() {
                let plain = contiguous(&l.space);
                let operand = Operand { source: item.node, offset: Size::default(), strides: plain };
                let access = self.access(&operand, rows);
                body.ops.push(Op::Store(access, value));
            }
            return;
        };
        let Some(buffer) = stored else { return };
        let operand =
            Operand { source: item.node, offset: into.offset.clone(), strides: into.strides.clone() };
        let into_access = self.access(&operand, rows);
        body.ops.push(match into.reduction {
            None => Op::Store(into_access, value),
            Some(reduction) => {
                let source = into_access.place.source;
                let buffer = &self.places.buffers[buffer];
                if !matches!(buffer.home, Home::Lane(_)) {
                    let none = if reduction == Reduction::Max { f64::NEG_INFINITY } else { 0.0 };
                    let extent = Extent { rows: rows && buffer.rows, size: buffer.elements.clone() };
                    let whole = if buffer.rows && !rows {
                        Extent::plain(&buffer.elements * &Size::batch())
                    } else {
                        extent
                    };
                    fills.push((source, whole, none));
                }
                Op::Reduce { reduction, value, into: into_access, fresh: false }
            }
        });
    }

    fn product(&self, p: &DraftProduct, rows: bool) -> Product {
        let node = self.graph.node(p.node);
        let matrix = p.matrix.clone();
        let labels = product::labels(self.graph, self.views, p.node, rows);
        let batch = labels.iter().find(|l| l.axis.extent.rows).map(|l| l.axis.clone());
        let row = |of: fn(&Axis) -> &Size| batch.as_ref().map_or(Size::default(), |axis| of(axis).clone());
        let factor = |arg: usize, row: Size| {
            let view = self.views.get(node.args[arg]);
            self.place(view.source, &view.offset, row)
        };
        let mut factors = [factor(0, row(|x| &x.a)), factor(1, row(|x| &x.b))];
        if matrix.swapped {
            factors.reverse();
        }
        let [a, b] = factors;
        let c = self.place(p.node, &Size::default(), row(|x| &x.c));
        let lane = crossing(self.graph, p.node) == Crossing::Lane;
        let buffer = &self.places.buffers[self.places.of[&p.node]];
        let clear = (matrix.sums_outside && !lane)
            .then(|| Extent { rows: rows && buffer.rows, size: buffer.elements.clone() });
        Product {
            node: p.node,
            outer: matrix.outer,
            m: matrix.m,
            n: matrix.n,
            k: matrix.k,
            a,
            b,
            c,
            accumulate: lane || matrix.sums_outside,
            clear,
        }
    }
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
                | Op::Store(Access { strides, .. }, _)
                | Op::Random { strides, .. } => strides.push(Size::known(1)),
                Op::Reduce { into, .. } => into.strides.push(Size::default()),
                Op::Number(_) | Op::Extent(_) | Op::Map(..) => {}
            }
        }
        vec![Extent::plain(Size::known(1))]
    }
}

/// A sum over the innermost axis alone writes each place once: nothing to set to 0 first.
fn settle(l: &mut Loop) {
    let mut settled: Vec<Source> = Vec::new();
    for op in &mut l.body {
        if let Op::Reduce { into, fresh, .. } = op
            && let Some((last, outer)) = into.strides.split_last()
        {
            let alone = *last == Size::default() && outer.iter().all(|stride| *stride != Size::default());
            let source = into.place.source;
            if alone && l.fills.iter().any(|(other, _, _)| *other == source) {
                *fresh = true;
                settled.push(source);
            }
        }
    }
    l.fills.retain(|(source, _, _)| !settled.contains(source));
}

fn push_alone(segments: &mut Vec<Segment>, step: Step) {
    match segments.last_mut() {
        Some(Segment::Alone(steps)) => steps.push(step),
        _ => segments.push(Segment::Alone(vec![step])),
    }
}

fn nodes(step: &DraftStep) -> Vec<NodeId> {
    match step {
        DraftStep::Product(p) => vec![p.node],
        DraftStep::Loop(l) => l.items.iter().map(|item| item.node).collect(),
    }
}
