//! A stage: a call of `kernels::stage` with a closure over tiles.
//!
//! In: a stage. Out: the statements. Never: a thread, a tile height; those are the kernels'.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::names::Names;
use super::scope::Scope;
use super::shared::{Loops, listed};
use super::sizes::{is_padded, literal, size, times};
use super::steps;
use crate::graph::NodeId;
use crate::schedule::{Home, Schedule, Stage, Step};
use crate::size::Size;

/// A stage: its closure over tiles.
pub(super) fn stage(
    names: &Names<'_>,
    schedule: &Schedule,
    stage: &Stage,
    number: usize,
    loops: &mut Loops,
) -> Result<TokenStream, String> {
    let scope = Scope::stage(names, schedule, stage);
    let mut body = TokenStream::new();
    for step in &stage.steps {
        body.extend(steps::step(&scope, step, loops)?);
    }
    let mut full = Vec::new();
    let mut full_names = Vec::new();
    for index in &stage.full {
        let buffer = &schedule.buffers[*index];
        let (local, over) = (scope.buffer(*index), size(&stage.over));
        let elements = size(&buffer.elements);
        full.push(match buffer.rows {
            true => quote!((&mut #local[..#over * #elements], #elements)),
            false => match (buffer.elements.value(), stage.over.value()) {
                (Some(n), Some(over)) => {
                    let row = literal(n / over.max(1));
                    quote!((&mut #local[..#elements], #row))
                }
                _ => quote!((&mut #local[..#elements], #elements / usize::max(#over, 1))),
            },
        });
        full_names.push(local);
    }
    let mut cuts = TokenStream::new();
    for (i, slot) in stage.scratch.iter().enumerate() {
        let (local, len) = (format_ident!("s{i}"), tiled(&quote!(height), slot));
        cuts.extend(quote!(let (#local, scratch) = scratch.split_at_mut(#len);));
    }
    for i in &stage.local {
        let buffer = &schedule.buffers[*i];
        if matches!(buffer.home, Home::Lane(_)) {
            let (local, len) = (format_ident!("a{i}"), size(&buffer.elements.room()));
            cuts.extend(quote!(let (#local, acc) = acc.split_at_mut(#len);));
        }
    }
    let lanes = format_ident!("lanes{number}");
    let number_of = literal(number);
    let tile = if stage.abreast { quote!(kernels::ABREAST) } else { quote!(tilings[#number_of].tile) };
    let height = (!stage.scratch.is_empty()).then(|| quote!(let height = #tile;));
    let doc =
        format!(" Stage {}, by tiles of rows: {}.", number + 1, listed(&scope.words(&nodes(&stage.steps))));
    let copies = steps::panels(&Scope::alone(names, schedule), &stage.panels);
    let (function, results) = match &stage.turned {
        None => (quote!(stage), quote!(#lanes, [#(#full),*])),
        Some(turned) => {
            let local = scope.buffer(turned.into);
            let (elements, width) = (
                size(&schedule.buffers[turned.into].elements),
                size(&schedule.buffers[turned.from].elements),
            );
            (quote!(stage_turned), quote!(&mut #local[..#elements], #width))
        }
    };
    Ok(quote! {
        #copies
        #[doc = #doc]
        kernels::#function(
            tilings[#number_of],
            &mut scratch[..scratches[#number_of]],
            #results,
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [#(#full_names),*] } = tile;
                #height
                #cuts
                #body
            },
        );
    })
}

/// What steps compute.
fn nodes(steps: &[Step]) -> Vec<NodeId> {
    let one = |step: &Step| match step {
        Step::Loop(l) => l.nodes.clone(),
        Step::Product(p) => vec![p.node],
        Step::Select(s) => vec![s.node],
        Step::Factor(f) => vec![f.node],
        Step::Scan(turns) => nodes(&turns.steps),
    };
    steps.iter().flat_map(one).collect()
}

/// The elements that a tile of this height has in a slot, to the next multiple of 16.
fn tiled(height: &TokenStream, slot: &Size) -> TokenStream {
    let elements = times(height.clone(), slot);
    if is_padded(slot) { elements } else { quote!(usize::next_multiple_of(#elements, 16)) }
}

/// The scratch of one lane of stage `number`.
pub(super) fn scratch(number: usize, stage: &Stage) -> TokenStream {
    let (number, slots) = (literal(number), &stage.scratch);
    let height = if stage.abreast { quote!(kernels::ABREAST) } else { quote!(tilings[#number].tile) };
    let whole = slots.iter().filter(|slot| is_padded(slot)).fold(Size::default(), |sum, slot| &sum + slot);
    let mut parts: Vec<TokenStream> =
        slots.iter().filter(|slot| !is_padded(slot)).map(|slot| tiled(&height, slot)).collect();
    if whole != Size::default() {
        parts.insert(0, times(height, &whole));
    }
    match parts.as_slice() {
        [] => quote!(0),
        [one] => quote!(tilings[#number].lanes * #one),
        _ => quote!(tilings[#number].lanes * (#(#parts)+*)),
    }
}
