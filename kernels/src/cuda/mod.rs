//! CUDA. In: the text of kernels, and what to do with them. Out: the same numbers as the CPU's. Never: a graph.
//!
//! | Room | What |
//! | - | - |
//! | [`tape`] | what a program does for one shape of its data: launches and products, as data |
//! | [`error`] | what can go wrong on a device |
//! | `probe`, [`nvrtc`] | what there is of CUDA on this machine; text to machine code (feature `cuda`) |
pub mod error;
#[cfg(feature = "cuda")]
mod library;
#[cfg(feature = "cuda")]
pub mod nvrtc;
#[cfg(feature = "cuda")]
pub mod probe;
pub mod tape;
#[cfg(all(test, feature = "cuda"))]
mod testing;

pub use error::{Error, Result};
pub use tape::{Argument, Axis, Clock, Command, Launch, Pointer, Product, Program, Recorder, Space, Tape};
