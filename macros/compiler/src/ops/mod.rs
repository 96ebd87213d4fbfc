//! The rows: one entry for each element-wise function of the language.
//!
//! In: nothing. Out: a table that the parser, the interpreter, `autodiff`, both emitters, the gradient tests
//! and the documentation iterate over. Never: a shape; every argument has the type of the result.
//!
//! To add a row, add one entry to the group it belongs to: no other file names it.

mod activation;
mod arithmetic;
mod compare;
mod exponential;
mod gamma;
mod round;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use crate::graph::{Graph, NodeId};

/// `∂node / ∂args[index]` in graph terms: a node of the same type, or `None` where it is zero everywhere.
pub type Derivative = fn(graph: &mut Graph, node: NodeId, args: &[NodeId], index: usize) -> Option<NodeId>;

/// An element-wise function.
pub struct RowDef {
    /// The word of the language.
    pub name: &'static str,
    /// The number of arguments.
    pub arity: usize,
    /// A Rust expression over `I: Isa`, `F: Float`; `{0}`, `{1}`… stand for the arguments, which are locals.
    pub rust: &'static str,
    /// A CUDA expression over the number type `T`.
    pub cuda: &'static str,
    /// The value.
    pub eval: fn(&[f64]) -> f64,
    /// The derivative.
    pub derivative: Derivative,
    /// Where tests sample each argument; inside, the function is finite, and smooth but for single points.
    pub domain: &'static [(f64, f64)],
    /// The cost of an element, in additions.
    pub cost: f64,
    /// One sentence: what it is, and what the derivative is at corners.
    pub doc: &'static str,
}

/// An entry of the table.
#[derive(Clone, Copy)]
pub struct Row(&'static RowDef);

impl Row {
    /// The row of this name.
    pub fn named(name: &str) -> Option<Row> {
        rows().find(|row| row.name == name)
    }
}

/// All rows, in the order of the documentation.
pub fn rows() -> impl Iterator<Item = Row> {
    GROUPS.iter().flat_map(|(_, group)| group.iter().map(Row))
}

/// The table by groups: a heading of the documentation, and its rows.
pub static GROUPS: &[(&str, &[RowDef])] = &[
    ("Arithmetic", arithmetic::ROWS),
    ("Exponentials and circles", exponential::ROWS),
    ("Activations", activation::ROWS),
    ("Gamma functions", gamma::ROWS),
    ("Steps", round::ROWS),
    ("Comparisons (1 or 0)", compare::ROWS),
];

impl Deref for Row {
    type Target = RowDef;
    fn deref(&self) -> &RowDef {
        self.0
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        self.name == other.name
    }
}

impl Eq for Row {}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_complete_and_named_once() {
        for row in rows() {
            assert_eq!(rows().filter(|r| r.name == row.name).count(), 1, "{row:?} is named twice");
            assert_eq!(row.domain.len(), row.arity, "{row:?}: one range an argument");
            assert!(row.cost > 0.0 && row.doc.ends_with('.'), "{row:?}: cost and doc");
            for text in [row.rust, row.cuda] {
                for i in 0..row.arity {
                    assert!(text.contains(&format!("{{{i}}}")), "{row:?} ignores argument {i} in `{text}`");
                }
                assert!(!text.contains(&format!("{{{}}}", row.arity)), "{row:?}: `{text}`");
            }
        }
    }

    #[test]
    fn values_are_finite_inside_the_domain() {
        for row in rows() {
            for step in 0..=20 {
                let at = |(low, high): (f64, f64)| low + (high - low) * f64::from(step) / 20.0;
                let x: Vec<f64> = row.domain.iter().copied().map(at).collect();
                assert!((row.eval)(&x).is_finite(), "{row:?}{x:?}");
            }
        }
    }
}
