//! Who walks over what: the loops of a kernel around its statements.
//!
//! In: a shape. Out: the body. Never: an order of a sum that depends on the grid; a barrier that a part of a block passes.

use super::Writer;
use super::statements::needed;
use super::text::{LANES, PART, THREADS, join, lines, sum};
use crate::schedule::Op;
use crate::size::Size;

/// Indices that a thread looks at together, so that their loads are under way at once.
const LOOKS: usize = 4;

impl Writer<'_> {
    pub(super) fn each(&mut self) -> String {
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

    pub(super) fn elements(&mut self) -> String {
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

    pub(super) fn threads(&mut self) -> String {
        let outer = "long long result = grid_start(); result < results; result += grid_step()";
        self.results([outer, "long long at = 0; at < count; at++"], None, "")
    }

    pub(super) fn warps(&mut self) -> String {
        let outer = "long long result = grid_start() / 32; result < results; result += grid_step() / 32";
        let inner = "long long at = threadIdx.x % 32; at < count; at += 32";
        self.results([outer, inner], Some(("warp", "threadIdx.x % 32 == 0", false)), "")
    }

    pub(super) fn blocks(&mut self) -> String {
        let outer = "long long result = blockIdx.x; result < results; result += gridDim.x";
        let inner = format!("long long at = from + threadIdx.x; at < to; at += {THREADS}");
        self.results([outer, &inner], Some(("block", "threadIdx.x == 0", self.draft.even)), PART)
    }

    /// A walk over results, and inside it one over what each is of. Where several threads make a result: who they are, which
    /// of them stores it, and whether others have parts of it too.
    fn results(
        &mut self,
        [outer, inner]: [&str; 2],
        together: Option<(&str, &str, bool)>,
        part: &str,
    ) -> String {
        let draft = self.draft;
        let (before, inside) = self.statements(&draft.kept, "result", "at");
        let (results, count) = (self.count(&draft.kept), self.count(&draft.dropped));
        let joined = together.map(|(who, ..)| self.joined(who)).unwrap_or_default();
        let (_, first, parts) = together.unwrap_or_default();
        let stored = self.stored(first, parts);
        let places = [self.decoded(&draft.kept, "result"), self.decoded(&draft.dropped, "at")];
        let (wholes, starts, end) = (self.starts(true), self.starts(false), self.wholes());
        lines(&[
            (0, &format!("const long long results = {results}, count = {count};")),
            (0, part),
            (0, &wholes),
            (0, &format!("for ({outer}) {{")),
            (1, &places[0]),
            (1, &before),
            (1, &starts),
            (1, &format!("for ({inner}) {{")),
            (2, &places[1]),
            (2, &inside),
            (1, "}"),
            (1, &joined),
            (1, &stored),
            (0, "}"),
            (0, &end),
        ])
    }

    pub(super) fn columns(&mut self, columns: usize) -> String {
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
                "for (unsigned int lane = threadIdx.x + {columns}; lane < {LANES}; lane += {columns}) {{\n    \
                 {join}\n}}\n"
            );
        }
        let held = sums.iter().map(|(at, _)| format!("lanes{at}[{LANES}]"));
        let held = format!("__shared__ T {};", held.collect::<Vec<_>>().join(", "));
        let stored = self.stored("", draft.even);
        let (outer, inner) = (self.decoded(&draft.kept, "result"), self.decoded(&draft.dropped, "at"));
        let (wholes, starts, end) = (self.starts(true), self.starts(false), self.wholes());
        let walk = format!(
            "for (long long first = blockIdx.x * {columns}ll; first < results; first += gridDim.x * {columns}ll) {{"
        );
        let step = LANES / columns;
        let down = format!("for (long long at = from + threadIdx.x / {columns}; at < to; at += {step}) {{");
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

    pub(super) fn owners(&mut self) -> String {
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

    pub(super) fn places(&mut self) -> String {
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
        // Few columns leave threads for several places at a time.
        let known = Size::product(draft.kept.iter().map(|axis| &draft.space[*axis])).value();
        let wide = match known {
            Some(columns) => {
                format!("const unsigned int wide = {};", columns.next_power_of_two().clamp(1, THREADS))
            }
            None => format!(
                "unsigned int wide = 1;\nwhile (wide < columns && wide < {THREADS}) {{\n    wide *= 2;\n}}"
            ),
        };
        let (round, warps) = (LOOKS * THREADS, THREADS / 32);
        let step = format!("const long long step = base + turn * {THREADS} + threadIdx.x;");
        lines(&[
            (0, &format!("const long long columns = {columns}, count = {count}, places = {places};")),
            (0, "const long long part = (places + gridDim.x - 1) / gridDim.x;"),
            (
                0,
                "const long long first = blockIdx.x * part, last = first + part < places ? first + part : places;",
            ),
            (0, &wide),
            (
                0,
                &format!(
                    "const unsigned int groups = {THREADS} / wide, group = threadIdx.x / wide, column = threadIdx.x % wide;"
                ),
            ),
            (0, "const unsigned int warp = threadIdx.x / 32, lane = threadIdx.x % 32;"),
            (0, &format!("__shared__ long long targets[{round}];")),
            (0, &format!("__shared__ unsigned int steps[{round}], counts[{}];", LOOKS * warps)),
            (0, &format!("for (long long base = 0; base < count; base += {round}) {{")),
            (1, &format!("T asked[{LOOKS}];")),
            (1, &format!("long long target[{LOOKS}];")),
            (1, &format!("unsigned int before[{LOOKS}];")),
            (1, "bool any = false;"),
            (0, "#pragma unroll"),
            (1, &format!("for (int turn = 0; turn < {LOOKS}; turn++) {{")),
            (2, &step),
            (2, "asked[turn] = T(0);"),
            (2, "if (step < count) {"),
            (3, &look),
            (3, &looked),
            (3, &format!("asked[turn] = v{index};")),
            (2, "}"),
            (1, "}"),
            (0, "#pragma unroll"),
            (1, &format!("for (int turn = 0; turn < {LOOKS}; turn++) {{")),
            (2, &step),
            (2, "target[turn] = place(asked[turn], places);"),
            (2, "const bool mine = step < count && target[turn] >= first && target[turn] < last;"),
            (2, "const unsigned int votes = __ballot_sync(0xffffffffu, mine);"),
            (2, "before[turn] = __popc(votes & ((1u << lane) - 1));"),
            (2, "target[turn] = mine ? target[turn] : -1;"),
            (2, "any = any || mine;"),
            (2, "if (lane == 0) {"),
            (3, &format!("counts[turn * {warps} + warp] = __popc(votes);")),
            (2, "}"),
            (1, "}"),
            (1, "if (__syncthreads_or(any) == 0) {"),
            (2, "continue;"),
            (1, "}"),
            (1, "unsigned int found = 0;"),
            (1, &format!("for (unsigned int other = 0; other < {}; other++) {{", LOOKS * warps)),
            (0, "#pragma unroll"),
            (2, &format!("for (int turn = 0; turn < {LOOKS}; turn++) {{")),
            (3, &format!("before[turn] += other < turn * {warps} + warp ? counts[other] : 0;")),
            (2, "}"),
            (2, "found += counts[other];"),
            (1, "}"),
            (0, "#pragma unroll"),
            (1, &format!("for (int turn = 0; turn < {LOOKS}; turn++) {{")),
            (2, "if (target[turn] >= 0) {"),
            (3, &format!("steps[before[turn]] = turn * {THREADS} + threadIdx.x;")),
            (3, "targets[before[turn]] = target[turn];"),
            (2, "}"),
            (1, "}"),
            (1, "__syncthreads();"),
            (1, "for (unsigned int entry = 0; entry < found; entry++) {"),
            (2, "if ((targets[entry] & (groups - 1)) != group) {"),
            (3, "continue;"),
            (2, "}"),
            (2, "const long long step = base + steps[entry];"),
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
}
