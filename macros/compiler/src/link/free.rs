//! Which names of an item mean other items.
//!
//! In: an `ast::Item`. Out: its free paths, each once, in the order of first use. Never: a word of the
//! language, a local name, a size variable; what a path means.

use std::collections::BTreeSet;

use crate::ast::{Block, Expr, ExprKind, FeatureExpr, Item, Path, Pattern, SizeExpr, Statement, TypeExpr};
use crate::parse::is_size_variable;
use crate::words;

/// The paths of an item that must be linked.
pub fn paths(item: &Item) -> Vec<Path> {
    let mut walk = Walk::default();
    match item {
        Item::Constant { value, .. } => walk.expr(value),
        Item::Function(function) => {
            walk.scopes.push(function.generics.iter().map(|g| g.text.clone()).collect());
            walk.scopes.push(function.params.iter().map(|p| p.name.text.clone()).collect());
            for param in &function.params {
                walk.ty(&param.ty);
                // A default stands outside of the arguments' scope.
                let scopes = std::mem::take(&mut walk.scopes);
                param.default.iter().for_each(|value| walk.expr(value));
                walk.scopes = scopes;
            }
            walk.ty(&function.output);
            walk.block(&function.body);
            walk.scopes.clear();
            function.trains.iter().flatten().chain(&function.backward).for_each(|path| walk.path(path));
        }
    }
    walk.found
}

#[derive(Default)]
struct Walk {
    scopes: Vec<BTreeSet<String>>,
    seen: BTreeSet<String>,
    found: Vec<Path>,
}

impl Walk {
    fn path(&mut self, path: &Path) {
        let is_local = self.scopes.iter().any(|scope| scope.contains(&path.text));
        if !is_local && !words::is_word(&path.text) && !is_size_variable(&path.text) && self.seen.insert(path.text.clone())
        {
            self.found.push(path.clone());
        }
    }

    fn bind(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Name(name) => {
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(name.text.clone());
                }
            }
            Pattern::Wild(_) => {}
            Pattern::Tuple(elements, _) => elements.iter().for_each(|p| self.bind(p)),
        }
    }

    fn ty(&mut self, ty: &TypeExpr) {
        match ty {
            TypeExpr::Tensor { rows, features, .. } => {
                rows.iter().flatten().for_each(|size| self.size(size));
                for feature in features {
                    if let FeatureExpr::Size(size) = feature {
                        self.size(size);
                    }
                }
            }
            TypeExpr::Tuple(elements, _) => elements.iter().for_each(|t| self.ty(t)),
            TypeExpr::Scalar(_)
            | TypeExpr::Number(_)
            | TypeExpr::Size(_)
            | TypeExpr::Flag(_)
            | TypeExpr::Function(_)
            | TypeExpr::Slot(_) => {}
        }
    }

    fn size(&mut self, size: &SizeExpr) {
        match size {
            SizeExpr::Literal(..) => {}
            SizeExpr::Name(path) => self.path(path),
            SizeExpr::Binary(_, left, right, _) => {
                self.size(left);
                self.size(right);
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.scopes.push(BTreeSet::new());
        for statement in &block.statements {
            match statement {
                Statement::Let { pattern, ty, value } => {
                    ty.iter().for_each(|ty| self.ty(ty));
                    self.expr(value);
                    self.bind(pattern);
                }
                Statement::Assign(_, value) | Statement::Expr(value) => self.expr(value),
                Statement::For { variable, from, to, body, .. } => {
                    self.expr(from);
                    self.expr(to);
                    self.scopes.push(variable.iter().map(|v| v.text.clone()).collect());
                    self.block(body);
                    self.scopes.pop();
                }
            }
        }
        block.value.iter().for_each(|value| self.expr(value));
        self.scopes.pop();
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(..) | ExprKind::Text(_) | ExprKind::Flag(_) => {}
            ExprKind::Path(path) => self.path(path),
            ExprKind::Call { callee, args } => {
                self.path(callee);
                args.iter().for_each(|a| self.expr(&a.value));
            }
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Unary(_, value) => self.expr(value),
            ExprKind::Tuple(elements) => elements.iter().for_each(|e| self.expr(e)),
            ExprKind::Block(block) => self.block(block),
            ExprKind::If(condition, then, otherwise) => {
                self.expr(condition);
                self.block(then);
                otherwise.iter().for_each(|block| self.block(block));
            }
            ExprKind::Closure(inputs, body) => {
                self.scopes.push(BTreeSet::new());
                inputs.iter().for_each(|p| self.bind(p));
                self.expr(body);
                self.scopes.pop();
            }
        }
    }
}
