//! The final schedule.
//!
//! In: the draft and the places of buffers. Out: segments with loops and products over memory.
//! Never: a decision; all have been taken.

use std::collections::HashMap;

use crate::graph::*;
use crate::size::Size;

use super::fuse::{Draft, DraftProduct, DraftStep};
use super::items::Operand;
use super::legal::Legal;
use super::level::{Crossing, crossing};
use super::place::Places;
use super::product;
use super::region::Region;
use super::view::Views;
use super::*;

/// Assembles all segments.
pub(super) fn assemble(legal: Legal, views: &Views, draft: &Draft, mut places: Places) -> Schedule {
    let mut segments = Vec::new();
    {
        let mut context = Context {
            graph: &legal.graph,
            regions: &legal.regions,
            views,
            places: &mut places,
            written: HashMap::new(),
        };
        for (level, steps) in draft.levels.iter().enumerate() {
            if level % 2 == 1 {
                if !steps.is_empty() {
                    segments.push(Segment::Stage(context.stage(level, steps)));
                }
            } else {
                context.alone(steps, &mut segments);
            }
            for (index, node) in &legal.inspects {
                match context.places.of.get(node) {
                    Some(buffer) if context.places.buffers[*buffer].writer == level => {
                        segments.push(Segment::Inspect(*index, *buffer));
                    }
                    _ => {}
                }
            }
        }
    }
    let Places { buffers, slots, .. } = places;
    Schedule { graph: legal.graph, segments, buffers, slots, homes: Vec::new(), panels: Vec::new() }
}

pub(super) struct Context<'a> {
    pub(super) graph: &'a Graph,
    regions: &'a [Region],
    pub(super) views: &'a Views,
    pub(super) places: &'a mut Places,
    /// Which loop stores a value that several compute.
    pub(super) written: HashMap<NodeId, ()>,
}

impl Context<'_> {
    fn stage(&mut self, level: usize, steps: &[DraftStep]) -> Stage {
        let (steps, row_flops) = self.steps(steps, true);
        let scratch = self.places.scratch[level].clone();
        let full: Vec<usize> = (0..self.places.buffers.len())
            .filter(|i| {
                let buffer = &self.places.buffers[*i];
                let whole = matches!(buffer.home, Home::Slot(_) | Home::Result(_));
                buffer.rows && buffer.writer == level && whole
            })
            .collect();
        let local =
            (0..self.places.buffers.len()).filter(|i| self.places.buffers[*i].writer == level).collect();
        let wide = full.iter().map(|i| &self.places.buffers[*i].elements);
        let row_elements = scratch.iter().chain(wide).fold(Size::default(), |sum, size| &sum + size);
        let (over, lane) = (Size::batch(), self.places.lanes[level].clone());
        let (abreast, panels, turned) = (false, Vec::new(), None);
        Stage { over, local, steps, scratch, lane, row_elements, row_flops, full, abreast, panels, turned }
    }

    /// Steps on one thread, and the operations of one row.
    fn steps(&mut self, steps: &[DraftStep], rows: bool) -> (Vec<Step>, Size) {
        let mut flops = Size::default();
        let mut all = Vec::with_capacity(steps.len());
        for step in steps {
            let (this, part) = match step {
                DraftStep::Loop(l) => {
                    let (this, cost) = self.fused(l, rows);
                    let part = &this.row_elements * &Size::known(cost);
                    (Step::Loop(this), part)
                }
                DraftStep::Product(p) => {
                    let this = self.product(p, rows);
                    let axes = [&this.m, &this.n, &this.k, &this.outer].into_iter().flatten();
                    let madds = Size::product(axes.map(|axis| &axis.extent.size));
                    (Step::Product(this), &madds * &Size::known(2))
                }
                DraftStep::Select(node) => {
                    let this = self.select(*node, rows);
                    let elements = &this.outer.size * &this.n;
                    (Step::Select(this), &elements * &Size::known(4))
                }
                DraftStep::Factor(node) => (Step::Factor(self.factor(*node)), Size::default()),
                DraftStep::Scan(scan) => {
                    let region = &self.regions[scan.region];
                    let (counter, count) = (region.counter.clone(), region.length.clone());
                    let (reverse, node) = (region.reverse, NodeId(region.start));
                    let (steps, part) = self.steps(&scan.steps, rows);
                    let part = &part * &count;
                    (Step::Scan(Turns { node, counter, count, reverse, steps }), part)
                }
            };
            flops = &flops + &part;
            all.push(this);
        }
        (all, flops)
    }

    /// Steps without rows: those that share threads are gathered where they follow each other.
    fn alone(&mut self, steps: &[DraftStep], segments: &mut Vec<Segment>) {
        // Wide products wait for stages only, unless a factor is computed in this very level.
        let here: Vec<NodeId> = steps.iter().flat_map(|step| nodes(step, self.regions)).collect();
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
                DraftStep::Scan(_) => {
                    let (turns, _) = self.steps(std::slice::from_ref(step), false);
                    turns.into_iter().for_each(|this| push_alone(segments, this));
                }
                DraftStep::Select(node) => {
                    let this = self.select(*node, false);
                    push_alone(segments, Step::Select(this));
                }
                DraftStep::Factor(node) => {
                    let this = self.factor(*node);
                    push_alone(segments, Step::Factor(this));
                }
                DraftStep::Loop(l) if l.alone => self.window(l, segments),
                DraftStep::Loop(l) => {
                    if !self.spread(l, segments) {
                        let (this, _) = self.fused(l, false);
                        push_alone(segments, Step::Loop(this));
                    }
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

    pub(super) fn access(&self, operand: &Operand, rows: bool) -> Access {
        let row = if rows { operand.strides[0].clone() } else { Size::default() };
        Access { place: self.place(operand.source, &operand.offset, row), strides: operand.strides.clone() }
    }

    fn select(&self, id: NodeId, rows: bool) -> Select {
        let node = self.graph.node(id);
        let Kind::TopK { largest } = node.kind else { unreachable!("only `TopK` selects") };
        let (from, into) = (self.graph.ty(node.args[0]).shape(), node.ty.shape());
        let last = from.len() - 1;
        let first = usize::from(rows);
        let row = |shape: &[Size]| if rows { Size::product(&shape[1..]) } else { Size::default() };
        let view = self.views.get(node.args[0]);
        Select {
            node: id,
            outer: Extent { rows, size: Size::product(&from[first..last]) },
            n: from[last].clone(),
            k: into[last].clone(),
            largest,
            from: self.place(view.source, &view.offset, row(&from)),
            into: self.place(id, &Size::default(), row(&into)),
        }
    }

    fn factor(&self, id: NodeId) -> Factor {
        let arg = self.graph.node(id).args[0];
        let (shape, view) = (self.graph.ty(arg).shape(), self.views.get(arg));
        let (outer, [m, n]) = (shape.len() - 2, [shape.len() - 2, shape.len() - 1]);
        // `legal` sees to it that the leading axes lie evenly.
        let step = outer.checked_sub(1).map_or(Size::default(), |last| view.strides[last].clone());
        Factor {
            node: id,
            count: Size::product(&shape[..outer]),
            m: shape[m].clone(),
            n: shape[n].clone(),
            from: self.place(view.source, &view.offset, Size::default()),
            strides: [step, view.strides[m].clone(), view.strides[n].clone()],
            into: self.place(id, &Size::default(), Size::default()),
        }
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
        let written = self.views.written(p.node);
        let offset = written.map(|how| how.offset.clone()).unwrap_or_default();
        let c = self.place(p.node, &offset, row(|x| &x.c));
        let lane = crossing(self.graph, self.views, p.node) == Crossing::Lane;
        let buffer = &self.places.buffers[self.places.of[&p.node]];
        let sums = matrix.sums_outside || self.views.overlaps(p.node);
        let clear =
            (sums && !lane).then(|| Extent { rows: rows && buffer.rows, size: buffer.elements.clone() });
        Product {
            node: p.node,
            outer: matrix.outer,
            m: matrix.m,
            n: matrix.n,
            k: matrix.k,
            a,
            b,
            c,
            accumulate: lane || sums,
            clear,
            rows: Rows::Plain,
            panels: None,
        }
    }
}

pub(super) fn push_alone(segments: &mut Vec<Segment>, step: Step) {
    match segments.last_mut() {
        Some(Segment::Alone(steps)) => steps.push(step),
        _ => segments.push(Segment::Alone(vec![step])),
    }
}

fn nodes(step: &DraftStep, regions: &[Region]) -> Vec<NodeId> {
    match step {
        DraftStep::Scan(scan) => {
            let region = &regions[scan.region];
            (region.start..region.end).map(NodeId).collect()
        }
        DraftStep::Product(p) => vec![p.node],
        DraftStep::Select(node) | DraftStep::Factor(node) => vec![*node],
        DraftStep::Loop(l) => l.items.iter().map(|item| item.node).collect(),
    }
}
