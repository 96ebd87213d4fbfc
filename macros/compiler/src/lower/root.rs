//! The whole program: its arguments become inputs, its value becomes outputs.
//!
//! In: the root item. Out: `Graph::inputs`, `hypers`, `outputs`. Never: a derivative of the loss; that is the
//! pipeline's.

use super::expr::Want;
use super::scope::Frame;
use super::value::Value;
use super::written::written_type;
use super::{At, Lowerer};
use crate::ast::{FeatureExpr, Function, Item, Role, SizeExpr, TypeExpr};
use crate::graph::{self, HyperDecl, InputDecl, Kind, NodeId, Output, Type};
use crate::parse::is_size_variable;
use crate::size::{BATCH, Size};

/// Whether a function is only a template: it says something, but not enough to be run by itself. A reason in
/// the user's words where it is.
pub fn is_template(function: &Function) -> Option<String> {
    let name = &function.name.text;
    let reason = function.params.iter().find_map(|param| {
        let what = match &param.ty {
            TypeExpr::Function(_) => "a function",
            TypeExpr::Size(_) if param.default.is_none() => "a size",
            TypeExpr::Flag(_) if param.default.is_none() => "a flag",
            TypeExpr::Initial(_) if param.default.is_none() => "an initialiser",
            ty if has_any(ty) => "any axes",
            _ => return None,
        };
        Some(format!("its argument `{}` is {what}", param.name.text))
    });
    let unlisted = || function.generics.iter().find(|generic| generic.values.is_empty());
    let generic = || unlisted().map(|g| format!("`{}` is a generic without `#[values(…)]`", g.name.text));
    let reason = reason.or_else(generic)?;
    Some(format!("`{name}` cannot be run by itself: {reason}, which only a call fixes"))
}

fn has_any(ty: &TypeExpr) -> bool {
    match ty {
        TypeExpr::Tensor { features, .. } => features.iter().any(|f| matches!(f, FeatureExpr::Any(_))),
        TypeExpr::Tuple(types, _) => types.iter().any(has_any),
        _ => false,
    }
}

impl<'a> Lowerer<'a> {
    /// Where the root's name stands.
    pub(super) fn root_at(&self) -> At {
        let span = self.linked.items.get(&self.linked.root).map(|item| item.item.name().span);
        At { span: span.unwrap_or_else(proc_macro2::Span::call_site), line: 0 }
    }

    /// Lowers the root.
    pub(super) fn root(&mut self) {
        let at = self.root_at();
        let Some(item) = self.linked.items.get(&self.linked.root) else { return };
        let function = match &item.item {
            Item::Function(function) => function,
            Item::Constant { .. } => {
                self.constant(item);
                return;
            }
        };
        if let Some(reason) = is_template(function) {
            return self.report(at, reason);
        }
        if function.role == Role::Optimizer {
            return self
                .report(at, format!("`{}` is an optimizer, which the trainer runs", function.name.text));
        }
        let mut frame = Frame::new(item, at.span);
        frame.letters.rows = Some(vec![Size::batch()]);
        frame.metrics = (function.role == Role::Loss).then(String::new);
        // The arguments' letters are sizes known at run time; the result may have others, which the body fixes.
        for param in &function.params {
            letters(&param.ty, &mut |letter| {
                let size = (Size::symbol(letter), "the arguments of this function".to_owned());
                frame.letters.sizes.insert(letter.to_owned(), size);
            });
        }
        for (name, value) in &self.linked.sizes {
            let from = "the values of this function".to_owned();
            frame.letters.sizes.insert(name.clone(), (Size::known(*value), from));
        }
        self.frames.push(frame);
        for param in &function.params {
            let at = At { span: param.name.span, line: 0 };
            let value = self.root_argument(&param.name.text, &param.ty, param.default.as_ref(), at);
            if let Some(frame) = self.frames.last_mut() {
                frame.bind(&param.name.text, value.unwrap_or(Value::Poison));
            }
        }
        if let Role::Network(_) | Role::Layer | Role::State = function.role {
            let sizes = self.linked.sizes.iter().map(|(_, value)| Size::known(*value)).collect::<Vec<_>>();
            let owner = self.enter_network(item, &sizes, at);
            self.called.insert(&item.id);
            if let Some(frame) = self.frames.last_mut() {
                frame.owner = owner;
            }
        }
        if let Some(frame) = self.frames.last().cloned() {
            let value = match &function.backward {
                // Nobody differentiates a function that runs by itself, but its mistakes belong here.
                Some(backward) => {
                    let at = At { span: backward.span, line: 0 };
                    self.with_backward(frame, function, backward, at, &Want::default())
                }
                None => Some(self.run_body(frame, function, &Want::default())),
            };
            self.finish(function, value.unwrap_or(Value::Poison));
        }
        self.frames.pop();
    }

    fn root_argument(
        &mut self,
        name: &str,
        ty: &'a TypeExpr,
        default: Option<&'a crate::ast::Expr>,
        at: At,
    ) -> Option<Value<'a>> {
        match ty {
            TypeExpr::Tensor { .. } | TypeExpr::Scalar(_) => {
                let mut frame = self.frames.last().cloned()?;
                let found = match self.declared_type(&mut frame, ty) {
                    Ok(found) => found?,
                    Err(why) => return self.fail(at, format!("`{name}`: {why}")),
                };
                let index = matches!(ty, TypeExpr::Tensor { index: true, .. });
                Some(Value::Tensor(self.input(name, found, index, at)))
            }
            TypeExpr::Tuple(types, _) => {
                let parts = types.iter().enumerate();
                let values = parts.map(|(i, ty)| self.root_argument(&format!("{name}.{i}"), ty, None, at));
                Some(Value::Tuple(values.collect::<Option<Vec<_>>>()?.into()))
            }
            TypeExpr::Number(_) => {
                let default = match default {
                    Some(expr) => Some(self.number_default(name, expr)?),
                    None => None,
                };
                self.mark(at, name);
                let index = self.graph.hypers.len();
                self.graph.hypers.push(HyperDecl { name: name.to_owned(), default });
                Some(Value::Tensor(self.graph.push(Kind::Hyper(index), vec![], Type::scalar())))
            }
            TypeExpr::Size(_) | TypeExpr::Flag(_) => Some(self.eval(default?, &Want::default())),
            TypeExpr::Initial(_) => {
                let value = self.eval(default?, &Want::default());
                self.initialiser(name, value, at)
            }
            TypeExpr::Function(_) => None,
            TypeExpr::Slot(slot) => self.fail(
                At { span: slot.span, ..at },
                format!("`{}` is for the arguments of an `#[optimizer]`", slot.text),
            ),
        }
    }

    fn input(&mut self, name: &str, ty: Type, index: bool, at: At) -> NodeId {
        self.mark(at, name);
        let input = self.graph.inputs.len();
        self.graph.inputs.push(InputDecl { name: name.to_owned(), ty: ty.clone(), index });
        let node = self.graph.push(Kind::Input(input), vec![], ty);
        let place = self.frames.last().map(|frame| frame.item.place.to_string()).unwrap_or_default();
        self.shaped_by.insert(node, format!("its declaration, {place}").into());
        node
    }

    fn number_default(&mut self, name: &str, expr: &'a crate::ast::Expr) -> Option<f64> {
        match self.eval(expr, &Want::default()) {
            Value::Number(n, _) => Some(n),
            Value::Poison => None,
            other => {
                let found = self.describe(&other);
                self.fail(expr, format!("the default of `{name}` is a number, and this is {found}"))
            }
        }
    }

    fn finish(&mut self, function: &'a Function, value: Value<'a>) {
        self.finish_placeholders();
        self.finish_networks();
        let undecided: Vec<_> = self.sizes.undecided().collect();
        let at = self.root_at();
        for (left, right) in undecided {
            self.report(
                at,
                format!("sizes {left} and {right} must be equal here, and nothing says whether they are"),
            );
        }
        self.mark(At { span: at.span, line: 0 }, &function.name.text);
        match function.role {
            Role::Loss => self.finish_loss(function, value),
            _ => self.results(&value, &mut 0),
        }
    }

    fn finish_loss(&mut self, function: &'a Function, value: Value<'a>) {
        let node = match value {
            Value::Tensor(node) => node,
            Value::Poison => return,
            _ => return self.wrong_loss(function),
        };
        if self.graph.is_index(node) {
            let found = self.show_node(node);
            return self
                .fail(self.root_at(), super::index::no_number("a loss", "its value", &found))
                .unwrap_or(());
        }
        if !self.is_loss_like(node) {
            return self.wrong_loss(function);
        }
        let loss = self.batch_average(node);
        self.graph.outputs.push(Output { role: graph::Role::Loss, node: loss });
        for (name, node) in std::mem::take(&mut self.metrics) {
            let node = self.batch_average(node);
            self.graph.outputs.push(Output { role: graph::Role::Metric(name), node });
        }
    }

    fn wrong_loss(&mut self, function: &'a Function) {
        let message = format!(
            "a loss returns `Tensor<B>`, one value per sample, or `Scalar`; `{}` returns `{}`. \
             `sum(…)` or `mean(…)` reduces the features; the mean over the batch is the trainer's",
            function.name.text,
            written_type(&function.output)
        );
        self.report(self.root_at(), message);
    }

    /// The mean over the batch; a value without rows as it is.
    pub(super) fn batch_average(&mut self, node: NodeId) -> NodeId {
        if self.graph.ty(node).rows.is_empty() {
            return node;
        }
        let sum = self.graph.sum(node, &[0]);
        let count = self.graph.size(Size::batch());
        let share = self.graph.recip(count);
        let ty = self.graph.ty(sum).clone();
        let share = self.graph.broadcast(share, vec![None; ty.rank()], ty);
        self.graph.mul(sum, share)
    }

    fn results(&mut self, value: &Value<'a>, index: &mut usize) {
        match value {
            Value::Tuple(values) => values.iter().for_each(|value| self.results(value, index)),
            Value::Poison => {}
            value => {
                let at = self.root_at();
                if let Some(node) = self.tensor(value, at) {
                    self.graph.outputs.push(Output { role: graph::Role::Result(*index), node });
                    *index += 1;
                }
            }
        }
    }
}

/// The size variables of a type.
fn letters(ty: &TypeExpr, found: &mut dyn FnMut(&str)) {
    match ty {
        TypeExpr::Tensor { rows, features, .. } => {
            rows.iter().flatten().for_each(|size| size_letters(size, found));
            for feature in features {
                if let FeatureExpr::Size(size) = feature {
                    size_letters(size, found);
                }
            }
        }
        TypeExpr::Tuple(types, _) => types.iter().for_each(|ty| letters(ty, found)),
        _ => {}
    }
}

fn size_letters(size: &SizeExpr, found: &mut dyn FnMut(&str)) {
    match size {
        SizeExpr::Name(path) if is_size_variable(&path.text) && path.text != BATCH => found(&path.text),
        SizeExpr::Binary(_, left, right, _) => {
            size_letters(left, found);
            size_letters(right, found);
        }
        SizeExpr::Name(_) | SizeExpr::Literal(..) => {}
    }
}
