//! From schedules to source text.
//!
//! In: graphs, which `schedule` plans. Out: tokens of a language. Never: a decision about loops or memory.

pub mod cuda;
pub mod rust;
