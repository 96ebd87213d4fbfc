//! Kernels on the CPU, for tests. In: CUDA C and tapes. Out: what a device would leave in memory, or how a kernel breaks
//! the rules that all kernels follow. Never: speed, or a race seen.
//!
//! A header of ours and a C++ compiler make a program of the text, a process of its own: a kernel that runs into foreign
//! memory ends that process, not the test, and an address sanitizer needs nothing else. See `emulator.h`.
mod driver;
mod kernels;
mod library;
mod play;
mod process;
mod source;

pub use driver::Emulated;
pub use kernels::distinct;
pub use library::rounded;
pub use play::Memory;
pub use process::{Address, Machine, Order, Value};
pub use source::Emulator;

use std::fmt;

/// Why there is no emulated result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// This machine has no C++ compiler (or none with the sanitizers): tests say so, and pass.
    NoCompiler(String),
    /// The text is no C++; what the compiler said.
    Text(String),
    /// A kernel broke a rule, or ended the process.
    Kernel(String),
    /// The tape asks for what is not there.
    Tape(String),
    /// Files, processes.
    Machine(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoCompiler(text) => write!(f, "no C++ compiler: {text}"),
            Error::Text(text) => write!(f, "the text does not compile: {text}"),
            Error::Kernel(text) | Error::Tape(text) | Error::Machine(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Machine(error.to_string())
    }
}
