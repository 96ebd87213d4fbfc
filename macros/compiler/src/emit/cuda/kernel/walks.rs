//! Who walks over what: the loops of a kernel around its statements.
//!
//! In: a shape. Out: the body. Never: an order of a sum that depends on the grid; a barrier that a part of a block passes.

use super::Writer;
use super::statements::needed;
use super::text::{PART, join, lines, sum};
use crate::schedule::Op;

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
        let inner = "long long at = from + threadIdx.x; at < to; at += blockDim.x";
        self.results([outer, inner], Some(("block", "threadIdx.x == 0", self.draft.even)), PART)
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
}
