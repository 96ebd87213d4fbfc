//! Rust: a root as an implementation of the traits of `diabolo::program`.
//!
//! In: the graphs of a root. Out: items: one struct a fused loop, a layout of the arena, a function that runs
//! the segments in order, and what is known without running. Never: `unsafe`, an allocation, an unrolled body.

mod crosses;
mod loops;
mod optimizer;
mod run;
mod sizes;
mod spec;
mod stage;
mod steps;
mod writer;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::graph::Graph;
use crate::link::Linked;
use crate::schedule::{Schedule, schedule};

pub use optimizer::optimizer;
pub use run::Names;

/// What the code must know of the place where it will stand.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The path of the crate `diabolo` there.
    pub krate: TokenStream,
    /// The struct that becomes a root.
    pub name: Ident,
    /// The file that declares it.
    pub file: String,
    /// The line.
    pub line: usize,
}

impl Meta {
    /// Of a linked root, to be called `name` where `krate` is the path of the crate `diabolo`.
    pub fn of(linked: &Linked, krate: TokenStream, name: Ident) -> Self {
        let place = &linked.root().place;
        Meta { krate, name, file: place.file.clone(), line: place.line }
    }
}

/// A program of its own: items, and the two functions `<prefix>_workspace(dims)` and `<prefix>(env)`.
///
/// # Errors
/// A fault of the compiler.
pub fn program(names: &Names<'_>, schedule: &Schedule) -> Result<TokenStream, String> {
    run::program(names, schedule)
}

/// The inherent name of a function of the traits `Declared`, `Root` and `Loss`: the traits are implemented before
/// linking, by calls of these.
pub fn inherent(function: &str) -> Ident {
    format_ident!("__diabolo_{function}")
}

/// The functions that `Root` calls, and those of `Loss` where there is a graph to train with.
///
/// # Errors
/// A fault of the compiler.
pub fn root(meta: &Meta, evaluate: &Graph, train: Option<&Graph>) -> Result<TokenStream, String> {
    let params = spec::unite(evaluate, train);
    let evaluate = spec::renumber(evaluate, &params);
    let train = train.map(|graph| spec::renumber(graph, &params));
    let evaluate_plan = schedule(&evaluate)?;
    let train_plan = train.as_ref().map(schedule).transpose()?;

    let Meta { krate, name, .. } = meta;
    let symbols = run::symbols(std::iter::once(&evaluate).chain(&train));
    let names = |prefix| Names { krate, prefix, symbols: symbols.clone() };
    let items = program(&names("evaluate"), &evaluate_plan)?;
    let spec = spec::spec(meta, &symbols, &evaluate, train.as_ref(), &evaluate_plan, train_plan.as_ref())?;
    let hypers = evaluate.hypers.iter().map(|hyper| format_ident!("{}", hyper.name));
    let [spec_of, hypers_of, evaluate_workspace, evaluate_of] =
        ["spec", "hypers", "evaluate_workspace", "evaluate"].map(inherent);
    let loss = match &train_plan {
        None => TokenStream::new(),
        Some(plan) => {
            let items = program(&names("train"), plan)?;
            let [train_workspace, train_of] = ["train_workspace", "train"].map(inherent);
            quote! {
                #items
                impl #name {
                    fn #train_workspace(dims: &[usize]) -> usize {
                        train_workspace(dims)
                    }
                    fn #train_of<F: #krate::kernels::Float>(env: #krate::program::Env<'_, F>) {
                        train(env)
                    }
                }
            }
        }
    };
    Ok(quote! {
        #[allow(
            unused_variables,
            unused_mut,
            unused_parens,
            non_snake_case,
            dead_code,
            clippy::all,
            clippy::pedantic,
            clippy::nursery
        )]
        const _: () = {
            #items
            impl #name {
                fn #spec_of() -> &'static #krate::program::Spec {
                    #spec
                }
                fn #hypers_of(&self) -> ::std::vec::Vec<f64> {
                    ::std::vec![#(::core::convert::Into::<f64>::into(self.#hypers)),*]
                }
                fn #evaluate_workspace(dims: &[usize]) -> usize {
                    evaluate_workspace(dims)
                }
                fn #evaluate_of<F: #krate::kernels::Float>(env: #krate::program::Env<'_, F>) {
                    evaluate(env)
                }
            }
            #loss
        };
    })
}
