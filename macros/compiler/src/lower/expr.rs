//! Expressions.
//!
//! In: syntax, and what the surroundings want of it. Out: a value; `Poison` where a mistake was reported.
//! Never: a stack overflow or an endless run: depth and steps are limited.

use std::rc::Rc;

use super::value::{Closure, Function, Value};
use super::{At, BUDGET, DEPTH, Lowerer};
use crate::ast::{Block, Expr, ExprKind, Item, Path, Pattern};
use crate::graph::{NodeId, Type};
use crate::parse::is_size_variable;
use crate::size::Size;
use crate::words;

/// What the surroundings want of an expression.
#[derive(Clone, Default)]
pub(super) struct Want<'a> {
    /// What a `let` binds to it.
    pub(super) pattern: Option<&'a Pattern>,
    /// The type that it will have to have, where that is known: fixes placeholders, nothing else.
    pub(super) hint: Hint,
    /// Whether the value itself is wanted in that type, not only what an operator makes of it.
    pub(super) firm: bool,
}

/// A type that is wanted.
#[derive(Clone, Default)]
pub(super) enum Hint {
    #[default]
    None,
    Type(Type),
    Tuple(Vec<Hint>),
}

impl<'a> Want<'a> {
    /// What an operator's result should be, of its operands.
    pub(super) fn hint(hint: Hint) -> Self {
        Want { pattern: None, hint, firm: false }
    }

    /// The declared type of the value itself.
    pub(super) fn firm(hint: Hint) -> Self {
        Want { pattern: None, hint, firm: true }
    }

    /// The name that a `let` gives.
    pub(super) fn name(&self) -> Option<&'a str> {
        match self.pattern {
            Some(Pattern::Name(name)) => Some(&name.text),
            _ => None,
        }
    }

    /// The type of a tensor.
    pub(super) fn ty(&self) -> Option<&Type> {
        match &self.hint {
            Hint::Type(ty) => Some(ty),
            _ => None,
        }
    }

    fn element(&self, index: usize) -> Self {
        let pattern = match self.pattern {
            Some(Pattern::Tuple(patterns, _)) => patterns.get(index),
            _ => None,
        };
        let hint = match &self.hint {
            Hint::Tuple(hints) => hints.get(index).cloned().unwrap_or_default(),
            _ => Hint::None,
        };
        Want { pattern, hint, firm: self.firm }
    }
}

impl<'a> Lowerer<'a> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &'a Expr, want: &Want<'a>) -> Value<'a> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > BUDGET || self.depth > DEPTH {
            self.stop(expr.into());
            return Value::Poison;
        }
        self.depth += 1;
        let value = self.eval_kind(expr, want).unwrap_or(Value::Poison);
        self.depth -= 1;
        value
    }

    fn eval_kind(&mut self, expr: &'a Expr, want: &Want<'a>) -> Option<Value<'a>> {
        match &expr.kind {
            ExprKind::Number(n, integer) => Some(Value::Number(*n, *integer)),
            ExprKind::Text(text) => Some(Value::Text(text.as_str().into())),
            ExprKind::Flag(flag) => Some(Value::Flag(*flag)),
            ExprKind::Path(path) => self.path(path, expr.into()),
            ExprKind::Sized(path, sizes) => {
                let value = self.path(path, expr.into())?;
                self.at_sizes(value, path, sizes, expr.into())
            }
            ExprKind::Call { callee, sizes, args } => self.call(callee, sizes, args, expr.into(), want),
            ExprKind::Binary(operator, left, right) => self.binary(operator, left, right, expr.into(), want),
            ExprKind::Unary(operator, inner) => self.unary(operator, inner, expr.into(), want),
            ExprKind::Tuple(elements) => {
                let values = elements.iter().enumerate().map(|(i, e)| self.eval(e, &want.element(i)));
                Some(Value::Tuple(values.collect::<Vec<_>>().into()))
            }
            ExprKind::Block(block) => self.block(block, want),
            ExprKind::If(condition, then, otherwise) => {
                self.branch(condition, then, otherwise.as_ref(), want)
            }
            ExprKind::Closure(params, body) => {
                let mut frame = self.frames.last()?.clone();
                frame.metrics = None;
                Some(Value::Function(Function::Closure(Rc::new(Closure { params, body, frame }))))
            }
        }
    }

    /// Says once that the program is too large, and lets everything else pass in silence.
    fn stop(&mut self, at: At) {
        if self.steps != usize::MAX {
            let message = if self.depth > DEPTH {
                format!(
                    "calls and expressions are nested more than {DEPTH} deep here: does a function call itself?"
                )
            } else {
                format!(
                    "this program is too large: its calls and loops unroll to more than {BUDGET} expressions"
                )
            };
            self.report(at, message);
            self.steps = usize::MAX;
        }
    }

    /// What a name stands for.
    pub(super) fn path(&mut self, path: &'a Path, at: At) -> Option<Value<'a>> {
        let name = path.text.as_str();
        let frame = self.frames.last()?;
        if let Some(value) = frame.local(name) {
            return Some(value.clone());
        }
        let known_size = frame.letters.sizes.get(name).map(|(size, _)| size.clone());
        if let Some(size) =
            known_size.or_else(|| (name == "B").then(|| frame.letters.rows.as_deref()?.first().cloned())?)
        {
            return Some(Value::from_size(self.sizes.resolve(&size)));
        }
        match self.linked.resolve(&frame.item.id, name) {
            Some(item) if matches!(item.item, Item::Constant { .. }) => return self.constant(item),
            Some(item) => return Some(Value::Function(Function::Item(&item.id, [].into()))),
            None => {}
        }
        match name {
            "rows" => Some(Value::Rows),
            _ if words::is_word(name) => Some(Value::Function(Function::Word(name))),
            _ => {
                let message = self.unknown(name);
                self.fail(at, message)
            }
        }
    }

    fn unknown(&self, name: &str) -> String {
        if is_size_variable(name) {
            return format!("`{name}` is a size variable, and no argument of this function fixes it");
        }
        let frame = self.frames.last();
        let locals = frame.into_iter().flat_map(|frame| frame.names());
        let words = words::WORDS.iter().map(|w| w.name).chain(crate::ops::rows().map(|row| row.name));
        let close = locals.chain(words).find(|known| alike(name, known));
        let hint = close.map(|known| format!(": did you mean `{known}`?")).unwrap_or_default();
        format!("`{name}` is not known here{hint}")
    }

    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: &'a Block, want: &Want<'a>) -> Option<Value<'a>> {
        self.frames.last_mut()?.scopes.push(Default::default());
        for statement in &block.statements {
            self.statement(statement);
        }
        let value = match &block.value {
            Some(value) => self.eval(value, want),
            None => Value::Nothing,
        };
        self.frames.last_mut()?.scopes.pop();
        Some(value)
    }

    fn branch(
        &mut self,
        condition: &'a Expr,
        then: &'a Block,
        otherwise: Option<&'a Block>,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        match self.eval(condition, &Want::default()) {
            Value::Flag(true) => self.block(then, want),
            Value::Flag(false) => match otherwise {
                Some(block) => self.block(block, want),
                None => Some(Value::Nothing),
            },
            Value::Poison => None,
            Value::Function(Function::Word("training")) => {
                self.fail(condition, "`training` stands here without its parentheses: write `training()`")
            }
            other if !matches!(other, Value::Tensor(_) | Value::Pending(_)) => {
                let found = self.describe(&other);
                self.fail(
                    condition,
                    format!("`if` asks for a flag, such as `training()` or `n > 2`, and this is {found}"),
                )
            }
            other => {
                let found = self.describe(&other);
                self.fail(
                    condition,
                    format!(
                        "`if` asks for something known at compile time, and this is {found}; \
                         to choose element by element, write `select(condition, a, b)`"
                    ),
                )
            }
        }
    }

    /// A size as a scalar; one that is still unknown is put in later.
    pub(super) fn size_node(&mut self, size: &Size) -> NodeId {
        let size = self.sizes.resolve(size);
        if self.sizes.is_open(&size) {
            self.open_from = self.open_from.min(self.graph.nodes.len());
        }
        self.graph.size(size)
    }

    /// The value as a node of the graph. None where it is not a tensor, which is reported.
    pub(super) fn tensor(&mut self, value: &Value<'a>, at: At) -> Option<NodeId> {
        match value {
            Value::Tensor(node) => Some(*node),
            Value::Number(n, _) => Some(self.graph.number(*n)),
            Value::Size(size) => Some(self.size_node(size)),
            Value::Pending(index) => {
                let node = self.settled(*index);
                if node.is_none() {
                    self.lost(*index);
                }
                node
            }
            Value::Poison => None,
            other => {
                let found = self.describe(other);
                self.fail(at, format!("a tensor is expected here, and this is {found}"))
            }
        }
    }
}

/// One letter more, less, or other.
fn alike(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() < 3 || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    start + end + 1 >= a.len().max(b.len())
}
