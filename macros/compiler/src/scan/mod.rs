//! Loops over steps: how one is made of values that stand for a single step.
//!
//! In: a graph in which one step has been written on *places*: nodes that stand for the carries and for a slice of
//! each sequence. Out: the loop's results. Never: more inside the loop than the recurrence.
//!
//! `build` is the only constructor, for lowering, derivatives, `vmap` and the passes alike, and it divides the step
//! (fission):
//!
//! | a value that | is computed |
//! | - | - |
//! | depends on no place | before the loop, once |
//! | depends on slices, but on no carry | before the loop, for all steps at once (`vmap` over time) |
//! | depends on a carry, and a next carry on it | in the loop |
//! | depends on carries without rows alone, in a loop whose other carries have rows | in a loop of its own before |
//! | depends on a carry, and no next carry on it | after the loop, for all steps at once |
//!
//! So the product of a whole sequence with a weight is one product, random numbers are drawn for all steps, and
//! what sums over the batch, such as the gradient of a weight, is never in the loop.

mod build;
mod open;

use build::Division;
pub use build::build;
pub use open::{Opened, open, place};

use crate::graph::{Graph, NodeId, ScanResult};
use crate::size::Size;

/// One step, written on places.
#[derive(Clone, Debug)]
pub struct Recurrence {
    /// What passes from step to step.
    pub carries: Vec<Carry>,
    /// What is read along.
    pub sequences: Vec<Sequence>,
    /// Further values that are wanted of every step.
    pub outputs: Vec<NodeId>,
    /// The number of steps.
    pub length: Size,
    /// Whether the last element comes first.
    pub reverse: bool,
    /// The nodes of the step are the graph's last ones, from here on.
    pub first: NodeId,
    /// Random numbers among them that are the same in every step.
    pub fixed: Vec<NodeId>,
}

/// A value that passes from step to step.
#[derive(Clone, Copy, Debug)]
pub struct Carry {
    /// What stands for it in the step.
    pub place: NodeId,
    /// Before the first step.
    pub init: NodeId,
    /// After the step, made of places.
    pub next: NodeId,
}

/// A sequence that is read along.
#[derive(Clone, Copy, Debug)]
pub struct Sequence {
    /// What stands for its slice in the step.
    pub place: NodeId,
    /// All of it: time is feature axis 0.
    pub whole: NodeId,
}

/// The results of a loop, as nodes.
#[derive(Clone, Debug)]
pub struct Results {
    /// Each carry after the last step.
    pub last: Vec<NodeId>,
    /// Each carry before every step.
    pub previous: Vec<NodeId>,
    /// Each carry after every step, then the further values.
    pub stacked: Vec<NodeId>,
}

impl Results {
    /// A result by its name.
    pub fn get(&self, result: ScanResult) -> NodeId {
        match result {
            ScanResult::Last(carry) => self.last[carry],
            ScanResult::Previous(carry) => self.previous[carry],
            ScanResult::Stacked(output) => self.stacked[output],
        }
    }
}

impl Recurrence {
    /// The same step with the carries that have rows, or those that have none.
    fn part(&self, graph: &Graph, rows: bool) -> Recurrence {
        let has_rows = |carry: &&Carry| graph.ty(carry.place).rows.is_empty() != rows;
        let carries = self.carries.iter().filter(has_rows).copied().collect();
        Recurrence { carries, ..self.clone() }
    }
}

/// The node of a step in which rows meet, where there is one: what depends on a carry with rows has rows if a next
/// carry depends on it, and what depends on carries without rows alone has none.
pub fn crossing(graph: &Graph, this: &Recurrence) -> Option<NodeId> {
    let (high, low) = (this.part(graph, true), this.part(graph, false));
    let division = Division::of(graph, &Recurrence { carries: high.carries.clone(), ..this.clone() });
    // The rows of a carry that come to a next carry without any.
    let mut open: Vec<NodeId> = low.carries.iter().map(|carry| carry.next).collect();
    while let Some(id) = open.pop() {
        if division.carried(id) {
            let args = &graph.node(id).args;
            let from = args.iter().filter(|arg| division.carried(**arg) && graph.ty(**arg).rows.is_empty());
            match from.copied().next() {
                Some(arg) => open.push(arg),
                None => return Some(id),
            }
        }
    }
    let wrong = |division: &Division, rows: bool| {
        division.inside.iter().copied().find(|id| graph.ty(*id).rows.is_empty() == rows)
    };
    wrong(&division, true).or_else(|| wrong(&Division::of(graph, &low), false))
}
