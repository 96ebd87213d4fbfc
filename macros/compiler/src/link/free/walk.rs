//! The walk that finds free names: scopes, and what is known of the local names in them.
//!
//! In: types, blocks, expressions. Out: paths with their usage. Never: a path that a local name hides; a closure looked
//! into without end.

use std::collections::BTreeMap;

use super::{Free, Given, Usage};
use crate::ast::{
    Argument, Block, Expr, ExprKind, FeatureExpr, Name, Path, Pattern, SizeExpr, Statement, TypeExpr,
};
use crate::parse::{is_constant_name, is_size_variable};
use crate::words;

/// Closures that call closures are looked into so deep, and in all so often.
const DEPTH: usize = 8;
const OFTEN: usize = 1000;

/// A walk over an item, and what it has found.
#[derive(Default)]
pub(super) struct Walk<'a> {
    /// Innermost last.
    pub scopes: Vec<BTreeMap<String, Local<'a>>>,
    /// In the order of first use.
    pub found: Vec<Free>,
    depth: usize,
    entered: usize,
}

/// What is known of a local name.
#[derive(Clone, Default)]
pub(super) struct Local<'a> {
    /// The paths that it may stand for, as in `let f = encode;`: what is done with it is done with them.
    stands_for: Vec<&'a Path>,
    /// The closure that it is.
    closure: Option<(&'a [Pattern], &'a Expr)>,
}

/// Names of which nothing is known.
pub(super) fn locals<'a, 'n>(names: impl Iterator<Item = &'n Name>) -> BTreeMap<String, Local<'a>> {
    names.map(|name| (name.text.clone(), Local::default())).collect()
}

impl<'a> Walk<'a> {
    fn local(&self, name: &str) -> Option<&Local<'a>> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// A path used somewhere: free, or what it stands for.
    pub fn path(&mut self, path: &Path, usage: Usage) {
        match self.local(&path.text) {
            Some(local) => {
                for path in local.stands_for.clone() {
                    self.free(path, usage.clone());
                }
            }
            None => self.free(path, usage),
        }
    }

    /// A path that no local name hides.
    fn free(&mut self, path: &Path, usage: Usage) {
        if words::is_word(&path.text) || is_size_variable(&path.text) {
            return;
        }
        let last = path.text.rsplit("::").next().unwrap_or_default();
        let usage = if is_constant_name(last) { Usage::Constant } else { usage };
        match self.found.iter_mut().find(|free| free.path.text == path.text) {
            None => self.found.push(Free { path: path.clone(), usage }),
            Some(known) => match (&mut known.usage, usage) {
                (Usage::Argument(all), Usage::Argument(more)) => all.extend(more),
                (known @ (Usage::Value | Usage::Size | Usage::Argument(_)), usage)
                    if !matches!(usage, Usage::Value | Usage::Size) =>
                {
                    *known = usage
                }
                _ => {}
            },
        }
    }

    /// What a value makes of the name it is bound to.
    fn known(&self, value: &'a Expr) -> Local<'a> {
        match &value.kind {
            ExprKind::Path(path) | ExprKind::Sized(path, _) => match self.local(&path.text) {
                Some(local) => local.clone(),
                None => Local { stands_for: vec![path], closure: None },
            },
            ExprKind::Closure(inputs, body) => Local { stands_for: vec![], closure: Some((inputs, body)) },
            ExprKind::If(_, then, otherwise) => {
                let ends = [Some(then), otherwise.as_ref()].into_iter().flatten();
                let ends = ends.filter(|block| block.statements.is_empty()).flat_map(|block| &block.value);
                ends.map(|value| self.known(value)).fold(Local::default(), |mut all, one| {
                    all.stands_for.extend(one.stands_for);
                    all.closure = all.closure.or(one.closure);
                    all
                })
            }
            _ => Local::default(),
        }
    }

    fn bind(&mut self, pattern: &'a Pattern, value: Option<&'a Expr>) {
        match (pattern, value.map(|value| &value.kind)) {
            (Pattern::Name(name), _) => {
                let local = value.map(|value| self.known(value)).unwrap_or_default();
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(name.text.clone(), local);
                }
            }
            (Pattern::Wild(_), _) => {}
            (Pattern::Tuple(parts, _), Some(ExprKind::Tuple(values))) if parts.len() == values.len() => {
                parts.iter().zip(values).for_each(|(p, value)| self.bind(p, Some(value)));
            }
            (Pattern::Tuple(parts, _), _) => parts.iter().for_each(|p| self.bind(p, None)),
        }
    }

    /// Arguments that stand for functions, inside the closure that is called with them.
    fn enter(&mut self, callee: &Path, args: &'a [Argument]) {
        let Some((inputs, body)) = self.local(&callee.text).and_then(|local| local.closure) else { return };
        let given: Vec<Local<'a>> = args.iter().map(|arg| self.known(&arg.value)).collect();
        let says = |local: &Local<'_>| !local.stands_for.is_empty() || local.closure.is_some();
        if self.depth == DEPTH || self.entered == OFTEN || !given.iter().any(says) {
            return;
        }
        let names = inputs.iter().zip(given).filter_map(|(pattern, local)| match pattern {
            Pattern::Name(name) => Some((name.text.clone(), local)),
            _ => None,
        });
        self.scopes.push(names.collect());
        self.depth += 1;
        self.entered += 1;
        self.expr(body);
        self.depth -= 1;
        self.scopes.pop();
    }

    /// The sizes of a type.
    pub fn ty(&mut self, ty: &TypeExpr) {
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
            | TypeExpr::Initial(_)
            | TypeExpr::Function(_)
            | TypeExpr::Slot(_) => {}
        }
    }

    fn size(&mut self, size: &SizeExpr) {
        match size {
            SizeExpr::Literal(..) => {}
            SizeExpr::Name(path) => self.path(path, Usage::Size),
            SizeExpr::Binary(_, left, right, _) => {
                self.size(left);
                self.size(right);
            }
        }
    }

    /// Statements in a scope of their own.
    pub fn block(&mut self, block: &'a Block) {
        self.scopes.push(BTreeMap::new());
        for statement in &block.statements {
            match statement {
                Statement::Let { pattern, ty, value } => {
                    ty.iter().for_each(|ty| self.ty(ty));
                    self.expr(value);
                    self.bind(pattern, Some(value));
                }
                Statement::Assign(name, value) => {
                    self.expr(value);
                    let more = self.known(value).stands_for;
                    let place = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(&name.text));
                    place.into_iter().for_each(|local| local.stands_for.extend(more.iter().copied()));
                }
                Statement::Expr(value) => self.expr(value),
                Statement::For { variable, from, to, body, .. } => {
                    self.expr(from);
                    self.expr(to);
                    self.scopes.push(locals(variable.iter()));
                    self.block(body);
                    self.scopes.pop();
                }
            }
        }
        block.value.iter().for_each(|value| self.expr(value));
        self.scopes.pop();
    }

    fn argument(&mut self, callee: &'a Path, position: usize, argument: &'a Argument) {
        let path = match &argument.value.kind {
            ExprKind::Path(path) => path,
            ExprKind::Sized(path, sizes) => {
                sizes.iter().for_each(|size| self.size(size));
                path
            }
            _ => return self.expr(&argument.value),
        };
        let is_word = words::is_word(&callee.text) && self.local(&callee.text).is_none();
        let usage = match is_word {
            true if words::takes_function(&callee.text) => Usage::Function,
            true => Usage::Value,
            false => {
                let name = argument.name.as_ref().map(|n| n.text.clone());
                let callees = self.local(&callee.text).map_or(vec![callee], |local| local.stands_for.clone());
                if callees.iter().any(|callee| words::takes_function(&callee.text)) {
                    return self.path(path, Usage::Function);
                }
                let given =
                    |callee: &Path| Given { callee: callee.text.clone(), name: name.clone(), position };
                Usage::Argument(callees.into_iter().map(given).collect())
            }
        };
        self.path(path, usage);
    }

    /// An expression.
    pub fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Number(..) | ExprKind::Text(_) | ExprKind::Flag(_) => {}
            ExprKind::Path(path) => self.path(path, Usage::Value),
            ExprKind::Sized(path, sizes) => {
                sizes.iter().for_each(|size| self.size(size));
                self.path(path, Usage::Function);
            }
            ExprKind::Call { callee, sizes, args } => {
                self.path(callee, Usage::Function);
                sizes.iter().for_each(|size| self.size(size));
                args.iter().enumerate().for_each(|(position, a)| self.argument(callee, position, a));
                self.enter(callee, args);
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
                self.scopes.push(BTreeMap::new());
                inputs.iter().for_each(|p| self.bind(p, None));
                self.expr(body);
                self.scopes.pop();
            }
        }
    }
}
