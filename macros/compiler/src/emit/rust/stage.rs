//! A stage: a call of `kernels::stage` with a closure over tiles.
//!
//! In: a stage. Out: the statements. Never: a thread, a tile height; those are the kernels'.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::run::{Names, stages_of};
use super::sizes::size;
use super::steps::{self, Scope};
use crate::schedule::{Home, Schedule, Stage};

/// A stage: its closure over tiles.
pub(super) fn stage(
    names: &Names<'_>,
    schedule: &Schedule,
    stage: &Stage,
    number: usize,
    structs: &mut usize,
    items: &mut TokenStream,
) -> Result<TokenStream, String> {
    let krate = names.krate;
    let scope = Scope::stage(names, schedule, stage, stages_of(schedule));
    let mut body = TokenStream::new();
    for step in &stage.steps {
        body.extend(steps::step(&scope, step, structs, items)?);
    }
    let mut full = Vec::new();
    let mut full_names = Vec::new();
    for index in &stage.full {
        let buffer = &schedule.buffers[*index];
        let (local, over) = (scope.buffer(*index), size(&stage.over));
        let elements = size(&buffer.elements);
        full.push(match buffer.rows {
            true => quote!((&mut #local[..#over * #elements], #elements)),
            false => quote!((&mut #local[..#elements], #elements / usize::max(#over, 1))),
        });
        full_names.push(local);
    }
    let mut cuts = TokenStream::new();
    for (i, slot) in stage.scratch.iter().enumerate() {
        let (local, slot) = (format_ident!("s{i}"), size(slot));
        cuts.extend(quote! {
            let (#local, scratch) = scratch.split_at_mut(usize::next_multiple_of(height * #slot, 16));
        });
    }
    for i in &stage.local {
        let buffer = &schedule.buffers[*i];
        if matches!(buffer.home, Home::Lane(_)) {
            let (local, len) = (format_ident!("a{i}"), size(&buffer.elements));
            cuts.extend(quote!(let (#local, acc) = acc.split_at_mut(#len);));
        }
    }
    let lanes = format_ident!("lanes{number}");
    let slots = stage.scratch.iter().map(|slot| {
        let slot = size(slot);
        quote!(usize::next_multiple_of(tilings[#number].tile * #slot, 16))
    });
    Ok(quote! {
        let (height, lanes) = (tilings[#number].tile, tilings[#number].lanes);
        let tile_scratch = &mut scratch[..lanes * (0 #(+ #slots)*)];
        #krate::kernels::stage(tilings[#number], tile_scratch, #lanes, [#(#full),*], |tile| {
            let #krate::kernels::Tile { first, rows, scratch, acc, full: [#(#full_names),*] } = tile;
            #cuts
            #body
        });
    })
}
