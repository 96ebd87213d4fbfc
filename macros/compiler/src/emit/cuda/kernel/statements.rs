//! What a kernel does with an element.
//!
//! In: operations in order. Out: statements that stand before a walk, inside it, and after it. Never: the walk itself.

use super::super::loops::operands;
use super::super::recording::Walk;
use super::text::{LEAST, bare, float, indented, join, sum};
use super::{Shape, Writer};
use crate::graph::{Distribution, Reduction};
use crate::schedule::Op;
use crate::size::Size;

impl Writer<'_> {
    /// The statements that do not change while a thread walks, and those that do. Writes come last: a value may lie where
    /// one was that a later operation reads.
    pub(super) fn statements(&mut self, still: &[usize], kept: &str, dropped: &str) -> (String, String) {
        let draft = self.draft;
        let (mut before, mut inside, mut writes) = (String::new(), String::new(), String::new());
        let mut moves: Vec<bool> = Vec::with_capacity(draft.ops.len());
        for (at, op) in draft.ops.iter().enumerate() {
            let along = |strides: &[Size]| {
                let axes = strides.iter().enumerate().filter(|(_, stride)| **stride != Size::default());
                axes.into_iter().any(|(axis, _)| !still.contains(&axis))
            };
            let text = self.statement(at, op, kept, dropped);
            let moving = match op {
                Op::Number(_) | Op::Extent(_) => false,
                Op::Load(access) => along(&access.strides),
                Op::Choose(access, follow) => along(&access.strides) || moves[follow.index],
                Op::Count(strides) | Op::Random { strides, .. } => along(strides),
                Op::Map(_, args) => args.iter().any(|arg| moves[*arg]),
                Op::Store(..) | Op::Reduce { .. } => true,
            };
            moves.push(moving);
            let alone =
                draft.shape == Shape::Places || draft.shape == Shape::Owners && draft.dropped.is_empty();
            let still = !moving && !alone;
            let list = match op {
                Op::Store(..) | Op::Reduce { .. } => &mut writes,
                _ if still => &mut before,
                _ => &mut inside,
            };
            *list += &text;
            list.push('\n');
        }
        (before, inside + &writes)
    }

    pub(super) fn statement(&mut self, at: usize, op: &Op, kept: &str, dropped: &str) -> String {
        match op {
            Op::Number(number) => format!("const T v{at} = {};", float(*number)),
            Op::Extent(of) => format!("const T v{at} = T({});", self.size(of)),
            Op::Load(access) => {
                let load = self.tile_of(at).unwrap_or_else(|| {
                    format!("{}[{}]", self.name(access), self.address(&access.strides, kept, dropped))
                });
                format!("const T v{at} = {load};")
            }
            Op::Choose(access, follow) => {
                let place = self.chosen(access, follow, kept, dropped);
                let load = format!("{}[{place}]", self.name(access));
                match follow.bound.value() {
                    Some(1..) => format!("const T v{at} = {load};"),
                    _ => format!("const T v{at} = {} > 0 ? {load} : T(0);", self.size(&follow.bound)),
                }
            }
            Op::Count(strides) => format!("const T v{at} = T({});", self.address(strides, kept, dropped)),
            Op::Random { distribution, row, strides, .. } => {
                let draw = match distribution {
                    Distribution::Normal => "random_normal",
                    Distribution::Uniform => "random_uniform",
                };
                let place = self.address(strides, kept, dropped);
                let number = match *row == Size::default() {
                    true => format!("(unsigned long long)({place})"),
                    false => format!("clock->first_row * {} + (unsigned long long)({place})", self.size(row)),
                };
                format!("const T v{at} = {draw}(clock, site{at}, {number});")
            }
            Op::Map(row, args) => {
                let code = args.iter().enumerate().fold(row.cuda.to_owned(), |code, (i, arg)| {
                    code.replace(&format!("{{{i}}}"), &format!("v{arg}"))
                });
                format!("const T v{at} = {};", bare(&code))
            }
            Op::Store(_, of) if self.holds() => format!("held{at}[turn] = v{of};"),
            Op::Store(access, of) => {
                let place = self.address(&access.strides, kept, dropped);
                format!("{}[{place}] = v{of};", self.name(access))
            }
            Op::Reduce { reduction, value, into, follow, .. } => {
                let largest = *reduction == Reduction::Max;
                if matches!(self.draft.shape, Shape::Sums(_)) {
                    return join(largest, &format!("{}{at}", sum(largest)), &format!("v{value}"));
                }
                if let (Shape::Places, Some(follow)) = (self.draft.shape, follow) {
                    let mut place = self.address(&into.strides, kept, dropped);
                    let step = if follow.step.is_one() {
                        String::new()
                    } else {
                        format!(" * {}", self.size(&follow.step))
                    };
                    place = format!("{place} + targets[entry]{step}");
                    return join(largest, &format!("{}[{place}]", self.name(into)), &format!("v{value}"));
                }
                let place = match follow {
                    Some(follow) => self.chosen(into, follow, kept, dropped),
                    None => self.address(&into.strides, kept, dropped),
                };
                let join = join(largest, &format!("{}[{place}]", self.name(into)), &format!("v{value}"));
                match follow.as_ref().map(|follow| (&follow.bound, follow.bound.value())) {
                    None | Some((_, Some(1..))) => join,
                    Some((bound, _)) => format!("if ({} > 0) {{\n    {join}\n}}", self.size(bound)),
                }
            }
        }
    }

    /// The sums of the kernel: over everything, or for each result; and whether each is the largest.
    pub(super) fn sums(&self, whole: bool) -> Vec<(usize, bool)> {
        let of = self.draft.ops.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Reduce { reduction, into, .. } => Some((at, *reduction == Reduction::Max, into)),
            _ => None,
        });
        let wanted = of.filter(|(_, _, into)| self.draft.is_whole(&into.strides) == whole);
        wanted.map(|(at, largest, _)| (at, largest)).collect()
    }

    /// What sums start from.
    pub(super) fn starts(&self, whole: bool) -> String {
        let start = |(at, largest): &(usize, bool)| match largest {
            true => format!("T most{at} = {LEAST};\n"),
            false => format!("T sum{at} = T(0);\n"),
        };
        self.sums(whole).iter().map(start).collect()
    }

    /// Sums of the threads of a warp or block.
    pub(super) fn joined(&self, who: &str) -> String {
        let join = |(at, largest): &(usize, bool)| match largest {
            true => format!("most{at} = {who}_max(most{at});\n"),
            false => format!("sum{at} = {who}_sum(sum{at});\n"),
        };
        self.sums(false).iter().map(join).collect()
    }

    /// Writes sums, by one thread.
    pub(super) fn stored(&mut self, who: &str, parts: bool) -> String {
        let mut text = String::new();
        for (at, largest) in self.sums(false) {
            let Op::Reduce { into, .. } = &self.draft.ops[at] else { continue };
            let mut place = self.address(&into.strides.clone(), "result", "at");
            if parts {
                place = format!("{place} + blockIdx.y * results");
            }
            text += &format!("{}[{place}] = {}{at};\n", self.sum_name(at), sum(largest));
        }
        match who {
            "" => text,
            _ => format!("if ({who}) {{\n{}}}", indented(&text, 1)),
        }
    }

    /// The sums over everything, as one value of each block.
    pub(super) fn wholes(&self) -> String {
        let mut text = String::new();
        let sums = self.sums(true);
        for (at, largest) in &sums {
            let name = format!("{}{at}", sum(*largest));
            let of = if *largest { "block_max" } else { "block_sum" };
            text += &format!("{name} = {of}({name});\n");
        }
        if sums.is_empty() {
            return text;
        }
        text += "if (threadIdx.x == 0) {\n";
        for (at, largest) in &sums {
            let block = match self.draft.shape {
                Shape::Sums(Walk::Elements | Walk::Threads | Walk::Warps) => "blockIdx.x",
                _ => "blockIdx.y * gridDim.x + blockIdx.x",
            };
            text += &format!("    {}[{block}] = {}{at};\n", self.sum_name(*at), sum(*largest));
        }
        text + "}\n"
    }
}

/// Which operations one needs, itself among them.
pub(super) fn needed(ops: &[Op], last: usize) -> Vec<bool> {
    let mut needed = vec![false; ops.len()];
    needed[last] = true;
    for at in (0..=last).rev().filter(|at| *at < ops.len()) {
        if needed[at] {
            operands(&ops[at]).into_iter().for_each(|of| needed[of] = true);
        }
    }
    needed
}
