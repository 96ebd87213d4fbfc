//! The hidden macro of an item, and the question to that of a callee.
//!
//! In: an item on its way, or a finished one. Out: tokens of macros. Never: a path that starts at the crate
//! root (rustc refuses those for macros that a macro made); the body of anything twice.

use proc_macro2::TokenStream;
use quote::quote;

use super::site::Site;
use super::state::State;
use crate::link::dictionary::{self, Dictionary, VERSIONS};

/// The version of the tokens that macros exchange, and of what they mean: that of the compiler, since any two
/// versions may read one body in two ways. Cargo keeps two versions in one build only where they are incompatible.
const FORMAT: &str = env!("CARGO_PKG_VERSION");

/// Asks the hidden macro of the next callee.
pub(super) fn question(state: &State) -> TokenStream {
    let callee = state.path(&state.pending[0]);
    let krate = &state.site.krate;
    let state = state.to_tokens();
    quote!(#callee! { @link #FORMAT { #krate::__link } #state })
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
    let hidden = site.hidden();
    let export = site.is_public().then(|| quote!(#[macro_export]));
    let misuse =
        format!("`{name}` is a function of Diabolo, not a macro; inside another it is called `{name}(…)`");
    quote! {
        #[doc(hidden)]
        #export
        #[allow(unused_macros, unused_macro_rules, non_local_definitions)]
        macro_rules! #hidden {
            (@link #FORMAT { $($link:tt)* } $($state:tt)*) => { $($link)*! { { #answer } $($state)* } };
            // So far every version asks alike, so that the caller can be told to keep its own callers silent.
            (@link $version:tt { $($link:tt)* } $($state:tt)*) => {
                ::core::compile_error! { #VERSIONS }
                $($link)*! { { poison } $($state)* }
            };
            (@link $($other:tt)*) => { ::core::compile_error! { #VERSIONS } };
            ($($other:tt)*) => { ::core::compile_error! { #misuse } };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #visibility use #hidden as #name;
    }
}
