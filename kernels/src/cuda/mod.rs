//! CUDA. In: the text of kernels, and what to do with them. Out: the same numbers as the CPU's. Never: a graph.
//!
//! | Room | What |
//! | - | - |
//! | [`tape`] | what a program does for one shape of its data: launches and products, as data |
//! | [`grids`] | how many blocks and parts the kernels of generated code get |
//! | [`prelude`] | the text that all kernels stand on, and the kernels that every program may launch |
//! | [`product`] | which of those compute a product |
//! | [`copies`] | which factors of products are copied as bfloat16 |
//! | [`driver`] | what a player needs of a device |
//! | [`arena`], `actions`, [`play`], [`training`] | memory allocated once; what tapes name in it; captured as one graph; what a training step does beside its program |
//! | `order` | what of a graph waits for what |
//! | [`error`] | what can go wrong on a device |
//! | `probe`, `nvrtc`, `cache` | what there is of CUDA on this machine; text to machine code, kept on disk (feature `cuda`) |
//! | `gpu`, `capture`, `blas` | a GPU of NVIDIA's through cudarc; what follows what in its graphs; its wide products through cuBLASLt (feature `cuda`) |
//! | `emulate`, `fake` | for tests: all of it on the CPU; a device that does nothing (feature `emulator`) |
mod actions;
pub mod arena;
#[cfg(feature = "cuda")]
mod blas;
#[cfg(feature = "cuda")]
pub mod cache;
#[cfg(feature = "cuda")]
mod capture;
pub mod copies;
pub mod driver;
#[cfg(feature = "emulator")]
pub mod emulate;
pub mod error;
#[cfg(any(test, feature = "emulator"))]
pub mod fake;
#[cfg(feature = "cuda")]
pub mod gpu;
pub mod grids;
#[cfg(feature = "cuda")]
mod library;
#[cfg(feature = "cuda")]
pub mod nvrtc;
mod order;
mod plain;
pub mod play;
pub mod prelude;
#[cfg(feature = "cuda")]
pub mod probe;
pub mod product;
pub mod tape;
#[cfg(all(test, feature = "cuda"))]
mod testing;
pub mod training;

pub use error::{Error, Result};
pub use grids::{Sum, Walk, at};
pub use tape::{
    Argument, Axis, Clock, Command, Launch, Layer, Pointer, Product, Program, Recorder, Space, Tape,
};
