//! What the user's own Rust sees of an annotated item.
//!
//! In: the item as Rust. Out: a struct of its hyperparameters, a function of the same name that returns it
//! with its defaults, and the traits that make it a value for the runtime. Never: anything that depends on
//! what linking finds, so that a mistake there is not followed by others.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use super::is_root;
use super::site::Site;
use crate::ast::{Item, Role, TypeExpr};
use crate::emit::rust::inherent;
use crate::link::free::Free;

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
pub(super) fn constant(constant: &syn::Item, is_sound: bool) -> TokenStream {
    let mut constant = constant.clone();
    // Of one that is wrong, any number: rustc would say the same mistake again.
    if let syn::Item::Const(item) = &mut constant
        && !is_sound
        && matches!(&*item.ty, syn::Type::Path(ty) if ["usize", "f32", "f64"].iter().any(|name| ty.path.is_ident(name)))
    {
        let ty = &item.ty;
        *item.expr = syn::parse_quote!(0 as #ty);
    }
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
    let hypers = hypers(&function.sig, ast.is_some());
    let generics = generics(&function.sig);
    let sizes = generics.iter().filter(|generic| !generic.values.is_empty()).map(|generic| {
        let (size, doc) = (generic.name, format!("A size: {}.", generic.listed()));
        quote!(#[doc = #doc] pub #size: usize)
    });
    let settings = hypers.iter().map(|Hyper { name, default }| {
        let doc = match default {
            Some(default) => format!("A hyperparameter; {default} unless it is set."),
            None => "A hyperparameter.".to_owned(),
        };
        quote!(#[doc = #doc] pub #name: f32)
    });
    let fields = sizes.chain(settings);
    let arguments =
        hypers.iter().filter(|h| h.default.is_none()).map(|h| h.name).map(|name| quote!(#name: f32));
    let values = hypers.iter().map(|Hyper { name, default }| match default {
        Some(default) => quote!(#name: (#default) as f32),
        None => quote!(#name),
    });
    let chosen = generics.iter().filter(|generic| !generic.values.is_empty()).map(|generic| {
        let size = generic.name;
        quote!(#size)
    });
    let values = chosen.chain(values);
    let checks = generics.iter().filter(|generic| !generic.values.is_empty()).map(|generic| {
        let (size, list) = (generic.name, &generic.values);
        let message = format!("`{name}` is compiled for {} = {}", generic.name, generic.listed());
        quote!(const { ::core::assert!(#(#size == #list)||*, #message) };)
    });
    let letters: Vec<_> = generics.iter().map(|generic| generic.name).collect();
    let parameters = (!letters.is_empty()).then(|| quote!(<#(const #letters: usize),*>));
    let doc = format!("\n\n`{}`", signature(&function.sig, ast));
    // Editors show this one, where the function is called. Not all of the user's words: examples would run twice.
    let summary = format!("{}{doc}", summary(attributes));
    let traits = match role {
        Role::Optimizer => TokenStream::new(),
        _ => traits(site, role, ast),
    };
    quote! {
        #(#attributes)*
        #[doc = #doc]
        #[allow(non_camel_case_types, non_snake_case, dead_code)]
        #[derive(Clone, Copy, Debug)]
        #visibility struct #name { #(#fields),* }

        #[doc(hidden)]
        #[doc = #summary]
        #[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, trivial_numeric_casts)]
        #visibility fn #name #parameters(#(#arguments),*) -> #name { #(#checks)* #name { #(#values),* } }

        #traits
    }
}

/// The first paragraph of the user's documentation.
fn summary(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// For editors alone, which set this `cfg`: every function and constant that the item names, at the place where it
/// does, so that hover and go to definition find each. Linking names them one after the other, in expansions inside
/// each other, where an editor sees the first.
pub(super) fn mentions(frees: &[Free]) -> TokenStream {
    // A path with `$crate` was written by a macro, and nobody points at it.
    let named = frees.iter().filter(|free| free.is_linked() != Some(false) && !free.path.text.contains('$'));
    let paths = named.filter_map(|free| {
        let path: TokenStream = free.path.text.parse().ok()?;
        Some(path.into_iter().map(|token| spanned(token, free.path.span)).collect::<TokenStream>())
    });
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            {
                #(let _ = #paths;)*
            }
        };
    }
}

fn spanned(mut token: TokenTree, span: Span) -> TokenTree {
    token.set_span(span);
    token
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
    let [evaluate_cuda, train_cuda] = ["evaluate_cuda", "train_cuda"].map(inherent);
    let cuda = quote!(::core::option::Option<&'static #krate::kernels::cuda::Program>);
    let results = results(krate, role, ast);
    let root = runs.then(|| {
        quote! {
            impl #program::IntoRoot for #name {
                type Root = #name;
                fn into_root(self) -> #name { self }
            }
            impl #program::Root for #name {
                type Results<F: #krate::kernels::Float> = #results;
                fn spec(&self) -> #krate::Result<&'static #program::Spec> { <#name>::#spec(self) }
                fn hypers(&self) -> ::std::vec::Vec<f64> { <#name>::#hypers(self) }
                fn evaluate_workspace(&self) -> fn(&[usize]) -> usize { <#name>::#evaluate_workspace(self) }
                fn evaluate<F: #krate::kernels::Float>(&self) -> fn(#program::Env<'_, F>) { <#name>::#evaluate(self) }
                #krate::__cuda! { fn evaluate_cuda(&self) -> #cuda { <#name>::#evaluate_cuda(self) } }
            }
        }
    });
    let loss = (role == Role::Loss).then(|| {
        quote! {
            impl #program::Loss for #name {
                fn train_workspace(&self) -> fn(&[usize]) -> usize { <#name>::#train_workspace(self) }
                fn train<F: #krate::kernels::Float>(&self) -> fn(#program::Env<'_, F>) { <#name>::#train(self) }
                #krate::__cuda! { fn train_cuda(&self) -> #cuda { <#name>::#train_cuda(self) } }
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
fn hypers(signature: &syn::Signature, parsed: bool) -> Vec<Hyper<'_>> {
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
            let default = default.and_then(|a| a.parse_args::<syn::Expr>().ok());
            // Of a function that did not parse, any number: what is wrong with its own is said already.
            let default = default.map(|value| if parsed { value.into_token_stream() } else { quote!(0.0) });
            hypers.push(Hyper { name: &pattern.ident, default });
        }
    }
    hypers
}

/// A size of the function, and the values at which it runs by itself.
struct Choice<'a> {
    name: &'a syn::Ident,
    values: Vec<usize>,
}

impl Choice<'_> {
    /// `8, 16, 32`.
    fn listed(&self) -> String {
        self.values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// The sizes of a function, as written.
fn generics(signature: &syn::Signature) -> Vec<Choice<'_>> {
    let sizes = signature.generics.params.iter().filter_map(|generic| match generic {
        syn::GenericParam::Const(size) => Some(size),
        _ => None,
    });
    let values = |size: &syn::ConstParam| {
        let list = size.attrs.iter().filter(|a| a.path().is_ident("values"));
        let list = list.filter_map(|a| a.parse_args_with(Values::parse_terminated).ok()).flatten();
        list.filter_map(|number| number.base10_parse().ok()).collect()
    };
    sizes.map(|size| Choice { name: &size.ident, values: values(size) }).collect()
}

type Values = syn::punctuated::Punctuated<syn::LitInt, syn::Token![,]>;

/// The signature in the user's words.
fn signature(written: &syn::Signature, ast: Option<&Item>) -> String {
    match ast {
        Some(Item::Function(function)) => format!("fn {}", crate::lower::written::signature(function)),
        _ => written.to_token_stream().to_string(),
    }
}
