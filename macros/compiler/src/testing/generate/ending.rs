//! What a random program hands out.
//!
//! In: the values so far. Out: a loss, a metric, results, and the next value of the state. Never: a step; fewer steps with
//! another ending are a prefix of the same program.

use super::{Maker, STATE};
use crate::graph::*;

impl Maker {
    /// The loss takes the last values into account, each squashed; then every value ever made has a part.
    pub(super) fn finish(&mut self) {
        let mut loss = self.graph.number(0.0);
        let late: Vec<NodeId> = self.pool.iter().rev().take(8).copied().collect();
        for node in late {
            let calm = self.squash(node, (-1.0, 1.0));
            let rank = self.graph.ty(calm).rank();
            let sum = self.graph.mean(calm, &(0..rank).collect::<Vec<_>>());
            loss = self.graph.add(loss, sum);
        }
        self.graph.outputs.push(Output { role: Role::Loss, node: loss });
        let metric = self.graph.square(loss);
        self.graph.outputs.push(Output { role: Role::Metric("square".into()), node: metric });
        let results: Vec<NodeId> = self.pool.iter().rev().take(3).copied().collect();
        for (index, node) in results.into_iter().enumerate() {
            self.graph.outputs.push(Output { role: Role::Result(index), node });
        }
        self.next_state();
    }

    /// A moving average of a late value over everything it has; now and then the late value itself, or what was.
    fn next_state(&mut self) {
        let ty = self.graph.params[STATE].ty.clone();
        let Some(old) = self.graph.ids().find(|id| self.graph.node(*id).kind == Kind::Param(STATE)) else {
            return;
        };
        let late = self.any();
        let late =
            match self.graph.ty(late).rows.is_empty().then(|| self.graph.broadcast_like(late, &ty)).flatten()
            {
                Some(fitting) => fitting,
                None => {
                    let calm = self.squash(late, (-1.0, 1.0));
                    let rank = self.graph.ty(calm).rank();
                    let mean = self.graph.mean(calm, &(0..rank).collect::<Vec<_>>());
                    self.graph.broadcast(mean, vec![None; ty.rank()], ty)
                }
            };
        let node = match self.rng.below(4) {
            0 => late,
            1 => old,
            _ => {
                let (kept, new) = (self.graph.scale(old, 0.75), self.graph.scale(late, 0.25));
                self.graph.add(kept, new)
            }
        };
        self.graph.outputs.push(Output { role: Role::State(STATE), node });
    }
}
