//! The function that runs a schedule, and the layout of its arena.
//!
//! In: a schedule. Out: `<prefix>_layout`, `<prefix>_workspace`, `<prefix>`. Never: a loop over elements; those
//! are structs of their own, see `loops`.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::names::{Names, dims};
use super::scope::Scope;
use super::shared::Loops;
use super::sizes::{literal, padded, size};
use super::stage::scratch;
use super::steps;
use crate::schedule::print::buffer_name;
use crate::schedule::{Home, Schedule, Segment, on_cpu};
use crate::size::Size;

/// The functions of a program; the structs of its loops join the others.
pub(super) fn program(
    names: &Names<'_>,
    schedule: &Schedule,
    loops: &mut Loops,
) -> Result<TokenStream, String> {
    let schedule = &on_cpu(schedule);
    let krate = names.krate;
    let run = format_ident!("{}", names.prefix);
    let workspace = format_ident!("{}_workspace", names.prefix);
    let layout = format_ident!("{}_layout", names.prefix);
    let mut segments = TokenStream::new();
    let mut stages = 0;
    for segment in &schedule.segments {
        segments.extend(match segment {
            Segment::Stage(stage) => {
                stages += 1;
                super::stage::stage(names, schedule, stage, stages - 1, loops)?
            }
            Segment::Alone(list) => {
                let scope = Scope::alone(names, schedule);
                let mut out = TokenStream::new();
                for step in list {
                    out.extend(steps::step(&scope, step, loops)?);
                }
                out
            }
            Segment::Wide(list) => steps::wide(&Scope::alone(names, schedule), list)?,
            Segment::Inspect(index, buffer) => {
                let scope = Scope::alone(names, schedule);
                let value = scope.buffer(*buffer);
                let this = &schedule.buffers[*buffer];
                let len = if this.rows { &this.elements * &Size::batch() } else { this.elements.clone() };
                let (index, len) = (literal(*index), size(&len));
                quote!(inspect(#index, &#value[..#len]);)
            }
        });
    }
    let head = head(schedule);
    let dims = dims(names);
    let (layout_item, slots) = self::layout(names, schedule, &layout);
    Ok(quote! {
        #layout_item
        /// Elements of scratch that the program needs.
        #[allow(unused_variables)]
        pub(crate) fn #workspace(dims: &[usize]) -> usize {
            let (slots, tilings, scratches) = #layout(dims);
            slots.iter().sum()
        }
        /// Runs the program.
        #[allow(unused_variables, unused_mut, unused_doc_comments, non_snake_case)]
        pub(crate) fn #run<F: #krate::kernels::Float>(env: #krate::program::Env<'_, F>) {
            use #krate::kernels;
            let #krate::program::Env {
                dims, first_row, inputs, params, offsets, hypers, seed, step, work, grads, states, outputs,
                metrics, inspect,
            } = env;
            #dims
            let (slots, tilings, scratches) = #layout(dims);
            #head
            #slots
            #segments
        }
    })
}

/// Inputs, parameters and outputs, cut into slices.
fn head(schedule: &Schedule) -> TokenStream {
    let graph = &schedule.graph;
    let mut out = TokenStream::new();
    for (i, input) in graph.inputs.iter().enumerate() {
        let (local, len) = (format_ident!("x{i}"), size(&input.ty.elements()));
        let doc = format!(" {}", input.name);
        out.extend(quote!(#[doc = #doc] let (#local, inputs) = inputs.split_at(#len);));
    }
    for (i, param) in graph.params.iter().enumerate() {
        let (local, len) = (format_ident!("p{i}"), size(&param.ty.elements()));
        let (i, doc) = (literal(i), format!(" {}", param.path));
        out.extend(quote!(#[doc = #doc] let #local = &params[offsets[#i]..][..#len];));
    }
    let mut cut = |what: &str, from: &str, list: BTreeMap<usize, (Size, String)>| {
        let from = format_ident!("{from}");
        for (i, (len, name)) in list {
            let (local, len, doc) = (format_ident!("{what}{i}"), size(&len), format!(" {name}"));
            out.extend(quote!(#[doc = #doc] let (#local, #from) = #from.split_at_mut(#len);));
        }
    };
    let of = |pick: &dyn Fn(&Home) -> Option<usize>| -> BTreeMap<usize, (Size, String)> {
        let buffers = schedule.buffers.iter().enumerate();
        buffers
            .filter_map(|(index, buffer)| {
                let rows = if buffer.rows { Size::batch() } else { Size::known(1) };
                let named = || (&rows * &buffer.elements, buffer_name(schedule, index));
                pick(&buffer.home).map(|i| (i, named()))
            })
            .collect()
    };
    cut("g", "grads", of(&|home| if let Home::Gradient(i) = home { Some(*i) } else { None }));
    cut("n", "states", of(&|home| if let Home::State(i) = home { Some(*i) } else { None }));
    cut("r", "outputs", of(&|home| if let Home::Result(i) = home { Some(*i) } else { None }));
    cut("m", "metrics", of(&|home| if let Home::Metric(i) = home { Some(*i) } else { None }));
    out
}

/// The function that sizes the arena, and the statements that cut it.
fn layout(names: &Names<'_>, schedule: &Schedule, name: &Ident) -> (TokenStream, TokenStream) {
    let krate = names.krate;
    let dims = dims(names);
    let mut tilings = Vec::new();
    let mut lens = Vec::new();
    let mut cuts = TokenStream::new();
    let mut cut = |local: Ident, len: TokenStream| {
        let part = literal(lens.len());
        lens.push(len);
        cuts.extend(quote!(let (#local, work) = work.split_at_mut(slots[#part]);));
    };
    for (i, slot) in schedule.slots.iter().enumerate() {
        let elements = if slot.rows { &slot.elements * &Size::batch() } else { slot.elements.clone() };
        cut(format_ident!("w{i}"), padded(&elements));
    }
    for (i, panels) in schedule.panels.iter().enumerate() {
        let (rows, k, n) = (size(&panels.rows), size(&panels.k.0), size(&panels.n.0));
        cut(format_ident!("q{i}"), quote!(kernels::panels(#rows, #k, #n)));
    }
    let mut scratches = Vec::new();
    for (i, stage) in schedule.segments.iter().filter_map(Segment::stage).enumerate() {
        // Rows of inputs that loops read are in the cache as well, but their size does not depend on us.
        let bytes = size(&(&stage.row_elements * &Size::known(4)));
        let (flops, lane) = (size(&stage.row_flops), size(&(&stage.lane * &Size::known(4))));
        let over = size(&stage.over);
        let plan = quote!(kernels::Tiling::plan(#over, #bytes, #flops, #lane));
        tilings.push(if stage.abreast { quote!(#plan.of_height(kernels::ABREAST)) } else { plan });
        let number = literal(i);
        let part = padded(&stage.lane);
        cut(format_ident!("lanes{i}"), quote!(tilings[#number].lanes * #part));
        scratches.push(scratch(i, stage));
    }
    // All stages share one scratch: they follow each other.
    cut(format_ident!("scratch"), quote!(scratches.into_iter().max().unwrap_or(0)));
    let (parts, stages) = (literal(lens.len()), literal(tilings.len()));
    let item = quote! {
        /// The parts of the arena, how the batch is cut, and the scratch of each stage.
        #[allow(unused_variables, unused_parens, non_snake_case, clippy::all)]
        fn #name(dims: &[usize]) -> ([usize; #parts], [#krate::kernels::Tiling; #stages], [usize; #stages]) {
            use #krate::kernels;
            #dims
            let tilings: [kernels::Tiling; #stages] = [#(#tilings),*];
            let scratches: [usize; #stages] = [#(#scratches),*];
            ([#(#lens),*], tilings, scratches)
        }
    };
    (item, cuts)
}
