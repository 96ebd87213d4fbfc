//! What every program starts with: attributes and types.
//!
//! Functions of the language are not here: a name from a glob import and one that a macro defines are
//! ambiguous to Rust, so `dense` and the like are imported by name from [`crate::nn`].

pub use diabolo_macros::{constant, decoder, encoder, function, layer, loss, network, optimizer, state};

pub use crate::data::{Array, Data};
pub use crate::program::{Loss, Optimizer, Root};
pub use crate::{Adam, AdamW, Device, Lbfgs, Lion, Model, Nesterov, RmsProp, Schedule, Sgd, Trainer};
