//! Sizes of a function: `<#[values(8, 16)] const K: usize>`.
//!
//! In: `syn::Generics`. Out: letters, each with the values at which the function runs by itself. Never: more programs
//! than somebody would want to wait for.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;

use super::{Parser, is_size_variable};
use crate::ast::{Generic, Role};
use crate::error::Error;

/// The most programs that the values of a function's sizes may make.
const MOST_PROGRAMS: usize = 16;

impl Parser {
    /// The sizes in angle brackets.
    pub(super) fn generics(&mut self, role: Role, generics: &syn::Generics) -> Vec<Generic> {
        let mut found: Vec<Generic> = Vec::new();
        for parameter in &generics.params {
            match parameter {
                syn::GenericParam::Const(size) => {
                    if !matches!(&size.ty, syn::Type::Path(p) if p.path.is_ident("usize")) {
                        self.error(size.ty.span(), "a size has type `usize`: `<const K: usize>`");
                    }
                    let name = self.name(&size.ident);
                    if !is_size_variable(&name.text) || name.text == "B" {
                        let message =
                            "a size variable is one capital letter other than `B`: `<const K: usize>`";
                        self.error(size.ident.span(), message);
                    }
                    let values = self.values(&size.attrs);
                    if !values.is_empty() && matches!(role, Role::Layer | Role::Optimizer) {
                        self.error(
                            size.ident.span(),
                            "`#[values(…)]` lists the sizes at which a function runs by itself, and this one never does",
                        );
                    }
                    found.push(Generic { name, values });
                }
                other => self.error(other.span(), "only sizes can be generic: `<const K: usize>`"),
            }
        }
        let listed = found.iter().filter(|generic| !generic.values.is_empty()).count();
        if let Some(generic) = found.iter().find(|generic| listed > 0 && generic.values.is_empty()) {
            let message = format!(
                "`{}` lists no values and another size does: a function runs by itself where every size has \
                 `#[values(…)]`",
                generic.name.text
            );
            self.errors.push(Error::new(generic.name.span, message));
        }
        let programs = found.iter().map(|generic| generic.values.len().max(1)).product::<usize>();
        if let Some(generic) = found.first().filter(|_| programs > MOST_PROGRAMS) {
            let message = format!(
                "these values make {programs} programs, each compiled by itself, and {MOST_PROGRAMS} are the most; \
                 `encode::<8>(x)` inside another function needs no list"
            );
            self.errors.push(Error::new(generic.name.span, message));
        }
        found
    }

    /// `#[values(8, 16, 32)]`: each once, ascending.
    fn values(&mut self, attributes: &[syn::Attribute]) -> Vec<usize> {
        const HOW: &str = "a size takes `#[values(8, 16, 32)]`: the sizes to compile, each once, 1 or more";
        let mut values: Vec<usize> = Vec::new();
        for attribute in attributes {
            let list = attribute.path().is_ident("values").then(|| {
                attribute.parse_args_with(Punctuated::<syn::LitInt, syn::Token![,]>::parse_terminated)
            });
            let Some(Ok(list)) = list else {
                self.error(attribute.span(), HOW);
                continue;
            };
            if list.is_empty() {
                self.error(attribute.span(), HOW);
            }
            for number in &list {
                match number.base10_parse() {
                    Ok(value) if value > 0 && !values.contains(&value) => values.push(value),
                    _ => self.error(number.span(), HOW),
                }
            }
        }
        values.sort_unstable();
        values
    }
}
