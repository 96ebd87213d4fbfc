//! An update rule as an implementation of `diabolo::program::Optimizer`.
//!
//! In: an element-wise graph over slots. Out: one fused pass over weights, gradients and moments, in chunks
//! over the threads; what is the same for all weights is computed once, before. Never: an operation between
//! elements.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Meta;
use super::writer::{float, row};
use crate::emit::cuda;
use crate::graph::*;
use crate::lower::{OptimizerGraph, SlotKind};
use crate::print::live;

/// Elements of a chunk: weights, gradients and two moments of f32 fill 64 KiB.
const CHUNK: usize = 4096;

/// The implementation of `Optimizer`.
///
/// # Errors
/// A fault of the compiler.
pub fn optimizer(meta: &Meta, rule: &OptimizerGraph) -> Result<TokenStream, String> {
    let Meta { krate, name, .. } = meta;
    let graph = &rule.graph;
    let text = text(rule)?;
    let moments = rule.moments();
    let kept: Vec<Ident> = (0..moments).map(|i| format_ident!("moment{i}")).collect();
    let labels = graph.hypers.iter().map(|hyper| &hyper.name);
    let fields = graph.hypers.iter().map(|hyper| format_ident!("{}", hyper.name));
    let Text { once, loads, element, stores, shared } = text;
    // Twice: with a length that is known, all copies are vectors.
    let block = quote! {
        #loads
        for l in 0..64 {
            #element
        }
        #stores
    };
    let device = cuda::update(krate, &name.to_string(), rule)?;
    Ok(quote! {
        #[allow(unused_variables, unused_mut, unused_parens, unused_imports, dead_code, clippy::all, clippy::pedantic)]
        const _: () = {
            struct DiaboloRule<'a, F> {
                weight: &'a mut [F],
                gradient: &'a [F],
                #(#kept: &'a mut [F],)*
                #(#shared: F,)*
            }
            impl<F: #krate::kernels::Float> #krate::kernels::Body for DiaboloRule<'_, F> {
                type Output = ();
                #[inline(always)]
                fn run<I: #krate::kernels::Isa>(self) {
                    use #krate::kernels::{block, math};
                    let DiaboloRule { weight, gradient, #(#kept,)* #(#shared,)* } = self;
                    let count = weight.len();
                    let (gradient, #(#kept,)*) = (&gradient[..count], #(&mut #kept[..count],)*);
                    let whole = count / 64 * 64;
                    for at in (0..whole).step_by(64) {
                        let len = 64;
                        #block
                    }
                    if whole < count {
                        let (at, len) = (whole, count - whole);
                        #block
                    }
                }
            }
            impl #krate::program::Optimizer for #name {
                const MOMENTS: usize = #moments;
                const HYPERS: &'static [&'static str] = &[#(#labels),*];
                fn hypers(&self) -> ::std::vec::Vec<f64> {
                    ::std::vec![#(::core::convert::Into::<f64>::into(self.#fields)),*]
                }
                fn update<F: #krate::kernels::Float>(update: #krate::program::Update<'_, F>) {
                    use #krate::kernels::{Portable as I, math};
                    let #krate::program::Update { weights, grads, moments, hypers, step } = update;
                    let count = weights.len();
                    #(let (#kept, moments) = moments.split_at_mut(count);)*
                    #once
                    #krate::kernels::chunks(
                        [weights, #(#kept),*],
                        [grads],
                        #CHUNK,
                        |_, [weight, #(#kept),*], [gradient]| {
                            #krate::kernels::dispatch(DiaboloRule { weight, gradient, #(#kept,)* #(#shared,)* });
                        },
                    );
                }
                #krate::__cuda! {
                    fn update_cuda() -> ::core::option::Option<&'static #krate::kernels::cuda::Program> {
                        ::core::option::Option::Some(&UPDATE_CUDA)
                    }
                }
            }
            #krate::__cuda! { #device }
        };
    })
}

/// The pieces of the pass.
#[derive(Default)]
struct Text {
    /// Once a step.
    once: TokenStream,
    loads: TokenStream,
    element: TokenStream,
    stores: TokenStream,
    /// Values of `once` that elements read.
    shared: Vec<Ident>,
}

fn text(rule: &OptimizerGraph) -> Result<Text, String> {
    let graph = &rule.graph;
    let live = live(graph);
    let mut out = Text::default();
    let mut moments = 0..;
    let slots: Vec<Option<Ident>> = rule
        .slots
        .iter()
        .map(|slot| match slot.kind {
            SlotKind::Weight => Some(format_ident!("weight")),
            SlotKind::Gradient => Some(format_ident!("gradient")),
            SlotKind::Moment => moments.next().map(|i: usize| format_ident!("moment{i}")),
            SlotKind::Step => None,
        })
        .collect();
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        let (value, once) = (name(graph, id), node.ty.rank() == 0);
        let code = match &node.kind {
            Kind::Input(slot) => match slots.get(*slot) {
                Some(Some(field)) => {
                    let block = format_ident!("b{}", id.0);
                    out.loads.extend(quote!(let #block: [F; 64] = block::load(&#field[..], at, len);));
                    quote!(#block[l])
                }
                _ => quote!(F::from_usize(step as usize)),
            },
            Kind::Hyper(index) => quote!(hypers[#index]),
            Kind::Const(Constant::Number(number)) => float(*number),
            Kind::Map(row) => {
                let args: Vec<String> = node.args.iter().map(|a| name(graph, *a).to_string()).collect();
                self::row(*row, &args)?
            }
            // Broadcasts are the scalar itself; see `name`.
            Kind::View(_) => continue,
            kind => return Err(format!("an update rule has no {kind:?}")),
        };
        let list = if once { &mut out.once } else { &mut out.element };
        list.extend(quote!(let #value = #code;));
        if !once {
            for arg in node.args.iter().map(|arg| name(graph, *arg)) {
                let scalar = graph.ids().any(|s| graph.ty(s).rank() == 0 && name(graph, s) == arg);
                if scalar && !out.shared.contains(&arg) {
                    out.shared.push(arg);
                }
            }
        }
    }
    let mut moments = 0..;
    for (index, node) in rule.results().into_iter().enumerate() {
        let (value, block) = (name(graph, node), format_ident!("o{index}"));
        // Where gradients stay 0, as those of dead units do, moments shrink until they are denormal, and stay so.
        let (to, kept) = match index {
            0 => (format_ident!("weight"), quote!(#value)),
            _ => {
                let moment: usize = moments.next().unwrap_or_default();
                (format_ident!("moment{moment}"), quote!(math::flush::<I, F>(#value)))
            }
        };
        if graph.ids().any(|s| graph.ty(s).rank() == 0 && name(graph, s) == value)
            && !out.shared.contains(&value)
        {
            out.shared.push(value.clone());
        }
        out.loads.extend(quote!(let mut #block = [F::ZERO; 64];));
        out.element.extend(quote!(#block[l] = #kept;));
        out.stores.extend(quote!(block::store(&mut #to[..], at, len, &#block);));
    }
    Ok(out)
}

/// The local that holds a node: a broadcast is what it repeats.
fn name(graph: &Graph, id: NodeId) -> Ident {
    match &graph.node(id).kind {
        Kind::View(_) => name(graph, graph.node(id).args[0]),
        _ => format_ident!("v{}", id.0),
    }
}
