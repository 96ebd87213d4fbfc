//! A fused loop as a struct with a body that `kernels::dispatch` compiles for every instruction set.
//!
//! In: a loop. Out: the struct with its `Body`, and the call. The body copies blocks into local arrays,
//! computes there element by element, and copies out: slices inside a struct have lost the fact that they do
//! not overlap. Never: a slice bound that a block could miss unnoticed; every copy is checked.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::sizes::{extent, symbol};
use super::steps::Scope;
use super::writer::{Field, Text, Writer, float};
use crate::schedule::{Loop, Op, Place};
use crate::size::Size;

/// The item and the call.
pub(super) fn fused(scope: &Scope<'_>, l: &Loop, name: &Ident) -> Result<(TokenStream, TokenStream), String> {
    let krate = scope.names.krate;
    let (outer, run) = match l.space.split_last() {
        Some((run, outer)) => (outer, run),
        None => return Err("a loop without axes".into()),
    };
    let width = width(l);
    let mut writer =
        Writer { scope, ops: &l.body, fields: Vec::new(), text: Text::default(), width, single: false };
    writer.single = !run.rows && run.size.value() == Some(width);
    for (source, whole, value) in &l.fills {
        let place = Place { source: *source, row: fill_row(l, *source), offset: Size::default() };
        let (field, len) = (writer.field(&place, true), extent(whole));
        let value = float(*value);
        writer.text.fills.extend(quote!(#field[..#len].fill(#value);));
    }
    for (at, op) in l.body.iter().enumerate() {
        writer.op(at, op)?;
    }
    let Writer { fields, text, single, .. } = writer;
    let Text { fills, before, loads, element, stores, after, random, window } = text;
    let n = extent(run);
    let even = single || !run.rows && run.size.value().is_some_and(|n| n % width == 0);
    let len = if even { quote!(let len = #width;) } else { quote!(let len = #width.min(#n - at);) };
    let block = quote! {
        #loads
        for l in 0..#width {
            #element
        }
        #stores
    };
    let blocks = if single {
        quote!(let (at, len) = (0, #width); #block)
    } else {
        quote! {
            let mut at = 0;
            while at < #n {
                #len
                #block
                at += #width;
            }
        }
    };
    let mut nest = quote!(#before #blocks #after);
    if window {
        nest = quote!('run: { #nest });
    }
    for (i, axis) in outer.iter().enumerate().rev() {
        let (counter, n) = (format_ident!("i{i}"), extent(axis));
        nest = quote!(for #counter in 0..#n { #nest });
    }
    let body = quote!(#fills #nest);

    // Run-time sizes that the body reads.
    let text = body.to_string();
    let mut sizes: Vec<Ident> =
        scope.names.symbols.iter().chain(&scope.counters).map(|s| symbol(s)).collect();
    sizes.retain(|local| text.contains(&local.to_string()));
    if scope.stage.is_some() {
        sizes.push(format_ident!("rows"));
    }
    if window {
        sizes.push(format_ident!("first"));
    }
    let streams = random.then(|| quote!(seed: u64, time: u64, start: u64,));
    let stream_names = random.then(|| quote!(seed, time, start,));
    let first = if scope.stage.is_some() { quote!(first_row + first) } else { quote!(0) };
    let stream_values = random.then(|| quote!(seed, time: step, start: (#first) as u64,));
    let declared = fields.iter().map(|field| {
        let name = &field.name;
        if field.mutable { quote!(#name: &'a mut [F]) } else { quote!(#name: &'a [F]) }
    });
    let given = fields.iter().map(|Field { name, local, base, mutable }| {
        let start = base.as_ref().map_or(quote!(..), |base| quote!(#base..));
        if *mutable { quote!(#name: &mut #local[#start]) } else { quote!(#name: &#local[#start]) }
    });
    let names: Vec<&Ident> = fields.iter().map(|field| &field.name).collect();
    let doc = format!(" {}", scope.comment(&l.nodes));
    let item = quote! {
        #[doc = #doc]
        #[allow(non_snake_case, dead_code)]
        struct #name<'a, F> {
            #(#declared,)*
            #(#sizes: usize,)*
            #streams
            of: ::core::marker::PhantomData<&'a F>,
        }
        #[allow(unused_variables, unused_mut, unused_parens, unused_imports, non_snake_case, clippy::all)]
        impl<F: #krate::kernels::Float> #krate::kernels::Body for #name<'_, F> {
            type Output = ();
            #[inline(always)]
            fn run<I: #krate::kernels::Isa>(self) {
                use #krate::kernels::{block, math};
                let #name { #(#names,)* #(#sizes,)* #stream_names .. } = self;
                #body
            }
        }
    };
    let call = quote! {
        #krate::kernels::dispatch(#name {
            #(#given,)*
            #(#sizes,)*
            #stream_values
            of: ::core::marker::PhantomData::<&F>,
        });
    };
    Ok((item, call))
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
