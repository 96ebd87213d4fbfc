//! A fused loop as a struct with a body that `kernels::dispatch` compiles for every instruction set.
//!
//! In: a loop. Out: its body, for `shared`, and the call. The body copies blocks into local arrays,
//! computes there element by element, and copies out: slices inside a struct have lost the fact that they do
//! not overlap. Never: a slice bound that a block could miss unnoticed, every copy is checked; a name that two loops
//! which do the same would not share.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::scope::Scope;
use super::shared::{Body, Loops, renamed};
use super::sizes::{extent, literal, symbol};
use super::writer::{Field, Text, Writer, float};
use crate::schedule::{ABREAST, Loop, Op, Place};
use crate::size::Size;

/// The call of a loop; its struct joins the others.
pub(super) fn fused(scope: &Scope<'_>, l: &Loop, loops: &mut Loops) -> Result<TokenStream, String> {
    let abreast = scope.stage.is_some_and(|stage| stage.abreast);
    let width = match l.space.last() {
        Some(run) if abreast && run.rows => ABREAST,
        _ => width(l),
    };
    let mut writer = Writer::new(scope, l, width)?;
    for (source, whole, value) in &l.fills {
        let place = Place { source: *source, row: fill_row(l, *source), offset: Size::default() };
        let (field, len) = (writer.field(&place)?, extent(whole));
        let value = float(*value);
        writer.text.fills.extend(quote!(#field[..#len].fill(#value);));
    }
    for (at, op) in l.body.iter().enumerate() {
        writer.op(at, op)?;
    }
    let nest = nest(l, &writer);
    let Writer { fields, text: Text { fills, sites, random, .. }, .. } = writer;
    // Counters of loops around are named by their depth.
    let counters = scope.counters.iter().enumerate();
    let counters = counters.map(|(depth, name)| (symbol(name).to_string(), format_ident!("turn{depth}")));
    let known = scope.names.symbols.iter().map(|name| (symbol(name).to_string(), symbol(name)));
    let tile = ["rows", "first"].map(|name| (name.to_owned(), format_ident!("{name}")));
    let names: BTreeMap<String, Ident> = known.chain(tile).chain(counters).collect();
    let mut found = Vec::new();
    let statements = renamed(quote!(#fills #nest), &names, &mut found);

    // Run-time sizes that the body reads, under both names.
    let sizes: Vec<(Ident, &Ident)> = names
        .iter()
        .filter(|(_, new)| found.iter().any(|found| *new == found))
        .map(|(old, new)| (format_ident!("{old}"), new))
        .collect();
    let inside = sizes.iter().map(|(_, new)| new);
    let declared_sizes = inside.clone().map(|new| quote!(#new: usize,));
    let given_sizes =
        sizes.iter().map(|(old, new)| if old == *new { quote!(#new,) } else { quote!(#new: #old,) });
    let declared = fields.iter().map(|field| {
        let name = &field.name;
        if field.mutable { quote!(#name: &'a mut [F],) } else { quote!(#name: &'a [F],) }
    });
    let given = fields.iter().map(|Field { name, local, base, mutable }| match (base, mutable) {
        (None, _) => quote!(#name: #local,),
        (Some(start), false) => quote!(#name: &#local[#start..],),
        (Some(start), true) => quote!(#name: &mut #local[#start..],),
    });
    let site_names: Vec<&Ident> = sites.iter().map(|(name, _)| name).collect();
    let site_values = sites.iter().map(|(name, site)| {
        let site = literal(*site as usize);
        quote!(#name: #site,)
    });
    let streams = random.then(|| quote!(seed: u64, time: u64, start: u64, #(#site_names: u32,)*));
    let stream_names = random.then(|| quote!(seed, time, start, #(#site_names,)*));
    let first = if scope.stage.is_some() { quote!((first_row + first) as u64) } else { quote!(0) };
    let stream_values = random.then(|| quote!(seed, time: step, start: #first, #(#site_values)*));
    let field_names = fields.iter().map(|field| &field.name);
    let body = Body {
        words: words(l),
        declared: quote!(#(#declared)* #(#declared_sizes)* #streams),
        names: quote!(#(#field_names,)* #(#inside,)* #stream_names),
        statements,
    };
    let doc = scope.doc(&l.nodes);
    let name = loops.share(body, scope.words(&l.nodes));
    Ok(quote! {
        #doc
        kernels::dispatch(#name { #(#given)* #(#given_sizes)* #stream_values });
    })
}

/// The loops around a body, without the fills.
fn nest(l: &Loop, writer: &Writer<'_>) -> TokenStream {
    let Writer { text, width, single, scalar, run, .. } = writer;
    let Text { before, loads, element, stores, after, window, index, .. } = text;
    let (n, width) = (extent(run), literal(*width));
    let blocks = if *scalar {
        quote!(#loads #element #stores)
    } else {
        let elements = (!element.is_empty()).then(|| quote!(for l in 0..#width { #element }));
        let block = quote!(#loads #elements #stores);
        let len = (!writer.even()).then(|| quote!(let len = #width.min(#n - at);));
        match single {
            true => block,
            false => quote! {
                let mut at = 0;
                while at < #n {
                    #len
                    #block
                    at += #width;
                }
            },
        }
    };
    let mut nest = quote!(#before #blocks #after);
    if *window {
        nest = quote!('run: { #nest });
    }
    let outer = l.space.len().saturating_sub(1);
    for (i, axis) in l.space.iter().take(outer).enumerate().rev() {
        let (counter, n) = (format_ident!("i{i}"), extent(axis));
        nest = match index {
            Some((index, bound)) if i + 1 == outer => {
                quote!(block::among(&#index[..#n], first..first + rows, #bound, |#counter| { #nest });)
            }
            _ => quote!(for #counter in 0..#n { #nest }),
        };
    }
    nest
}

/// What a loop computes, as a part of a name: its first functions, or what it does to memory.
fn words(l: &Loop) -> String {
    let capital = |name: &str| {
        let parts = name.split('_').map(|part| {
            let mut letters = part.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
        });
        parts.collect::<String>()
    };
    let functions = l.body.iter().filter_map(|op| match op {
        Op::Map(row, _) => Some(capital(row.name)),
        Op::Reduce { reduction: crate::graph::Reduction::Sum, .. } => Some("Sum".to_owned()),
        Op::Reduce { .. } => Some("Max".to_owned()),
        Op::Random { .. } => Some("Noise".to_owned()),
        _ => None,
    });
    let words: String = functions.take(4).collect();
    let reads = l.body.iter().any(|op| matches!(op, Op::Load(_)));
    match (words.is_empty(), reads) {
        (false, _) => words,
        (true, true) => "Copy".to_owned(),
        (true, false) => "Fill".to_owned(),
    }
}
/// The values of a block: what divides a run evenly, or a full block.
fn width(l: &Loop) -> usize {
    let random = l.body.iter().any(|op| matches!(op, Op::Random { .. }));
    let run = l.space.last().filter(|run| !run.rows).and_then(|run| run.size.value());
    match run {
        _ if random => 64,
        Some(n @ 1..=64) => n,
        Some(n) => [64, 112, 96, 80, 48, 32, 56, 40].into_iter().find(|width| n % width == 0).unwrap_or(64),
        None => 64,
    }
}

/// The stride along the batch of what a fill sets.
fn fill_row(l: &Loop, source: crate::schedule::Source) -> Size {
    let rows = l.body.iter().find_map(|op| match op {
        Op::Reduce { into, .. } if into.place.source == source => Some(into.place.row.clone()),
        _ => None,
    });
    rows.unwrap_or_default()
}
