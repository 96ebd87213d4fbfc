//! Passes another library's networks on, under other names.

pub use nets::inner::decode;
pub use nets::{encode as embed, linear};
