//! Diabolo.

pub mod baseline;
pub mod checkpoint;
pub mod data;
pub mod error;
pub mod report;
