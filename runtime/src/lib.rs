//! **Diabolo**: a DSL for autoencoders.
//!
//! Encoders, decoders and losses are annotated Rust functions. A procedural macro checks their shapes,
//! differentiates them, fuses them, and emits training code.
//!
//! ```
//! use diabolo::nn::{dense, squared_error};
//! use diabolo::prelude::*;
//!
//! #[encoder]
//! fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
//!     dense(relu(dense(x, 32)), 8)
//! }
//!
//! #[decoder]
//! fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
//!     dense(relu(dense(z, 32)), 64)
//! }
//!
//! #[loss]
//! fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
//!     squared_error(decode(encode(x)), x)
//! }
//!
//! # fn main() -> diabolo::Result<()> {
//! let digits = diabolo::data::digits();
//! let model = Trainer::new(vanilla).epochs(1).quiet().fit(&digits.train)?;
//! let codes = model.run(encode, &digits.test)?;
//! assert_eq!(codes.shape(), [1797, 8]);
//! # Ok(())
//! # }
//! ```
//!
//! | Room | What |
//! | - | - |
//! | [`prelude`] | attributes and types; functions of the language are imported by name from [`nn`] |
//! | [`nn`] | layers, losses, densities, optimizers, written in the language |
//! | [`Trainer`], [`Training`] | training, whole or step by step |
//! | [`Model`] | named parameters; any annotated function run on them |
//! | [`device`] | where training runs: the processor, a GPU |
//! | [`data`] | digits, MNIST, tables, arrays of one's own |
//! | [`report`], [`baseline`] | run folders, pictures, figures; PCA and the mean image |
//! | [`program`] | the contract between generated code and this crate |

// The macros name this crate `::diabolo`; so does this crate itself, whose library is written in the language.
extern crate self as diabolo;

pub use diabolo_kernels as kernels;
#[doc(hidden)]
pub use diabolo_macros::__link;

/// Items that only a device runs: of generated code, which cannot know the features of this crate.
#[cfg(feature = "cuda")]
#[doc(hidden)]
#[macro_export]
macro_rules! __cuda {
    ($($items:tt)*) => { $($items)* };
}

/// Without devices, no items.
#[cfg(not(feature = "cuda"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __cuda {
    ($($items:tt)*) => {};
}

pub mod baseline;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod error;
mod init;
mod inspect;
mod model;
pub mod nn;
mod optimizers;
pub mod prelude;
pub mod program;
pub mod projection;
pub mod report;
mod session;
mod source;
mod store;
mod train;
mod unlinked;

pub use device::Device;
pub use error::{Error, Result};
pub use model::{Means, Model};
pub use optimizers::{Adam, AdamW, Lion, Nesterov, RmsProp, Sgd};
pub use source::Source;
pub use train::{
    EpochReport, FullBatch, IntoLosses, Lbfgs, LossReport, Losses, Minimum, Optimizers, Schedule, Stopped,
    Trainer, Training,
};

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
