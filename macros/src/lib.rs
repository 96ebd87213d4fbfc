//! The attributes of Diabolo; each is a name for the compiler, which is a library.
//!
//! In: an item under an attribute. Out: what `diabolo_compiler::expand` makes of it. Never: a decision.

use diabolo_compiler::expand;
use proc_macro::TokenStream;

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            expand::attribute(stringify!($name), arguments.into(), item.into()).into()
        }
    )*};
}

attributes! {
    /// A function that owns its parameters: every call of it, in every loss, means the same ones.
    network;
    /// A `#[network]` that makes a code.
    encoder;
    /// A `#[network]` that makes data of a code.
    decoder;
    /// A function that makes fresh parameters where it is called.
    layer;
    /// A function without parameters. `#[function(backward = g)]` gives its derivative by hand.
    function;
    /// What training minimises: a value per sample, or a `Scalar`. `#[loss(trains(encode))]` says which
    /// networks it updates; without it, all.
    loss;
    /// A named number that types and functions may use: `#[constant] const LATENT: usize = 32;`
    constant;
    /// An element-wise rule that updates weights.
    optimizer;
    /// A value without gradient that `update(usage(), …)` in a loss replaces after the step; its body says how it
    /// starts: `#[state] fn usage() -> Tensor<512> { zeros() }`.
    state;
}

/// Where hidden macros send their answers.
#[doc(hidden)]
#[proc_macro]
pub fn __link(input: TokenStream) -> TokenStream {
    expand::link(input.into()).into()
}
