//! Random loops over steps.
//!
//! In: the values so far. Out: a result of a loop over the first feature axis of one of them. Never: a state that
//! grows; each step squashes it.

use super::Maker;
use crate::graph::*;
use crate::scan::{Carry, Recurrence, Sequence, build, place};

impl Maker {
    pub(super) fn scan(&mut self) -> NodeId {
        let whole = self.any();
        let ty = self.graph.ty(whole).clone();
        let Some((length, rest)) = ty.features.split_first() else { return whole };
        let step = Type { rows: ty.rows.clone(), features: rest.to_vec() };
        let count = 1 + self.rng.below(2);
        let mut init = Vec::new();
        for _ in 0..count {
            let other = self.any();
            let fitting = self.graph.broadcast_like(other, &step);
            init.push(match fitting {
                Some(fitting) => self.squash(fitting, (-1.0, 1.0)),
                None => self.graph.full(0.3, &step),
            });
        }
        let other = self.any();
        let constant = self.graph.broadcast_like(other, &step);
        let first = NodeId(self.graph.nodes.len() as u32);
        let slice = place(&mut self.graph, &step);
        let places: Vec<NodeId> = (0..count).map(|_| place(&mut self.graph, &step)).collect();
        let mut pool = places.clone();
        pool.push(slice);
        pool.extend(constant);
        if self.rng.chance(0.2) {
            pool.push(self.graph.random(Distribution::Uniform, step.clone()));
        }
        let (outer, was_inside) = (std::mem::replace(&mut self.pool, pool), self.inside);
        self.inside = true;
        for _ in 0..2 + self.rng.below(4) {
            self.step_of_loop(&step);
        }
        self.inside = was_inside;
        let pool: Vec<NodeId> = std::mem::replace(&mut self.pool, outer);
        let pool: Vec<NodeId> = pool.into_iter().filter(|id| *self.graph.ty(*id) == step).collect();
        let mut carries = Vec::new();
        for (at, init) in init.into_iter().enumerate() {
            // A carry may also take the place of another one, as it is.
            let next = match self.rng.chance(0.2) {
                true => places[(at + 1) % count],
                false => {
                    let late = pool[pool.len() - 1 - self.rng.below(2)];
                    let sum = self.graph.add(late, places[at]);
                    self.squash(sum, (-1.0, 1.0))
                }
            };
            carries.push(Carry { place: places[at], init, next });
        }
        let outputs = vec![*self.rng.pick(&pool), *self.rng.pick(&pool)];
        let recurrence = Recurrence {
            carries,
            sequences: vec![Sequence { place: slice, whole }],
            outputs,
            length: length.clone(),
            reverse: self.rng.chance(0.3),
            first,
            fixed: Vec::new(),
        };
        let results = build(&mut self.graph, &recurrence);
        let result = match self.rng.below(4) {
            0 => results.previous[0],
            1 => results.last[count - 1],
            2 => results.stacked[0],
            _ => results.stacked[count],
        };
        self.keep(results.stacked[count + 1]);
        result
    }

    /// One more value of a step, and something of the state's type made of it.
    fn step_of_loop(&mut self, step: &Type) {
        let (a, b) = (self.any(), self.any());
        let fits = *self.graph.ty(a) == *step && *self.graph.ty(b) == *step;
        let made = match self.rng.below(11) {
            0 => self.graph.row("sin", &[a]),
            1 if fits => self.graph.sub(a, b),
            2 if fits => self.graph.add(a, b),
            3 | 4 if fits => self.graph.mul(a, b),
            5 => self.reduce(),
            6 => self.view(),
            7 => self.contract(),
            8 if !self.indices.is_empty() => {
                let index = *self.rng.pick(&self.indices);
                self.chosen(index)
            }
            9 => self.squash(a, (-1.0, 1.0)),
            _ => self.map(),
        };
        self.keep(made);
        if *self.graph.ty(made) != *step {
            let fitting = self.fit(made, step);
            self.keep(fitting);
        }
    }

    /// Repeated where that is enough, else its sums.
    fn fit(&mut self, x: NodeId, step: &Type) -> NodeId {
        if let Some(fitting) = self.graph.broadcast_like(x, step) {
            return fitting;
        }
        let (rows, rank) = (self.graph.ty(x).rows.len(), self.graph.ty(x).rank());
        let sum = self.graph.sum(x, &(rows.min(1)..rank).collect::<Vec<_>>());
        let sum = self.squash(sum, (-1.0, 1.0));
        self.graph.broadcast_like(sum, step).unwrap_or_else(|| self.graph.full(0.4, step))
    }
}
