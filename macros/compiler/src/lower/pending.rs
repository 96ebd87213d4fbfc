//! Placeholders: tensors whose shape nothing has fixed yet.
//!
//! In: `param(…)`, `zeros()`, `normal()` and the like. Out: a node, as soon as a type is known. Never: a shape
//! of its own making; what nothing fixes is an error that shows how to annotate.

use super::value::Value;
use super::{At, Lowerer};
use crate::error::Error;
use crate::graph::{Distribution, Initial, NodeId, Type};

/// A tensor that waits for its shape.
#[derive(Clone)]
pub(super) struct Placeholder {
    what: What,
    /// The word that made it.
    word: &'static str,
    /// The error, should nothing fix it; none where that does not matter.
    at: At,
    lost: Error,
    node: Option<NodeId>,
    /// Its `let` name.
    name: Option<String>,
}

/// What becomes of a placeholder.
#[derive(Clone)]
pub(super) enum What {
    /// Parameter `index` of the program's list.
    Param(usize),
    /// One number everywhere.
    Fill(f64),
    /// What stands for the state of a loop.
    State,
    /// The identity matrix.
    Delta,
    /// Fresh numbers.
    Random(Distribution),
    /// 1 with this probability, a scalar.
    Bernoulli(NodeId),
}

impl<'a> Lowerer<'a> {
    /// A new placeholder.
    pub(super) fn placeholder(
        &mut self,
        what: What,
        word: &'static str,
        at: At,
        name: Option<&str>,
    ) -> Value<'a> {
        let (mark, shape) = match what {
            What::Param(_) => (name.unwrap_or("weight"), "Tensor<784, 32>"),
            What::Delta => (name.unwrap_or("eye"), "Tensor<8, 8>"),
            _ => (name.unwrap_or("x"), "Tensor<B, 8>"),
        };
        let message = format!(
            "nothing fixes the shape of `{word}(…)` here: annotate it, as in `let {mark}: {shape} = {word}(…);`"
        );
        let lost = self.locate(at, message);
        self.pending.push(Placeholder { what, word, at, lost, node: None, name: name.map(str::to_owned) });
        Value::Pending(self.pending.len() - 1)
    }

    /// The node of a placeholder that has one.
    pub(super) fn settled(&self, index: usize) -> Option<NodeId> {
        self.pending.get(index)?.node
    }

    /// Whether a placeholder is a parameter: those have no rows.
    pub(super) fn is_param(&self, index: usize) -> bool {
        self.pending.get(index).is_some_and(|p| matches!(p.what, What::Param(_)))
    }

    /// Says that nothing fixes the shape of a placeholder.
    pub(super) fn lost(&mut self, index: usize) {
        if let Some(placeholder) = self.pending.get(index) {
            self.errors.push(placeholder.lost.clone());
        }
    }

    /// Gives a placeholder its type, and thereby a node. A parameter takes the features alone.
    pub(super) fn settle(&mut self, index: usize, ty: &Type) -> Option<NodeId> {
        let placeholder = self.pending.get(index)?;
        if let Some(node) = placeholder.node {
            return Some(node);
        }
        let (what, at, word) = (placeholder.what.clone(), placeholder.at, placeholder.word);
        let label = placeholder.name.clone().unwrap_or_else(|| word.to_owned());
        let mut ty = self.resolved(ty);
        let outer = self.graph.origin.clone();
        self.mark(at, &label);
        let first = self.graph.nodes.len();
        if ty.shape().iter().any(|size| self.sizes.is_open(size)) {
            self.open_from = self.open_from.min(first);
        }
        let node = match what {
            What::Param(param) => {
                ty.rows.clear();
                self.param_node(param, ty)
            }
            What::Fill(value) => self.graph.full(value, &ty),
            What::State => crate::scan::place(&mut self.graph, &ty),
            What::Random(distribution) => self.graph.random(distribution, ty),
            What::Bernoulli(p) => {
                let p = self.repeat_to(p, &ty)?;
                self.draw(p)
            }
            What::Delta => match ty.features.as_slice() {
                [rows, columns] => {
                    let (rows, columns) = (rows.clone(), columns.clone());
                    if !self.same(&rows, &columns) {
                        return self
                            .fail(at, format!("`identity()` is square, and this is {}", self.show(&ty)));
                    }
                    let delta = self.graph.delta(self.sizes.resolve(&rows));
                    self.repeat_to(delta, &self.resolved(&ty))?
                }
                _ => {
                    return self
                        .fail(at, format!("`identity()` has two axes, and this is {}", self.show(&ty)));
                }
            },
        };
        self.graph.origin = outer;
        if let Some(placeholder) = self.pending.get_mut(index) {
            placeholder.node = Some(node);
        }
        Some(node)
    }

    /// 1 with probability `p`, else 0, without derivative.
    pub(super) fn draw(&mut self, p: NodeId) -> NodeId {
        let ty = self.graph.ty(p).clone();
        let uniform = self.graph.random(Distribution::Uniform, ty);
        self.graph.row("lt", &[uniform, p])
    }

    /// What a parameter starts with, where the value says so.
    pub(super) fn as_initial(&self, value: &Value<'a>) -> Option<Initial> {
        match value {
            Value::Initial(initial) => Some(initial.clone()),
            Value::Pending(index) => match self.pending.get(*index)? {
                Placeholder { what: What::Fill(value), node: None, .. } => Some(Initial::Constant(*value)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same, for the argument `name`; anything else is a mistake.
    pub(super) fn initialiser(&mut self, name: &str, value: Value<'a>, at: At) -> Option<Value<'a>> {
        match (self.as_initial(&value), value) {
            (Some(initial), _) => Some(Value::Initial(initial)),
            (None, Value::Poison) => None,
            (None, other) => {
                let found = self.describe(&other);
                self.fail(
                    at,
                    format!("`{name}` is an initialiser such as `kaiming()`, and its default is {found}"),
                )
            }
        }
    }

    /// At the end: parameters without a shape, and sizes that nothing fixed.
    pub(super) fn finish_placeholders(&mut self) {
        for index in 0..self.pending.len() {
            match self.pending.get(index).map(|p| (p.node, matches!(p.what, What::Param(_)))) {
                Some((None, true)) => self.lost(index),
                Some((Some(node), _)) => {
                    let shape = self.graph.ty(node).shape();
                    if shape.iter().any(|size| self.sizes.is_open(size)) {
                        self.lost(index);
                    }
                }
                _ => {}
            }
        }
    }
}
