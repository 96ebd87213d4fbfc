//! Lowering for the sake of its types alone.
//!
//! In: the state of lowering. Out: the same, later. Never: a trial that leaves a node, a parameter or an error.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Lowerer;
use super::networks::Networks;
use super::pending::Placeholder;
use super::scope::Frame;
use super::sizes::Sizes;
use crate::error::Errors;
use crate::graph::{Graph, NodeId};

/// Everything that a trial changes.
pub(super) struct Saved<'a> {
    graph: Graph,
    errors: Errors,
    sizes: Sizes,
    open_from: usize,
    pending: Vec<Placeholder>,
    frames: Vec<Frame<'a>>,
    networks: Networks,
    metrics: Vec<(String, NodeId)>,
    inner_losses: BTreeMap<String, usize>,
    shaped_by: BTreeMap<NodeId, Rc<str>>,
    updated: BTreeSet<usize>,
    refused_updates: BTreeSet<String>,
    called: BTreeSet<&'a str>,
}

impl<'a> Lowerer<'a> {
    /// What `restore` brings back.
    pub(super) fn save(&self) -> Saved<'a> {
        Saved {
            graph: self.graph.clone(),
            errors: self.errors.clone(),
            sizes: self.sizes.clone(),
            open_from: self.open_from,
            pending: self.pending.clone(),
            frames: self.frames.clone(),
            networks: self.networks.clone(),
            metrics: self.metrics.clone(),
            inner_losses: self.inner_losses.clone(),
            shaped_by: self.shaped_by.clone(),
            updated: self.updated.clone(),
            refused_updates: self.refused_updates.clone(),
            called: self.called.clone(),
        }
    }

    /// Forgets a trial. The steps that it took stay counted, and the constants that it read known.
    pub(super) fn restore(&mut self, saved: Saved<'a>) {
        self.graph = saved.graph;
        self.errors = saved.errors;
        self.sizes = saved.sizes;
        self.open_from = saved.open_from;
        self.pending = saved.pending;
        self.frames = saved.frames;
        self.networks = saved.networks;
        self.metrics = saved.metrics;
        self.inner_losses = saved.inner_losses;
        self.shaped_by = saved.shaped_by;
        self.updated = saved.updated;
        self.refused_updates = saved.refused_updates;
        self.called = saved.called;
    }
}
