//! Sums into places that an index says: blocks own places, and look at all indices.
//!
//! In: a body whose last operation joins to such a place. Out: the kernel. Never: two threads that add to one place, another order than
//! that of the indices; an atomic.

use super::Writer;
use super::statements::needed;
use super::text::{THREADS, lines};
use crate::schedule::Op;
use crate::size::Size;

/// Indices that a thread looks at together, so that their loads are under way at once.
const LOOKS: usize = 4;

impl Writer<'_> {
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
