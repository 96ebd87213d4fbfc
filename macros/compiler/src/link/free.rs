//! Which names of an item mean other items.
//!
//! In: an `ast::Item`. Out: its free paths, each once, in the order of first use. Never: a word of the
//! language, a local name, a size variable; what a path means.

use std::collections::BTreeSet;

use crate::ast::{
    Argument, Block, Expr, ExprKind, FeatureExpr, Item, Param, Path, Pattern, SizeExpr, Statement, TypeExpr,
};
use crate::parse::{is_constant_name, is_size_variable};
use crate::words;

/// A path that must be linked.
#[derive(Clone, Debug)]
pub struct Free {
    /// As written.
    pub path: Path,
    /// How it is used where it is used most plainly.
    pub usage: Usage,
}

/// What a free path can only be, as far as its use says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Called, given to a word that takes functions, or named by the attribute.
    Function,
    /// In capitals.
    Constant,
    /// An argument of calls: a function only where one of those takes a function there.
    Argument(Vec<Given>),
    /// Anywhere else: nothing that could be linked.
    Value,
}

/// The place of an argument in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What is called.
    pub callee: String,
    /// The name in `f(x, inner = g)`.
    pub name: Option<String>,
    /// The position.
    pub position: usize,
}

/// The paths of an item that must be linked.
pub fn paths(item: &Item) -> Vec<Free> {
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
            let named = function.trains.iter().flatten().chain(&function.backward);
            named.for_each(|path| walk.path(path, Usage::Function));
        }
    }
    walk.found
}

#[derive(Default)]
struct Walk {
    scopes: Vec<BTreeSet<String>>,
    found: Vec<Free>,
}

impl Walk {
    fn path(&mut self, path: &Path, usage: Usage) {
        let is_local = self.scopes.iter().any(|scope| scope.contains(&path.text));
        if is_local || words::is_word(&path.text) || is_size_variable(&path.text) {
            return;
        }
        let last = path.text.rsplit("::").next().unwrap_or_default();
        let usage = if is_constant_name(last) { Usage::Constant } else { usage };
        match self.found.iter_mut().find(|free| free.path.text == path.text) {
            None => self.found.push(Free { path: path.clone(), usage }),
            Some(known) => match (&mut known.usage, usage) {
                (Usage::Argument(all), Usage::Argument(more)) => all.extend(more),
                (known @ (Usage::Value | Usage::Argument(_)), usage) if usage != Usage::Value => {
                    *known = usage
                }
                _ => {}
            },
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
            SizeExpr::Name(path) => self.path(path, Usage::Value),
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

    fn argument(&mut self, callee: &Path, position: usize, argument: &Argument) {
        let ExprKind::Path(path) = &argument.value.kind else { return self.expr(&argument.value) };
        let is_word = words::is_word(&callee.text) && !self.scopes.iter().any(|s| s.contains(&callee.text));
        let usage = match is_word {
            true if words::takes_function(&callee.text) => Usage::Function,
            true => Usage::Value,
            false => {
                let name = argument.name.as_ref().map(|n| n.text.clone());
                Usage::Argument(vec![Given { callee: callee.text.clone(), name, position }])
            }
        };
        self.path(path, usage);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(..) | ExprKind::Text(_) | ExprKind::Flag(_) => {}
            ExprKind::Path(path) => self.path(path, Usage::Value),
            ExprKind::Call { callee, args } => {
                self.path(callee, Usage::Function);
                args.iter().enumerate().for_each(|(position, a)| self.argument(callee, position, a));
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

impl Free {
    /// Whether its use alone says that it must be linked, or that it cannot be; `None` where the functions it
    /// is given to decide.
    pub fn is_linked(&self) -> Option<bool> {
        match self.usage {
            Usage::Function | Usage::Constant => Some(true),
            Usage::Value => Some(false),
            Usage::Argument(_) => None,
        }
    }

    /// Whether one of the functions that it is given to takes a function there. `signature` finds the
    /// arguments of a linked callee by its path.
    pub fn is_function_for<'a>(&self, signature: impl Fn(&str) -> Option<&'a [Param]>) -> bool {
        let Usage::Argument(given) = &self.usage else { return self.usage == Usage::Function };
        given.iter().any(|given| {
            let Some(params) = signature(&given.callee) else { return false };
            let param = match &given.name {
                Some(name) => params.iter().find(|p| p.name.text == *name),
                None => params.get(given.position),
            };
            param.is_some_and(|p| matches!(p.ty, TypeExpr::Function(_)))
        })
    }
}
