//! Blocks, statements and patterns.
//!
//! In: `syn::Block`. Out: `ast::Block`. Never: an item inside a body, an attribute.

use syn::spanned::Spanned as _;

use super::Parser;
use crate::ast::{Block, ExprKind, Name, Pattern, Statement};

impl Parser {
    /// A block.
    pub(super) fn block(&mut self, block: &syn::Block) -> Block {
        let span = self.span(block.brace_token.span.join());
        let mut statements = Vec::new();
        let mut value = None;
        for (i, statement) in block.stmts.iter().enumerate() {
            let is_last = i + 1 == block.stmts.len();
            match statement {
                syn::Stmt::Expr(expr, None) if is_last && has_value(expr) => {
                    value = Some(Box::new(self.expr(expr)));
                }
                syn::Stmt::Expr(expr, _) => statements.extend(self.statement(expr)),
                syn::Stmt::Local(local) => statements.extend(self.local(local)),
                syn::Stmt::Macro(mac) => self.refuse_macro(&mac.mac),
                syn::Stmt::Item(item) => self.error(
                    item.span(),
                    "an item inside a function is not part of Diabolo: define it outside, with its own attribute",
                ),
            }
        }
        Block { statements, value, span }
    }

    fn local(&mut self, local: &syn::Local) -> Option<Statement> {
        let (pattern, ty) = match &local.pat {
            syn::Pat::Type(typed) => (self.pattern(&typed.pat), Some(self.ty(&typed.ty))),
            pattern => (self.pattern(pattern), None),
        };
        let Some(init) = &local.init else {
            self.error(local.let_token.span, "a `let` needs a value: `let h = …;`");
            return None;
        };
        if let Some((token, _)) = &init.diverge {
            self.error(token.span, "`let … else` is not part of Diabolo: nothing here can fail to match");
        }
        Some(Statement::Let { pattern, ty, value: self.expr(&init.expr) })
    }

    /// An expression whose value is not used.
    fn statement(&mut self, expr: &syn::Expr) -> Option<Statement> {
        match expr {
            syn::Expr::Assign(assign) => {
                let name = self.target(&assign.left)?;
                Some(Statement::Assign(name, self.expr(&assign.right)))
            }
            syn::Expr::Binary(binary) if super::expr::compound(&binary.op).is_some() => {
                let operator = super::expr::compound(&binary.op)?;
                let name = self.target(&binary.left)?;
                let (left, right) = (self.expr(&binary.left), self.expr(&binary.right));
                let written = binary.op.span();
                let kind = ExprKind::Binary(operator, Box::new(left), Box::new(right));
                Some(Statement::Assign(name, self.at(written, kind)))
            }
            syn::Expr::ForLoop(turn) => self.for_loop(turn),
            syn::Expr::Call(_) | syn::Expr::If(_) => Some(Statement::Expr(self.expr(expr))),
            syn::Expr::Paren(inner) => self.statement(&inner.expr),
            other => {
                let before = self.errors.0.len();
                let value = self.expr(other);
                if self.errors.0.len() == before {
                    self.errors.push(crate::error::Error::new(
                        value.span,
                        "this value is not used: give it a name with `let`, or leave out the `;` of the last line",
                    ));
                }
                None
            }
        }
    }

    fn target(&mut self, left: &syn::Expr) -> Option<Name> {
        match left {
            syn::Expr::Path(path) if path.path.get_ident().is_some() => {
                path.path.get_ident().map(|i| self.name(i))
            }
            syn::Expr::Call(call) => {
                let message =
                    "only a name made by `let mut` can be assigned to; a state is replaced by `update(…)`";
                self.error(call.func.span(), message);
                None
            }
            other => {
                self.error(other.span(), "only a name made by `let mut` can be assigned to");
                None
            }
        }
    }

    fn for_loop(&mut self, turn: &syn::ExprForLoop) -> Option<Statement> {
        if let Some(label) = &turn.label {
            self.error(label.name.span(), "labels are not part of Diabolo");
        }
        let variable = match self.pattern(&turn.pat) {
            Pattern::Name(name) => Some(name),
            Pattern::Wild(_) => None,
            Pattern::Tuple(..) => {
                self.error(turn.pat.span(), "the turns of a `for` are counted by one name");
                None
            }
        };
        let body = self.block(&turn.body);
        let range = match &*turn.expr {
            syn::Expr::Paren(inner) => &*inner.expr,
            other => other,
        };
        let syn::Expr::Range(syn::ExprRange { start: Some(from), end: Some(to), limits, .. }) = range else {
            self.error(turn.expr.span(), "`for` runs over a range of constants: `for i in 0..4 { … }`");
            return None;
        };
        Some(Statement::For {
            variable,
            from: self.expr(from),
            to: self.expr(to),
            inclusive: matches!(limits, syn::RangeLimits::Closed(_)),
            body,
            span: self.span(turn.for_token.span),
        })
    }

    /// What a `let`, a `for` or a closure binds.
    pub(super) fn pattern(&mut self, pattern: &syn::Pat) -> Pattern {
        match pattern {
            syn::Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                Pattern::Name(self.name(&name.ident))
            }
            syn::Pat::Wild(wild) => Pattern::Wild(self.span(wild.underscore_token.span)),
            syn::Pat::Paren(inner) => self.pattern(&inner.pat),
            syn::Pat::Tuple(tuple) => {
                let elements = tuple.elems.iter().map(|p| self.pattern(p)).collect();
                Pattern::Tuple(elements, self.span(tuple.paren_token.span.join()))
            }
            syn::Pat::Type(typed) => {
                self.error(typed.ty.span(), "the type of this name is found from its use: leave it out");
                self.pattern(&typed.pat)
            }
            other => {
                let span = other.span();
                self.error(span, "a pattern is a name, `_`, or a tuple of them");
                Pattern::Wild(span)
            }
        }
    }
}

/// Whether an expression at the end of a block is its value: not a loop, an assignment or a lone `if`.
fn has_value(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::ForLoop(_) | syn::Expr::Assign(_) => false,
        syn::Expr::If(branch) => branch.else_branch.is_some(),
        syn::Expr::Binary(binary) => super::expr::compound(&binary.op).is_none(),
        _ => true,
    }
}

/// Placeholder for an expression that was refused.
pub(super) fn nothing() -> ExprKind {
    ExprKind::Tuple(Vec::new())
}
