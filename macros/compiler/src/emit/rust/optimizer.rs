//! An update rule as an implementation of `diabolo::program::Optimizer`.
//!
//! In: an element-wise graph over slots. Out: one fused pass over weights, gradients and moments, in chunks
//! over the threads. Never: an operation between elements.

use proc_macro2::{Ident, TokenStream};

/// What the code must know of the place where it will stand.
#[derive(Clone, Debug)]
pub struct OptimizerMeta {
    /// The path of the crate `diabolo` there.
    pub krate: TokenStream,
    /// The struct that becomes an optimizer.
    pub name: Ident,
    /// The number of moments.
    pub moments: usize,
}

/// The implementation of `Optimizer`.
///
/// # Errors
/// A fault of the compiler.
pub fn optimizer(_meta: &OptimizerMeta, _graph: &crate::graph::Graph) -> Result<TokenStream, String> {
    Err("not yet".into())
}
