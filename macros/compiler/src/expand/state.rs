//! An item on its way through its callees.
//!
//! In: the item, and one answer after the other. Out: the item with everything it reaches. Never: a callee
//! asked twice.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;

use super::site::Site;
use crate::ast::{Item, Param};
use crate::error::{Error, Errors, Result};
use crate::link::dictionary::{self, Dictionary, Entry, Reader};
use crate::link::{self, Callee, Linked, free};

/// An item on its way.
pub(super) struct State {
    /// Where it stands.
    pub site: Site,
    /// The item itself, with the callees that have answered.
    pub entry: Entry,
    /// The paths still to ask.
    pub pending: Vec<String>,
    /// What the answers brought.
    pub dictionary: Dictionary,
}

/// What an answer was.
pub(super) enum Added {
    /// A body with everything it reaches.
    Body,
    /// A callee that failed, and said so.
    Poison,
}

impl State {
    /// At the start.
    pub fn new(
        attribute: &str,
        arguments: TokenStream,
        item: TokenStream,
        site: Site,
        pending: Vec<String>,
    ) -> Self {
        let entry = Entry {
            id: site.id.clone(),
            attribute: attribute.to_owned(),
            arguments,
            item,
            place: site.place.clone(),
            krate: site.package.clone(),
            callees: Vec::new(),
        };
        State { site, entry, pending, dictionary: Dictionary::new() }
    }

    /// The tokens between macros.
    pub fn to_tokens(&self) -> TokenStream {
        let State { site, entry, pending, dictionary } = self;
        let (site, entry, dictionary) = (site.to_tokens(), entry.to_tokens(), dictionary::write(dictionary));
        quote!(#site #entry { #(#pending)* } { #dictionary })
    }

    /// Reads an answer and what `to_tokens` wrote: `@answer { … } state`.
    pub fn read(input: TokenStream) -> Result<(Self, Result<TokenStream>)> {
        let mut tokens = Reader::new(input);
        let answer = tokens.group();
        let site = tokens.group()?;
        let entry = Entry::parse(tokens.group()?)?;
        let site = Site::parse(site, entry.id.clone(), entry.place.clone(), entry.krate.clone())?;
        let mut list = Reader::new(tokens.group()?);
        let mut pending = Vec::new();
        while !list.is_empty() {
            pending.push(list.text()?);
        }
        let mut found = Dictionary::new();
        dictionary::read(tokens.group()?, &mut found)?;
        Ok((State { site, entry, pending, dictionary: found }, answer))
    }

    /// Takes the answer of the first pending path: `poison`, or an id and its closed dictionary.
    pub fn add(&mut self, answer: TokenStream) -> Result<Added> {
        let mut tokens = Reader::new(answer);
        if tokens.word().is_some() {
            return Ok(Added::Poison);
        }
        let id = tokens.text()?;
        dictionary::read(tokens.group()?, &mut self.dictionary)?;
        if !self.pending.is_empty() {
            self.entry.callees.push(Callee { path: self.pending.remove(0), id });
        }
        Ok(Added::Body)
    }

    /// Once every callee is known: a name that is only given to calls is a function where one of them takes
    /// a function, and otherwise not known.
    pub fn decide_arguments(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            return Ok(());
        }
        let mut errors = Errors::default();
        let mut signatures: Vec<(&str, Vec<Param>)> = Vec::new();
        let root = self.entry.link(None)?.item;
        for free in free::paths(&root) {
            let is_open =
                free.is_linked().is_none() && !self.entry.callees.iter().any(|c| c.path == free.path.text);
            if !is_open {
                continue;
            }
            for Callee { path, id } in &self.entry.callees {
                let entry =
                    self.dictionary.get(id).filter(|_| !signatures.iter().any(|(known, _)| known == path));
                if let Some(Item::Function(function)) = entry.and_then(|e| Some(e.link(None).ok()?.item)) {
                    signatures.push((path, function.params));
                }
            }
            let find = |path: &str| Some(signatures.iter().find(|(known, _)| *known == path)?.1.as_slice());
            match free.is_function_for(find) {
                true => self.pending.push(free.path.text),
                false => errors.push(Error::new(free.path.span, link::unknown(&free.path.text))),
            }
        }
        errors.finish(())
    }

    /// The item with everything it reaches, parsed. What the item calls carries the span of that call.
    pub fn linked(&self) -> Result<Linked> {
        let mut root = self.entry.link(None)?;
        let order = free::paths(&root.item);
        root.callees.sort_by_key(|c| order.iter().position(|free| free.path.text == c.path));
        let mut linked = Linked { root: root.id.clone(), items: Default::default(), sizes: Vec::new() };
        for callee in &root.callees {
            let span = order.iter().find(|free| free.path.text == callee.path).map(|free| free.path.span);
            let mut open = vec![callee.id.clone()];
            while let Some(id) = open.pop() {
                let Some(entry) = self.dictionary.get(&id).filter(|_| !linked.items.contains_key(&id)) else {
                    continue;
                };
                let item = entry.link(Some(span.unwrap_or_else(Span::call_site)))?;
                open.extend(item.callees.iter().map(|c| c.id.clone()));
                linked.items.insert(id, item);
            }
        }
        linked.items.insert(root.id.clone(), root);
        Ok(linked)
    }

    /// The dictionary with the item itself.
    pub fn closed(&self) -> Dictionary {
        let mut closed = self.dictionary.clone();
        closed.insert(self.entry.id.clone(), self.entry.clone());
        closed
    }

    /// The tokens of a path as the user wrote it, for its span and for what text cannot hold (`$crate`).
    pub fn path(&self, text: &str) -> TokenStream {
        let written =
            find(self.entry.arguments.clone(), text).or_else(|| find(self.entry.item.clone(), text));
        written.unwrap_or_else(|| text.parse().unwrap_or_default())
    }
}

/// The first place where these tokens, put together, read `text`.
fn find(tokens: TokenStream, text: &str) -> Option<TokenStream> {
    let is_name = |t: &TokenTree| matches!(t, TokenTree::Ident(_));
    let is_colon = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ':');
    let tokens: Vec<_> = tokens.into_iter().collect();
    for start in 0..tokens.len() {
        if let TokenTree::Group(group) = &tokens[start] {
            if let Some(found) = find(group.stream(), text) {
                return Some(found);
            }
            continue;
        }
        // A path starts where no name and no `::` stands before it.
        if start > 0 && (is_colon(&tokens[start - 1]) && !is_single_colon(&tokens, start - 1)) {
            continue;
        }
        let mut read = String::new();
        let rest = tokens[start..].iter().take_while(|t| is_name(t) || is_colon(t));
        for (length, token) in rest.enumerate() {
            read.push_str(&token.to_string());
            if read == text && !follows_path(&tokens, start + length + 1) {
                return Some(tokens[start..=start + length].iter().cloned().collect());
            }
            if !text.starts_with(&read) {
                break;
            }
        }
    }
    None
}

/// Whether the colon at `at` is the `:` of a type, not half of `::`.
fn is_single_colon(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |t: Option<&TokenTree>| matches!(t, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    !is_colon(at.checked_sub(1).and_then(|i| tokens.get(i))) && !is_colon(tokens.get(at + 1))
}

/// Whether the path goes on with `::`, other than with sizes.
fn follows_path(tokens: &[TokenTree], at: usize) -> bool {
    let is =
        |at: usize, what: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == what);
    is(at, ':') && is(at + 1, ':') && !is(at + 2, '<')
}
