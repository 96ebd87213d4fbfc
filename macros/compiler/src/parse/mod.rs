//! From Rust syntax to the syntax of Diabolo.
//!
//! In: the name of an attribute, its arguments and its item, as tokens. Out: an `ast::Item`, or every
//! construct that is not Diabolo, each at its place. Never: a panic on any tokens, a name looked up.

mod arguments;
mod expr;
mod generics;
mod item;
mod nesting;
mod statement;
mod types;

pub use arguments::{Arguments, Attribute};
pub(crate) use item::{is_constant_name, is_size_variable};
pub use nesting::{check as check_nesting, flattened};

use proc_macro2::{Span, TokenStream};

use crate::ast::{Item, Name, Path};
use crate::error::{Error, Errors, Result};

/// Parses the item under the attribute `attribute`.
pub fn item(attribute: &str, arguments: TokenStream, item: TokenStream) -> Result<Item> {
    let arguments = Arguments::parse(attribute, arguments)?;
    Parser::default().item(&arguments, item)
}

/// Parses an item of another file: every span becomes `here`, lines stay those of its own file.
pub fn imported(arguments: &Arguments, item: TokenStream, here: Span) -> Result<Item> {
    Parser { errors: Errors::default(), here: Some(here) }.item(arguments, item)
}

/// Collects mistakes while it walks. Its methods return a placeholder where they found one.
#[derive(Default)]
struct Parser {
    errors: Errors,
    /// The place of every span, for an imported item.
    here: Option<Span>,
}

impl Parser {
    fn span(&self, span: Span) -> Span {
        self.here.unwrap_or(span)
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(Error::new(self.span(span), message));
    }

    fn name(&self, ident: &syn::Ident) -> Name {
        Name { text: ident.to_string(), span: self.span(ident.span()) }
    }

    /// A path: its text without spaces, at its last name.
    fn path(&mut self, path: &syn::Path) -> Path {
        if path.segments.iter().any(|s| !s.arguments.is_none()) {
            let span = path.segments.first().map_or_else(Span::call_site, |s| s.ident.span());
            self.error(
                span,
                "`::<…>` gives sizes to a function, as in `encode::<8>(x)`, and nothing else has them",
            );
        }
        let span = path.segments.last().map_or_else(Span::call_site, |s| s.ident.span());
        Path { text: path_text(path), span: self.span(span) }
    }
}

/// A path without spaces: `nn::dense`, `::other::dense`.
pub(crate) fn path_text(path: &syn::Path) -> String {
    let names: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    format!("{}{}", if path.leading_colon.is_some() { "::" } else { "" }, names.join("::"))
}

#[cfg(test)]
mod tests;
