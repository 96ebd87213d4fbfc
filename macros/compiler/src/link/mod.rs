//! A root and everything it reaches.
//!
//! In: an item and the items it calls, from files (`from_source`) or from the tokens that hidden macros hand
//! over (`dictionary`). Out: `Linked`. Never: a shape, a file read.

pub mod dictionary;
pub mod free;
mod source;

pub use source::from_source;

use std::collections::BTreeMap;

use proc_macro2::Span;

use crate::ast::Item;
use crate::error::{Error, Result};

/// Who an item is inside one root.
pub type ItemId = String;

/// A root, with every item that it reaches.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The root.
    pub root: ItemId,
    /// All items, the root among them.
    pub items: BTreeMap<ItemId, LinkedItem>,
    /// The sizes at which the root runs by itself, in the order of its generics.
    pub sizes: Vec<(String, usize)>,
}

impl Linked {
    /// The root's entry.
    pub fn root(&self) -> &LinkedItem {
        &self.items[&self.root]
    }

    /// The root's name.
    pub fn name(&self) -> &str {
        &self.root().item.name().text
    }

    /// Where the root's name stands.
    pub fn span(&self) -> Span {
        self.root().item.name().span
    }

    /// The sizes of every program that the root's `#[values(…)]` make; one without sizes for other roots.
    pub fn programs(&self) -> Vec<Vec<(String, usize)>> {
        let Item::Function(function) = &self.root().item else { return vec![vec![]] };
        let mut all = vec![Vec::new()];
        for generic in &function.generics {
            all = all
                .into_iter()
                .flat_map(|sizes: Vec<(String, usize)>| {
                    let name = &generic.name.text;
                    generic.values.iter().map(move |value| {
                        let mut sizes = sizes.clone();
                        sizes.push((name.clone(), *value));
                        sizes
                    })
                })
                .collect();
        }
        all
    }

    /// The item that `path` means inside the item `within`.
    pub fn resolve(&self, within: &str, path: &str) -> Option<&LinkedItem> {
        let callees = &self.items.get(within)?.callees;
        self.items.get(&callees.iter().find(|c| c.path == path)?.id)
    }
}

/// An item in its place.
#[derive(Clone, Debug)]
pub struct LinkedItem {
    /// Its id.
    pub id: ItemId,
    /// What it says. Spans of an imported item are the call that imports it.
    pub item: Item,
    /// Where it is declared.
    pub place: Place,
    /// The crate that declares it.
    pub krate: String,
    /// The items it names, in the order of their first use; a route counts by this order.
    pub callees: Vec<Callee>,
}

/// A path that an item names, and the item it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callee {
    /// As written, without spaces.
    pub path: String,
    /// What it means.
    pub id: ItemId,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// Relative to the package that declares it.
    pub file: String,
    /// From 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a name that nothing declares should have been.
pub(crate) fn unknown(path: &str) -> String {
    if is_plain_rust(path) {
        let last = path.rsplit("::").next().unwrap_or(path);
        let instead = match crate::words::is_word(last) {
            true => format!("the word of Diabolo is `{last}`"),
            false if crate::parse::is_constant_name(last) => {
                format!("a constant of your own is `#[constant] const {last}: f32 = …;`")
            }
            false => "only words and annotated functions are called".to_owned(),
        };
        return format!("`{path}` is plain Rust, which is not looked into: {instead}");
    }
    if crate::parse::is_constant_name(path) {
        return format!(
            "`{path}` is not known here: declare it with `#[constant] const {path}: usize = …;`, or import it \
             with `use` (a size known only at run time is one capital letter)"
        );
    }
    format!(
        "`{path}` is not known here: it is no word of Diabolo and no local name; \
         import it with `use`, or annotate its declaration"
    )
}

/// Whether a path leads into Rust itself, where nothing is annotated.
pub(crate) fn is_plain_rust(path: &str) -> bool {
    const ROOTS: [&str; 6] = ["std", "core", "alloc", "f32", "f64", "usize"];
    let path = path.strip_prefix("::").unwrap_or(path);
    path.split_once("::").is_some_and(|(first, _)| ROOTS.contains(&first))
}

/// What a name in a size should have been.
pub(crate) fn unknown_size(name: &str) -> String {
    format!(
        "`{name}` is not a size here: declare `#[constant] const {}: usize = …;`, take it as an argument \
         `{}: usize`, or use one capital letter for a size that the arguments fix",
        name.to_uppercase(),
        name.to_lowercase()
    )
}

/// An item that reaches itself has no end when it is inlined.
pub(crate) fn refuse_recursion(linked: &Linked) -> Result<()> {
    let mut done = std::collections::BTreeSet::new();
    let mut path: Vec<(&str, usize)> = vec![(&linked.root, 0)];
    while let Some((id, next)) = path.last_mut() {
        let Some(callee) = linked.items.get(*id).and_then(|item| item.callees.get(*next)) else {
            done.insert(*id);
            path.pop();
            continue;
        };
        *next += 1;
        if let Some(start) = path.iter().position(|(id, _)| *id == callee.id) {
            let names: Vec<_> =
                path[start..].iter().map(|(id, _)| linked.items[*id].item.name().text.as_str()).collect();
            let first = &linked.items[path[start].0];
            return Err(Error::new(first.item.name().span, recursion(&names)).into());
        }
        if !done.contains(callee.id.as_str()) {
            path.push((&callee.id, 0));
        }
    }
    Ok(())
}

pub(crate) fn recursion(names: &[&str]) -> String {
    match names {
        [one] => {
            format!("`{one}` calls itself; a function of Diabolo is inlined where it is called, so it cannot")
        }
        [first, ..] => format!(
            "`{}` reaches itself: {} → {first}; a function of Diabolo is inlined where it is called, so it cannot",
            first,
            names.join(" → ")
        ),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests;
