//! Functions and constants.
//!
//! In: tokens of an item. Out: `ast::Item`. Never: an item that Rust would refuse.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;

use super::{Arguments, Attribute, Parser, nesting};
use crate::ast::{Expr, ExprKind, Function, Item, Name, Param, Role, TypeExpr};
use crate::error::{Error, Errors, Result};
use crate::words;

impl Parser {
    /// The item under an attribute.
    pub(super) fn item(mut self, arguments: &Arguments, tokens: TokenStream) -> Result<Item> {
        let tokens = nesting::flattened(tokens).map_err(|e| self.here_of(e))?;
        let item = match syn::parse2::<syn::Item>(tokens) {
            Ok(item) => item,
            Err(error) => return Err(self.here_of(Error::from(error).into())),
        };
        let item = match (arguments.attribute, &item) {
            (Attribute::Function(role), syn::Item::Fn(function)) => {
                Item::Function(self.function(role, arguments, function))
            }
            (Attribute::Constant, syn::Item::Const(constant)) => self.constant(constant),
            (Attribute::Constant, other) => {
                self.error(
                    place(other),
                    "`#[constant]` stands over a constant: `#[constant] const LATENT: usize = 32;`",
                );
                return Err(self.errors);
            }
            (Attribute::Function(_), other) => {
                let hint = if matches!(other, syn::Item::Const(_)) {
                    "; a constant takes `#[constant]`"
                } else {
                    ""
                };
                self.error(place(other), format!("this attribute stands over a function `fn …`{hint}"));
                return Err(self.errors);
            }
        };
        self.errors.finish(item)
    }

    fn here_of(&self, errors: Errors) -> Errors {
        Errors(errors.0.into_iter().map(|e| Error { span: self.span(e.span), ..e }).collect())
    }

    fn function(&mut self, role: Role, arguments: &Arguments, item: &syn::ItemFn) -> Function {
        let signature = &item.sig;
        self.qualifiers(signature);
        self.refuse_attributes(&item.block);
        let name = self.defined(&signature.ident);
        let generics = self.generics(role, &signature.generics);
        let params = self.params(role, signature);
        let output = match &signature.output {
            syn::ReturnType::Type(_, ty) => self.ty(ty),
            syn::ReturnType::Default => {
                let message = format!("`{}` does not say what it returns: `-> Tensor<B>`", name.text);
                self.error(signature.ident.span(), message);
                TypeExpr::Scalar(name.span)
            }
        };
        if role == Role::State {
            self.state(&name, &params, &output);
        }
        let body = self.block(&item.block);
        if body.value.is_none() && self.errors.is_empty() {
            let message = match item.block.stmts.last() {
                Some(syn::Stmt::Expr(syn::Expr::If(_), None)) => format!(
                    "`{}` returns what this `if` is, which is nothing where it does not hold: add `else {{ … }}`",
                    name.text
                ),
                _ => format!(
                    "`{}` ends without a value: its last line is what it returns, without a `;`",
                    name.text
                ),
            };
            let at = item.block.stmts.last().map_or(signature.ident.span(), |s| s.span());
            self.error(at, message);
        }
        let here = |path: &crate::ast::Path| Name { text: path.text.clone(), span: self.span(path.span) };
        Function {
            role,
            generics,
            params,
            output,
            body,
            trains: arguments.trains.as_ref().map(|paths| paths.iter().map(here).collect()),
            backward: arguments.backward.as_ref().map(here),
            name,
        }
    }

    /// A state is one value: nothing goes in, and it has no rows.
    fn state(&mut self, name: &Name, params: &[Param], output: &TypeExpr) {
        if let Some(param) = params.first() {
            let message = format!(
                "`{}` is a state, which has a value of its own and takes no arguments: `fn {}() -> Tensor<64>`",
                name.text, name.text
            );
            self.error(param.name.span, message);
        }
        match output {
            TypeExpr::Tensor { rows: None, .. } | TypeExpr::Scalar(_) => {}
            TypeExpr::Tensor { span, .. } => self.error(
                *span,
                format!("`{}` is a state: one value for the whole batch, without rows (`B`)", name.text),
            ),
            _ => self.error(
                name.span,
                format!("`{}` is a state: it is one `Tensor<…>` without rows, or a `Scalar`", name.text),
            ),
        }
    }

    fn qualifiers(&mut self, signature: &syn::Signature) {
        let refused = [
            ("const", signature.constness.map(|t| t.span)),
            ("async", signature.asyncness.map(|t| t.span)),
            ("extern", signature.abi.as_ref().map(|a| a.extern_token.span)),
            ("…", signature.variadic.as_ref().map(|v| v.dots.span())),
            match &signature.safety {
                syn::Safety::Safe(t) => ("safe", Some(t.span)),
                syn::Safety::Unsafe(t) => ("unsafe", Some(t.span)),
                _ => ("", None),
            },
            ("where", signature.generics.where_clause.as_ref().map(|w| w.where_token.span)),
        ];
        for (what, span) in refused.into_iter().filter_map(|(what, span)| Some((what, span?))) {
            let message = format!("a function of Diabolo has no `{what}`: it is a plain `fn name(…) -> …`");
            self.error(span, message);
        }
    }

    /// An attribute inside a body would be ignored in silence, `#[cfg]` above all.
    fn refuse_attributes(&mut self, block: &syn::Block) {
        fn first(tokens: TokenStream) -> Option<Span> {
            tokens.into_iter().find_map(|token| match token {
                TokenTree::Punct(p) if p.as_char() == '#' => Some(p.span()),
                TokenTree::Group(group) => first(group.stream()),
                _ => None,
            })
        }
        if let Some(span) = first(quote::quote!(#block)) {
            self.error(span, "attributes inside a function are not part of Diabolo");
        }
    }

    /// The name of an item: not a word of the language, nor a macro of std.
    fn defined(&mut self, ident: &syn::Ident) -> Name {
        let name = self.name(ident);
        if let Some(reason) = words::refused(&name.text) {
            self.error(ident.span(), reason);
        }
        name
    }

    fn params(&mut self, role: Role, signature: &syn::Signature) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        for input in &signature.inputs {
            let argument = match input {
                syn::FnArg::Typed(argument) => argument,
                syn::FnArg::Receiver(receiver) => {
                    self.error(receiver.span(), "a function of Diabolo has no `self`");
                    continue;
                }
            };
            let syn::Pat::Ident(syn::PatIdent {
                by_ref: None, mutability: None, ident, subpat: None, ..
            }) = &*argument.pat
            else {
                let message = match &*argument.pat {
                    syn::Pat::Ident(pattern) if pattern.mutability.is_some() => {
                        let name = &pattern.ident;
                        format!(
                            "an argument does not change: leave out `mut`, and write `let mut {name} = {name};`"
                        )
                    }
                    syn::Pat::Tuple(_) => {
                        "an argument has one name: take it apart inside, with `let (a, b) = …;`".to_owned()
                    }
                    _ => "an argument is a name and its type: `x: Tensor<B, 784>`".to_owned(),
                };
                self.error(argument.pat.span(), message);
                continue;
            };
            let name = self.name(ident);
            if params.iter().any(|p| p.name.text == name.text) {
                self.error(ident.span(), format!("two arguments are called `{}`", name.text));
            }
            let ty = self.ty(&argument.ty);
            if let (TypeExpr::Slot(slot), true) = (&ty, role != Role::Optimizer) {
                let message = format!("`{}` is an argument of an `#[optimizer]` only", slot.text);
                self.error(argument.ty.span(), message);
            }
            let default = self.default_value(&argument.attrs, &ty);
            let takes_number = match &ty {
                TypeExpr::Number(_) | TypeExpr::Size(_) | TypeExpr::Flag(_) | TypeExpr::Initial(_) => true,
                // A number, repeated to the shape that the call has; data has none.
                TypeExpr::Tensor { .. } | TypeExpr::Scalar(_) => role != Role::Loss,
                // One number for all of them.
                TypeExpr::Tuple(types, _) => types.iter().all(|ty| matches!(ty, TypeExpr::Size(_))),
                TypeExpr::Function(_) | TypeExpr::Slot(_) => false,
            };
            if let Some(value) = default.as_ref().filter(|_| takes_number) {
                self.fitting_default(&name.text, &ty, value);
            } else if default.is_some() {
                self.error(ident.span(), format!("`{}` is not a number, so it has no default", name.text));
            }
            params.push(Param { name, ty, default });
        }
        params
    }

    /// A literal of the wrong kind is said here, where it can be changed, not in what calls the function.
    fn fitting_default(&mut self, name: &str, ty: &TypeExpr, value: &Expr) {
        let message = match (ty, &value.kind) {
            (TypeExpr::Size(_), ExprKind::Number(_, false)) => {
                format!("`{name}` is a size, so its default is an integer")
            }
            (TypeExpr::Initial(_), ExprKind::Number(..)) => format!(
                "`{name}` is an initialiser, so its default is one: `kaiming()`, or `constant(…)` for one number everywhere"
            ),
            _ => return,
        };
        self.errors.push(Error::new(value.span, message));
    }

    fn default_value(&mut self, attributes: &[syn::Attribute], ty: &TypeExpr) -> Option<Expr> {
        let mut default = None;
        for attribute in attributes {
            if attribute.path().is_ident("default") {
                match attribute.parse_args::<syn::Expr>() {
                    // An initialiser is a call of a word; what else it may not be shows where it is used.
                    Ok(value) if matches!(ty, TypeExpr::Initial(_)) => default = Some(self.expr(&value)),
                    Ok(value) => default = Some(self.constant_value(&value, "a default")),
                    Err(error) => {
                        self.error(error.span(), "a default is a number: `#[default(0.1)] lambda: f32`")
                    }
                }
            } else if !attribute.path().is_ident("doc") && !attribute.path().is_ident("allow") {
                self.error(attribute.span(), "an argument takes only `#[default(…)]`");
            }
        }
        default
    }

    fn constant(&mut self, item: &syn::ItemConst) -> Item {
        let name = self.defined(&item.ident);
        if is_size_variable(&name.text) {
            self.error(
                item.ident.span(),
                "one capital letter is a size variable; give the constant a longer name",
            );
        } else if !is_constant_name(&name.text) {
            self.error(item.ident.span(), "a constant is written in capitals: `const LATENT: usize = 32;`");
        }
        let is_size = match &*item.ty {
            syn::Type::Path(path) if path.path.is_ident("usize") => true,
            syn::Type::Path(path) if path.path.is_ident("f32") || path.path.is_ident("f64") => false,
            other => {
                self.error(other.span(), "a constant is a size (`usize`) or a number (`f32`, `f64`)");
                false
            }
        };
        Item::Constant { name, is_size, value: self.constant_value(&item.expr, "a constant") }
    }

    /// Numbers, arithmetic and other constants.
    fn constant_value(&mut self, value: &syn::Expr, what: &str) -> Expr {
        let value = self.expr(value);
        if let Some(span) = not_constant(&value) {
            let message = format!("{what} is made of numbers, + - * / and other constants");
            self.errors.push(Error::new(span, message));
        }
        value
    }
}

/// The name of an item that is something else, or its start.
fn place(item: &syn::Item) -> Span {
    match item {
        syn::Item::Fn(function) => function.sig.ident.span(),
        syn::Item::Const(constant) => constant.ident.span(),
        other => other.span(),
    }
}

fn not_constant(value: &Expr) -> Option<Span> {
    match &value.kind {
        ExprKind::Number(..) | ExprKind::Flag(_) | ExprKind::Path(_) => None,
        ExprKind::Unary(_, value) => not_constant(value),
        ExprKind::Binary(_, left, right) => not_constant(left).or_else(|| not_constant(right)),
        // A placeholder: its mistake is already noted.
        ExprKind::Tuple(elements) if elements.is_empty() => None,
        _ => Some(value.span),
    }
}

/// One capital letter.
pub(crate) fn is_size_variable(name: &str) -> bool {
    name.len() == 1 && name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Capitals, digits and `_`; longer than one letter.
pub(crate) fn is_constant_name(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}
