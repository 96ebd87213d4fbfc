//! A library of networks, in the strictest of crates: what the attributes generate must pass every lint.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, dead_code, clippy::all, rustdoc::all)]

use diabolo::prelude::*;

/// The width of the code.
#[constant]
pub const WIDTH: usize = 3;

#[constant]
const HIDDEN: usize = 2 * WIDTH;

/// Multiplies by a matrix.
#[layer]
pub fn linear(x: Tensor<B, I>, out: usize) -> Tensor<B, out> {
    let weight: Tensor<I, out> = param(kaiming());
    einsum("bi,io->bo", x, weight)
}

// Private, and used only by another annotated function.
#[layer]
fn hidden(x: Tensor<B, I>) -> Tensor<B, WIDTH> {
    linear(relu(linear(x, HIDDEN)), WIDTH)
}

/// Makes a code.
///
/// Documentation tests of an annotated function run:
///
/// ```
/// use diabolo::prelude::*;
/// use nets::encode;
///
/// #[loss]
/// fn small(x: Tensor<B, 8>) -> Tensor<B> {
///     sum_squares(encode(x))
/// }
///
/// let spec = diabolo::program::Root::spec(&small()).unwrap();
/// assert_eq!(spec.params.len(), 2);
/// ```
#[encoder]
pub fn encode(x: Tensor<B, 8>) -> Tensor<B, WIDTH> {
    hidden(x)
}

/// The line at which [`watched`] inspects its argument.
pub const WATCHED_LINE: u32 = line!() + 5;

/// Inspects its argument.
#[function]
pub fn watched(x: Tensor<B, 8>) -> Tensor<B, 8> {
    inspect("seen", exp(x))
}

/// The same value; adjoints of a length above `limit` are clipped to ±`limit`.
#[function(backward = clipped)]
pub fn clip_gradient(x: Tensor<B, _>, limit: f32) -> Tensor<B, _> {
    x
}

/// Private, and reached from other crates all the same.
#[function]
fn clipped(x: Tensor<B, _>, limit: f32, adjoint: Tensor<B, _>) -> Tensor<B, _> {
    limit * clamped(adjoint / limit)
}

#[function]
fn clamped(x: Tensor<B, _>) -> Tensor<B, _> {
    min(max(x, -1.0), 1.0)
}

/// A network of any width, in another crate.
///
/// A size that is not listed, where Rust knows it, does not compile:
///
/// ```
/// diabolo::Model::<f32>::untrained(nets::narrow::<3>, 1).unwrap();
/// ```
/// ```compile_fail,E0080
/// diabolo::Model::<f32>::untrained(nets::narrow::<4>, 1).unwrap();
/// ```
#[encoder]
pub fn narrow<#[values(2, 3)] const K: usize>(x: Tensor<B, 8>) -> Tensor<B, K> {
    linear(x, K)
}

/// Applies a function twice.
#[layer]
pub fn twice(f: impl Fn(Tensor<B, _>) -> Tensor<B, _>, x: Tensor<B, _>) -> Tensor<B, _> {
    f(f(x))
}

/// Modules inside the crate.
pub mod inner {
    use super::linear;
    use diabolo::prelude::*;

    /// Makes data of a code.
    #[decoder]
    pub fn decode(z: Tensor<B, 3>) -> Tensor<B, 8> {
        linear(z, 8)
    }
}

#[doc(hidden)]
pub use diabolo;

/// Defines a network; two of one place are two networks.
#[macro_export]
macro_rules! make_network {
    ($name:ident, $out:expr) => {
        #[$crate::diabolo::prelude::network]
        fn $name(x: Tensor<B, 8>) -> Tensor<B, { $out }> {
            $crate::linear(x, $out)
        }
    };
}
