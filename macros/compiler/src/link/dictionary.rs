//! Bodies on their way from crate to crate.
//!
//! In: an item as tokens, with the ids of what it names. Out: the same as an entry of a flat dictionary that a
//! hidden macro carries, and back. Never: a nested body; an entry stands once, under its id.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;

use super::{Callee, ItemId, LinkedItem, Place};
use crate::error::{Error, Result};
use crate::parse::{self, Arguments};

/// An item in its place, not parsed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who it is.
    pub id: ItemId,
    /// The name of its attribute.
    pub attribute: String,
    /// The arguments of its attribute.
    pub arguments: TokenStream,
    /// The item.
    pub item: TokenStream,
    /// Where it is declared.
    pub place: Place,
    /// The crate that declares it.
    pub krate: String,
    /// What the names in it mean.
    pub callees: Vec<Callee>,
}

/// Entries by id.
pub type Dictionary = BTreeMap<ItemId, Entry>;

impl Entry {
    /// The tokens between macros.
    pub fn to_tokens(&self) -> TokenStream {
        let Entry { id, attribute, arguments, item, place: Place { file, line }, krate, callees } = self;
        let callees = callees.iter().map(|Callee { path, id }| quote!(#path #id));
        let line = proc_macro2::Literal::usize_unsuffixed(*line);
        quote!({ #id #attribute { #arguments } { #item } #file #line #krate { #(#callees)* } })
    }

    /// Reads what `to_tokens` wrote.
    pub fn parse(entry: TokenStream) -> Result<Self> {
        let mut tokens = Reader::new(entry);
        Ok(Entry {
            id: tokens.text()?,
            attribute: tokens.text()?,
            arguments: tokens.group()?,
            item: tokens.group()?,
            place: Place { file: tokens.text()?, line: tokens.number()? },
            krate: tokens.text()?,
            callees: {
                let mut callees = Reader::new(tokens.group()?);
                let mut found = Vec::new();
                while !callees.is_empty() {
                    found.push(Callee { path: callees.text()?, id: callees.text()? });
                }
                found
            },
        })
    }

    /// The item, parsed; every span becomes `here`, if given.
    pub fn link(&self, here: Option<Span>) -> Result<LinkedItem> {
        let arguments = Arguments::parse(&self.attribute, self.arguments.clone())?;
        let item = match here {
            Some(here) => parse::imported(&arguments, self.item.clone(), here)?,
            None => parse::item(&self.attribute, self.arguments.clone(), self.item.clone())?,
        };
        let Entry { id, place, krate, callees, .. } = self.clone();
        Ok(LinkedItem { id, item, place, krate, callees })
    }
}

/// Writes a dictionary.
pub fn write(dictionary: &Dictionary) -> TokenStream {
    dictionary.values().map(Entry::to_tokens).collect()
}

/// Reads what `write` wrote, into a dictionary.
pub fn read(entries: TokenStream, into: &mut Dictionary) -> Result<()> {
    let mut entries = Reader::new(entries);
    while !entries.is_empty() {
        let entry = Entry::parse(entries.group()?)?;
        into.entry(entry.id.clone()).or_insert(entry);
    }
    Ok(())
}

/// Reads the tokens that Diabolo's macros hand to each other.
pub struct Reader(std::iter::Peekable<proc_macro2::token_stream::IntoIter>);

impl Reader {
    /// Over tokens.
    pub fn new(tokens: TokenStream) -> Self {
        Reader(tokens.into_iter().peekable())
    }

    /// Whether all is read.
    pub fn is_empty(&mut self) -> bool {
        self.0.peek().is_none()
    }

    /// The next token if it is an identifier.
    pub fn word(&mut self) -> Option<String> {
        let Some(TokenTree::Ident(word)) = self.0.peek() else { return None };
        let word = word.to_string();
        self.0.next();
        Some(word)
    }

    /// The contents of the next group.
    pub fn group(&mut self) -> Result<TokenStream> {
        match self.0.next() {
            Some(TokenTree::Group(group)) => Ok(group.stream()),
            _ => Err(foreign()),
        }
    }

    /// The next string.
    pub fn text(&mut self) -> Result<String> {
        match self.literal() {
            Some(syn::Lit::Str(text)) => Ok(text.value()),
            _ => Err(foreign()),
        }
    }

    /// The next number.
    pub fn number(&mut self) -> Result<usize> {
        match self.literal() {
            Some(syn::Lit::Int(number)) => number.base10_parse().map_err(|_| foreign()),
            _ => Err(foreign()),
        }
    }

    fn literal(&mut self) -> Option<syn::Lit> {
        match self.0.next()? {
            TokenTree::Literal(literal) => Some(syn::Lit::new(literal)),
            _ => None,
        }
    }
}

/// The tokens are not those of this version.
fn foreign() -> crate::error::Errors {
    Error::new(Span::call_site(), VERSIONS).into()
}

/// What to read when two versions meet.
pub const VERSIONS: &str = "two versions of Diabolo meet in this build: a function compiled with one is called \
                            by a function of the other; `cargo tree -d` shows them";
