//! Indices where numbers are wanted, and numbers where indices are wanted.
//!
//! In: values and what is asked of them. Out: their types in the user's words, and messages that say what to write
//! instead. Never: a silent change from one to the other.

use super::At;
use super::Lowerer;
use super::broadcast::Operand;
use super::value::Value;
use crate::graph::{LONGEST_INDEXED, NodeId};
use crate::size::Size;

impl<'a> Lowerer<'a> {
    /// A node's type in the user's words: `Index<B>` for positions.
    pub(super) fn show_node(&self, node: NodeId) -> String {
        let shown = self.show(self.graph.ty(node));
        match self.graph.is_index(node) {
            false => shown,
            true if shown == "Scalar" => "Index".to_owned(),
            true => shown.replacen("Tensor", "Index", 1),
        }
    }

    /// The node of a value that is positions.
    pub(super) fn as_index(&self, value: &Value<'a>) -> Option<NodeId> {
        match value {
            Value::Tensor(node) => self.graph.is_index(*node).then_some(*node),
            _ => None,
        }
    }

    /// The same, also for the first of several values.
    fn first_index(&self, value: &Value<'a>) -> Option<NodeId> {
        match value {
            Value::Tuple(values) => values.iter().find_map(|value| self.first_index(value)),
            value => self.as_index(value),
        }
    }

    /// Refuses positions among the operands of something that computes.
    pub(super) fn numbers_only(&mut self, word: &str, operands: &[Operand<'a>]) -> Option<()> {
        let found = operands.iter().find_map(|o| self.first_index(&o.value).map(|node| (node, o)));
        let Some((node, operand)) = found else { return Some(()) };
        let is_name = operand.text.chars().all(|c| c.is_alphanumeric() || c == '_');
        let name = if is_name && !operand.text.is_empty() { &operand.text } else { "x" };
        let shown = if word.contains(' ') { word.to_owned() } else { format!("`{word}`") };
        let message = no_number(&shown, name, &self.show_node(node));
        self.fail(operand.at, message)
    }

    /// Refuses an axis whose positions would not be exact.
    pub(super) fn indexable(&mut self, size: &Size, at: At) -> Option<()> {
        match size.value().filter(|n| *n > LONGEST_INDEXED) {
            None => Some(()),
            Some(n) => self.fail(
                at,
                format!("an index counts to {LONGEST_INDEXED} exactly, and this axis has {n} places"),
            ),
        }
    }
}

/// What to write where something that needs numbers is given positions.
pub(super) fn no_number(what: &str, name: &str, found: &str) -> String {
    format!(
        "{what} needs numbers, and `{name}` is {found}: positions, which nothing computes with. \
         `gather(table, {name})` takes what stands there, `one_hot({name}, n)` marks them, `number({name})` makes \
         numbers of them"
    )
}
