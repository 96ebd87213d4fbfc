//! The text of one kernel.
//!
//! In: a body over a space, and who walks over which axes. Out: parameters and statements in CUDA C, and what the kernel
//! is given. Never: a size that the text could be free of; what differs between equal layers is an argument.

use std::collections::BTreeSet;

use super::memory::Scope;
use super::recording::{Argument, Place, Reach, Sum, Walk};
use crate::graph::{Distribution, Reduction};
use crate::schedule::{Access, Follow, Op, Source};
use crate::size::Size;

/// Who walks over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A thread an element.
    Each,
    /// Sums by many threads.
    Sums(Walk),
    /// A thread a place: it walks over the dropped axes in order, and joins what memory holds.
    Owners,
    /// A block some of the places that an index says: it looks at all indices in order, and each of its threads joins
    /// values to places of its own.
    Places,
}

/// A kernel to be written.
pub(super) struct Draft {
    /// The extents.
    pub space: Vec<Size>,
    /// The operations; those that sum have strides of 0 along what they drop.
    pub ops: Vec<Op>,
    /// Who walks over what.
    pub shape: Shape,
    /// The axes that results keep, outermost first; all of them, where each thread has an element of its own.
    pub kept: Vec<usize>,
    /// The others.
    pub dropped: Vec<usize>,
    /// Whether results lie one after the other in all that is summed.
    pub even: bool,
}

/// A kernel without its name.
pub(super) struct Kernel {
    /// The most threads of a block, where that is more than the compiler is sure to have registers for.
    pub bounds: &'static str,
    /// `float *a, …`.
    pub parameters: String,
    /// The statements.
    pub body: String,
}

/// A kernel, and what it is given.
pub(super) struct Written {
    /// The text.
    pub kernel: Kernel,
    /// Where its sums go.
    pub sums: Vec<Sum>,
    /// The other arguments.
    pub arguments: Vec<Argument>,
}

/// Memory that a kernel sees.
struct Memory {
    source: Source,
    offset: Size,
    name: String,
    reach: Vec<Reach>,
    written: bool,
    /// Of a sum, its operation: such memory comes first.
    sum: Option<usize>,
}

struct Writer<'a> {
    scope: &'a Scope<'a>,
    draft: &'a Draft,
    memory: Vec<Memory>,
    symbols: BTreeSet<String>,
    sites: Vec<(usize, u32)>,
    /// The axes whose positions the text names.
    named: BTreeSet<usize>,
}

/// Writes a kernel.
pub(super) fn write(scope: &Scope<'_>, draft: &Draft) -> Written {
    let sites = draft.ops.iter().enumerate().filter_map(|(at, op)| match op {
        Op::Random { site, .. } => Some((at, *site)),
        _ => None,
    });
    let mut writer = Writer {
        scope,
        draft,
        memory: memory(draft),
        symbols: BTreeSet::new(),
        sites: sites.collect(),
        named: BTreeSet::new(),
    };
    let body = writer.body();
    let bounds = match draft.shape {
        Shape::Sums(Walk::Columns(_)) => "__launch_bounds__(512, 1) ",
        _ => "",
    };
    writer.finish(bounds, body)
}

/// What a kernel sees: where its sums go first, then the rest in the order of the operations.
fn memory(draft: &Draft) -> Vec<Memory> {
    let mut all: Vec<Memory> = Vec::new();
    let sums = matches!(draft.shape, Shape::Sums(_));
    let mut see = |access: &Access, follow: Option<&Follow>, written: bool, sum: Option<usize>| {
        let mut reach: Reach = draft.space.iter().cloned().zip(access.strides.iter().cloned()).collect();
        reach.extend(follow.map(|follow| (follow.bound.clone(), follow.step.clone())));
        let place = &access.place;
        let same = |m: &&mut Memory| {
            m.source == place.source && m.offset == place.offset && m.sum.is_none() && sum.is_none()
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                known.reach.push(reach);
                known.written |= written;
            }
            None => all.push(Memory {
                source: place.source,
                offset: place.offset.clone(),
                name: String::new(),
                reach: vec![reach],
                written,
                sum,
            }),
        }
    };
    for (at, op) in draft.ops.iter().enumerate() {
        if let Op::Reduce { into, follow: None, .. } = op
            && sums
        {
            see(into, None, true, Some(at));
        }
    }
    for op in &draft.ops {
        match op {
            Op::Load(access) => see(access, None, false, None),
            Op::Choose(access, follow) => see(access, Some(follow), false, None),
            Op::Store(access, _) => see(access, None, true, None),
            Op::Reduce { into, follow, .. } if !sums => see(into, follow.as_ref(), true, None),
            _ => {}
        }
    }
    let (mut read, mut written) = (0.., 0..);
    for this in &mut all {
        let (what, number) = if this.written { ("out", &mut written) } else { ("in", &mut read) };
        let number: usize = number.next().unwrap_or_default();
        this.name = format!("{what}{number}");
    }
    all
}

impl Writer<'_> {
    fn body(&mut self) -> String {
        match self.draft.shape {
            Shape::Each => self.each(),
            Shape::Sums(Walk::Elements) => self.elements(),
            Shape::Sums(Walk::Threads) => self.threads(),
            Shape::Sums(Walk::Warps) => self.warps(),
            Shape::Sums(Walk::Blocks) => self.blocks(),
            Shape::Sums(Walk::Columns(columns)) => self.columns(columns),
            Shape::Owners => self.owners(),
            Shape::Places => self.places(),
        }
    }

    fn each(&mut self) -> String {
        let (before, inside) = self.statements(&[], "at", "at");
        let (count, places) = (self.count(&self.draft.kept), self.positions("at"));
        lines(&[
            (0, &format!("const long long count = {count};")),
            (0, &before),
            (0, "for (long long at = grid_start(); at < count; at += grid_step()) {"),
            (1, &places),
            (1, &inside),
            (0, "}"),
        ])
    }

    fn elements(&mut self) -> String {
        let (before, inside) = self.statements(&[], "at", "at");
        let (count, places) = (self.count(&self.draft.kept), self.positions("at"));
        let (start, end) = (self.starts(true), self.wholes());
        lines(&[
            (0, &format!("const long long count = {count};")),
            (0, &start),
            (0, &before),
            (0, "for (long long at = grid_start(); at < count; at += grid_step()) {"),
            (1, &places),
            (1, &inside),
            (0, "}"),
            (0, &end),
        ])
    }

    fn threads(&mut self) -> String {
        let draft = self.draft;
        let (before, inside) = self.statements(&draft.kept, "result", "at");
        let (results, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let stored = self.stored("", false);
        let (outer, inner) = (self.decoded(&draft.kept, "result"), self.decoded(&draft.dropped, "at"));
        let (wholes, starts, end) = (self.starts(true), self.starts(false), self.wholes());
        lines(&[
            (0, &format!("const long long results = {results}, count = {count};")),
            (0, &wholes),
            (0, "for (long long result = grid_start(); result < results; result += grid_step()) {"),
            (1, &outer),
            (1, &before),
            (1, &starts),
            (1, "for (long long at = 0; at < count; at++) {"),
            (2, &inner),
            (2, &inside),
            (1, "}"),
            (1, &stored),
            (0, "}"),
            (0, &end),
        ])
    }

    fn warps(&mut self) -> String {
        let draft = self.draft;
        let (before, inside) = self.statements(&draft.kept, "result", "at");
        let (results, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let joined = self.joined("warp");
        let stored = self.stored("threadIdx.x % 32 == 0", false);
        let (outer, inner) = (self.decoded(&draft.kept, "result"), self.decoded(&draft.dropped, "at"));
        let (wholes, starts, end) = (self.starts(true), self.starts(false), self.wholes());
        lines(&[
            (0, &format!("const long long results = {results}, count = {count};")),
            (0, &wholes),
            (0, "for (long long result = grid_start() / 32; result < results; result += grid_step() / 32) {"),
            (1, &outer),
            (1, &before),
            (1, &starts),
            (1, "for (long long at = threadIdx.x % 32; at < count; at += 32) {"),
            (2, &inner),
            (2, &inside),
            (1, "}"),
            (1, &joined),
            (1, &stored),
            (0, "}"),
            (0, &end),
        ])
    }

    fn blocks(&mut self) -> String {
        let draft = self.draft;
        let (before, inside) = self.statements(&draft.kept, "result", "at");
        let (results, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let joined = self.joined("block");
        let stored = self.stored("threadIdx.x == 0", draft.even);
        let (outer, inner) = (self.decoded(&draft.kept, "result"), self.decoded(&draft.dropped, "at"));
        let (wholes, starts, end) = (self.starts(true), self.starts(false), self.wholes());
        lines(&[
            (0, &format!("const long long results = {results}, count = {count};")),
            (0, PART),
            (0, &wholes),
            (0, "for (long long result = blockIdx.x; result < results; result += gridDim.x) {"),
            (1, &outer),
            (1, &before),
            (1, &starts),
            (1, "for (long long at = from + threadIdx.x; at < to; at += blockDim.x) {"),
            (2, &inner),
            (2, &inside),
            (1, "}"),
            (1, &joined),
            (1, &stored),
            (0, "}"),
            (0, &end),
        ])
    }

    fn columns(&mut self, columns: usize) -> String {
        let draft = self.draft;
        let (before, inside) = self.statements(&draft.kept, "result", "at");
        let (results, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let sums: Vec<(usize, bool)> = self.sums(false);
        let (mut shared, mut joined) = (String::new(), String::new());
        for (at, largest) in &sums {
            shared += &format!("lanes{at}[threadIdx.x] = {}{at};\n", sum(*largest));
            let name = format!("{}{at}", sum(*largest));
            let join = join(*largest, &name, &format!("lanes{at}[lane]"));
            joined += &format!(
                "for (unsigned int lane = threadIdx.x + {columns}; lane < blockDim.x; lane += {columns}) {{\n    \
                 {join}\n}}\n"
            );
        }
        let held = sums.iter().map(|(at, _)| format!("lanes{at}[512]"));
        let held = format!("__shared__ T {};", held.collect::<Vec<_>>().join(", "));
        let stored = self.stored("", draft.even);
        let (outer, inner) = (self.decoded(&draft.kept, "result"), self.decoded(&draft.dropped, "at"));
        let (wholes, starts, end) = (self.starts(true), self.starts(false), self.wholes());
        let walk = format!(
            "for (long long first = blockIdx.x * {columns}ll; first < results; first += gridDim.x * {columns}ll) {{"
        );
        let down = format!(
            "for (long long at = from + threadIdx.x / {columns}; at < to; at += blockDim.x / {columns}) {{"
        );
        lines(&[
            (0, &held),
            (0, &format!("const long long results = {results}, count = {count};")),
            (0, PART),
            (0, &wholes),
            (0, &walk),
            (1, &format!("const long long result = first + threadIdx.x % {columns};")),
            (1, &outer),
            (1, &starts),
            (1, "if (result < results) {"),
            (2, &before),
            (2, &down),
            (3, &inner),
            (3, &inside),
            (2, "}"),
            (1, "}"),
            (1, &shared),
            (1, "__syncthreads();"),
            (1, &format!("if (threadIdx.x < {columns} && result < results) {{")),
            (2, &joined),
            (2, &stored),
            (1, "}"),
            (1, "__syncthreads();"),
            (0, "}"),
            (0, &end),
        ])
    }

    fn owners(&mut self) -> String {
        let draft = self.draft;
        let (before, inside) = self.statements(&draft.kept, "at", "step");
        let (results, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let (outer, inner) = (self.decoded(&draft.kept, "at"), self.decoded(&draft.dropped, "step"));
        let threads = format!("const long long threads = {results};");
        let walk = "for (long long at = grid_start(); at < threads; at += grid_step()) {";
        if draft.dropped.is_empty() {
            return lines(&[(0, &threads), (0, walk), (1, &outer), (1, &before), (1, &inside), (0, "}")]);
        }
        lines(&[
            (0, &format!("const long long threads = {results}, count = {count};")),
            (0, walk),
            (1, &outer),
            (1, &before),
            (1, "for (long long step = 0; step < count; step++) {"),
            (2, &inner),
            (2, &inside),
            (1, "}"),
            (0, "}"),
        ])
    }

    fn places(&mut self) -> String {
        let draft = self.draft;
        let scatter = draft.ops.iter().find_map(|op| match op {
            Op::Reduce { follow: Some(follow), .. } => Some(follow),
            _ => None,
        });
        let Some(follow) = scatter else { return String::new() };
        let (columns, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let (places, index) = (self.size(&follow.bound), follow.index);
        // What the index needs, once for all columns; and everything, for each.
        let needed = needed(&draft.ops, index);
        let mut looked = String::new();
        for (at, op) in draft.ops.iter().enumerate().filter(|(at, _)| needed[*at]) {
            looked += &(self.statement(at, op, "at", "step") + "\n");
        }
        let look = self.decoded(&draft.dropped, "step");
        let (_, inside) = self.statements(&[], "at", "step");
        let (outer, inner) = (self.decoded(&draft.kept, "at"), self.decoded(&draft.dropped, "step"));
        lines(&[
            (0, &format!("const long long columns = {columns}, count = {count}, places = {places};")),
            (0, "const long long part = (places + gridDim.x - 1) / gridDim.x;"),
            (
                0,
                "const long long first = blockIdx.x * part, last = first + part < places ? first + part : places;",
            ),
            (0, "// Few columns leave threads for several places at a time."),
            (0, "unsigned int wide = 1;"),
            (0, "while (wide < columns && wide < blockDim.x) {"),
            (1, "wide *= 2;"),
            (0, "}"),
            (
                0,
                "const unsigned int groups = blockDim.x / wide, group = threadIdx.x / wide, column = threadIdx.x % wide;",
            ),
            (0, "const unsigned int warp = threadIdx.x / 32, lane = threadIdx.x % 32;"),
            (0, "__shared__ long long steps[256], targets[256];"),
            (0, "__shared__ unsigned int counts[8];"),
            (0, "for (long long base = 0; base < count; base += blockDim.x) {"),
            (1, "const long long step = base + threadIdx.x;"),
            (1, "long long target = -1;"),
            (1, "if (step < count) {"),
            (2, &look),
            (2, &looked),
            (2, &format!("target = place(v{index}, places);")),
            (1, "}"),
            (1, "const bool mine = target >= first && target < last;"),
            (1, "const unsigned int votes = __ballot_sync(0xffffffffu, mine);"),
            (1, "if (lane == 0) {"),
            (2, "counts[warp] = __popc(votes);"),
            (1, "}"),
            (1, "__syncthreads();"),
            (1, "unsigned int found = 0, before = __popc(votes & ((1u << lane) - 1));"),
            (1, "for (unsigned int other = 0; other < blockDim.x / 32; other++) {"),
            (2, "before += other < warp ? counts[other] : 0;"),
            (2, "found += counts[other];"),
            (1, "}"),
            (1, "if (mine) {"),
            (2, "steps[before] = step;"),
            (2, "targets[before] = target;"),
            (1, "}"),
            (1, "__syncthreads();"),
            (1, "for (unsigned int entry = 0; entry < found; entry++) {"),
            (2, "if ((targets[entry] & (groups - 1)) != group) {"),
            (3, "continue;"),
            (2, "}"),
            (2, "const long long step = steps[entry];"),
            (2, &inner),
            (2, "for (long long at = column; at < columns; at += wide) {"),
            (3, &outer),
            (3, &inside),
            (2, "}"),
            (1, "}"),
            (1, "__syncthreads();"),
            (0, "}"),
        ])
    }

    /// The statements that do not change while a thread walks, and those that do. Writes come last: a value may lie where
    /// one was that a later operation reads.
    fn statements(&mut self, still: &[usize], kept: &str, dropped: &str) -> (String, String) {
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

    fn statement(&mut self, at: usize, op: &Op, kept: &str, dropped: &str) -> String {
        match op {
            Op::Number(number) => format!("const T v{at} = {};", float(*number)),
            Op::Extent(of) => format!("const T v{at} = T({});", self.size(of)),
            Op::Load(access) => {
                let place = self.address(&access.strides, kept, dropped);
                format!("const T v{at} = {}[{place}];", self.name(access))
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
    fn sums(&self, whole: bool) -> Vec<(usize, bool)> {
        let of = self.draft.ops.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Reduce { reduction, into, .. } => Some((at, *reduction == Reduction::Max, into)),
            _ => None,
        });
        let wanted = of.filter(|(_, _, into)| self.draft.is_whole(&into.strides) == whole);
        wanted.map(|(at, largest, _)| (at, largest)).collect()
    }

    /// What sums start from.
    fn starts(&self, whole: bool) -> String {
        let start = |(at, largest): &(usize, bool)| match largest {
            true => format!("T most{at} = {LEAST};\n"),
            false => format!("T sum{at} = T(0);\n"),
        };
        self.sums(whole).iter().map(start).collect()
    }

    /// Sums of the threads of a warp or block.
    fn joined(&self, who: &str) -> String {
        let join = |(at, largest): &(usize, bool)| match largest {
            true => format!("most{at} = {who}_max(most{at});\n"),
            false => format!("sum{at} = {who}_sum(sum{at});\n"),
        };
        self.sums(false).iter().map(join).collect()
    }

    /// Writes sums, by one thread.
    fn stored(&mut self, who: &str, parts: bool) -> String {
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
    fn wholes(&self) -> String {
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

    fn sum_name(&self, at: usize) -> &str {
        self.memory.iter().find(|m| m.sum == Some(at)).map_or("", |m| &m.name)
    }

    /// The name of the memory that an access is of.
    fn name(&self, access: &Access) -> String {
        let place = &access.place;
        let of = |m: &&Memory| m.source == place.source && m.offset == place.offset && m.sum.is_none();
        self.memory.iter().find(of).map_or(String::new(), |m| m.name.clone())
    }

    /// The elements of some axes.
    fn count(&mut self, axes: &[usize]) -> String {
        let size = Size::product(axes.iter().map(|axis| &self.draft.space[*axis]));
        bare(&self.size(&size)).to_owned()
    }

    /// An address with an index that is followed.
    fn chosen(&mut self, access: &Access, follow: &Follow, kept: &str, dropped: &str) -> String {
        let (address, bound) = (self.address(&access.strides, kept, dropped), self.size(&follow.bound));
        let mut place = format!("place(v{}, {bound})", follow.index);
        if !follow.step.is_one() {
            place = format!("{place} * {}", self.size(&follow.step));
        }
        if address == "0" { place } else { format!("{address} + {place}") }
    }

    /// The element that strides lead to, from the counters of the kept axes and of the others.
    fn address(&mut self, strides: &[Size], kept: &str, dropped: &str) -> String {
        let draft = self.draft;
        let mut terms = Vec::new();
        for (axes, flat) in [(&draft.kept, kept), (&draft.dropped, dropped)] {
            let Some((last, outer)) = axes.split_last() else { continue };
            // Axes that lie one after the other need no positions of their own.
            let mut next = &strides[*last] * &draft.space[*last];
            let even = outer.iter().rev().all(|axis| {
                let same = strides[*axis] == next;
                next = &next * &draft.space[*axis];
                same
            });
            let positions = match even {
                true => vec![(flat.to_owned(), &strides[*last])],
                false => axes.iter().map(|axis| (format!("i{axis}"), &strides[*axis])).collect(),
            };
            for (position, stride) in positions.into_iter().filter(|(_, stride)| **stride != Size::default())
            {
                terms.push(match stride.is_one() {
                    true => position,
                    false => format!("{position} * {}", self.size(stride)),
                });
            }
            if !even {
                let moving = axes.iter().filter(|axis| strides[**axis] != Size::default());
                self.named.extend(moving);
            }
        }
        if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
    }

    /// The positions along all axes.
    fn positions(&mut self, flat: &str) -> String {
        self.decoded(&self.draft.kept, flat)
    }

    /// The positions that the text names, from the one counter of some axes.
    fn decoded(&mut self, axes: &[usize], flat: &str) -> String {
        let mut text = String::new();
        let mut inner = Size::known(1);
        for (place, axis) in axes.iter().enumerate().rev() {
            let extent = self.draft.space[*axis].clone();
            if self.named.contains(axis) {
                let divided = match inner.is_one() {
                    true => flat.to_owned(),
                    false => format!("{flat} / {}", self.size(&inner)),
                };
                let rest = match place {
                    0 => divided,
                    _ => format!("{divided} % {}", self.size(&extent)),
                };
                text = format!("const long long i{axis} = {rest};\n{text}");
            }
            inner = &inner * &extent;
        }
        text
    }

    /// A size as an expression.
    fn size(&mut self, size: &Size) -> String {
        self.symbols.extend(size.symbols().map(str::to_owned));
        let mut terms: Vec<(&[String], i64)> = size.terms().collect();
        terms.sort_by_key(|(_, factor)| *factor < 0);
        let mut text = String::new();
        for (i, (symbols, factor)) in terms.iter().enumerate() {
            let mut factors: Vec<String> = symbols.iter().map(|name| self.scope.symbol(name)).collect();
            if factor.unsigned_abs() != 1 || symbols.is_empty() {
                factors.push(factor.unsigned_abs().to_string());
            }
            let sign = match (i, *factor < 0) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            text += &format!("{sign}{}", factors.join(" * "));
        }
        match terms.len() {
            0 => "0".to_owned(),
            1 if terms[0].1 > 0 && terms[0].0.len() < 2 && (terms[0].0.is_empty() || terms[0].1 == 1) => text,
            _ => format!("({text})"),
        }
    }

    fn finish(self, bounds: &'static str, body: String) -> Written {
        let Writer { scope, draft, memory, symbols, sites, .. } = self;
        let mut parameters: Vec<String> = memory
            .iter()
            .map(|m| if m.written { format!("T *{}", m.name) } else { format!("const T *{}", m.name) })
            .collect();
        let place = |m: &Memory| -> Place { scope.place(m.source).at(&m.offset) };
        let mut sums = Vec::new();
        let mut arguments = Vec::new();
        for this in &memory {
            match this.sum.map(|at| &draft.ops[at]) {
                Some(Op::Reduce { reduction, into, .. }) => sums.push(Sum {
                    into: place(this),
                    reach: this.reach.first().cloned().unwrap_or_default(),
                    largest: *reduction == Reduction::Max,
                    whole: draft.is_whole(&into.strides),
                }),
                _ => arguments.push(Argument::Pointer(place(this), this.reach.clone(), this.written)),
            }
        }
        // `B` first, then the others by name.
        let mut names: Vec<&String> = symbols.iter().collect();
        names.sort_by_key(|name| (*name != crate::size::BATCH, scope.symbol(name)));
        for name in names {
            parameters.push(format!("long long {}", scope.symbol(name)));
            arguments.push(Argument::Size(Size::symbol(name)));
        }
        for (at, site) in &sites {
            parameters.push(format!("unsigned int site{at}"));
            arguments.push(Argument::Site(*site));
        }
        if !sites.is_empty() {
            parameters.push("const Clock *clock".to_owned());
            arguments.push(Argument::Clock);
        }
        let kernel = Kernel { bounds, parameters: parameters.join(", "), body };
        Written { kernel, sums, arguments }
    }
}

impl Draft {
    /// Whether a sum with these strides drops all axes, where others keep some.
    pub fn is_whole(&self, strides: &[Size]) -> bool {
        let dropped = strides.iter().all(|stride| *stride == Size::default());
        dropped && (!self.kept.is_empty() || matches!(self.shape, Shape::Sums(Walk::Elements)))
    }
}

/// Which operations one needs, itself among them.
fn needed(ops: &[Op], last: usize) -> Vec<bool> {
    let mut needed = vec![false; ops.len()];
    needed[last] = true;
    for at in (0..=last).rev().filter(|at| *at < ops.len()) {
        if needed[at] {
            super::loops::operands(&ops[at]).into_iter().for_each(|of| needed[of] = true);
        }
    }
    needed
}

/// The part of what is summed that a block takes.
const PART: &str = "const long long part = (count + gridDim.y - 1) / gridDim.y, from = blockIdx.y * part;\n\
                    const long long to = from + part < count ? from + part : count;";

/// -∞.
const LEAST: &str = "__uint_as_float(0xff800000u)";

fn sum(largest: bool) -> &'static str {
    if largest { "most" } else { "sum" }
}

/// `held` joined by another value.
fn join(largest: bool, held: &str, other: &str) -> String {
    match largest {
        true => format!("{held} = math_max({held}, {other});"),
        false => format!("{held} += {other};"),
    }
}

/// A number.
pub(super) fn float(value: f64) -> String {
    let single = value as f32;
    match single {
        _ if single.is_nan() => "__uint_as_float(0x7fc00000u)".to_owned(),
        f32::INFINITY => "__uint_as_float(0x7f800000u)".to_owned(),
        f32::NEG_INFINITY => LEAST.to_owned(),
        _ => format!("T({value:?})"),
    }
}

/// An expression without the parentheses around all of it.
pub(super) fn bare(code: &str) -> &str {
    let Some(inside) = code.strip_prefix('(').and_then(|code| code.strip_suffix(')')) else { return code };
    let mut depth = 0;
    let closes = inside.chars().any(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0
    });
    if closes { code } else { inside }
}

/// Blocks of lines, each so many levels deep.
fn lines(blocks: &[(usize, &str)]) -> String {
    blocks.iter().map(|(depth, text)| indented(text, *depth)).collect()
}

fn indented(text: &str, depth: usize) -> String {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("{}{line}\n", "    ".repeat(depth))).collect()
}
