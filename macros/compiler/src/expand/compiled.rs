//! What linking adds to an item's struct.
//!
//! In: a linked item. Out: inherent functions that the traits of its surface call. Never: a trait.

use proc_macro2::TokenStream;
use quote::quote;

use super::is_root;
use super::site::Site;
use super::state::State;
use crate::ast::{Function, Item, Role};
use crate::emit::rust::inherent;
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
        true => pipeline::compile(linked, &context)?,
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
    let function = inherent("identity");
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
