//! Large loops without rows, shared by all threads.
//!
//! In: a loop over weights. Out: a stage along its first axis, whose sums over that axis are lanes. Never: a loop
//! that writes across its rows, or draws random numbers; those stay on one thread.

use crate::graph::Reduction;
use crate::size::Size;

use super::assemble::{Context, push_alone};
use super::fuse::DraftLoop;
use super::items::{Does, Item};
use super::view::contiguous;
use super::{Access, Buffer, Extent, Home, Loop, Op, Place, Segment, Source, Stage, Step};

/// Fewer elements than this are not worth a fork.
const LARGE: f64 = 65_536.0;

impl Context<'_> {
    /// Emits the loop as a stage of its own, where that pays and can be done.
    pub(super) fn spread(&mut self, l: &DraftLoop, segments: &mut Vec<Segment>) -> bool {
        let Some((over, rest)) = l.space.split_first() else { return false };
        if l.space.iter().map(Size::nominal).product::<f64>() < LARGE || over.nominal() < 2.0 {
            return false;
        }
        let writes: Option<Vec<Write>> = l.items.iter().map(|item| self.write(l, item)).collect();
        let Some(writes) = writes else { return false };
        let level = self.places.buffers[writes.iter().find_map(Write::buffer).unwrap_or_default()].writer;

        let (mut this, cost) = self.fused(l, true);
        let elements = Size::product(rest);
        // An element costs a few bytes of memory traffic, whatever is computed of it.
        let row_flops = &elements * &Size::known(4 * cost + 40);
        let (mut full, mut lanes, mut lane) = (Vec::new(), Vec::new(), Size::default());
        for write in writes {
            match write {
                Write::Nothing => {}
                Write::Rows(buffer) => full.push(buffer),
                Write::Sum(buffer) => {
                    let size = self.places.buffers[buffer].elements.clone();
                    let start = lane.clone();
                    lane = &lane + &size.room();
                    let node = self.places.buffers[buffer].node;
                    let home = Home::Lane(start);
                    self.places.buffers.push(Buffer {
                        node,
                        rows: false,
                        elements: size,
                        home,
                        writer: level,
                    });
                    lanes.push((buffer, self.places.buffers.len() - 1));
                }
            }
        }
        for (buffer, sum) in &lanes {
            redirect(&mut this, Source::Buffer(*buffer), Source::Buffer(*sum));
        }
        full.sort_unstable();
        full.dedup();
        let local = full.iter().copied().chain(lanes.iter().map(|(_, sum)| *sum)).collect();
        segments.push(Segment::Stage(Stage {
            over: over.clone(),
            local,
            steps: vec![Step::Loop(this)],
            scratch: Vec::new(),
            lane,
            row_elements: elements,
            row_flops,
            full,
            abreast: false,
            panels: Vec::new(),
            turned: None,
        }));
        for (buffer, sum) in lanes {
            push_alone(segments, Step::Loop(self.copy(sum, buffer)));
        }
        true
    }

    /// What an item writes; `None` where it stands in the way.
    fn write(&self, l: &DraftLoop, item: &Item) -> Option<Write> {
        if item.does == Does::Random {
            return None;
        }
        let Some(buffer) = self.places.of.get(&item.node).copied() else { return Some(Write::Nothing) };
        let whole = &self.places.buffers[buffer].elements;
        let Some(into) = &item.into else {
            let stride = contiguous(&l.space).swap_remove(0);
            return (&stride * &l.space[0] == *whole).then_some(Write::Rows(buffer));
        };
        let stride = &into.strides[0];
        match into.reduction {
            Some(_) if into.follows.is_some() && *stride == Size::default() => None,
            Some(Reduction::Sum) if *stride == Size::default() => Some(Write::Sum(buffer)),
            Some(_) if *stride == Size::default() => None,
            // Each row of the loop writes a row of the buffer, and nothing beyond it.
            _ if into.offset == Size::default() && stride * &l.space[0] == *whole => {
                Some(Write::Rows(buffer))
            }
            _ => None,
        }
    }

    /// A loop that copies a buffer.
    fn copy(&self, from: usize, to: usize) -> Loop {
        let access = |buffer: usize| Access {
            place: Place { source: Source::Buffer(buffer), row: Size::default(), offset: Size::default() },
            strides: vec![Size::known(1)],
        };
        let Buffer { node, elements, .. } = &self.places.buffers[to];
        Loop {
            space: vec![Extent::plain(elements.clone())],
            row_elements: elements.clone(),
            fills: Vec::new(),
            body: vec![Op::Load(access(from)), Op::Store(access(to), 0)],
            nodes: vec![*node],
        }
    }
}

/// What an item of a spread loop writes.
enum Write {
    /// Nothing that is kept.
    Nothing,
    /// A row of a buffer for each row.
    Rows(usize),
    /// A sum over the rows.
    Sum(usize),
}

impl Write {
    fn buffer(&self) -> Option<usize> {
        match self {
            Write::Nothing => None,
            Write::Rows(buffer) | Write::Sum(buffer) => Some(*buffer),
        }
    }
}

/// Sums go to a lane, which is 0 at first.
fn redirect(l: &mut Loop, from: Source, to: Source) {
    l.fills.retain(|(source, ..)| *source != from);
    for op in &mut l.body {
        if let Op::Reduce { into, fresh, .. } = op
            && into.place.source == from
        {
            into.place.source = to;
            *fresh = false;
        }
    }
}
