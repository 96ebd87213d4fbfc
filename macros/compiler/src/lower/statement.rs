//! Statements: `let`, assignment.
//!
//! In: syntax. Out: names bound in the current frame, and the named parts of a loss. Never: a name that is bound
//! in another frame. Loops are in `repeat`.

use super::coerce::Declared;
use super::expr::{Hint, Want};
use super::scope::Frame;
use super::value::Value;
use super::{At, Lowerer};
use crate::ast::{Expr, Name, Pattern, Statement, TypeExpr};
use crate::graph::NodeId;
use crate::size::Size;

impl<'a> Lowerer<'a> {
    /// One statement.
    pub(super) fn statement(&mut self, statement: &'a Statement) {
        match statement {
            Statement::Let { pattern, ty, value } => self.bind_let(pattern, ty.as_ref(), value),
            Statement::Assign(name, value) => self.assign(name, value),
            Statement::For { variable, from, to, inclusive, body, span } => {
                let at = At { span: *span, line: from.line };
                self.repeat_body(variable.as_ref(), (from, to, *inclusive), body, at);
            }
            Statement::Expr(expr) => {
                self.eval(expr, &Want::default());
            }
        }
    }

    fn bind_let(&mut self, pattern: &'a Pattern, ty: Option<&'a TypeExpr>, expr: &'a Expr) {
        let hint = ty.map(|ty| self.wanted(ty)).unwrap_or_default();
        let first = self.graph.nodes.len();
        let mut value = self.eval(expr, &Want { pattern: Some(pattern), hint, firm: true });
        if let Some(ty) = ty {
            value = self.in_frame(|this, frame| this.coerce(frame, value, ty, Declared::Let, expr.into()));
        }
        if let Pattern::Name(name) = pattern {
            self.label(&value, &name.text, first, expr.into());
        }
        self.bind(pattern, value, expr.into());
    }

    /// Runs something on the current frame's letters while the frame is still in its place.
    pub(super) fn in_frame(
        &mut self,
        run: impl FnOnce(&mut Self, &mut Frame<'a>) -> Option<Value<'a>>,
    ) -> Value<'a> {
        let Some(mut frame) = self.frames.last().cloned() else { return Value::Poison };
        let value = run(self, &mut frame).unwrap_or(Value::Poison);
        if let Some(place) = self.frames.last_mut() {
            place.letters = frame.letters;
        }
        value
    }

    /// What a declared type wants of its value, where its letters are known.
    pub(super) fn wanted(&mut self, ty: &'a TypeExpr) -> Hint {
        match ty {
            TypeExpr::Tuple(types, _) => Hint::Tuple(types.iter().map(|ty| self.wanted(ty)).collect()),
            TypeExpr::Tensor { .. } | TypeExpr::Scalar(_) => {
                let Some(mut frame) = self.frames.last().cloned() else { return Hint::None };
                let found = self.declared_type(&mut frame, ty);
                if let (Some(place), Ok(_)) = (self.frames.last_mut(), &found) {
                    place.letters = frame.letters;
                }
                // A mistake in the type is reported when the value is checked against it.
                found.ok().flatten().map_or(Hint::None, Hint::Type)
            }
            _ => Hint::None,
        }
    }

    /// The user's name and place for a node that was made for it.
    fn label(&mut self, value: &Value<'a>, name: &str, first: usize, at: At) {
        self.mark(at, name);
        if let Value::Tensor(node) = value
            && node.index() >= first
            && let Some(node) = self.graph.nodes.get_mut(node.index())
        {
            node.origin = self.graph.origin.clone();
        }
    }

    /// Binds a pattern.
    pub(super) fn bind(&mut self, pattern: &'a Pattern, value: Value<'a>, at: At) {
        match (pattern, value) {
            (Pattern::Wild(_), _) => {}
            (Pattern::Name(name), Value::Nothing) => {
                let message = format!(
                    "there is nothing to call `{}`: neither `update` nor a block without a last expression has a value",
                    name.text
                );
                self.report(at, message);
                self.bind_name(name, Value::Poison);
            }
            (Pattern::Name(name), value) => self.bind_name(name, value),
            (Pattern::Tuple(patterns, _), Value::Tuple(values)) if patterns.len() == values.len() => {
                patterns.iter().zip(values.iter()).for_each(|(p, value)| self.bind(p, value.clone(), at));
            }
            (Pattern::Tuple(patterns, span), value) => {
                if !matches!(value, Value::Poison) {
                    let found = self.describe(&value);
                    let message = format!("this names {} values, but the value is {found}", patterns.len());
                    self.report(At { span: *span, ..at }, message);
                }
                patterns.iter().for_each(|p| self.bind(p, Value::Poison, at));
            }
        }
    }

    fn bind_name(&mut self, name: &Name, value: Value<'a>) {
        self.note_metric(&name.text, &value);
        if let Some(frame) = self.frames.last_mut() {
            frame.bind(&name.text, value);
        }
    }

    fn assign(&mut self, name: &'a Name, expr: &'a Expr) {
        if self.frames.last().is_some_and(|frame| frame.is_around(&name.text)) {
            let message = format!(
                "`{}` is a name of what is around this closure, which only reads it: let the closure return the new value",
                name.text
            );
            return self.report(At { span: name.span, line: expr.line }, message);
        }
        let hint = match self.frames.last().and_then(|frame| frame.local(&name.text)) {
            Some(Value::Tensor(node)) => Hint::Type(self.graph.ty(*node).clone()),
            _ => Hint::None,
        };
        let first = self.graph.nodes.len();
        let value = self.eval(expr, &Want::hint(hint));
        self.label(&value, &name.text, first, expr.into());
        self.note_metric(&name.text, &value);
        let known = self.frames.last_mut().is_some_and(|frame| frame.assign(&name.text, value));
        if !known {
            let message = format!("`{0}` is not a local here: `let mut {0} = …;` declares one", name.text);
            self.report(At { span: name.span, line: expr.line }, message);
        }
    }

    /// A value per sample, or a single one, with a name of its own in a loss: logged under that name.
    pub(super) fn note_metric(&mut self, name: &str, value: &Value<'a>) {
        let Some(prefix) = self.frames.last().and_then(|frame| frame.metrics.as_ref()) else { return };
        let node = match value {
            Value::Tensor(node) => *node,
            Value::Pending(index) => match self.settled(*index) {
                Some(node) => node,
                None => return,
            },
            _ => return,
        };
        if name.starts_with('_') || !self.is_loss_like(node) {
            return;
        }
        let name = format!("{prefix}{name}");
        match self.metrics.iter_mut().find(|(known, _)| *known == name) {
            Some((_, place)) => *place = node,
            None => self.metrics.push((name, node)),
        }
    }

    /// One value per sample, or one in all.
    pub(super) fn is_loss_like(&self, node: NodeId) -> bool {
        let ty = self.graph.ty(node);
        !self.graph.is_index(node)
            && ty.features.is_empty()
            && (ty.rows.is_empty() || ty.rows == [Size::batch()])
    }
}
