//! What the user's own Rust sees of an annotated item.
//!
//! In: the item as Rust. Out: a struct of its hyperparameters, a function of the same name that returns it
//! with its defaults, and the traits that make it a value for the runtime. Never: anything that depends on
//! what linking finds, so that a mistake there is not followed by others.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::is_root;
use super::site::Site;
use crate::ast::{Item, Role, TypeExpr};
use crate::emit::rust::inherent;

/// The function alone, as it is exported: without attributes and visibility.
pub(super) fn bare_function(function: &syn::ItemFn) -> TokenStream {
    let syn::ItemFn { sig, block, .. } = function;
    quote!(#sig #block)
}

/// The constant alone.
pub(super) fn bare_constant(constant: &syn::ItemConst) -> TokenStream {
    let syn::ItemConst { ident, ty, expr, .. } = constant;
    quote!(const #ident: #ty = #expr;)
}

/// A constant stays what it is.
pub(super) fn constant(constant: &syn::Item) -> TokenStream {
    quote!(#[allow(dead_code)] #constant)
}

/// A scalar argument.
struct Hyper<'a> {
    name: &'a syn::Ident,
    default: Option<TokenStream>,
}

/// Struct, function and traits. `ast` is absent where the function did not parse.
pub(super) fn function(site: &Site, role: Role, function: &syn::ItemFn, ast: Option<&Item>) -> TokenStream {
    let Site { name, visibility, .. } = site;
    let attributes = &function.attrs;
    let hypers = hypers(&function.sig);
    let fields = hypers.iter().map(|Hyper { name, default }| {
        let doc = match default {
            Some(default) => format!("A hyperparameter; {default} unless it is set."),
            None => "A hyperparameter.".to_owned(),
        };
        quote!(#[doc = #doc] pub #name: f32)
    });
    let arguments =
        hypers.iter().filter(|h| h.default.is_none()).map(|h| h.name).map(|name| quote!(#name: f32));
    let values = hypers.iter().map(|Hyper { name, default }| match default {
        Some(default) => quote!(#name: (#default) as f32),
        None => quote!(#name),
    });
    let doc = format!("\n\n`{}`", signature(&function.sig, ast));
    let traits = match role {
        Role::Optimizer => TokenStream::new(),
        _ => traits(site, role, ast),
    };
    quote! {
        #(#attributes)*
        #[doc = #doc]
        #[allow(non_camel_case_types, dead_code)]
        #[derive(Clone, Copy, Debug)]
        #visibility struct #name { #(#fields),* }

        #[doc(hidden)]
        #[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, trivial_numeric_casts)]
        #visibility fn #name(#(#arguments),*) -> #name { #name { #(#values),* } }

        #traits
    }
}

/// The traits, whose functions call inherent ones that linking brings.
fn traits(site: &Site, role: Role, ast: Option<&Item>) -> TokenStream {
    let Site { name, krate, .. } = site;
    let program = quote!(#krate::program);
    let runs = match ast {
        Some(Item::Function(function)) => is_root(function),
        _ => role != Role::Layer,
    };
    let [identity, spec, hypers] = ["identity", "spec", "hypers"].map(inherent);
    let [evaluate_workspace, evaluate] = ["evaluate_workspace", "evaluate"].map(inherent);
    let [train_workspace, train] = ["train_workspace", "train"].map(inherent);
    let results = results(krate, role, ast);
    let root = runs.then(|| {
        quote! {
            impl #program::IntoRoot for #name {
                type Root = #name;
                fn into_root(self) -> #name { self }
            }
            impl #program::Root for #name {
                type Results<F: #krate::kernels::Float> = #results;
                fn spec() -> &'static #program::Spec { <#name>::#spec() }
                fn hypers(&self) -> ::std::vec::Vec<f64> { <#name>::#hypers(self) }
                fn evaluate_workspace(dims: &[usize]) -> usize { <#name>::#evaluate_workspace(dims) }
                fn evaluate<F: #krate::kernels::Float>(env: #program::Env<'_, F>) { <#name>::#evaluate(env) }
            }
        }
    });
    let loss = (role == Role::Loss).then(|| {
        quote! {
            impl #program::Loss for #name {
                fn train_workspace(dims: &[usize]) -> usize { <#name>::#train_workspace(dims) }
                fn train<F: #krate::kernels::Float>(env: #program::Env<'_, F>) { <#name>::#train(env) }
            }
        }
    });
    quote! {
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        const _: () = {
            #[allow(unused_imports)]
            use #program::Unlinked as _;
            impl #program::Declared for #name {
                fn identity(route: &[usize]) -> #program::Identity { <#name>::#identity(route) }
            }
            #root
            #loss
        };
    }
}

/// What `run` returns: an array for each value, tuples flattened; of a loss, nothing.
fn results(krate: &TokenStream, role: Role, ast: Option<&Item>) -> TokenStream {
    fn values(ty: &TypeExpr) -> usize {
        match ty {
            TypeExpr::Tuple(types, _) => types.iter().map(values).sum(),
            _ => 1,
        }
    }
    let array = quote!(#krate::data::Array<F>);
    match (role, ast) {
        (Role::Loss, _) | (_, None | Some(Item::Constant { .. })) => quote!(()),
        (_, Some(Item::Function(function))) => match values(&function.output) {
            1 => array,
            several => {
                let arrays = std::iter::repeat_n(array, several);
                quote!((#(#arrays),*))
            }
        },
    }
}

/// The arguments of type `f32` or `f64`, with their defaults as written.
fn hypers(signature: &syn::Signature) -> Vec<Hyper<'_>> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(argument) => Some(argument),
        syn::FnArg::Receiver(_) => None,
    });
    let mut hypers: Vec<Hyper<'_>> = Vec::new();
    for argument in typed {
        let (syn::Pat::Ident(pattern), syn::Type::Path(ty)) = (&*argument.pat, &*argument.ty) else {
            continue;
        };
        let is_number = ty.path.is_ident("f32") || ty.path.is_ident("f64");
        if is_number && !hypers.iter().any(|h| *h.name == pattern.ident) {
            let default = argument.attrs.iter().find(|a| a.path().is_ident("default"));
            let default =
                default.and_then(|a| a.parse_args::<syn::Expr>().ok()).map(ToTokens::into_token_stream);
            hypers.push(Hyper { name: &pattern.ident, default });
        }
    }
    hypers
}

/// The signature in the user's words.
fn signature(written: &syn::Signature, ast: Option<&Item>) -> String {
    match ast {
        Some(Item::Function(function)) => format!("fn {}", crate::lower::written::signature(function)),
        _ => written.to_token_stream().to_string(),
    }
}
