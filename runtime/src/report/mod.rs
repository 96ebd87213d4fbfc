//! What a run leaves for people: a folder, pictures, lines in the terminal, figures.
//!
//! In: numbers that were computed elsewhere. Out: files and text. Never: a computation that the result of
//! training depends on.

mod canvas;
mod chart;
mod figures;
mod intervals;
mod legend;
mod picture;
mod progress;
mod run;

pub use chart::{curve, scatter};
pub use figures::Figures;
pub use intervals::{Interval, intervals};
pub use picture::{grid, reconstructions, strips};
pub use progress::Progress;
pub use run::{Run, Settings};

#[cfg(test)]
mod tests;
