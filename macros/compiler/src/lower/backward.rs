//! `#[function(backward = g)]`: a derivative by hand.
//!
//! In: a function entered, its arguments bound. Out: its value, cut, and in `Graph::by_hand` what `g` makes of the
//! arguments and of an adjoint for each result. Never: a gradient that is lost in silence: parameters of a network
//! inside, or what a function argument captured, would be.

use super::broadcast::Operand;
use super::expr::Want;
use super::scope::Frame;
use super::value::Value;
use super::written::{joined, signature, written_type};
use super::{At, Lowerer};
use crate::ast::{Function, Item, Path, Role, TypeExpr};
use crate::graph::{ByHand, NodeId, Role as OutputRole, Type};
use crate::link::LinkedItem;

impl<'a> Lowerer<'a> {
    /// The body of `function`, whose derivative is `backward`.
    pub(super) fn with_backward(
        &mut self,
        frame: Frame<'a>,
        function: &'a Function,
        backward: &'a Path,
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        let item = frame.item;
        if self.in_step > 0 {
            let name = &function.name.text;
            return self.fail(
                at,
                format!(
                    "`{name}` has a derivative by hand, which a step of `scan` or of a long `for` loop would lose: \
                     call it outside of the loop, on the whole sequence"
                ),
            );
        }
        let mut given = Vec::new();
        let mut args: Vec<(String, NodeId)> = Vec::new();
        for param in &function.params {
            let value = frame.local(&param.name.text).cloned().unwrap_or(Value::Poison);
            if is_differentiated(&param.ty) {
                self.tensors(&param.name.text, &value, &mut args);
            }
            given.push(Operand { value, at, text: param.name.text.clone() });
        }
        let rule = self.rule(item, function, backward, at);
        let value = self.run_body(frame, function, want);
        let (rule, derivative) = rule?;
        let mut values = Vec::new();
        self.tensors(&function.name.text, &value, &mut values);
        if matches!(value, Value::Poison) {
            return None;
        }
        let mut adjoints = Vec::new();
        for (_, node) in &values {
            let zeros = self.graph.full_like(0.0, *node);
            let adjoint = self.graph.identity(zeros);
            let text = format!("the adjoint of {}", function.name.text);
            self.shaped_by
                .insert(adjoint, format!("the result of `{}`, {}", function.name.text, item.place).into());
            adjoints.push(adjoint);
            given.push(Operand { value: Value::Tensor(adjoint), at, text });
        }
        if derivative.params.len() != given.len() {
            let message = self.wrong_signature(function, derivative, &values);
            return self.fail(at, message);
        }
        let outputs = self.graph.outputs.len();
        let shares =
            self.inline(rule, derivative, &[], given.into_iter().map(Some).collect(), at, &Want::default())?;
        if self.graph.outputs[outputs..].iter().any(|o| matches!(o.role, OutputRole::Inspect(_))) {
            let name = &derivative.name.text;
            return self.fail(at, format!("`{name}` is a derivative by hand, in which nothing can be inspected: it has no value until somebody differentiates"));
        }
        if self.graph.outputs[outputs..].iter().any(|o| matches!(o.role, OutputRole::State(_))) {
            let name = &derivative.name.text;
            return self.fail(at, format!("`{name}` is a derivative by hand, in which no state can be updated: a state is replaced once a step, by the loss itself"));
        }
        let shares = self.shares(function, derivative, rule, &args, &shares, at)?;
        let results: Vec<NodeId> = values.iter().map(|(_, node)| self.graph.identity(*node)).collect();
        let args = args.into_iter().map(|(_, node)| node).collect();
        self.graph.by_hand.push(ByHand { results: results.clone(), args, adjoints, shares });
        Some(self.cut(&value, &mut results.into_iter()))
    }

    /// The function that is the derivative, if it can be one.
    fn rule(
        &mut self,
        item: &'a LinkedItem,
        function: &'a Function,
        backward: &'a Path,
        at: At,
    ) -> Option<(&'a LinkedItem, &'a Function)> {
        let name = &function.name.text;
        let takes_function = function.params.iter().find(|p| matches!(p.ty, TypeExpr::Function(_)));
        if let Some(param) = takes_function {
            return self.fail(at, format!("`{name}` has a derivative by hand, which says nothing of what the function `{}` captures: take what it needs as arguments", param.name.text));
        }
        if let Some(network) = self.reached_network(item) {
            return self.fail(at, format!("`{name}` has a derivative by hand, which is for its arguments alone, and it calls the network `{network}`, whose parameters would get no gradient: call `{network}` outside, and take its value as an argument"));
        }
        let found = self.linked.resolve(&item.id, &backward.text);
        match found.map(|found| (found, &found.item)) {
            Some((found, Item::Function(rule))) if rule.role == Role::Function => Some((found, rule)),
            Some((_, Item::Function(rule))) => {
                let what = match rule.role {
                    Role::Network(_) => "a network",
                    Role::Layer => "a layer",
                    Role::Loss => "a loss",
                    Role::State => "a state",
                    Role::Function | Role::Optimizer => "an optimizer",
                };
                self.fail(
                    at,
                    format!(
                        "`{}` is {what}; the derivative of `{name}` by hand is a `#[function]`",
                        backward.text
                    ),
                )
            }
            _ => self.fail(
                at,
                format!(
                    "`{}` is no annotated function; the derivative of `{name}` by hand is a `#[function]`",
                    backward.text
                ),
            ),
        }
    }

    /// The first network that an item calls, itself or through others.
    fn reached_network(&self, item: &'a LinkedItem) -> Option<&'a str> {
        let Item::Function(function) = &item.item else { return None };
        let skipped = function.backward.as_ref().and_then(|b| self.linked.resolve(&item.id, &b.text));
        let mut open: Vec<&str> = item.callees.iter().map(|callee| callee.id.as_str()).collect();
        open.retain(|id| skipped.is_none_or(|rule| rule.id != *id));
        let mut seen = std::collections::BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(item) = self.linked.items.get(id).filter(|_| seen.insert(id)) else { continue };
            if let Item::Function(Function { role: Role::Network(_), name, .. }) = &item.item {
                return Some(&name.text);
            }
            open.extend(item.callees.iter().map(|callee| callee.id.as_str()));
        }
        None
    }

    /// Every tensor in a value, under the user's name for it.
    fn tensors(&self, name: &str, value: &Value<'a>, found: &mut Vec<(String, NodeId)>) {
        match value {
            Value::Tensor(node) => found.push((name.to_owned(), *node)),
            Value::Tuple(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.tensors(&format!("{name}.{index}"), value, found);
                }
            }
            _ => {}
        }
    }

    /// What the derivative returned, as the adjoint of each argument in its type.
    fn shares(
        &mut self,
        function: &Function,
        derivative: &Function,
        rule: &LinkedItem,
        args: &[(String, NodeId)],
        value: &Value<'a>,
        at: At,
    ) -> Option<Vec<NodeId>> {
        let mut found = Vec::new();
        self.tensors("", value, &mut found);
        let (name, of) = (&derivative.name.text, &function.name.text);
        if found.len() != args.len() {
            let names = joined(args.iter().map(|(name, _)| format!("`{name}`")));
            return self.fail(at, format!(
                "`{name}` returns {}, and the derivative of `{of}` by hand returns one adjoint for each tensor that `{of}` takes: {names}.\n`{name}` is declared at {}.",
                self.describe(value), rule.place
            ));
        }
        let mut shares = Vec::new();
        for ((arg, node), (_, share)) in args.iter().zip(found) {
            let (wanted, ty) = (self.graph.ty(*node).clone(), self.graph.ty(share).clone());
            if !self.is_same_type(&wanted, &ty) {
                let (wanted, ty) = (self.show(&wanted), self.show(&ty));
                return self.fail(at, format!(
                    "`{name}` returns {ty} as the adjoint of `{arg}`, which is {wanted}: an adjoint has the type of what it belongs to.\n`{name}` is declared at {}.",
                    rule.place
                ));
            }
            shares.push(share);
        }
        Some(shares)
    }

    fn is_same_type(&mut self, left: &Type, right: &Type) -> bool {
        self.same_list(&left.rows, &right.rows).is_ok()
            && self.same_list(&left.features, &right.features).is_ok()
    }

    fn wrong_signature(
        &self,
        function: &Function,
        derivative: &Function,
        values: &[(String, NodeId)],
    ) -> String {
        let params = function.params.iter().map(|p| format!("{}: {}", p.name.text, written_type(&p.ty)));
        let adjoints = values.iter().map(|(_, node)| format!("adjoint: {}", self.show(self.graph.ty(*node))));
        let wanted = joined(params.chain(adjoints));
        let (name, of) = (&derivative.name.text, &function.name.text);
        format!(
            "`{name}` is the derivative of `{of}` by hand, so it takes the arguments of `{of}`, then the adjoint of \
             each result: `{name}({wanted})`.\nIt is declared as `{}`.",
            signature(derivative)
        )
    }

    /// The value with its tensors replaced.
    fn cut(&self, value: &Value<'a>, results: &mut impl Iterator<Item = NodeId>) -> Value<'a> {
        match value {
            Value::Tensor(_) => results.next().map_or(Value::Poison, Value::Tensor),
            Value::Tuple(values) => {
                Value::Tuple(values.iter().map(|value| self.cut(value, results)).collect::<Vec<_>>().into())
            }
            other => other.clone(),
        }
    }
}

/// Tensors are; numbers, sizes and flags are settings.
fn is_differentiated(ty: &TypeExpr) -> bool {
    match ty {
        TypeExpr::Tensor { .. } | TypeExpr::Scalar(_) | TypeExpr::Tuple(..) => true,
        TypeExpr::Number(_)
        | TypeExpr::Size(_)
        | TypeExpr::Flag(_)
        | TypeExpr::Initial(_)
        | TypeExpr::Function(_)
        | TypeExpr::Slot(_) => false,
    }
}
