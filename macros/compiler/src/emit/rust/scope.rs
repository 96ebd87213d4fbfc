//! Where a statement stands, and what things are called there.
//!
//! In: a schedule, the stage that a statement is in. Out: locals, slices of them, comments. Never: a statement.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::names::Names;
use super::shared::listed;
use super::sizes::{size, sum, times};
use crate::graph::NodeId;
use crate::schedule::{Home, Place, Schedule, Segment, Source, Stage};
use crate::size::Size;

/// Where a statement stands.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    /// Names.
    pub names: &'a Names<'a>,
    /// The whole schedule.
    pub schedule: &'a Schedule,
    /// The stage, inside one.
    pub stage: Option<&'a Stage>,
    /// The counters of the loops around.
    pub counters: Vec<String>,
    /// Which stage writes a buffer.
    stages: BTreeMap<usize, usize>,
}

impl<'a> Scope<'a> {
    /// On the calling thread.
    pub fn alone(names: &'a Names<'a>, schedule: &'a Schedule) -> Self {
        Scope { names, schedule, stage: None, counters: Vec::new(), stages: stages_of(schedule) }
    }

    /// Inside a tile.
    pub fn stage(names: &'a Names<'a>, schedule: &'a Schedule, stage: &'a Stage) -> Self {
        Scope { stage: Some(stage), ..Scope::alone(names, schedule) }
    }

    /// The local that holds a buffer here.
    pub fn buffer(&self, index: usize) -> Ident {
        let buffer = &self.schedule.buffers[index];
        match &buffer.home {
            Home::Slot(i) => format_ident!("w{i}"),
            Home::Scratch(i) => format_ident!("s{i}"),
            Home::Lane(_) if self.stage.is_some_and(|stage| stage.local.contains(&index)) => {
                format_ident!("a{index}")
            }
            Home::Lane(_) => format_ident!("lanes{}", self.stages.get(&index).copied().unwrap_or(0)),
            Home::Gradient(i) => format_ident!("g{i}"),
            Home::State(i) => format_ident!("n{i}"),
            Home::Result(i) => format_ident!("r{i}"),
            Home::Metric(i) => format_ident!("m{i}"),
        }
    }

    /// The position of the weights whose gradient this is, if it is one.
    pub fn gradient(&self, source: Source) -> Option<usize> {
        let Source::Buffer(index) = source else { return None };
        match self.schedule.buffers[index].home {
            Home::Gradient(position) => Some(position),
            _ => None,
        }
    }

    /// What is left of a value from a place on.
    pub fn slice(&self, place: &Place, mutable: bool) -> TokenStream {
        let local = self.source(place.source);
        let mut terms: Vec<TokenStream> = self.base(place).into_iter().collect();
        if place.offset != Size::default() {
            terms.push(size(&place.offset));
        }
        match (terms.is_empty(), mutable) {
            (true, false) => quote!(#local),
            (true, true) => quote!(&mut #local[..]),
            (false, _) => self.rest(place, &sum(terms), mutable),
        }
    }

    /// What is left of a value from `start` on. A value without elements has nothing there, and ends before.
    pub fn rest(&self, place: &Place, start: &TokenStream, mutable: bool) -> TokenStream {
        let sized = |size: &Size| size.symbols().next().is_some();
        let outside = self.stage.is_none();
        let empty = match place.source {
            Source::Buffer(i) => {
                let buffer = &self.schedule.buffers[i];
                buffer.rows && outside || sized(&buffer.elements)
            }
            Source::Input(i) => {
                let ty = &self.schedule.graph.inputs[i].ty;
                !ty.rows.is_empty() && outside || ty.features.iter().any(sized)
            }
            Source::Param(_) | Source::Hyper(_) => false,
        };
        let local = self.source(place.source);
        match (empty, mutable) {
            (true, true) => quote!(kernels::block::rest_mut(#local, #start)),
            (true, false) => quote!(kernels::block::rest(#local, #start)),
            (false, true) => quote!(&mut #local[#start..]),
            (false, false) => quote!(&#local[#start..]),
        }
    }

    /// The local of a source.
    pub fn source(&self, source: Source) -> Ident {
        match source {
            Source::Input(i) => format_ident!("x{i}"),
            Source::Param(i) => format_ident!("p{i}"),
            Source::Hyper(_) => format_ident!("hypers"),
            Source::Buffer(i) => self.buffer(i),
        }
    }

    /// The element of the local at which a source begins here: the tile's rows, the lane's part.
    pub fn base(&self, place: &Place) -> Option<TokenStream> {
        let start = match place.source {
            Source::Hyper(i) => (i > 0).then(|| quote!(#i)),
            Source::Buffer(i) => match &self.schedule.buffers[i].home {
                Home::Lane(start) if !self.in_tile(place.source) && *start != Size::default() => {
                    Some(size(start))
                }
                _ => None,
            },
            _ => None,
        };
        let rows = self.stage.is_some() && place.row != Size::default() && !self.in_tile(place.source);
        let rows = rows.then(|| times(quote!(first), &place.row));
        match (start, rows) {
            (None, None) => None,
            (a, b) => Some(sum(a.into_iter().chain(b).collect())),
        }
    }

    /// Whether the local begins at the tile's first row already: what the stage itself writes.
    fn in_tile(&self, source: Source) -> bool {
        match (source, self.stage) {
            (Source::Buffer(i), Some(stage)) => stage.local.contains(&i),
            _ => false,
        }
    }

    /// The user's words for nodes, each with its `file:line`.
    pub fn words(&self, nodes: &[NodeId]) -> Vec<String> {
        words(self.schedule, nodes)
    }

    /// The words as a comment on a statement; nothing where there are none.
    pub fn doc(&self, nodes: &[NodeId]) -> Option<TokenStream> {
        let words = self.words(nodes);
        let text = format!(" {}", listed(&words));
        (!words.is_empty()).then(|| quote!(#[doc = #text]))
    }
}

/// The user's words for nodes, each with its `file:line`.
pub(crate) fn words(schedule: &Schedule, nodes: &[NodeId]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for node in nodes {
        let origin = &schedule.graph.node(*node).origin;
        if origin.label.is_empty() {
            continue;
        }
        let part = match origin.line {
            0 => format!("`{}`", origin.label),
            line => format!("`{}` ({}:{line})", origin.label, origin.file),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

/// The stage that writes each buffer: lanes are named by it.
fn stages_of(schedule: &Schedule) -> BTreeMap<usize, usize> {
    let stages = schedule.segments.iter().filter_map(Segment::stage).enumerate();
    stages.flat_map(|(number, stage)| stage.local.iter().map(move |buffer| (*buffer, number))).collect()
}
