//! When values in memory are written and read.
//!
//! In: the draft and the values that lie in memory. Out: the life of each. Never: a place.
//!
//! A value of one turn of a loop lives within that turn, so it shares its place with others of the turn. What a
//! turn reads from outside lives until the loop ends, and so do carries and stacks from its start on.

use std::collections::{HashMap, HashSet};

use crate::graph::*;

use super::fuse::{Draft, DraftStep};
use super::legal::Legal;
use super::recompute::factors;
use super::view::Views;

/// Level, step, and place among the steps of its loops.
pub(super) type Time = (usize, usize, usize);

/// When a value is written and read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub first: Time,
    pub last: Time,
    /// Whether every read of the last loop is in the order of the loop's space: its place can be taken over.
    pub yields: bool,
    /// Whether it is written in the order of its loop's space: it can take a place over.
    pub takes: bool,
}

/// The lives of stored values.
pub(super) fn lives(
    legal: &Legal,
    views: &Views,
    draft: &Draft,
    stored: &HashSet<NodeId>,
) -> HashMap<NodeId, Life> {
    let mut walk = Walk { legal, views, stored, lives: HashMap::new(), loops: Vec::new() };
    for (level, steps) in draft.levels.iter().enumerate() {
        for (step, what) in steps.iter().enumerate() {
            let mut now = (level, step, 0);
            walk.step(what, &mut now);
        }
    }
    let mut lives = walk.lives;
    let kept = legal.homes.iter().map(|(node, _)| node).chain(legal.inspects.iter().map(|(_, node)| node));
    for node in kept {
        if let Some(life) = lives.get_mut(node) {
            life.last = (draft.levels.len(), 0, 0);
        }
    }
    // The sums of lanes are read after their stage, whoever reads them.
    lives
}

struct Walk<'a> {
    legal: &'a Legal,
    views: &'a Views,
    stored: &'a HashSet<NodeId>,
    lives: HashMap<NodeId, Life>,
    /// When the loops around begin and end, outermost first.
    loops: Vec<(Time, Time)>,
}

impl Walk<'_> {
    fn step(&mut self, what: &DraftStep, now: &mut Time) {
        match what {
            DraftStep::Product(product) => {
                self.write(product.node, *now, false);
                for id in factors(&self.legal.graph, self.views, product.node) {
                    self.read(id, *now, false);
                }
            }
            DraftStep::Loop(l) => {
                // A value that is computed again elsewhere is stored by its first loop only.
                l.items.iter().for_each(|item| self.write(item.node, *now, item.is_value()));
                for item in &l.items {
                    for operand in item.operands.iter().filter(|o| !l.reads_inside(o)) {
                        self.read(operand.source, *now, operand.is_plain(&l.space));
                    }
                    // Later parts, and sums that go on, keep their place.
                    if !item.is_value() {
                        self.read(item.node, *now, false);
                    }
                }
            }
            DraftStep::Select(node) | DraftStep::Factor(node) => {
                self.write(*node, *now, false);
                for id in factors(&self.legal.graph, self.views, *node) {
                    self.read(id, *now, false);
                }
            }
            DraftStep::Scan(scan) => {
                let start = *now;
                let end = (now.0, now.1, now.2 + 1 + count(&scan.steps));
                self.loops.push((start, end));
                for step in &scan.steps {
                    now.2 += 1;
                    self.step(step, now);
                }
                now.2 += 1;
                self.loops.pop();
            }
        }
    }

    fn write(&mut self, id: NodeId, now: Time, takes: bool) {
        if !self.stored.contains(&id) || self.lives.contains_key(&id) {
            return;
        }
        let stack = match self.legal.graph.node(id).kind {
            Kind::Scan { result: ScanResult::Stacked(_) | ScanResult::Previous(_), .. } => self.loops.last(),
            _ => None,
        };
        let (first, last) = stack.copied().unwrap_or((now, now));
        self.lives.insert(id, Life { first, last, yields: false, takes });
    }

    fn read(&mut self, id: NodeId, now: Time, in_order: bool) {
        let Some(life) = self.lives.get_mut(&id) else { return };
        // Every turn of a loop that the value comes from outside of reads it.
        let outside = self.loops.iter().find(|(start, _)| life.first <= *start);
        let (now, in_order) = match outside {
            Some((_, end)) => (*end, false),
            None => (now, in_order),
        };
        let all = if life.last == now && life.first != now { life.yields } else { true };
        (life.last, life.yields) = (life.last.max(now), all && in_order);
    }
}

/// The times that steps take.
fn count(steps: &[DraftStep]) -> usize {
    let of = |step: &DraftStep| match step {
        DraftStep::Scan(scan) => 2 + count(&scan.steps),
        _ => 1,
    };
    steps.iter().map(of).sum()
}
