//! A loop over steps: its body, and what it gives.
//!
//! In: one step as a graph. Out: the types of its results. Never: a loop that runs; that is a machine's.

use super::{Graph, Node, Type};
use crate::size::Size;

/// A loop over `length` steps. `[rows | T, f…]` is the type of a sequence whose steps are `[rows | f…]`: time is
/// feature axis 0. Carries have rows all or none, and nothing inside crosses them.
#[derive(Clone, Debug)]
pub struct Scan {
    /// One step. Its inputs: the carries, a slice of each sequence, what is the same in every step. Its outputs,
    /// `Role::Result(i)` in order: the next carries, then further values. No parameters and no random numbers:
    /// those are drawn for all steps before the loop.
    pub body: Graph,
    /// How many values pass from step to step.
    pub carries: usize,
    /// How many sequences are read along.
    pub sequences: usize,
    /// The number of steps.
    pub length: Size,
    /// Whether the last element comes first. Stacks keep the order of the sequences.
    pub reverse: bool,
}

/// A result of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScanResult {
    /// An output of the body, of every step: `[rows | T, f…]`.
    Stacked(usize),
    /// A carry before every step: `[rows | T, f…]`.
    Previous(usize),
    /// A carry after the last step.
    Last(usize),
}

impl Scan {
    /// The type of a sequence whose steps have the type `step`.
    pub fn stacked(&self, step: &Type) -> Type {
        step.along(&self.length)
    }

    /// The type of a result; none where the scan lacks it.
    pub fn result_type(&self, result: ScanResult) -> Option<Type> {
        match result {
            ScanResult::Stacked(output) => {
                self.body.outputs.get(output).map(|o| self.stacked(self.body.ty(o.node)))
            }
            ScanResult::Previous(carry) => {
                self.body.inputs.get(carry).filter(|_| carry < self.carries).map(|i| self.stacked(&i.ty))
            }
            ScanResult::Last(carry) => {
                self.body.inputs.get(carry).filter(|_| carry < self.carries).map(|i| i.ty.clone())
            }
        }
    }
}

/// Equal where they compute the same, wherever they come from.
impl PartialEq for Scan {
    fn eq(&self, other: &Scan) -> bool {
        let (a, b) = (&self.body, &other.body);
        let same = |x: &Node, y: &Node| x.kind == y.kind && x.args == y.args && x.ty == y.ty;
        (self.carries, self.sequences, self.reverse) == (other.carries, other.sequences, other.reverse)
            && self.length == other.length
            && a.outputs == b.outputs
            && a.inputs.iter().map(|i| &i.ty).eq(b.inputs.iter().map(|i| &i.ty))
            && a.nodes.len() == b.nodes.len()
            && a.nodes.iter().zip(&b.nodes).all(|(x, y)| same(x, y))
    }
}
