//! Rust: a root as an implementation of the traits of `diabolo::program`.
//!
//! In: the graphs of a root. Out: items: one struct a fused loop, a layout of the arena, a function that runs
//! the segments in order, and what is known without running. Never: `unsafe`, an allocation, an unrolled body.

mod bounds;
mod crosses;
mod loops;
mod names;
mod optimizer;
mod run;
mod scope;
mod shared;
mod sizes;
mod spec;
mod stage;
mod steps;
mod writer;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::cuda;
use crate::graph::Graph;
use crate::link::Linked;
use crate::schedule::{Schedule, schedule};
use shared::Loops;

pub use names::Names;
pub use optimizer::optimizer;
pub(crate) use scope::words;
pub(crate) use shared::listed;
pub(crate) use sizes::{literal, size, symbol};

/// What of the code runs without a device: for readers, since the rest is inside of macro calls, which nobody formats.
pub fn host(code: TokenStream) -> TokenStream {
    use proc_macro2::{Group, TokenTree};
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut rest = code.into_iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Ident(name) if name == "__cuda" => {
                // Its path, its mark, its group.
                while kept.last().is_some_and(|t| matches!(t, TokenTree::Punct(_) | TokenTree::Ident(_))) {
                    kept.pop();
                }
                rest.nth(1);
            }
            TokenTree::Group(group) => {
                let (delimiter, inside) = (group.delimiter(), host(group.stream()));
                kept.push(TokenTree::Group(Group::new(delimiter, inside)));
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

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
    let mut loops = Loops::new(names.krate, "Loop");
    let functions = run::program(names, schedule, &mut loops)?;
    let loops = loops.items();
    Ok(quote!(#loops #functions))
}

/// The inherent name of a function of the traits `Declared`, `Root` and `Loss`: the traits are implemented before
/// linking, by calls of these.
pub fn inherent(function: &str) -> Ident {
    format_ident!("__diabolo_{function}")
}

/// A root at one choice of its sizes.
#[derive(Clone, Debug)]
pub struct Program {
    /// What its generics are; nothing where it has none.
    pub sizes: Vec<(String, usize)>,
    /// In evaluation mode.
    pub evaluate: Graph,
    /// In training mode, with gradients, for a loss.
    pub train: Option<Graph>,
}

/// The functions that `Root` calls, and those of `Loss` where there are graphs to train with: those of every
/// program under a number, and those that choose among them by the fields of the struct.
///
/// # Errors
/// A fault of the compiler.
pub fn root(meta: &Meta, programs: &[Program]) -> Result<TokenStream, String> {
    let Meta { krate, name, .. } = meta;
    let all = programs.iter().enumerate().map(|(number, program)| one(meta, number, program));
    let all = all.collect::<Result<TokenStream, String>>()?;
    let Some(first) = programs.first() else { return Err("a root without a program".into()) };
    let fields: Vec<Ident> = first.sizes.iter().map(|(size, _)| format_ident!("{size}")).collect();
    let choose = |function: &str, otherwise: Option<TokenStream>| {
        let arms = programs.iter().enumerate().map(|(number, program)| {
            let values = program.sizes.iter().map(|(_, value)| value);
            let function = numbered(function, number);
            let chosen = match otherwise {
                Some(_) => quote!(::core::result::Result::Ok(Self::#function())),
                None => quote!(Self::#function),
            };
            // Sizes that no program has end at `spec`; what the others say of them is never asked.
            match (program.sizes.is_empty(), number, &otherwise) {
                (true, ..) | (_, 0, None) => quote!(_ => #chosen,),
                _ => quote!((#(#values,)*) => #chosen,),
            }
        });
        let mut arms: Vec<TokenStream> = arms.collect();
        arms.rotate_left(1);
        if let Some(otherwise) = otherwise.as_ref().filter(|_| !fields.is_empty()) {
            arms.push(quote!(_ => #otherwise,));
        }
        quote!(match (#(self.#fields,)*) { #(#arms)* })
    };
    let label = name.to_string();
    let sizes = fields.iter().enumerate().map(|(place, field)| {
        let mut values: Vec<usize> =
            programs.iter().filter_map(|p| p.sizes.get(place)).map(|(_, value)| *value).collect();
        values.sort_unstable();
        values.dedup();
        let letter = field.to_string();
        quote!((#letter, self.#field, &[#(#values),*]))
    });
    let unknown = quote!(::core::result::Result::Err(#krate::Error::sizes(#label, &[#(#sizes),*])));
    let spec = choose("spec", Some(unknown));
    let [workspace, evaluate] = ["evaluate_workspace", "evaluate"].map(|function| choose(function, None));
    let program = quote!(&'static #krate::kernels::cuda::Program);
    let device = |function: &str| {
        let (name, choice) = (inherent(function), choose(function, None));
        quote! {
            #[doc(hidden)]
            fn #name(&self) -> ::core::option::Option<#program> {
                let program: fn() -> #program = #choice;
                ::core::option::Option::Some(program())
            }
        }
    };
    let devices = [Some("evaluate_cuda"), first.train.as_ref().map(|_| "train_cuda")];
    let devices: TokenStream = devices.into_iter().flatten().map(device).collect();
    let hypers = first.evaluate.hypers.iter().map(|hyper| format_ident!("{}", hyper.name));
    let [spec_of, hypers_of, workspace_of, evaluate_of] =
        ["spec", "hypers", "evaluate_workspace", "evaluate"].map(inherent);
    let loss = first.train.as_ref().map(|_| {
        let [workspace, train] = ["train_workspace", "train"].map(|function| choose(function, None));
        let [workspace_of, train_of] = ["train_workspace", "train"].map(inherent);
        quote! {
            fn #workspace_of(&self) -> fn(&[usize]) -> usize { #workspace }
            fn #train_of<F: #krate::kernels::Float>(&self) -> fn(#krate::program::Env<'_, F>) { #train }
        }
    });
    Ok(quote! {
        #all
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #name {
            #[doc(hidden)]
            fn #spec_of(&self) -> #krate::Result<&'static #krate::program::Spec> { #spec }
            #[doc(hidden)]
            fn #hypers_of(&self) -> ::std::vec::Vec<f64> {
                ::std::vec![#(::core::convert::Into::<f64>::into(self.#hypers)),*]
            }
            #[doc(hidden)]
            fn #workspace_of(&self) -> fn(&[usize]) -> usize { #workspace }
            #[doc(hidden)]
            fn #evaluate_of<F: #krate::kernels::Float>(&self) -> fn(#krate::program::Env<'_, F>) { #evaluate }
            #loss
            #krate::__cuda! { #devices }
        }
    })
}

/// The inherent name of a function of program `number`.
fn numbered(function: &str, number: usize) -> Ident {
    format_ident!("__diabolo_{function}_{number}")
}

/// One program: its items, and its functions under its number.
fn one(meta: &Meta, number: usize, program: &Program) -> Result<TokenStream, String> {
    let Program { sizes, evaluate, train } = program;
    let params = spec::unite(evaluate, train.as_ref());
    let evaluate = spec::renumber(evaluate, &params);
    let train = train.as_ref().map(|graph| spec::renumber(graph, &params));
    let evaluate_plan = schedule(&evaluate)?;
    let train_plan = train.as_ref().map(schedule).transpose()?;

    let Meta { krate, name, .. } = meta;
    let symbols = names::symbols(std::iter::once(&evaluate).chain(&train));
    let names = |prefix| Names { krate, prefix, symbols: symbols.clone() };
    let mut loops = Loops::new(krate, "Loop");
    let items = run::program(&names("evaluate"), &evaluate_plan, &mut loops)?;
    let spec =
        spec::spec(meta, sizes, &symbols, &evaluate, train.as_ref(), &evaluate_plan, train_plan.as_ref())?;
    let [spec_of, workspace_of, evaluate_of] =
        ["spec", "evaluate_workspace", "evaluate"].map(|function| numbered(function, number));
    let loss = match &train_plan {
        None => TokenStream::new(),
        Some(plan) => {
            let items = run::program(&names("train"), plan, &mut loops)?;
            let [workspace_of, train_of] =
                ["train_workspace", "train"].map(|function| numbered(function, number));
            quote! {
                #items
                impl #name {
                    fn #workspace_of(dims: &[usize]) -> usize {
                        train_workspace(dims)
                    }
                    fn #train_of<F: #krate::kernels::Float>(env: #krate::program::Env<'_, F>) {
                        train(env)
                    }
                }
            }
        }
    };
    let loops = loops.items();
    let device = |prefix: &'static str, plan: &Schedule| {
        let items = cuda::program(&names(prefix), plan);
        let (function, constant) = (numbered(&format!("{prefix}_cuda"), number), cuda::constant(prefix));
        quote! {
            #items
            impl #name {
                fn #function() -> &'static #krate::kernels::cuda::Program {
                    &#constant
                }
            }
        }
    };
    let devices = [Some(("evaluate", &evaluate_plan)), train_plan.as_ref().map(|plan| ("train", plan))];
    let devices: TokenStream =
        devices.into_iter().flatten().map(|(prefix, plan)| device(prefix, plan)).collect();
    Ok(quote! {
        #[allow(
            unused_variables,
            unused_mut,
            unused_parens,
            unused_imports,
            unused_doc_comments,
            non_snake_case,
            dead_code,
            clippy::all,
            clippy::pedantic,
            clippy::nursery
        )]
        const _: () = {
            #loops
            #items
            impl #name {
                fn #spec_of() -> &'static #krate::program::Spec {
                    #spec
                }
                fn #workspace_of(dims: &[usize]) -> usize {
                    evaluate_workspace(dims)
                }
                fn #evaluate_of<F: #krate::kernels::Float>(env: #krate::program::Env<'_, F>) {
                    evaluate(env)
                }
            }
            #loss
            #krate::__cuda! { #devices }
        };
    })
}
