//! Optimizers: update rules written in the language.
//!
//! In: a linked `#[optimizer]`. Out: an element-wise graph over its slots: a weight, its gradient, its moments.
//! Never: a value that one element has of another; no sum, no product of matrices.

use super::expr::{Hint, Want};
use super::scope::Frame;
use super::value::Value;
use super::written::counted;
use super::{At, Lowerer, Mode};
use crate::ast::{Function, Item, Role, TypeExpr};
use crate::error::Result;
use crate::graph::{self, Graph, HyperDecl, InputDecl, Kind, NodeId, Output, Type, View};
use crate::link::Linked;
use crate::size::Size;

/// An update rule. Input `i` of the graph is slot `i`: of type `Tensor<N>`, one element a weight, but for the
/// step, a `Scalar`; hyperparameters are scalars too. So a node of type `Scalar` is the same for all elements.
/// Result 0 is the new weight, the others are the new moments in their order.
#[derive(Clone, Debug)]
pub struct OptimizerGraph {
    /// Maps, constants, broadcasts of scalars; nothing else.
    pub graph: Graph,
    /// What the inputs are, in order.
    pub slots: Vec<Slot>,
}

impl OptimizerGraph {
    /// How many moments it keeps for every weight.
    pub fn moments(&self) -> usize {
        self.slots.iter().filter(|slot| slot.kind == SlotKind::Moment).count()
    }

    /// What it makes: the weight, then the moments in order.
    pub fn results(&self) -> Vec<NodeId> {
        let of = |output: &Output| match output.role {
            graph::Role::Result(index) => Some((index, output.node)),
            _ => None,
        };
        let mut results: Vec<(usize, NodeId)> = self.graph.outputs.iter().filter_map(of).collect();
        results.sort_unstable();
        results.into_iter().map(|(_, node)| node).collect()
    }
}

/// An argument of an update rule that is kept or given for each weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The argument's name.
    pub name: String,
    /// What it is.
    pub kind: SlotKind,
}

/// What a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// The weight before the step.
    Weight,
    /// The gradient of the loss.
    Gradient,
    /// A value that is kept from step to step; 0 before the first.
    Moment,
    /// The number of the step, from 1.
    Step,
}

/// Lowers an optimizer.
///
/// # Errors
/// Every mistake in it, each once.
pub fn optimizer(linked: &Linked) -> Result<OptimizerGraph> {
    let mut lowerer = Lowerer::new(linked, Mode::Train);
    let slots = lowerer.optimizer().unwrap_or_default();
    lowerer.errors.finish(OptimizerGraph { graph: lowerer.graph, slots })
}

impl<'a> Lowerer<'a> {
    fn optimizer(&mut self) -> Option<Vec<Slot>> {
        let item = self.linked.items.get(&self.linked.root)?;
        let at = self.root_at();
        let Item::Function(function @ Function { role: Role::Optimizer, .. }) = &item.item else {
            return self.fail(at, format!("`{}` is not an optimizer", item.item.name().text));
        };
        let mut frame = Frame::new(item, at.span);
        frame.letters.rows = Some(vec![]);
        self.frames.push(frame);
        let slots = self.optimizer_arguments(function);
        let each = element();
        let want = match &function.output {
            TypeExpr::Tuple(types, _) => Hint::Tuple(vec![Hint::Type(each); types.len()]),
            _ => Hint::Type(each),
        };
        let value = self.block(&function.body, &Want::hint(want));
        self.optimizer_results(function, value?, &slots);
        self.element_wise_only(function);
        self.frames.pop();
        Some(slots)
    }

    fn optimizer_arguments(&mut self, function: &'a Function) -> Vec<Slot> {
        let mut slots = Vec::new();
        for param in &function.params {
            let name = param.name.text.clone();
            let at = At { span: param.name.span, line: 0 };
            self.mark(at, &name);
            let value = match &param.ty {
                TypeExpr::Slot(slot) => self.slot(&name, &slot.text, &mut slots),
                TypeExpr::Number(_) => {
                    let default = param.default.as_ref().map(|expr| self.eval(expr, &Want::default()));
                    let default = match default {
                        Some(Value::Number(n, _)) => Some(n),
                        Some(Value::Poison) | None => None,
                        Some(_) => self.fail(at, format!("the default of `{name}` is not a number")),
                    };
                    let index = self.graph.hypers.len();
                    self.graph.hypers.push(HyperDecl { name: name.clone(), default });
                    Value::Tensor(self.graph.push(Kind::Hyper(index), vec![], Type::scalar()))
                }
                _ => {
                    let message = format!(
                        "`{name}`: an optimizer takes Weight, Gradient, Moment, Step and numbers (`f32`)"
                    );
                    self.report(at, message);
                    Value::Poison
                }
            };
            if let Some(frame) = self.frames.last_mut() {
                frame.bind(&name, value);
            }
        }
        let count = |kind| slots.iter().filter(|s: &&Slot| s.kind == kind).count();
        if count(SlotKind::Weight) != 1 || count(SlotKind::Gradient) != 1 {
            let message = format!("`{}` takes one `Weight` and one `Gradient`", function.name.text);
            self.report(self.root_at(), message);
        }
        slots
    }

    fn slot(&mut self, name: &str, kind: &str, slots: &mut Vec<Slot>) -> Value<'a> {
        let (kind, ty) = match kind {
            "Weight" => (SlotKind::Weight, element()),
            "Gradient" => (SlotKind::Gradient, element()),
            "Moment" => (SlotKind::Moment, element()),
            _ => (SlotKind::Step, Type::scalar()),
        };
        slots.push(Slot { name: name.to_owned(), kind });
        let index = self.graph.inputs.len();
        self.graph.inputs.push(InputDecl { name: name.to_owned(), ty: ty.clone(), index: false });
        Value::Tensor(self.graph.push(Kind::Input(index), vec![], ty))
    }

    fn optimizer_results(&mut self, function: &'a Function, value: Value<'a>, slots: &[Slot]) {
        let at = function.body.value.as_deref().map_or(self.root_at(), At::from);
        let values = match value {
            Value::Poison => return,
            Value::Tuple(values) => values.to_vec(),
            value => vec![value],
        };
        let moments: Vec<_> = slots.iter().filter(|s| s.kind == SlotKind::Moment).collect();
        if values.len() != moments.len() + 1 {
            let names: Vec<_> = moments.iter().map(|s| format!("`{}`", s.name)).collect();
            let message = format!(
                "`{}` returns {}; it should return the weight{}",
                function.name.text,
                counted(values.len(), "value", "values"),
                match names.len() {
                    0 => " alone".to_owned(),
                    n => format!(
                        " and its {} ({}), in this order",
                        if n == 1 { "moment" } else { "moments" },
                        names.join(", ")
                    ),
                }
            );
            return self.report(at, message);
        }
        for (index, value) in values.iter().enumerate() {
            let node = match value {
                Value::Pending(placeholder) => self.settle(*placeholder, &element()),
                value => self.tensor(value, at),
            };
            let Some(node) = node else { continue };
            match self.repeat_to(node, &element()) {
                Some(node) => self.graph.outputs.push(Output { role: graph::Role::Result(index), node }),
                None => {
                    let found = self.show(self.graph.ty(node));
                    self.report(at, format!("an optimizer works element by element, and this is {found}"));
                }
            }
        }
    }

    /// The caret of a word that looks beyond one element: nodes from `first` on are its own.
    pub(super) fn word_of_an_optimizer(&mut self, word: &str, first: usize, at: At) -> Option<()> {
        let root = self.linked.items.get(&self.linked.root)?;
        let Item::Function(function @ Function { role: Role::Optimizer, .. }) = &root.item else {
            return Some(());
        };
        match self.beyond_one_element(first).is_some() {
            true => {
                let name = &function.name.text;
                self.fail(
                    at,
                    format!(
                        "`{name}` is an optimizer, which works element by element, and `{word}` does not"
                    ),
                )
            }
            false => Some(()),
        }
    }

    fn element_wise_only(&mut self, function: &Function) {
        if !self.errors.is_empty() {
            return;
        }
        if let Some(node) = self.beyond_one_element(0) {
            let (name, label) = (&function.name.text, &node.origin.label);
            let message =
                format!("`{name}` works element by element: `{label}` (line {}) does not", node.origin.line);
            self.report(self.root_at(), message);
        }
    }

    /// A node that is not made element by element.
    fn beyond_one_element(&self, first: usize) -> Option<&graph::Node> {
        self.graph.nodes.iter().skip(first).find(|node| match &node.kind {
            Kind::Input(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Map(_) => false,
            Kind::View(View::Broadcast(_)) => false,
            Kind::Param(_) | Kind::Random { .. } | Kind::Reduce { .. } | Kind::Contract { .. } => true,
            Kind::TopK { .. } | Kind::Gather { .. } | Kind::Scatter { .. } | Kind::TriangularFactor => true,
            Kind::View(_) | Kind::StopGradient | Kind::Scan { .. } => true,
        })
    }
}

/// One element for each element of a parameter.
fn element() -> Type {
    Type { rows: vec![], features: vec![Size::symbol("N")] }
}
