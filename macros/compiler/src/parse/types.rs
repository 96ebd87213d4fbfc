//! Types and sizes.
//!
//! In: `syn::Type`. Out: `TypeExpr`, `SizeExpr`. Never: a size evaluated, a symbol bound.

use proc_macro2::Span;
use syn::spanned::Spanned as _;

use super::Parser;
use crate::ast::{FeatureExpr, Path, SizeExpr, TypeExpr};

const KNOWN: &str =
    "types are Tensor<…>, Index<…>, Scalar, tuples of them, f32, usize, bool, Initial and impl Fn(…)";

/// One entry between the angle brackets of `Tensor<…>`.
enum Entry<'a> {
    Type(&'a syn::Type),
    Value(&'a syn::Expr),
    Other(Span),
}

impl Parser {
    /// A type.
    pub(super) fn ty(&mut self, ty: &syn::Type) -> TypeExpr {
        match ty {
            syn::Type::Paren(inner) => self.ty(&inner.elem),
            syn::Type::Group(inner) => self.ty(&inner.elem),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => {
                self.refuse_type(ty, "`()` is not a value of Diabolo".into())
            }
            syn::Type::Tuple(tuple) => {
                let elements = tuple.elems.iter().map(|t| self.ty(t)).collect();
                TypeExpr::Tuple(elements, self.span(tuple.paren_token.span.join()))
            }
            syn::Type::ImplTrait(bound) => TypeExpr::Function(self.span(bound.impl_token.span)),
            syn::Type::Path(path) if path.qself.is_none() => self.named_type(ty, &path.path),
            syn::Type::Reference(reference) => {
                // A type that is none has a mistake of its own.
                let before = self.errors.0.len();
                self.ty(&reference.elem);
                match self.errors.0.len() == before {
                    true => self.refuse_type(ty, "a value needs no `&`: write the type alone".to_owned()),
                    false => TypeExpr::Scalar(self.span(ty.span())),
                }
            }
            syn::Type::Array(_) | syn::Type::Slice(_) => {
                self.refuse_type(ty, format!("arrays are not part of Diabolo; {KNOWN}"))
            }
            _ => self.refuse_type(ty, format!("this type is not part of Diabolo; {KNOWN}")),
        }
    }

    fn refuse_type(&mut self, ty: &syn::Type, message: String) -> TypeExpr {
        let span = ty.span();
        self.error(span, message);
        TypeExpr::Scalar(span)
    }

    fn named_type(&mut self, ty: &syn::Type, path: &syn::Path) -> TypeExpr {
        let Some(last) = path.segments.last() else { return self.refuse_type(ty, KNOWN.into()) };
        let (name, span) = (last.ident.to_string(), self.span(last.ident.span()));
        if name == "Tensor" {
            return self.tensor(&last.arguments, last.ident.span(), false);
        }
        if name == "Index" {
            return self.tensor(&last.arguments, last.ident.span(), true);
        }
        if !last.arguments.is_none() {
            return self.refuse_type(ty, format!("`{name}<…>` is not a type of Diabolo; {KNOWN}"));
        }
        match name.as_str() {
            "Scalar" => TypeExpr::Scalar(span),
            "f32" | "f64" => TypeExpr::Number(span),
            "usize" => TypeExpr::Size(span),
            "bool" => TypeExpr::Flag(span),
            "Initial" => TypeExpr::Initial(span),
            "Function" => TypeExpr::Function(span),
            "Weight" | "Gradient" | "Moment" | "Step" => TypeExpr::Slot(self.name(&last.ident)),
            _ => self.refuse_type(ty, format!("`{name}` is not a type of Diabolo; {KNOWN}")),
        }
    }

    /// `Tensor<rows, features…>`, and `Index<…>`, where it may have no axes at all.
    fn tensor(&mut self, arguments: &syn::PathArguments, written: Span, index: bool) -> TypeExpr {
        let span = self.span(written);
        let entries = entries(arguments);
        if entries.is_empty() && !index {
            self.error(
                written,
                "a tensor says its axes: `Tensor<B, 784>`, or `Tensor<16, 64>` without rows; \
                 a single number is `Scalar`",
            );
        }
        let mut rows = None;
        let mut features = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            match self.row_entry(entry) {
                Some(found) if i == 0 => rows = Some(found),
                Some(_) => self.error(
                    entry.span(),
                    "`B` names the rows and stands first, as in `Tensor<B, 784>`; \
                     the whole batch as an ordinary axis is another letter, as in `Tensor<N, 20>`",
                ),
                None => {
                    let feature = self.feature(entry);
                    if matches!(feature, FeatureExpr::Any(_))
                        && features.iter().any(|f| matches!(f, FeatureExpr::Any(_)))
                    {
                        self.error(
                            entry.span(),
                            "`_` stands for any feature axes, so one is enough in a type",
                        );
                    }
                    features.push(feature);
                }
            }
        }
        TypeExpr::Tensor { index, rows, features, span }
    }

    /// `B` or `Rows<B, …>`: the row axes after the batch.
    fn row_entry(&mut self, entry: &Entry) -> Option<Vec<SizeExpr>> {
        let path = entry.path()?;
        let last = path.segments.last()?;
        if last.ident == "Rows" {
            let inner = entries(&last.arguments);
            if inner.first().and_then(Entry::path).is_none_or(|p| !p.is_ident("B")) {
                self.error(last.ident.span(), "`Rows` starts with `B`, as in `Tensor<Rows<B, 50>, 20>`");
            }
            return Some(inner.iter().skip(1).map(|e| self.size_entry(e)).collect());
        }
        path.is_ident("B").then(Vec::new)
    }

    fn feature(&mut self, entry: &Entry) -> FeatureExpr {
        match entry {
            Entry::Type(syn::Type::Infer(any)) => FeatureExpr::Any(self.span(any.underscore_token.span)),
            Entry::Value(syn::Expr::Infer(any)) => FeatureExpr::Any(self.span(any.underscore_token.span)),
            other => FeatureExpr::Size(self.size_entry(other)),
        }
    }

    fn size_entry(&mut self, entry: &Entry) -> SizeExpr {
        match entry {
            Entry::Type(syn::Type::Paren(inner)) => self.size_entry(&Entry::Type(&inner.elem)),
            Entry::Type(syn::Type::Group(inner)) => self.size_entry(&Entry::Type(&inner.elem)),
            Entry::Type(syn::Type::Path(path)) if path.qself.is_none() => {
                SizeExpr::Name(self.path(&path.path))
            }
            Entry::Value(value) => self.size(value),
            other => self.refuse_size(other.span()),
        }
    }

    /// A path in an expression: its last name may have sizes, `encode::<8>`.
    pub(super) fn sized_path(&mut self, path: &syn::Path) -> (Path, Vec<SizeExpr>) {
        let mut bare = path.clone();
        let Some(last) = bare.segments.last_mut() else { return (self.path(path), vec![]) };
        let arguments = std::mem::take(&mut last.arguments);
        let sizes = entries(&arguments).iter().map(|entry| self.size_entry(entry)).collect();
        (self.path(&bare), sizes)
    }

    fn refuse_size(&mut self, span: Span) -> SizeExpr {
        self.error(
            span,
            "a size is a number, a name such as `K`, `hidden` or `LATENT`, or arithmetic in braces: `{2 * K}`",
        );
        SizeExpr::Literal(1, span)
    }

    /// A size written as an expression.
    fn size(&mut self, value: &syn::Expr) -> SizeExpr {
        match value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => match number.base10_parse() {
                Ok(size) => SizeExpr::Literal(size, self.span(number.span())),
                Err(_) => self.refuse_size(number.span()),
            },
            syn::Expr::Path(path) if path.qself.is_none() => SizeExpr::Name(self.path(&path.path)),
            syn::Expr::Paren(inner) => self.size(&inner.expr),
            syn::Expr::Group(inner) => self.size(&inner.expr),
            syn::Expr::Block(block) => match block.block.stmts.as_slice() {
                [syn::Stmt::Expr(value, None)] => self.size(value),
                _ => self.refuse_size(block.block.brace_token.span.join()),
            },
            syn::Expr::Binary(binary) => {
                let (operator, span) = match &binary.op {
                    syn::BinOp::Add(t) => ('+', t.span),
                    syn::BinOp::Sub(t) => ('-', t.span),
                    syn::BinOp::Mul(t) => ('*', t.span),
                    syn::BinOp::Div(t) => ('/', t.span),
                    other => return self.refuse_size(other.span()),
                };
                let (left, right) = (self.size(&binary.left), self.size(&binary.right));
                SizeExpr::Binary(operator, Box::new(left), Box::new(right), self.span(span))
            }
            other => self.refuse_size(other.span()),
        }
    }
}

fn entries(arguments: &syn::PathArguments) -> Vec<Entry<'_>> {
    let syn::PathArguments::AngleBracketed(list) = arguments else { return Vec::new() };
    list.args
        .iter()
        .map(|argument| match argument {
            syn::GenericArgument::Type(ty) => Entry::Type(ty),
            syn::GenericArgument::Const(value) => Entry::Value(value),
            other => Entry::Other(other.span()),
        })
        .collect()
}

impl Entry<'_> {
    fn span(&self) -> Span {
        match self {
            Entry::Type(ty) => ty.span(),
            Entry::Value(value) => value.span(),
            Entry::Other(span) => *span,
        }
    }

    fn path(&self) -> Option<&syn::Path> {
        match self {
            Entry::Type(syn::Type::Path(path)) => Some(&path.path),
            Entry::Value(syn::Expr::Path(path)) => Some(&path.path),
            _ => None,
        }
    }
}
