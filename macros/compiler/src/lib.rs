//! The compiler of Diabolo.

pub mod ast;
pub mod build;
pub mod error;
pub mod graph;
pub mod ops;
pub mod print;
pub mod size;
