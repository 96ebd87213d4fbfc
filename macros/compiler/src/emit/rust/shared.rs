//! The fused loops of a root, one struct for all that are equal: what rustc compiles does not grow with depth.
//!
//! In: bodies whose names come from positions alone, so that equal loops have equal text. Out: the name of each one's
//! struct, and in the end the structs. Never: a look at what slices a loop is called with.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// A loop without its name.
pub(super) struct Body {
    /// What it computes, as a part of a name.
    pub words: String,
    /// The fields, `name: type,` each.
    pub declared: TokenStream,
    /// Their names, `name,` each.
    pub names: TokenStream,
    /// The statements of `run`.
    pub statements: TokenStream,
}

/// The loops so far.
pub(super) struct Loops {
    krate: TokenStream,
    prefix: &'static str,
    list: Vec<Loop>,
    /// By the text of the body.
    numbers: BTreeMap<String, usize>,
}

struct Loop {
    name: Ident,
    body: Body,
    /// What each caller computes.
    callers: Vec<Vec<String>>,
}

impl Loops {
    /// None yet; their names begin with a prefix.
    pub fn new(krate: &TokenStream, prefix: &'static str) -> Self {
        Loops { krate: krate.clone(), prefix, list: Vec::new(), numbers: BTreeMap::new() }
    }

    /// The struct of a body, for a caller that computes these of the user's words.
    pub fn share(&mut self, body: Body, caller: Vec<String>) -> Ident {
        let text = format!("{} {}", body.declared, body.statements);
        let next = self.list.len();
        let number = *self.numbers.entry(text).or_insert(next);
        if let Some(known) = self.list.get_mut(number) {
            known.callers.push(caller);
            return known.name.clone();
        }
        let name = format_ident!("{}{next}{}", self.prefix, body.words);
        self.list.push(Loop { name: name.clone(), body, callers: vec![caller] });
        name
    }

    /// The structs.
    pub fn items(&self) -> TokenStream {
        self.list.iter().map(|this| this.item(&self.krate)).collect()
    }
}

impl Loop {
    fn item(&self, krate: &TokenStream) -> TokenStream {
        let Loop { name, body: Body { declared, names, statements, .. }, .. } = self;
        let doc = self.doc();
        quote! {
            #[doc = #doc]
            struct #name<'a, F> { #declared }
            impl<F: #krate::kernels::Float> #krate::kernels::Body for #name<'_, F> {
                type Output = ();
                #[inline(always)]
                fn run<I: #krate::kernels::Isa>(self) {
                    use #krate::kernels::{block, math, random};
                    let #name { #names } = self;
                    #statements
                }
            }
        }
    }

    /// The words of the first caller, and what of others is new.
    fn doc(&self) -> String {
        let (first, others) = self.callers.split_first().map_or((&[][..], &[][..]), |(a, b)| (&a[..], b));
        let first = listed(first);
        if others.is_empty() {
            return format!(" {first}");
        }
        let times = if others.len() == 1 { "once".to_owned() } else { format!("{} times", others.len()) };
        let mut new: Vec<String> = Vec::new();
        for word in others.iter().flatten() {
            if !self.callers[0].contains(word) && !new.contains(word) {
                new.push(word.clone());
            }
        }
        let new = if new.is_empty() { String::new() } else { format!(": {}", listed(&new)) };
        format!(" {first}; called {times} more{new}")
    }
}

/// Words in a row, as many as a reader wants.
pub(crate) fn listed(words: &[String]) -> String {
    const MOST: usize = 6;
    let shown = words.get(..MOST).unwrap_or(words).join(", ");
    match words.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Tokens with other names for some, and whether each of `wanted` is in them.
pub(super) fn renamed(
    stream: TokenStream,
    names: &BTreeMap<String, Ident>,
    found: &mut Vec<String>,
) -> TokenStream {
    use proc_macro2::{Group, TokenTree};
    let one = |token| match token {
        TokenTree::Group(group) => {
            let inside = renamed(group.stream(), names, found);
            TokenTree::Group(Group::new(group.delimiter(), inside))
        }
        TokenTree::Ident(ident) => match names.get(&ident.to_string()) {
            Some(new) => {
                let text = new.to_string();
                if !found.contains(&text) {
                    found.push(text);
                }
                TokenTree::Ident(new.clone())
            }
            None => TokenTree::Ident(ident),
        },
        other => other,
    };
    stream.into_iter().map(one).collect()
}
