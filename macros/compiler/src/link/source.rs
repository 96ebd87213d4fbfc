//! Linking without rustc: whole files in, resolved by the last name of a path.
//!
//! In: files with annotated items, and the name of a root. Out: `Linked`. Never: visibility, `use`, a file
//! read; those are rustc's in real programs, and the tests' here.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;

use super::{Callee, Linked, LinkedItem, Place, free};
use crate::error::{Error, Errors, Result};
use crate::parse;

/// Parses files given as (name, text), and links the item `root` with everything it reaches. A name found in
/// several files is taken from the same file first, then from the first file that has it.
pub fn from_source(files: &[(&str, &str)], root: &str) -> Result<Linked> {
    let mut declared: BTreeMap<String, Vec<Declared>> = BTreeMap::new();
    let mut errors = Errors::default();
    for (file, text) in files {
        match parsed(text) {
            Ok(parsed) => collect(file, &parsed.items, &mut declared),
            Err(found) => found.0.into_iter().for_each(|e| errors.push(e)),
        }
    }
    let mut linked = Linked { root: root.to_owned(), items: BTreeMap::new(), sizes: Vec::new() };
    let find = |path: &str, file: &str| {
        let all = declared.get(path.rsplit("::").next().unwrap_or(path))?;
        all.iter().find(|d| d.place.file == file).or_else(|| all.first())
    };
    let Some(first) = find(root, "") else {
        errors.push(Error::new(Span::call_site(), format!("there is no annotated item `{root}`")));
        return Err(errors);
    };
    linked.root = first.id();
    let mut open = vec![first];
    while let Some(declared) = open.pop() {
        if linked.items.contains_key(&declared.id()) {
            continue;
        }
        let item = match parse::item(&declared.attribute, declared.arguments.clone(), declared.tokens.clone())
        {
            Ok(item) => item,
            Err(found) => {
                found.0.into_iter().for_each(|e| errors.push(e));
                continue;
            }
        };
        let mut callees = Vec::new();
        for free in free::paths(&item) {
            let path = free.path.clone();
            match find(&path.text, &declared.place.file) {
                Some(callee) => {
                    callees.push(Callee { path: path.text, id: callee.id() });
                    open.push(callee);
                }
                None => errors.push(Error::new(path.span, free.unknown())),
            }
        }
        let (id, place) = (declared.id(), declared.place.clone());
        linked.items.insert(id.clone(), LinkedItem { id, item, place, krate: "source".into(), callees });
    }
    let mut linked = errors.finish(linked)?;
    super::refuse_recursion(&linked)?;
    // As it runs by itself first.
    linked.sizes = linked.programs().into_iter().next().unwrap_or_default();
    Ok(linked)
}

/// A whole file, each item of which may nest as deep as under an attribute.
fn parsed(text: &str) -> Result<syn::File> {
    let tokens: TokenStream = text.parse().map_err(syn::Error::from).map_err(Error::from)?;
    let mut item = TokenStream::new();
    for token in tokens.clone() {
        let ends = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        item.extend([token]);
        if ends {
            parse::check_nesting(&std::mem::take(&mut item))?;
        }
    }
    parse::check_nesting(&item)?;
    Ok(syn::parse2(tokens).map_err(Error::from)?)
}

struct Declared {
    name: String,
    attribute: String,
    arguments: TokenStream,
    tokens: TokenStream,
    place: Place,
}

impl Declared {
    fn id(&self) -> String {
        format!("{}@{}", self.name, self.place)
    }
}

fn collect(file: &str, items: &[syn::Item], declared: &mut BTreeMap<String, Vec<Declared>>) {
    for item in items {
        let (attributes, ident) = match item {
            syn::Item::Fn(function) => (&function.attrs, &function.sig.ident),
            syn::Item::Const(constant) => (&constant.attrs, &constant.ident),
            syn::Item::Mod(module) => {
                if let Some((_, inner)) = &module.content {
                    collect(file, inner, declared);
                }
                continue;
            }
            _ => continue,
        };
        let found = attributes.iter().enumerate().find_map(|(i, a)| {
            let name = a.path().segments.last()?.ident.to_string();
            parse::Attribute::named(&name).map(|_| (i, name, a))
        });
        let Some((index, attribute, written)) = found else { continue };
        let arguments = match &written.meta {
            syn::Meta::List(list) => list.tokens.clone(),
            _ => Default::default(),
        };
        let mut bare = item.clone();
        if let syn::Item::Fn(syn::ItemFn { attrs, .. }) | syn::Item::Const(syn::ItemConst { attrs, .. }) =
            &mut bare
        {
            attrs.remove(index);
        }
        let name = ident.to_string();
        declared.entry(name.clone()).or_default().push(Declared {
            name,
            attribute,
            arguments,
            tokens: bare.into_token_stream(),
            place: Place { file: file.to_owned(), line: ident.span().start().line },
        });
    }
}
