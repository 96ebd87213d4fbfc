//! The body of an annotated function, in the place of a call.
//!
//! In: a function and a value for each parameter. Out: its value in its declared type. Never: a call that
//! stays a call.

use std::rc::Rc;

use super::broadcast::Operand;
use super::coerce::Declared;
use super::expr::{Hint, Want};
use super::scope::Frame;
use super::value::Value;
use super::{At, Lowerer};
use crate::ast::{self, FeatureExpr, Role, SizeExpr, TypeExpr};
use crate::link::LinkedItem;
use crate::size::Size;

impl<'a> Lowerer<'a> {
    /// The body of an annotated function, in the place of a call.
    pub(super) fn inline(
        &mut self,
        item: &'a LinkedItem,
        function: &'a ast::Function,
        sizes: &[Size],
        given: Vec<Option<Operand<'a>>>,
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        if function.role == Role::Optimizer {
            let name = &function.name.text;
            let message = format!("`{name}` is an optimizer: the trainer runs it, a function cannot call it");
            return self.fail(at, message);
        }
        let mut frame = Frame::new(item, self.anchor(at));
        for (generic, size) in function.generics.iter().zip(sizes) {
            let from = "the sizes of the call".to_owned();
            frame.letters.sizes.insert(generic.name.text.clone(), (size.clone(), from));
        }
        let given = self.with_defaults(item, function, given, at)?;
        self.bind_arguments(&mut frame, function, given)?;
        if want.firm {
            letters_from(&mut frame, &function.output, &want.hint);
        }
        self.own_frame(&mut frame, item, function, at)?;
        let value = match &function.backward {
            Some(backward) => self.with_backward(frame, function, backward, at, want)?,
            None => self.run_body(frame, function, want),
        };
        // The value comes from here, whatever its last operation was.
        let from: Rc<str> = format!("`{}`, {}", function.name.text, item.place).into();
        self.shape_is_from(&value, &from);
        Some(value)
    }

    /// The body in its frame, in the declared type.
    pub(super) fn run_body(
        &mut self,
        frame: Frame<'a>,
        function: &'a ast::Function,
        want: &Want<'a>,
    ) -> Value<'a> {
        let place = frame.item.place.to_string();
        self.frames.push(frame);
        let hint = match self.output_hint(&function.output) {
            Hint::None => want.hint.clone(),
            hint => hint,
        };
        let mut value = self.block(&function.body, &Want::firm(hint)).unwrap_or(Value::Poison);
        let at = function.body.value.as_deref().map_or(At { span: function.name.span, line: 0 }, At::from);
        if function.role == Role::State {
            value = self.state_item(value, at).unwrap_or(Value::Poison);
        }
        let whose = Declared::Output { function: &function.name.text, place: &place, part: None };
        let value = self.in_frame(|this, frame| this.coerce(frame, value, &function.output, whose, at));
        self.frames.pop();
        value
    }

    fn output_hint(&mut self, output: &'a TypeExpr) -> Hint {
        match output {
            TypeExpr::Tuple(types, _) => Hint::Tuple(types.iter().map(|ty| self.output_hint(ty)).collect()),
            TypeExpr::Tensor { .. } | TypeExpr::Scalar(_) => self.wanted(output),
            _ => Hint::None,
        }
    }

    fn shape_is_from(&mut self, value: &Value<'a>, from: &Rc<str>) {
        match value {
            Value::Tensor(node) => {
                self.shaped_by.insert(*node, from.clone());
            }
            Value::Tuple(values) => values.iter().for_each(|value| self.shape_is_from(value, from)),
            _ => {}
        }
    }

    /// Arguments that are missing take their defaults.
    fn with_defaults(
        &mut self,
        item: &'a LinkedItem,
        function: &'a ast::Function,
        given: Vec<Option<Operand<'a>>>,
        at: At,
    ) -> Option<Vec<Operand<'a>>> {
        let mut all = Vec::with_capacity(function.params.len());
        for (param, given) in function.params.iter().zip(given) {
            all.push(match (given, &param.default) {
                (Some(given), _) => given,
                // It may use what the other arguments fix: `bind_arguments` looks at it last.
                (None, Some(_)) if matches!(param.ty, TypeExpr::Initial(_)) => {
                    Operand { value: Value::Nothing, at, text: String::new() }
                }
                (None, Some(default)) => {
                    self.frames.push(Frame::new(item, self.anchor(at)));
                    let value = self.eval(default, &Want::default());
                    self.frames.pop();
                    Operand { value, at, text: String::new() }
                }
                (None, None) => return None,
            });
        }
        Some(all)
    }

    /// Matches the arguments of a call with the parameters, and binds them. Numbers go first, because types
    /// use them; then values with rows, which fix `B`; placeholders last, when most is known.
    fn bind_arguments(
        &mut self,
        frame: &mut Frame<'a>,
        function: &'a ast::Function,
        given: Vec<Operand<'a>>,
    ) -> Option<()> {
        let mut order: Vec<_> = function.params.iter().zip(given).collect();
        order.sort_by_key(|(param, given)| self.turn(&param.ty, &given.value));
        let mentions_rows = |ty: &TypeExpr| matches!(ty, TypeExpr::Tensor { rows: Some(_), .. });
        let mut poisoned = false;
        for (param, given) in order {
            let turn = self.turn(&param.ty, &given.value);
            if turn > 1 && turn < 5 && frame.letters.rows.is_none() && mentions_rows(&param.ty) {
                // Nothing with rows came: `B` stands for none.
                frame.letters.rows = Some(vec![]);
            }
            let value = match (given.value, &param.default) {
                (Value::Nothing, Some(default)) => {
                    self.frames.push(frame.clone());
                    let value = self.eval(default, &Want::default());
                    self.frames.pop();
                    value
                }
                (value, _) => value,
            };
            let place = frame.item.place.to_string();
            let whose = Declared::Argument {
                callee: &function.name.text,
                param: (function.params.len() > 1).then_some(&param.name.text),
                text: &given.text,
                place: &place,
            };
            let value = self.coerce(frame, value, &param.ty, whose, given.at).unwrap_or(Value::Poison);
            poisoned |= matches!(value, Value::Poison);
            frame.bind(&param.name.text, value);
        }
        (!poisoned).then_some(())
    }

    /// When an argument is matched: the earlier, the more it says.
    fn turn(&self, ty: &TypeExpr, value: &Value<'a>) -> usize {
        match (ty, value) {
            (TypeExpr::Tuple(types, _), Value::Tuple(values)) => {
                types.iter().zip(values.iter()).map(|(ty, value)| self.turn(ty, value)).min().unwrap_or(0)
            }
            (TypeExpr::Tensor { .. } | TypeExpr::Scalar(_), value) => {
                let node = match value {
                    Value::Tensor(node) => Some(*node),
                    Value::Pending(index) => self.settled(*index),
                    _ => None,
                };
                match (node.map(|node| self.graph.ty(node)), value) {
                    (Some(ty), _) if !ty.rows.is_empty() => 1,
                    (Some(ty), _) if !ty.features.is_empty() => 2,
                    (None, Value::Pending(index)) if self.is_param(*index) => 4,
                    (None, Value::Pending(_)) => 5,
                    _ => 3,
                }
            }
            (TypeExpr::Initial(_), _) => 6,
            _ => 0,
        }
    }

    /// The sizes that a network with sizes is named after.
    fn sizes_of_network(&mut self, frame: &Frame<'a>, function: &ast::Function, at: At) -> Option<Vec<Size>> {
        let mut sizes = Vec::new();
        for generic in &function.generics {
            let (name, letter) = (&function.name.text, &generic.name.text);
            let size = frame.letters.sizes.get(letter).map(|(size, _)| self.sizes.resolve(size));
            match size.filter(|size| !self.sizes.is_open(size)) {
                Some(size) if size.value().is_some() => sizes.push(size),
                Some(size) => {
                    return self.fail(
                        at,
                        format!(
                            "`{name}` is one network for each `{letter}`, which is {size} here, known only when the \
                             program runs: `{name}::<8>(…)`"
                        ),
                    );
                }
                None => {
                    return self.fail(
                        at,
                        format!(
                            "`{name}` is one network for each `{letter}`, and nothing says which one this is: \
                             `{name}::<8>(…)`"
                        ),
                    );
                }
            }
        }
        Some(sizes)
    }

    /// Whose parameters the body makes, and under which name a loss logs its parts.
    fn own_frame(
        &mut self,
        frame: &mut Frame<'a>,
        item: &'a LinkedItem,
        function: &ast::Function,
        at: At,
    ) -> Option<()> {
        let name = &function.name.text;
        match function.role {
            Role::Network(_) | Role::State => {
                self.called.insert(&item.id);
                let sizes = self.sizes_of_network(frame, function, at)?;
                frame.owner = Some(self.enter_network(item, &sizes, at)?);
            }
            Role::Layer => {
                let caller = self.frames.last().and_then(|frame| frame.owner);
                frame.owner = caller.and_then(|caller| self.enter_layer(caller, name));
            }
            Role::Loss => {
                if let Some(prefix) = self.frames.last().and_then(|frame| frame.metrics.clone()) {
                    let path = format!("{prefix}{name}");
                    let count = self.inner_losses.entry(path.clone()).or_default();
                    frame.metrics =
                        Some(if *count == 0 { format!("{path}.") } else { format!("{path}{count}.") });
                    *count += 1;
                }
            }
            Role::Function | Role::Optimizer => {}
        }
        Some(())
    }
}

/// Letters of the result that no argument has fixed are what the caller declares.
fn letters_from(frame: &mut Frame<'_>, output: &TypeExpr, hint: &Hint) {
    let (TypeExpr::Tensor { features, .. }, Hint::Type(ty)) = (output, hint) else { return };
    if features.len() != ty.features.len() {
        return;
    }
    for (feature, size) in features.iter().zip(&ty.features) {
        if let FeatureExpr::Size(SizeExpr::Name(path)) = feature
            && frame.is_letter(&path.text)
        {
            let from = "the type that the call is declared to have".to_owned();
            frame.letters.sizes.entry(path.text.clone()).or_insert_with(|| (size.clone(), from));
        }
    }
}
