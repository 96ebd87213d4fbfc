//! Loops that write along one axis and read along another: by way of tiles in shared memory.
//!
//! In: a space and its operations. Out: whether such tiles are worth it, and the kernel that goes by them. Never: two positions
//! that share a place; all of a tile is read before the first of it is written.
//!
//! Neighbouring threads read neighbouring places and write neighbouring places; read as it is written, each value would fetch
//! 32 bytes for its four.

use super::text::{THREADS, lines};
use super::{Shape, Writer};
use crate::schedule::Op;
use crate::size::Size;

/// A tile's side: the threads of a warp.
const SIDE: usize = 32;
/// Lines of a tile that the threads of a block read at once, and how often they do.
const LINES: usize = THREADS / SIDE;
const TURNS: usize = SIDE / LINES;
/// The most tiles of a kernel, each 4 KiB.
const MOST: usize = 4;
/// Fewer positions along either axis leave most of a tile empty.
const LEAST: f64 = 16.0;

/// What is read along another axis than what is written.
pub(in super::super) struct Turned {
    /// That axis; writes go along the last one.
    pub axis: usize,
    /// The loads.
    pub loads: Vec<usize>,
}

impl Turned {
    /// Those of a loop whose elements are apart, if it has any and all of them go along one axis.
    pub fn of(space: &[Size], ops: &[Op]) -> Option<Turned> {
        let (last, others) = space.split_last()?;
        let written =
            ops.iter().any(|op| matches!(op, Op::Store(access, _) if access.strides[others.len()].is_one()));
        let mut found: Option<Turned> = None;
        for (at, op) in ops.iter().enumerate() {
            let Op::Load(access) = op else { continue };
            let (step, strides) = access.strides.split_last()?;
            if *step == Size::default() || step.is_one() {
                continue;
            }
            let Some(axis) = strides.iter().position(Size::is_one) else { continue };
            match &mut found {
                Some(known) if known.axis == axis => known.loads.push(at),
                Some(_) => return None,
                None => found = Some(Turned { axis, loads: vec![at] }),
            }
        }
        let worth = |this: &Turned| {
            let wide = last.nominal() >= LEAST && space[this.axis].nominal() >= LEAST;
            written && wide && this.loads.len() <= MOST
        };
        found.filter(worth)
    }
}

impl Writer<'_> {
    /// The kernel; that there are turned loads is why it has this shape.
    pub(super) fn turned(&mut self) -> String {
        let draft = self.draft;
        let last = draft.space.len() - 1;
        let Some(Turned { axis, loads }) = Turned::of(&draft.space, &draft.ops) else { return String::new() };
        let mut texts: [String; 4] = Default::default();
        let [held, under_way, fetched, put] = &mut texts;
        for at in &loads {
            let Op::Load(access) = &draft.ops[*at] else { continue };
            let place = self.address(&access.strides, "", "");
            *held += &format!("__shared__ T tile{at}[{SIDE}][{}];\n", SIDE + 1);
            *under_way += &format!("T held{at}[{TURNS}];\n");
            *fetched += &format!("held{at}[turn] = within ? {}[{place}] : T(0);\n", self.name(access));
            *put += &format!("tile{at}[threadIdx.x / {SIDE} + turn * {LINES}][across] = held{at}[turn];\n");
        }
        let (before, inside) = self.statements(&[], "", "");
        let outer: Vec<usize> = (0..last).filter(|other| *other != axis).collect();
        self.named.extend(&outer);
        let (rows, columns) = (self.count(&[axis]), self.count(&[last]));
        let others = if outer.is_empty() { "1".to_owned() } else { self.count(&outer) };
        let places = self.decoded(&outer, "other");
        let turns = format!("for (int turn = 0; turn < {TURNS}; turn++) {{");
        let line = format!("const unsigned int line = threadIdx.x / {SIDE} + turn * {LINES};");
        let positions = |along: &str, across: &str| {
            format!("const long long i{axis} = first_row + {along}, i{last} = first_column + {across};")
        };
        let within = format!("i{axis} < rows && i{last} < columns");
        let [held, under_way, fetched, put] = &texts;
        lines(&[
            (0, held),
            (0, &format!("const long long rows = {rows}, columns = {columns}, others = {others};")),
            (
                0,
                &format!(
                    "const long long tall = (rows + {0}) / {SIDE}, broad = (columns + {0}) / {SIDE};",
                    SIDE - 1
                ),
            ),
            (0, &format!("const unsigned int across = threadIdx.x % {SIDE};")),
            (0, &before),
            (0, "for (long long tile = blockIdx.x; tile < others * tall * broad; tile += gridDim.x) {"),
            (1, &format!("const long long first_row = tile / broad % tall * {SIDE};")),
            (
                1,
                &format!(
                    "const long long first_column = tile % broad * {SIDE}, other = tile / broad / tall;"
                ),
            ),
            (1, &places),
            (1, under_way),
            (0, "#pragma unroll"),
            (1, &turns),
            (2, &line),
            (2, &positions("across", "line")),
            (2, &format!("const bool within = {within};")),
            (2, fetched),
            (1, "}"),
            (0, "#pragma unroll"),
            (1, &turns),
            (2, put),
            (1, "}"),
            (1, "__syncthreads();"),
            (0, "#pragma unroll"),
            (1, &turns),
            (2, &line),
            (2, &positions("line", "across")),
            (2, &format!("if ({within}) {{")),
            (3, &inside),
            (2, "}"),
            (1, "}"),
            (1, "__syncthreads();"),
            (0, "}"),
        ])
    }

    /// What a turned load has read.
    pub(super) fn tile_of(&self, at: usize) -> Option<String> {
        let is = self.draft.shape == Shape::Turned
            && Turned::of(&self.draft.space, &self.draft.ops)
                .is_some_and(|turned| turned.loads.contains(&at));
        is.then(|| format!("tile{at}[across][line]"))
    }

    /// An address by the positions along all axes.
    pub(super) fn by_positions(&mut self, strides: &[Size]) -> String {
        let axes = strides.iter().enumerate().filter(|(_, stride)| **stride != Size::default());
        let term = |(axis, stride): (usize, &Size)| match stride.is_one() {
            true => format!("i{axis}"),
            false => format!("i{axis} * {}", self.size(stride)),
        };
        let terms: Vec<String> = axes.map(term).collect();
        if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
    }
}
