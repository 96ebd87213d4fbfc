//! Which names of an item mean other items.
//!
//! In: an `ast::Item`. Out: its free paths, each once, in the order of first use. Never: a word of the
//! language, a local name, a size variable; what a path means.

mod walk;

use crate::ast::{Item, Param, Path, TypeExpr};
use walk::{Walk, locals};

/// A path that must be linked.
#[derive(Clone, Debug)]
pub struct Free {
    /// As written.
    pub path: Path,
    /// How it is used where it is used most plainly.
    pub usage: Usage,
}

/// What a free path can only be, as far as its use says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Called, given to a word that takes functions, or named by the attribute.
    Function,
    /// In capitals.
    Constant,
    /// An argument of calls: a function only where one of those takes a function there.
    Argument(Vec<Given>),
    /// In a size, and not in capitals: nothing that could be linked.
    Size,
    /// Anywhere else: nothing that could be linked.
    Value,
}

/// The place of an argument in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What is called.
    pub callee: String,
    /// The name in `f(x, inner = g)`.
    pub name: Option<String>,
    /// The position.
    pub position: usize,
}

/// The paths of an item that must be linked.
pub fn paths(item: &Item) -> Vec<Free> {
    let mut walk = Walk::default();
    match item {
        Item::Constant { value, .. } => walk.expr(value),
        Item::Function(function) => {
            walk.scopes.push(locals(function.generics.iter().map(|g| &g.name)));
            walk.scopes.push(locals(function.params.iter().map(|p| &p.name)));
            for param in &function.params {
                walk.ty(&param.ty);
                // A default stands outside of the arguments' scope.
                let scopes = std::mem::take(&mut walk.scopes);
                param.default.iter().for_each(|value| walk.expr(value));
                walk.scopes = scopes;
            }
            walk.ty(&function.output);
            walk.block(&function.body);
            walk.scopes.clear();
            let named = function.trains.iter().flatten().chain(&function.backward);
            named.for_each(|path| walk.path(path, Usage::Function));
        }
    }
    walk.found
}

impl Free {
    /// What it should have been.
    pub fn unknown(&self) -> String {
        match self.usage {
            Usage::Size => super::unknown_size(&self.path.text),
            _ => super::unknown(&self.path.text),
        }
    }

    /// Whether its use alone says that it must be linked, or that it cannot be; `None` where the functions it
    /// is given to decide.
    pub fn is_linked(&self) -> Option<bool> {
        match self.usage {
            _ if super::is_plain_rust(&self.path.text) => Some(false),
            Usage::Function | Usage::Constant => Some(true),
            Usage::Value | Usage::Size => Some(false),
            Usage::Argument(_) => None,
        }
    }

    /// Whether one of the functions that it is given to takes a function there. `signature` finds the
    /// arguments of a linked callee by its path.
    pub fn is_function_for<'a>(&self, signature: impl Fn(&str) -> Option<&'a [Param]>) -> bool {
        let Usage::Argument(given) = &self.usage else { return self.usage == Usage::Function };
        given.iter().any(|given| {
            let Some(params) = signature(&given.callee) else { return false };
            let param = match &given.name {
                Some(name) => params.iter().find(|p| p.name.text == *name),
                None => params.get(given.position),
            };
            param.is_some_and(|p| matches!(p.ty, TypeExpr::Function(_)))
        })
    }
}
