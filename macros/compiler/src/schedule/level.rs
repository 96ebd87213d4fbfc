//! Which segment a node belongs to.
//!
//! In: a legal graph and its views. Out: levels: even ones are work without rows, odd ones are stages over
//! row tiles; a value is computed in one and available from one. Never: an order within a level.

use crate::graph::*;

use super::legal::Legal;
use super::product;
use super::region::Region;
use super::view::{Strided, Views};
use super::{LANE, SUMS, WIDE};

/// How the rows meet in a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// They do not.
    No,
    /// Each tile adds its part to the accumulators of its lane.
    Lane,
    /// After the stage, over the whole batch.
    Late,
}

/// How the rows meet in a node: sums in lanes; large matrix products late, as do those that a lane cannot hold.
pub(super) fn crossing(graph: &Graph, views: &Views, id: NodeId) -> Crossing {
    let node = graph.node(id);
    if !node.ty.rows.is_empty() || node.args.iter().all(|a| graph.ty(*a).rows.is_empty()) {
        return Crossing::No;
    }
    let elements = node.ty.elements().nominal();
    match &node.kind {
        Kind::Reduce { reduction: Reduction::Sum, .. } | Kind::Contract { .. } if elements < WIDE => {
            Crossing::Lane
        }
        Kind::Reduce { reduction: Reduction::Sum, .. } if elements < LANE => Crossing::Lane,
        // All threads share dense products only; others would stay on one.
        Kind::Contract { .. }
            if elements < SUMS
                && product::matrix(graph, views, id, false).is_none_or(|matrix| !matrix.is_dense()) =>
        {
            Crossing::Lane
        }
        Kind::Scatter { .. } if elements < LANE => Crossing::Lane,
        Kind::Reduce { .. } | Kind::Contract { .. } | Kind::Scatter { .. } => Crossing::Late,
        // Views: `Batch` only renames.
        _ => Crossing::No,
    }
}

/// The levels of a graph.
pub(super) struct Levels {
    run: Vec<usize>,
    ready: Vec<usize>,
}

impl Levels {
    /// Assigns levels: the smallest that the arguments allow.
    pub fn of(legal: &Legal, views: &Views) -> Self {
        let graph = &legal.graph;
        let mut levels = Levels { run: vec![0; graph.nodes.len()], ready: vec![0; graph.nodes.len()] };
        for id in graph.ids().filter(|id| views.is_source(*id)) {
            let node = graph.node(id);
            let at = id.index();
            // A loop lies in one level, from its memory on, which has all arguments of the loop.
            if let Some(region) = outermost(legal, id)
                && region.start != id.0
            {
                let level = levels.run[region.start as usize];
                (levels.run[at], levels.ready[at]) = (level, level);
                continue;
            }
            let args = node.args.iter().map(|a| levels.ready_for(graph, views, *a)).max().unwrap_or(0);
            let rows = !node.ty.rows.is_empty();
            (levels.run[at], levels.ready[at]) = match (&node.kind, crossing(graph, views, id)) {
                (
                    Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Random { .. },
                    _,
                ) => (0, 0),
                (_, Crossing::Lane) => (odd(args), odd(args) + 1),
                (_, Crossing::Late) => {
                    let stored = node.args.iter().map(|a| levels.ready_whole(graph, views, *a)).max();
                    let run = even(args.max(stored.unwrap_or(0)));
                    (run, run)
                }
                (_, Crossing::No) if rows => (odd(args), odd(args)),
                (_, Crossing::No) => (even(args), even(args)),
            };
        }
        levels.place_random(graph, views);
        levels
    }

    /// The level that computes a source.
    pub fn run(&self, id: NodeId) -> usize {
        self.run[id.index()]
    }

    /// The number of levels.
    pub fn count(&self) -> usize {
        self.ready.iter().chain(&self.run).max().map_or(0, |last| last + 1)
    }

    /// From which level an argument can be read.
    fn ready_for(&self, graph: &Graph, views: &Views, id: NodeId) -> usize {
        let part = |part: &Strided| match part.whole {
            true => self.source_whole(graph, part.source),
            false => self.ready[part.source.index()],
        };
        views.get(id).parts().map(part).max().unwrap_or(0)
    }

    /// From which level all rows of an argument can be read.
    fn ready_whole(&self, graph: &Graph, views: &Views, id: NodeId) -> usize {
        views.sources(id).map(|source| self.source_whole(graph, source)).max().unwrap_or(0)
    }

    fn source_whole(&self, graph: &Graph, source: NodeId) -> usize {
        let node = graph.node(source);
        match node.kind {
            _ if node.ty.rows.is_empty() => self.ready[source.index()],
            Kind::Input(_) => 0,
            // Random numbers that must be stored are drawn by a stage.
            _ => even(self.ready[source.index()].max(1)),
        }
    }

    /// Random numbers are drawn where they are first needed.
    fn place_random(&mut self, graph: &Graph, views: &Views) {
        for id in graph.ids().rev().filter(|id| views.is_source(*id)) {
            for arg in &graph.node(id).args {
                let source = views.get(*arg).source;
                let node = graph.node(source);
                if !matches!(node.kind, Kind::Random { .. }) || node.ty.rows.is_empty() {
                    continue;
                }
                let user = self.run[id.index()];
                // A stage of its own before a reader of the whole batch, or before work without rows.
                let here = match (user % 2 == 1, views.get(*arg).whole) {
                    (true, false) => user,
                    (true, true) => user.saturating_sub(2) | 1,
                    (false, _) => user.saturating_sub(1) | 1,
                };
                let run = &mut self.run[source.index()];
                *run = if *run == 0 { here } else { here.min(*run) };
            }
        }
    }
}

/// The loop around all loops that a node is in.
fn outermost(legal: &Legal, id: NodeId) -> Option<&Region> {
    legal.regions.iter().find(|region| region.contains(id))
}

fn odd(level: usize) -> usize {
    level | 1
}

fn even(level: usize) -> usize {
    level + level % 2
}
