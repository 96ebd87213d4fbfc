//! What linking adds to an item's struct.
//!
//! In: a linked item. Out: inherent functions that the traits of its surface call. Never: a trait.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::quote;

use super::site::Site;
use super::state::State;
use super::{inherent, is_root};
use crate::ast::{Function, Item, Role};
use crate::error::Result;
use crate::link::Linked;
use crate::pipeline::{self, Context};

/// The identity of a function, and its programs if it is a root.
pub(super) fn items(state: &State, linked: &Linked, function: &Function) -> Result<TokenStream> {
    let site = &state.site;
    let context =
        Context { krate: site.krate.clone(), name: site.name.clone(), trains: function.role == Role::Loss };
    if function.role == Role::Optimizer {
        return pipeline::compile_optimizer(linked, &context);
    }
    let programs = match is_root(function) {
        true => as_inherent(pipeline::compile(linked, &context)?, &site.name),
        false => TokenStream::new(),
    };
    let identity = identity(state, linked);
    Ok(quote!(#identity #programs))
}

/// Who the item at the end of a route is: this one, or one that a callee leads to.
fn identity(state: &State, linked: &Linked) -> TokenStream {
    let Site { name, krate, place, .. } = &state.site;
    let program = quote!(#krate::program);
    let arms = linked.root().callees.iter().enumerate().filter_map(|(position, callee)| {
        match linked.items.get(&callee.id)?.item {
            Item::Function(_) => {
                let path = state.path(&callee.path);
                Some(quote!([#position, rest @ ..] => <#path as #program::Declared>::identity(rest),))
            }
            Item::Constant { .. } => None,
        }
    });
    let place = format!("::{name} ({place})");
    let function = inherent(&Ident::new("identity", proc_macro2::Span::call_site()));
    quote! {
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #name {
            #[doc(hidden)]
            fn #function(route: &[usize]) -> #program::Identity {
                match route {
                    #(#arms)*
                    _ => #program::Identity {
                        type_id: ::std::any::TypeId::of::<#name>(),
                        place: ::core::concat!(::core::module_path!(), #place),
                    },
                }
            }
        }
    }
}

/// Turns `impl Trait for Name { fn f … }`, at any depth, into `impl Name { fn __diabolo_f … }`.
fn as_inherent(items: TokenStream, name: &Ident) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = items.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "impl" => {
                let mut header = Vec::new();
                let mut body = None;
                for token in tokens.by_ref() {
                    match token {
                        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                            body = Some(group);
                            break;
                        }
                        token => header.push(token),
                    }
                }
                let is_root =
                    header.last().is_some_and(|last| matches!(last, TokenTree::Ident(i) if i == name));
                match (body, is_root) {
                    (Some(body), true) => {
                        let body = renamed(body.stream());
                        out.extend(quote!(impl #name { #body }));
                    }
                    (body, _) => out.extend(quote!(#word #(#header)* #body)),
                }
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), as_inherent(group.stream(), name));
                inner.set_span(group.span());
                out.extend([TokenTree::from(inner)]);
            }
            token => out.extend([token]),
        }
    }
    out
}

/// The functions of an `impl`, under their inherent names; associated types, which the surface has, left out.
fn renamed(body: TokenStream) -> TokenStream {
    let (mut after_fn, mut in_type) = (false, false);
    body.into_iter()
        .filter_map(|token| {
            let is_name =
                std::mem::replace(&mut after_fn, matches!(&token, TokenTree::Ident(i) if i == "fn"));
            if in_type || matches!(&token, TokenTree::Ident(i) if i == "type") {
                in_type = !matches!(&token, TokenTree::Punct(p) if p.as_char() == ';');
                return None;
            }
            Some(match token {
                TokenTree::Ident(function) if is_name => inherent(&function).into(),
                token => token,
            })
        })
        .collect()
}
