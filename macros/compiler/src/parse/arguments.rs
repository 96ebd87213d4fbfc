//! What stands in the parentheses of an attribute.
//!
//! In: `trains(encode, decode)`, `backward = g`, `crate = ::renamed`. Out: `Arguments`. Never: an argument
//! that the attribute does not take.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Token, ext::IdentExt as _};

use crate::ast::{NetworkRole, Path, Role};
use crate::error::{Error, Errors, Result};

/// What an attribute makes of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A function in this role.
    Function(Role),
    /// `#[constant]`.
    Constant,
}

impl Attribute {
    /// The attribute with this name, without `#[…]`.
    pub fn named(name: &str) -> Option<Self> {
        Some(Attribute::Function(match name {
            "network" => Role::Network(NetworkRole::Plain),
            "encoder" => Role::Network(NetworkRole::Encoder),
            "decoder" => Role::Network(NetworkRole::Decoder),
            "layer" => Role::Layer,
            "function" => Role::Function,
            "state" => Role::State,
            "loss" => Role::Loss,
            "optimizer" => Role::Optimizer,
            "constant" => return Some(Attribute::Constant),
            _ => return None,
        }))
    }
}

/// An attribute and its arguments.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What the attribute makes of its item.
    pub attribute: Attribute,
    /// `trains(encode, decode)`.
    pub trains: Option<Vec<Path>>,
    /// `backward = g`.
    pub backward: Option<Path>,
    /// `crate = ::renamed`: how the user's crate names Diabolo.
    pub krate: Option<TokenStream>,
}

impl Arguments {
    /// Reads the arguments of the attribute `name`.
    pub fn parse(name: &str, tokens: TokenStream) -> Result<Self> {
        let attribute = Attribute::named(name).ok_or_else(|| {
            Error::new(Span::call_site(), format!("`{name}` is not an attribute of Diabolo"))
        })?;
        let mut arguments = Arguments { attribute, trains: None, backward: None, krate: None };
        let mut errors = Errors::default();
        super::nesting::check(&tokens)?;
        let read = |input: ParseStream| {
            while !input.is_empty() {
                if let Err(error) = arguments.one(name, input, &mut errors) {
                    errors.push(error.into());
                    return input.step(|cursor| {
                        let mut rest = *cursor;
                        while let Some((_, next)) = rest.token_tree() {
                            rest = next;
                        }
                        Ok(((), rest))
                    });
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            errors.push(error.into());
        }
        errors.finish(arguments)
    }

    fn one(&mut self, name: &str, input: ParseStream, errors: &mut Errors) -> syn::Result<()> {
        let key = input.call(syn::Ident::parse_any)?;
        let text = key.to_string();
        match (text.as_str(), self.attribute) {
            ("trains", Attribute::Function(Role::Loss)) => {
                const SHAPE: &str = "`trains` lists networks in parentheses: `trains(encode, decode)`";
                if self.trains.is_some() {
                    return Err(syn::Error::new(
                        key.span(),
                        "`trains` stands here twice: one list has all networks",
                    ));
                }
                if !input.peek(syn::token::Paren) {
                    return Err(syn::Error::new(key.span(), SHAPE));
                }
                let list;
                syn::parenthesized!(list in input);
                let paths = Punctuated::<syn::Path, Token![,]>::parse_terminated(&list)?;
                if paths.is_empty() {
                    errors.push(Error::new(
                        key.span(),
                        "`trains(…)` names the networks that this loss updates",
                    ));
                }
                self.trains = Some(paths.iter().map(path).collect());
            }
            ("backward", Attribute::Function(Role::Function)) => {
                let named = input.parse::<Token![=]>().and_then(|_| input.parse::<syn::Path>());
                let named = named.map_err(|_| {
                    syn::Error::new(
                        key.span(),
                        "`backward` names an annotated function: `backward = derivative`",
                    )
                })?;
                self.backward = Some(path(&named));
            }
            ("crate", _) => {
                input.parse::<Token![=]>()?;
                self.krate = Some(input.call(syn::Path::parse_mod_style)?.to_token_stream());
            }
            _ => {
                let takes = match self.attribute {
                    Attribute::Function(Role::Loss) => "`trains(…)` and `crate = …`",
                    Attribute::Function(Role::Function) => "`backward = …` and `crate = …`",
                    _ => "`crate = …`",
                };
                let message = format!("`#[{name}]` has no argument `{text}`; it takes {takes}");
                return Err(syn::Error::new(key.span(), message));
            }
        }
        Ok(())
    }
}

fn path(path: &syn::Path) -> Path {
    let span = path.segments.last().map_or_else(Span::call_site, |s| s.ident.span());
    Path { text: super::path_text(path), span }
}
