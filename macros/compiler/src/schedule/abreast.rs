//! Rows side by side: in a stage of products that slide, what a place holds of all rows of a tile lies together.
//!
//! In: a schedule. Out: the same with the scratch of such stages in another order, element first, row last, so that
//! loops and products over small images fill whole registers, and windows with steps are plain offsets; tiles have
//! [`ABREAST`] rows. Never: another value, or another order for what outlives a tile.
//!
//! A tile of fewer rows leaves part of each group alone: loops that only see scratch compute it like the rest, and
//! nothing reads it.

use crate::graph::{Kind, NodeId, Reduction};
use crate::size::Size;

use super::{
    Access, Axis, Buffer, Extent, Home, Loop, Op, Place, Product, Schedule, Segment, Source, Stage, Step,
    collapse,
};

/// Rows that lie side by side: `kernels::ABREAST`.
pub const ABREAST: usize = 16;

/// A tile keeps at most so many elements of a row: 4 MiB of f32 for all.
const MOST: f64 = 65_536.0;

/// How a product meets the rows that lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Not at all, or as one of its axes.
    Plain,
    /// It is one for each: groups times numbers.
    Each,
    /// It is summed over them: groups times groups.
    Over,
}

/// The schedule with rows abreast where that pays: for programs that are trained, since one that is evaluated may have
/// one row.
pub fn abreast(schedule: &Schedule) -> Schedule {
    let mut changed = schedule.clone();
    if !schedule.buffers.iter().any(|buffer| matches!(buffer.home, Home::Gradient(_))) {
        return changed;
    }
    let mut segments = std::mem::take(&mut changed.segments);
    for segment in &mut segments {
        if let Segment::Stage(stage) = segment
            && let Some(turned) = turned(&mut changed, stage)
        {
            *stage = turned;
        }
    }
    changed.segments = segments;
    changed
}

/// The stage with rows abreast, where it has products that slide and nothing that cannot be turned.
fn turned(schedule: &mut Schedule, stage: &Stage) -> Option<Stage> {
    if stage.over != Size::batch() || stage.row_elements.nominal() > MOST {
        return None;
    }
    let buffers = schedule.buffers.len();
    let mut turn = Turn { schedule, stage: stage.clone(), inputs: Vec::new() };
    let mut steps = Vec::with_capacity(stage.steps.len());
    for step in &stage.steps {
        steps.push(match step {
            Step::Loop(l) => turn.fused(l).map(Step::Loop),
            Step::Product(p) => turn.product(p).map(Step::Product),
            Step::Select(_) | Step::Factor(_) | Step::Scan(_) => None,
        });
    }
    let all: Option<Vec<Step>> = steps.into_iter().collect();
    let copies: Vec<Step> = turn.inputs.iter().map(|input| Step::Loop(input.copy())).collect();
    let pays = |steps: &[Step]| {
        let work = |step: &Step, wanted: bool| match step {
            Step::Product(p) if (p.rows != Rows::Plain && !p.is_plain()) == wanted => p.work(),
            _ => 0.0,
        };
        let [sliding, others] = [true, false].map(|w| steps.iter().map(|s| work(s, w)).sum::<f64>());
        sliding > 0.0 && sliding >= others
    };
    let Turn { mut stage, .. } = turn;
    match all.filter(|steps| pays(steps)) {
        Some(all) => {
            stage.steps = copies.into_iter().chain(all).collect();
            stage.abreast = true;
            Some(stage)
        }
        None => {
            schedule.buffers.truncate(buffers);
            None
        }
    }
}

/// A stage on its way.
struct Turn<'a> {
    schedule: &'a mut Schedule,
    stage: Stage,
    inputs: Vec<Input>,
}

/// An input with rows, and where a copy of it lies.
struct Input {
    index: usize,
    buffer: usize,
    elements: Size,
    node: NodeId,
}

impl Input {
    /// The loop that puts its rows side by side.
    fn copy(&self) -> Loop {
        let place = |source| Place { source, row: self.elements.clone(), offset: Size::default() };
        let (one, abreast) = (Size::known(1), Size::known(ABREAST));
        let from = Access {
            place: place(Source::Input(self.index)),
            strides: vec![one.clone(), self.elements.clone()],
        };
        let to = Access { place: place(Source::Buffer(self.buffer)), strides: vec![abreast, one.clone()] };
        Loop {
            space: vec![Extent::plain(self.elements.clone()), Extent { rows: true, size: one }],
            row_elements: self.elements.clone(),
            fills: Vec::new(),
            body: vec![Op::Load(from), Op::Store(to, 0)],
            nodes: vec![self.node],
        }
    }
}

impl Turn<'_> {
    /// Whether a source is scratch of this stage.
    fn turns(&self, source: Source) -> bool {
        matches!(source, Source::Buffer(i) if matches!(self.schedule.buffers[i].home, Home::Scratch(_)))
    }

    /// The copy of an input whose rows differ, made where it is first asked for; other sources as they are.
    fn source(&mut self, place: &Place) -> Option<Source> {
        let Source::Input(index) = place.source else { return Some(place.source) };
        if place.row == Size::default() {
            return Some(place.source);
        }
        if let Some(known) = self.inputs.iter().find(|input| input.index == index) {
            return Some(Source::Buffer(known.buffer));
        }
        let graph = &self.schedule.graph;
        let node = graph.ids().find(|id| graph.node(*id).kind == Kind::Input(index))?;
        let elements = Size::product(&graph.inputs[index].ty.features);
        let buffer = self.schedule.buffers.len();
        let home = Home::Scratch(self.stage.scratch.len());
        let writer = self.schedule.buffers[*self.stage.local.first()?].writer;
        self.schedule.buffers.push(Buffer { node, rows: true, elements: elements.clone(), home, writer });
        self.stage.scratch.push(elements.clone());
        self.stage.row_elements = &self.stage.row_elements + &elements;
        self.stage.local.push(buffer);
        self.inputs.push(Input { index, buffer, elements, node });
        Some(Source::Buffer(buffer))
    }

    /// A place, and the elements from one row to the next and by which others grow.
    fn place(&mut self, place: &Place) -> Option<(Place, Size, Size)> {
        let source = self.source(place)?;
        if !self.turns(source) {
            return Some((Place { source, ..place.clone() }, place.row.clone(), Size::known(1)));
        }
        let Source::Buffer(index) = source else { return None };
        if place.row != self.schedule.buffers[index].elements {
            return None;
        }
        let by = Size::known(ABREAST);
        Some((Place { source, row: place.row.clone(), offset: &place.offset * &by }, Size::known(1), by))
    }

    /// A loop with the rows innermost.
    fn fused(&mut self, l: &Loop) -> Option<Loop> {
        let first = l.space.first().filter(|extent| extent.rows)?.clone();
        if l.space.iter().skip(1).any(|extent| extent.rows) {
            return None;
        }
        let mut this = l.clone();
        // Whether it sees scratch alone, and so may compute what lies beside the rows.
        let mut alone = true;
        let one = Extent { rows: true, size: Size::known(1) };
        this.space.remove(0);
        if !first.size.is_one() {
            this.space.insert(0, Extent::plain(first.size.clone()));
        }
        this.space.push(one);
        for op in &mut this.body {
            let access = match op {
                Op::Load(access) | Op::Store(access, _) | Op::Reduce { into: access, follow: None, .. } => {
                    access
                }
                Op::Number(_) | Op::Extent(_) | Op::Map(..) => continue,
                Op::Choose(..) | Op::Count(_) | Op::Random { .. } | Op::Reduce { .. } => return None,
            };
            // The axis with the rows steps evenly from one row's last element to the next one's first.
            let outer = access.strides.first()?.clone();
            if &outer * &first.size != access.place.row {
                return None;
            }
            let (place, row, by) = self.place(&access.place)?;
            let mut strides: Vec<Size> = access.strides.iter().map(|stride| stride * &by).collect();
            let outer = strides.remove(0);
            if !first.size.is_one() {
                strides.insert(0, outer);
            }
            strides.push(row);
            alone &= place.row.is_zero() || self.turns(place.source);
            *access = Access { place, strides };
        }
        for op in &mut this.body {
            let Op::Reduce { reduction, into, fresh, .. } = op else { continue };
            alone &= self.turns(into.place.source);
            if std::mem::take(fresh) {
                // The axis that is dropped is no longer the innermost.
                let none = if *reduction == Reduction::Max { f64::NEG_INFINITY } else { 0.0 };
                let whole = Extent { rows: true, size: into.place.row.clone() };
                this.fills.push((into.place.source, whole, none));
            }
        }
        for (source, extent, _) in &mut this.fills {
            if self.turns(*source) {
                *extent = Extent::plain(&extent.size * &Size::known(ABREAST));
            }
        }
        if alone {
            full(&mut this);
        }
        Some(this)
    }

    fn product(&mut self, p: &Product) -> Option<Product> {
        let mut this = p.clone();
        let (a, row_a, by_a) = self.place(&p.a)?;
        let (b, row_b, by_b) = self.place(&p.b)?;
        let (c, row_c, by_c) = self.place(&p.c)?;
        let lists = [&mut this.outer, &mut this.m, &mut this.n, &mut this.k];
        for axis in lists.into_iter().flatten() {
            let rows = axis.extent.rows;
            if rows && !axis.extent.size.is_one() {
                return None;
            }
            let stride = |old: &Size, row: &Size, by: &Size| match rows {
                true if old.is_zero() => Size::default(),
                true => row.clone(),
                false => old * by,
            };
            axis.a = stride(&axis.a, &row_a, &by_a);
            axis.b = stride(&axis.b, &row_b, &by_b);
            axis.c = stride(&axis.c, &row_c, &by_c);
        }
        if let Some(whole) = &mut this.clear
            && self.turns(c.source)
        {
            *whole = Extent::plain(&whole.size * &Size::known(ABREAST));
        }
        (this.a, this.b, this.c) = (a, b, c);
        if p.is_plain() && !p.outer.iter().any(|axis| axis.extent.rows) {
            return Some(this);
        }
        let is = |axis: &Axis, [a, b, c]: [usize; 3]| {
            axis.a == Size::known(a) && axis.b == Size::known(b) && axis.c == Size::known(c)
        };
        let lists = [&this.outer, &this.m, &this.n, &this.k];
        let rows = lists.into_iter().flatten().find(|axis| axis.extent.rows)?.clone();
        let groups = |place: &Place| self.turns(place.source);
        if is(&rows, [0, 1, 1]) && groups(&this.b) && groups(&this.c) {
            this.rows = Rows::Each;
        } else if is(&rows, [1, 0, 1]) && groups(&this.a) && groups(&this.c) {
            this.rows = Rows::Each;
            std::mem::swap(&mut this.a, &mut this.b);
            std::mem::swap(&mut this.m, &mut this.n);
            let lists = [&mut this.outer, &mut this.m, &mut this.n, &mut this.k];
            for axis in lists.into_iter().flatten() {
                std::mem::swap(&mut axis.a, &mut axis.b);
            }
        } else if rows.a == Size::known(1) && rows.b == Size::known(1) && rows.c.is_zero() {
            if !groups(&this.a) || !groups(&this.b) || this.clear.is_some() {
                return None;
            }
            this.rows = Rows::Over;
        } else {
            return Some(this);
        }
        for list in [&mut this.outer, &mut this.m, &mut this.n, &mut this.k] {
            list.retain(|axis| !axis.extent.rows);
        }
        Some(this)
    }
}

/// All groups whole.
fn full(l: &mut Loop) {
    if let Some(last) = l.space.last_mut() {
        *last = Extent::plain(Size::known(ABREAST));
    }
    collapse(l);
}

/// The same loop for a tile that has all its rows, where the one for any number of them stands.
pub fn whole(l: &Loop) -> Option<Loop> {
    let last = l.space.last()?;
    if !last.rows || !last.size.is_one() {
        return None;
    }
    let mut whole = l.clone();
    full(&mut whole);
    Some(whole)
}
