//! What the examples share, so that each is its model and a few lines more.
//!
//! In: the command line, a model. Out: the data, the folder of the run, its pictures and its figures beside those
//! of the baselines. Never: a word about one particular model.

mod codec;
mod flags;
mod small;
mod study;
mod trial;

pub use codec::{Packed, Quantised, gaussian_rate};
pub use flags::{Defaults, Flags, NoMore, non_negative, positive};
pub use study::Study;
pub use trial::Trial;
