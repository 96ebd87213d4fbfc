//! Where the elements of an operation lie.
//!
//! In: an offset and strides. Out: expressions over the counters; equal ones are computed once. Never: `0 + …`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::super::sizes::{size, sum, times};
use super::Writer;
use crate::size::Size;

/// Where an operation finds its elements.
pub(super) struct Position {
    /// The first element of a run.
    pub start: TokenStream,
    /// The first element of a block.
    pub block: TokenStream,
    /// From the first element of a run to that of a block, where they differ.
    pub step: Option<TokenStream>,
    /// The elements from one to the next.
    pub stride: Size,
}

/// An offset, and a term for each counter that moves; none where all is 0.
pub(super) fn terms(offset: &Size, outer: &[Size]) -> Vec<TokenStream> {
    let moves = |stride: &Size| *stride != Size::default();
    let counters = outer.iter().enumerate().filter(|(_, stride)| moves(stride)).map(|(i, stride)| {
        let counter = format_ident!("i{i}");
        times(quote!(#counter), stride)
    });
    moves(offset).then(|| size(offset)).into_iter().chain(counters).collect()
}

impl Writer<'_> {
    /// Where the elements of a place lie; declares the first element of a run.
    pub(super) fn position(&mut self, offset: &Size, strides: &[Size]) -> Position {
        let (stride, outer) = match strides.split_last() {
            Some((stride, outer)) => (stride.clone(), outer),
            None => (Size::default(), &[][..]),
        };
        let terms = terms(offset, outer);
        let start = (!terms.is_empty()).then(|| self.start(sum(terms)));
        let step = (stride != Size::default() && !self.single).then(|| times(quote!(at), &stride));
        let block = match (&start, &step) {
            (None, None) => quote!(0),
            (Some(start), None) => quote!(#start),
            (None, Some(step)) => step.clone(),
            (Some(start), Some(step)) => quote!(#start + #step),
        };
        let start = start.map_or_else(|| quote!(0), |start| quote!(#start));
        Position { start, block, step, stride }
    }

    /// The local that holds the first element of a run; one for all that begin there.
    fn start(&mut self, value: TokenStream) -> Ident {
        let text = value.to_string();
        if let Some((_, name)) = self.starts.iter().find(|(known, _)| *known == text) {
            return name.clone();
        }
        let name = format_ident!("start{}", self.starts.len());
        self.starts.push((text, name.clone()));
        self.text.before.extend(quote!(let #name = #value;));
        name
    }
}

impl Position {
    /// `start +`, or nothing.
    pub(super) fn behind(&self) -> Option<TokenStream> {
        let start = &self.start;
        (start.to_string() != "0").then(|| quote!(#start +))
    }

    /// The first element of a block, where a run begins elsewhere.
    pub(super) fn from(&self, first: &Ident) -> TokenStream {
        match &self.step {
            Some(step) => quote!(#first + #step),
            None => quote!(#first),
        }
    }
}
