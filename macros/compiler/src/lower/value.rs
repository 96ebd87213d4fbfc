//! Values while lowering: what a name stands for before anything runs.
//!
//! In: made by expressions. Out: read by words, calls and patterns. Never: a shape of its own; a tensor's
//! type is in the graph, and a placeholder's is not known yet.

use std::rc::Rc;

use super::scope::Frame;
use crate::ast::{Expr, Pattern};
use crate::graph::{Initial, NodeId};
use crate::size::Size;

/// What an expression stands for.
#[derive(Clone)]
pub(super) enum Value<'a> {
    /// A value of the program.
    Tensor(NodeId),
    /// A number known now; `true` for an integer.
    Number(f64, bool),
    /// An integer that has a symbol in it.
    Size(Size),
    /// A flag known now.
    Flag(bool),
    /// A text.
    Text(Rc<str>),
    /// Several values.
    Tuple(Rc<[Value<'a>]>),
    /// Something that can be called.
    Function(Function<'a>),
    /// How a parameter starts.
    Initial(Initial),
    /// A tensor whose shape nothing has fixed yet: an index into the placeholders.
    Pending(usize),
    /// The word `rows`, as in `axis = rows`.
    Rows,
    /// The value of what has none.
    Nothing,
    /// The value of a mistake that has been reported: silences what depends on it.
    Poison,
}

/// Something that can be called.
#[derive(Clone)]
pub(super) enum Function<'a> {
    /// An annotated function, by identity, at the sizes that were written with it.
    Item(&'a str, Rc<[Size]>),
    /// A word or a row of the language.
    Word(&'a str),
    /// A closure.
    Closure(Rc<Closure<'a>>),
}

/// A closure and everything that it can see.
pub(super) struct Closure<'a> {
    pub(super) params: &'a [Pattern],
    pub(super) body: &'a Expr,
    pub(super) frame: Frame<'a>,
}

impl Value<'_> {
    /// What it is, with an article, for messages; tensors are described by their type instead.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Tensor(_) | Value::Pending(_) => "a tensor",
            Value::Number(_, true) | Value::Size(_) => "an integer",
            Value::Number(_, false) => "a number",
            Value::Flag(_) => "a flag",
            Value::Text(_) => "a text",
            Value::Tuple(_) => "a tuple",
            Value::Function(_) => "a function",
            Value::Initial(_) => "an initialiser",
            Value::Rows => "the word `rows`",
            Value::Nothing => "nothing: a block without a last expression has no value",
            Value::Poison => "a mistake",
        }
    }

    /// An integer known now.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            // Beyond 2^53 the integers of an f64 have gaps.
            Value::Number(n, true) if n.abs() <= 9e15 => Some(*n as i64),
            _ => None,
        }
    }

    /// An integer, perhaps with symbols.
    pub(super) fn size(&self) -> Option<Size> {
        match self {
            Value::Size(size) => Some(size.clone()),
            _ => self.integer().map(Size::integer),
        }
    }

    /// The value of an integer: a number where no symbol is left.
    pub(super) fn from_size(size: Size) -> Self {
        let constant = match (size.terms().next(), size.terms().nth(1)) {
            (None, _) => Some(0),
            (Some(([], n)), None) => Some(n),
            _ => None,
        };
        constant.map_or(Value::Size(size), |n| Value::Number(n as f64, true))
    }
}
