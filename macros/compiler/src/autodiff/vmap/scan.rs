//! More axes through a loop: its step is mapped, and looped again.
//!
//! In: a scan some of whose arguments have copies. Out: its results with the new axes. Never: a mapped time axis;
//! time stays feature axis 0 of what the loop reads and writes.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Mapping, extend};
use crate::graph::*;
use crate::scan::{Carry, Recurrence, Results, Sequence, build, open, place};

impl Mapping<'_> {
    /// The results of a scan over the copies of its arguments.
    pub(super) fn scan(&mut self, scan: &Rc<Scan>, args: &[NodeId]) -> Results {
        let known = self.scans.iter().find(|(other, of, _)| of == args && other == scan);
        if let Some((_, _, results)) = known {
            return results.clone();
        }
        let given = scan.carries + scan.sequences;
        let step = open(self.graph, scan, &args[given..]);
        let mut copies: HashMap<NodeId, NodeId> = HashMap::new();
        for constant in &args[given..] {
            if let Some(copy) = self.copies.get(constant) {
                copies.insert(*constant, *copy);
            }
        }
        let mut mapped = |this: &mut Self, from: NodeId| {
            let ty = this.widened(this.graph.ty(from));
            let to = place(this.graph, &ty);
            copies.insert(from, to);
            to
        };
        let places: Vec<NodeId> = step.carries.iter().map(|from| mapped(self, *from)).collect();
        let mut sequences = Vec::new();
        for (from, whole) in step.slices.iter().zip(&args[scan.carries..given]) {
            sequences.push(match self.copies.get(whole) {
                Some(copy) => {
                    let place = mapped(self, *from);
                    Sequence { place, whole: self.time_first(*copy) }
                }
                None => Sequence { place: *from, whole: *whole },
            });
        }
        let outputs = extend(self.graph, &mut copies, self.new, &step.outputs);
        let carries = places.iter().zip(&args[..scan.carries]).zip(&outputs);
        let carries = carries
            .map(|((place, init), next)| Carry { place: *place, init: self.arg(*init), next: *next })
            .collect();
        let made = Recurrence {
            carries,
            sequences,
            outputs: outputs[scan.carries..].to_vec(),
            length: scan.length.clone(),
            reverse: scan.reverse,
            first: step.first,
            fixed: Vec::new(),
        };
        let mut results = build(self.graph, &made);
        for stack in results.stacked.iter_mut().chain(&mut results.previous) {
            *stack = self.time_behind(*stack);
        }
        self.scans.push((scan.clone(), args.to_vec(), results.clone()));
        results
    }

    /// `[rows | new…, T, f…]` as `[rows | T, new…, f…]`.
    fn time_first(&mut self, id: NodeId) -> NodeId {
        let (rows, rank) = (self.graph.ty(id).rows.len(), self.graph.ty(id).rank());
        let mut axes: Vec<usize> = (0..rank).collect();
        let time = axes.remove(rows + self.new.len());
        axes.insert(rows, time);
        self.graph.permute(id, &axes, rows)
    }

    /// `[rows | T, new…, f…]` as `[rows | new…, T, f…]`.
    fn time_behind(&mut self, id: NodeId) -> NodeId {
        let (rows, rank) = (self.graph.ty(id).rows.len(), self.graph.ty(id).rank());
        let mut axes: Vec<usize> = (0..rank).collect();
        let time = axes.remove(rows);
        axes.insert(rows + self.new.len(), time);
        self.graph.permute(id, &axes, rows)
    }
}
