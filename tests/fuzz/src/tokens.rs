//! Arbitrary tokens for every attribute, and for the exchange of hidden macros.
//!
//! In: a generator. Out: cases. Never: an item that was written by a person.

use diabolo_compiler::expand;
use diabolo_compiler::testing::Rng;
use proc_macro2::TokenStream;
use quote::quote;

use crate::mutate;
use crate::worker::Case;

const ATTRIBUTES: &[&str] =
    &["network", "encoder", "decoder", "layer", "function", "loss", "constant", "optimizer", "state"];

/// Skeletons that get past the first look.
fn skeleton(rng: &mut Rng) -> TokenStream {
    let inner = soup(rng, 0);
    match rng.below(6) {
        0 => soup(rng, 0),
        1 => quote!(fn f(x: Tensor<B, 4>) -> Tensor<B> { #inner }),
        2 => quote!(fn f(#inner) -> Tensor<B> { sum(x) }),
        3 => quote!(fn f(x: Tensor<#inner>) -> Tensor<#inner> { x }),
        4 => quote!(const F: usize = #inner;),
        _ => quote!(fn f<#inner>(x: Tensor<B, 4>) -> Scalar { let y = #inner; y }),
    }
}

/// Tokens and brackets at random.
fn soup(rng: &mut Rng, depth: usize) -> TokenStream {
    let count = rng.below(12);
    let mut out = TokenStream::new();
    for _ in 0..count {
        if depth < 6 && rng.chance(0.3) {
            let inner = soup(rng, depth + 1);
            out.extend([mutate::group(rng, inner)]);
        } else {
            out.extend([mutate::token(rng)]);
        }
    }
    out
}

/// One case.
pub fn case(rng: &mut Rng) -> Case {
    let attribute = *rng.pick(ATTRIBUTES);
    let arguments = if rng.chance(0.5) { TokenStream::new() } else { soup(rng, 0) };
    let item = skeleton(rng);
    let link = rng.chance(0.2);
    let text = match link {
        true => format!("__link! {{ {item} }}"),
        false => format!("#[{attribute}({arguments})] {item}"),
    };
    // Streams of this thread stay on it: the case carries text.
    let (arguments, item) = (arguments.to_string(), item.to_string());
    let run = move || {
        let parsed = (arguments.parse::<TokenStream>(), item.parse::<TokenStream>());
        let (Ok(arguments), Ok(item)) = parsed else { return false };
        let out = if link { expand::link(item) } else { expand::attribute(attribute, arguments, item) };
        !out.to_string().contains("compile_error")
    };
    Case { input: text.into_bytes(), run: Box::new(run) }
}
