//! What the proofs of the examples share.
//!
//! In: numbers of a model. Out: what mathematics says that they should be, by libraries that know nothing of Diabolo.
//! Never: a tolerance; each proof states its own.

pub mod algebra;
pub mod datasets;
pub mod noise;
pub mod slopes;
pub mod statistics;
