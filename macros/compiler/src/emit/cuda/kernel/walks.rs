//! Who walks over what: the loops of a kernel around its statements.
//!
//! In: a shape. Out: the body. Never: an order of a sum that depends on the grid; a barrier that a part of a block passes.

use super::text::{LANES, PART, THREADS, join, lines, sum};
use super::{Shape, Writer};
use crate::schedule::Op;

/// Elements that a thread computes before it stores the first, and the operations of an element that is no long work.
const HELD: usize = 4;
const SHORT: usize = 16;

impl Writer<'_> {
    pub(super) fn each(&mut self) -> String {
        if self.holds() {
            return self.held();
        }
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

    /// Whether a thread computes several elements before it stores the first: where the text does not say that loads need not wait for
    /// stores, and elements are no long work.
    pub(super) fn holds(&self) -> bool {
        let alone = (0..self.memory.len()).all(|number| self.is_alone(number));
        self.draft.shape == Shape::Each && !alone && self.draft.ops.len() <= SHORT
    }

    fn held(&mut self) -> String {
        let (before, inside) = self.statements(&[], "at", "at");
        let (mut held, mut stored) = (String::new(), String::new());
        for (at, op) in self.draft.ops.iter().enumerate() {
            if let Op::Store(access, _) = op {
                let place = self.address(&access.strides, "at", "at");
                held += &format!("T held{at}[{HELD}];\n");
                stored += &format!("{}[{place}] = held{at}[turn];\n", self.name(access));
            }
        }
        let (count, places) = (self.count(&self.draft.kept), self.positions("at"));
        let turns = format!("for (int turn = 0; turn < {HELD}; turn++) {{");
        let one = |inside: &str| {
            lines(&[
                (0, "#pragma unroll"),
                (1, &turns),
                (2, "const long long at = start + turn * step;"),
                (2, "if (at < count) {"),
                (3, &places),
                (3, inside),
                (2, "}"),
                (1, "}"),
            ])
        };
        lines(&[
            (0, &format!("const long long count = {count}, step = grid_step();")),
            (0, &before),
            (0, &format!("for (long long start = grid_start(); start < count; start += {HELD} * step) {{")),
            (1, &held),
            (0, &one(&inside)),
            (0, &one(&stored)),
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
}
