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
        for _ in 0..2 + self.rng.below(4) {
            let (a, b) = (*self.rng.pick(&pool), *self.rng.pick(&pool));
            let made = match self.rng.below(6) {
                0 => self.graph.row("sin", &[a]),
                1 => self.graph.sub(a, b),
                2 if !rest.is_empty() => {
                    let rank = step.rank();
                    let sum = self.graph.sum(a, &[rank - 1]);
                    let axes = (0..rank).map(|axis| (axis + 1 < rank).then_some(axis)).collect();
                    self.graph.broadcast(sum, axes, step.clone())
                }
                3 => self.graph.add(a, b),
                4 => self.graph.mul(a, b),
                _ => self.squash(a, (-1.0, 1.0)),
            };
            pool.push(made);
        }
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
}
