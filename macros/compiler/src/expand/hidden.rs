//! The hidden macro of an item, and the question to that of a callee.
//!
//! In: an item on its way, or a finished one. Out: tokens of macros. Never: a path that starts at the crate
//! root (rustc refuses those for macros that a macro made); the body of anything twice.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::site::Site;
use super::state::State;
use crate::link::dictionary::{self, Dictionary, VERSIONS};

/// The version of the tokens that macros exchange. Raise it with every change of them.
const FORMAT: usize = 1;

/// Asks the hidden macro of the next callee.
pub(super) fn question(state: &State) -> TokenStream {
    let callee = state.path(&state.pending[0]);
    let krate = &state.site.krate;
    let (format, state) = (Literal::usize_unsuffixed(FORMAT), state.to_tokens());
    quote!(#callee! { @link #format { #krate::__link } #state })
}

/// The hidden macro of an item that is finished.
pub(super) fn answer(site: &Site, id: &str, closed: &Dictionary) -> TokenStream {
    let dictionary = dictionary::write(closed);
    macro_rules(site, quote!(#id { #dictionary }))
}

/// The hidden macro of an item that failed.
pub(super) fn poison(site: &Site) -> TokenStream {
    macro_rules(site, quote!(poison))
}

fn macro_rules(site: &Site, answer: TokenStream) -> TokenStream {
    let Site { name, visibility, .. } = site;
    let (hidden, format) = (site.hidden(), Literal::usize_unsuffixed(FORMAT));
    let export = site.is_public().then(|| quote!(#[macro_export]));
    let misuse =
        format!("`{name}` is a function of Diabolo, not a macro; inside another it is called `{name}(…)`");
    quote! {
        #[doc(hidden)]
        #export
        #[allow(unused_macros, unused_macro_rules, non_local_definitions)]
        macro_rules! #hidden {
            (@link #format { $($link:tt)* } $($state:tt)*) => { $($link)*! { { #answer } $($state)* } };
            (@link $($other:tt)*) => { ::core::compile_error! { #VERSIONS } };
            ($($other:tt)*) => { ::core::compile_error! { #misuse } };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #visibility use #hidden as #name;
    }
}
