//! CUDA. In: the text of kernels, and what to do with them. Out: the same numbers as the CPU's. Never: a graph.
//!
//! | Room | What |
//! | - | - |
//! | [`tape`] | what a program does for one shape of its data: launches and products, as data |
pub mod tape;

pub use tape::{Argument, Axis, Clock, Command, Launch, Pointer, Product, Program, Recorder, Space, Tape};
