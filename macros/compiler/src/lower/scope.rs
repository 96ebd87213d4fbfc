//! Names in view, and where lowering is: one frame for each function being inlined.
//!
//! In: bindings made by `let`, arguments and patterns. Out: what a name stands for. Never: a node.

use std::collections::{BTreeMap, HashMap};

use proc_macro2::Span;

use super::value::Value;
use crate::ast::Item;
use crate::link::LinkedItem;
use crate::parse::is_size_variable;
use crate::size::{BATCH, Size};

/// One function, closure or constant that is being lowered.
#[derive(Clone)]
pub(super) struct Frame<'a> {
    /// The item whose text this is.
    pub(super) item: &'a LinkedItem,
    /// What the letters of its types stand for.
    pub(super) letters: Letters,
    /// Innermost last.
    pub(super) scopes: Vec<HashMap<String, Value<'a>>>,
    /// How many of the scopes a closure has around it: it sees them, and changes nothing there.
    pub(super) around: usize,
    /// Whose parameters are made here; none where there must not be any.
    pub(super) owner: Option<usize>,
    /// Where in the root this frame was called; its own text, where it is the root's.
    pub(super) anchor: Span,
    /// For a loss, what the names of its parts start with: nothing in the root, `vanilla.` inside.
    pub(super) metrics: Option<String>,
}

/// What the letters of a function's types stand for.
#[derive(Clone, Default)]
pub(super) struct Letters {
    /// `B`: all row axes.
    pub(super) rows: Option<Vec<Size>>,
    /// `_`: any feature axes.
    pub(super) any: Option<Vec<Size>>,
    /// Other letters and generics, with who fixed them.
    pub(super) sizes: BTreeMap<String, (Size, String)>,
}

impl<'a> Frame<'a> {
    /// A frame in which nothing is bound.
    pub(super) fn new(item: &'a LinkedItem, anchor: Span) -> Self {
        Frame {
            item,
            letters: Letters::default(),
            scopes: vec![HashMap::new()],
            around: 0,
            owner: None,
            anchor,
            metrics: None,
        }
    }

    /// What a local name stands for.
    pub(super) fn local(&self, name: &str) -> Option<&Value<'a>> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// Binds a name in the innermost scope.
    pub(super) fn bind(&mut self, name: &str, value: Value<'a>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), value);
        }
    }

    /// Whether a name in a size is one of the function's own letters: a size variable or a generic.
    pub(super) fn is_letter(&self, name: &str) -> bool {
        let generic =
            matches!(&self.item.item, Item::Function(f) if f.generics.iter().any(|g| g.name.text == name));
        (generic || is_size_variable(name)) && name != BATCH && self.local(name).is_none()
    }

    /// Whether a name is of what is around the closure that this is.
    pub(super) fn is_around(&self, name: &str) -> bool {
        self.scopes
            .iter()
            .rposition(|scope| scope.contains_key(name))
            .is_some_and(|scope| scope < self.around)
    }

    /// Changes a local; false where there is none.
    pub(super) fn assign(&mut self, name: &str, value: Value<'a>) -> bool {
        let place = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name));
        place.map(|place| *place = value).is_some()
    }

    /// The names of all locals.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().flat_map(|scope| scope.keys().map(String::as_str))
    }
}
