//! Values against declared types: of arguments, of annotated `let`s, of results.
//!
//! In: a value, a type as written, the frame whose letters it uses. Out: the value in that type, placeholders
//! settled, what broadcasts visibly repeated. Never: a silent change of a shape.

use super::networks::INITIALISERS;
use super::scope::Frame;
use super::types::Any;
use super::value::{Function, Value};
use super::written::written_type;
use super::{At, Lowerer};
use crate::ast::TypeExpr;
use crate::graph::{Kind, NodeId, Type};
use crate::size::Size;

/// Whose declared type it is.
#[derive(Clone, Copy)]
pub(super) enum Declared<'d> {
    /// An argument: whose, its name among several, how it was written, where the callee is declared.
    Argument { callee: &'d str, param: Option<&'d String>, text: &'d str, place: &'d str },
    /// `let` with a type.
    Let,
    /// The value of a function.
    Output { function: &'d str, place: &'d str, part: Option<usize> },
}

impl<'a> Lowerer<'a> {
    /// A tensor of exactly this type, by the visible rules of broadcasting; types are resolved first.
    pub(super) fn repeat_to(&mut self, node: NodeId, ty: &Type) -> Option<NodeId> {
        let ty = self.resolved(ty);
        self.graph.broadcast_like(node, &ty)
    }

    /// The value in its declared type; `frame` has the letters. None where it is wrong, which is reported.
    pub(super) fn coerce(
        &mut self,
        frame: &mut Frame<'a>,
        value: Value<'a>,
        declared: &'a TypeExpr,
        whose: Declared<'_>,
        at: At,
    ) -> Option<Value<'a>> {
        match (declared, value) {
            (_, Value::Poison) => None,
            (TypeExpr::Tuple(types, _), Value::Tuple(values)) if types.len() == values.len() => {
                let mut all = Vec::with_capacity(types.len());
                for (index, (ty, value)) in types.iter().zip(values.iter()).enumerate() {
                    let whose = match whose {
                        Declared::Output { function, place, .. } => {
                            Declared::Output { function, place, part: Some(index) }
                        }
                        whose => whose,
                    };
                    all.push(self.coerce(frame, value.clone(), ty, whose, at));
                }
                Some(Value::Tuple(all.into_iter().collect::<Option<Vec<_>>>()?.into()))
            }
            // One size for each of several.
            (TypeExpr::Tuple(types, _), value)
                if value.size().is_some() && types.iter().all(|ty| matches!(ty, TypeExpr::Size(_))) =>
            {
                let all = types.iter().map(|ty| self.coerce(frame, value.clone(), ty, whose, at));
                Some(Value::Tuple(all.collect::<Option<Vec<_>>>()?.into()))
            }
            (TypeExpr::Tensor { .. } | TypeExpr::Scalar(_), value) => {
                self.coerce_tensor(frame, value, declared, whose, at)
            }
            (TypeExpr::Number(_), Value::Number(n, _)) => Some(Value::Number(n, false)),
            (TypeExpr::Number(_), Value::Size(size)) => Some(Value::Tensor(self.size_node(&size))),
            (TypeExpr::Number(_), Value::Pending(index)) => {
                self.settle(index, &Type::scalar()).map(Value::Tensor)
            }
            (TypeExpr::Number(_), Value::Tensor(node)) if self.graph.ty(node).rank() == 0 => {
                Some(Value::Tensor(node))
            }
            (TypeExpr::Size(_), value) if value.size().is_some_and(|s| !is_negative(&s)) => Some(value),
            (TypeExpr::Initial(_), value) if self.as_initial(&value).is_some() => {
                self.as_initial(&value).map(Value::Initial)
            }
            (TypeExpr::Flag(_), value @ Value::Flag(_))
            | (TypeExpr::Function(_), value @ Value::Function(_)) => Some(value),
            (_, value) => {
                let found = self.describe(&value);
                self.wrong(whose, declared, &found, None, None, at)
            }
        }
    }

    fn coerce_tensor(
        &mut self,
        frame: &mut Frame<'a>,
        value: Value<'a>,
        declared: &'a TypeExpr,
        whose: Declared<'_>,
        at: At,
    ) -> Option<Value<'a>> {
        let any = if matches!(whose, Declared::Let) { Any::Free } else { Any::Shared };
        let is_argument = matches!(whose, Declared::Argument { .. });
        let node = match value {
            Value::Pending(index) => match self.settled(index) {
                Some(node) => node,
                None => {
                    return match self.declared_type(frame, declared) {
                        Ok(Some(ty)) if self.is_param(index) && !ty.rows.is_empty() && !is_argument => {
                            let ty = Type { rows: vec![], ..ty };
                            let wanted = self.show(&ty);
                            // It has a shape all the same: that nothing fixes it would be a second error.
                            self.settle(index, &ty);
                            self.fail(at, format!("a parameter has no rows: declare it as {wanted}"))
                        }
                        Ok(Some(_)) if matches!(declared, TypeExpr::Tensor { index: true, .. }) => {
                            let why = Some("it makes numbers, not positions".to_owned());
                            self.wrong(whose, declared, "a tensor", why, None, at)
                        }
                        Ok(Some(ty)) => {
                            let node = self.settle(index, &ty)?;
                            self.repeat_to(node, &ty).map(Value::Tensor)
                        }
                        Ok(None) => Some(Value::Pending(index)),
                        Err(why) => self.wrong(whose, declared, "not known yet", Some(why), None, at),
                    };
                }
            },
            Value::Tensor(node) => node,
            Value::Number(n, _) => self.graph.number(n),
            Value::Size(size) => self.size_node(&size),
            other => {
                let found = self.describe(&other);
                return self.wrong(whose, declared, &found, None, None, at);
            }
        };
        let actual = self.graph.ty(node).clone();
        let wanted = matches!(declared, TypeExpr::Tensor { index: true, .. });
        if wanted != self.graph.is_index(node) {
            let found = self.show_node(node);
            let why = match wanted {
                true => {
                    "numbers, where positions are wanted: `argmax(x)`, `top_k_indices(x, k)` and arguments \
                         declared as `Index<…>` are such"
                }
                false => {
                    "positions, where numbers are wanted: `gather(table, index)`, `one_hot(index, n)` and \
                          `number(index)` make such of them"
                }
            };
            return self.wrong(whose, declared, &found, Some(why.to_owned()), Some(node), at);
        }
        let matched = self.match_type(frame, declared, &actual, any);
        match matched.map(|ty| self.repeat_to(node, &ty)) {
            Ok(Some(node)) => Some(Value::Tensor(node)),
            Ok(None) => {
                let found = self.show_node(node);
                self.wrong(whose, declared, &found, None, Some(node), at)
            }
            Err(why) => {
                let found = self.show_node(node);
                self.wrong(whose, declared, &found, Some(why), Some(node), at)
            }
        }
    }

    /// A value in the user's words: its type, or what it is.
    pub(super) fn describe(&self, value: &Value<'a>) -> String {
        match value {
            Value::Tensor(node) => self.show_node(*node),
            Value::Pending(index) => match self.settled(*index) {
                Some(node) => self.show(self.graph.ty(node)),
                None => "a tensor whose shape nothing has fixed".to_owned(),
            },
            Value::Tuple(values) => {
                format!("({})", super::written::joined(values.iter().map(|value| self.describe(value))))
            }
            Value::Number(n, true) => format!("the number {n}"),
            // With its point, so that 2.0 does not look like an integer.
            Value::Number(n, false) => format!("the number {n:?}"),
            Value::Size(size) => format!("the size {}", self.sizes.show(size)),
            Value::Function(Function::Word(name)) => format!("the function `{name}`"),
            Value::Function(Function::Item(id, _)) => match self.linked.items.get(*id) {
                Some(item) => format!("the function `{}`", item.item.name().text),
                None => value.kind().to_owned(),
            },
            Value::Function(Function::Closure(_)) => "a closure".to_owned(),
            other => other.kind().to_owned(),
        }
    }

    /// Where a value got its shape, as a sentence; nothing where that is not known. `text` is how it was written.
    pub(super) fn shape_from(&self, node: NodeId, text: &str) -> String {
        let is_name = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
        let name = if is_name { format!("`{text}`") } else { "It".to_owned() };
        match (self.shaped_by.get(&node), &self.graph.node(node).kind) {
            (Some(from), Kind::Param(_)) => format!("{from}. "),
            (Some(from), _) => format!("{name} gets its shape from {from}. "),
            (None, _) => String::new(),
        }
    }

    fn wrong<T>(
        &mut self,
        whose: Declared<'_>,
        declared: &TypeExpr,
        found: &str,
        why: Option<String>,
        node: Option<NodeId>,
        at: At,
    ) -> Option<T> {
        if why.as_ref().is_some_and(String::is_empty) {
            return None;
        }
        let (ty, why) = (written_type(declared), why.map(|why| format!(": {why}")).unwrap_or_default());
        let text = if let Declared::Argument { text, .. } = whose { text } else { "" };
        let from = node.map(|node| self.shape_from(node, text)).unwrap_or_default();
        let why = match declared {
            TypeExpr::Initial(_) => format!("; an initialiser is {INITIALISERS}"),
            TypeExpr::Function(_) => format!("{why}; a function is a name without a call, or `|x| …`"),
            _ => why,
        };
        let (first, rest) = match whose {
            Declared::Argument { callee, param, place, .. } => {
                let param = param.map(|name| format!(" as `{name}`")).unwrap_or_default();
                let first = format!("`{callee}` takes {ty}{param}, but this is {found}{why}.");
                (first, format!("{from}`{callee}` is declared at {place}."))
            }
            Declared::Let => (format!("this is declared as {ty}, but it is {found}{why}."), from),
            Declared::Output { function, place, part } => {
                let part = part.map(|index| format!(" as value {}", index + 1)).unwrap_or_default();
                (
                    format!("`{function}` returns {ty}{part}, but this is {found}{why}."),
                    format!("{from}`{function}` is declared at {place}."),
                )
            }
        };
        self.fail(at, [first, rest].join("\n").trim_end().to_owned())
    }
}

fn is_negative(size: &Size) -> bool {
    size.terms().next().is_some() && size.terms().all(|(symbols, n)| symbols.is_empty() && n < 0)
}
