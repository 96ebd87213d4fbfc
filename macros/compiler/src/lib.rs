//! The compiler of Diabolo.

pub mod ast;
pub mod autodiff;
pub mod build;
pub mod emit;
pub mod error;
pub mod expand;
pub mod graph;
pub mod interp;
pub mod link;
pub mod lower;
pub mod ops;
pub mod parse;
pub mod passes;
pub mod pipeline;
pub mod print;
pub mod scan;
pub mod schedule;
pub mod size;
#[doc(hidden)]
pub mod testing;
pub mod verify;
pub mod words;
