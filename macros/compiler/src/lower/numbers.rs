//! Operators, and arithmetic on what is known at compile time.
//!
//! In: the operands of an operator. Out: a number, a size or a flag, folded; for tensors, an element-wise
//! row. Never: a whole division that drops a remainder; an overflow.

use super::broadcast::Operand;
use super::expr::Want;
use super::value::Value;
use super::{At, Lowerer};
use crate::ast::Expr;
use crate::size::Size;

impl<'a> Lowerer<'a> {
    /// `left operator right`.
    pub(super) fn binary(
        &mut self,
        operator: &'static str,
        left: &'a Expr,
        right: &'a Expr,
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        let inner = Want::hint(want.hint.clone());
        // Chains such as `a + b + c + …` nest to the left: walked without recursion.
        let mut chain = vec![(operator, right, at)];
        let mut first = left;
        while let crate::ast::ExprKind::Binary(operator, left, right) = &first.kind {
            chain.push((operator, right, first.into()));
            first = left;
        }
        let mut left = Operand::of(self.eval(first, &inner), first);
        while let Some((operator, right, at)) = chain.pop() {
            let right = Operand::of(self.eval(right, &inner), right);
            let value = self.operate(operator, left, right, at, want).unwrap_or(Value::Poison);
            left = Operand { value, at, text: "…".to_owned() };
        }
        Some(left.value)
    }

    fn operate(
        &mut self,
        operator: &'static str,
        left: Operand<'a>,
        right: Operand<'a>,
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        let operands = [left, right];
        let [Operand { value: left, .. }, Operand { value: right, .. }] = &operands;
        if matches!(left, Value::Poison) || matches!(right, Value::Poison) {
            return None;
        }
        match (left, right) {
            (Value::Flag(l), Value::Flag(r)) => return self.flags(operator, *l, *r, at),
            (Value::Number(l, l_whole), Value::Number(r, r_whole)) => {
                return self.fold(operator, *l, *r, *l_whole && *r_whole, at);
            }
            _ => {}
        }
        if let (Some(l), Some(r)) = (left.size(), right.size()) {
            return self.size_arithmetic(operator, &l, &r, at);
        }
        let row = match operator {
            "+" => "add",
            "-" => "sub",
            "*" => "mul",
            "/" => "div",
            "==" => "eq",
            "!=" => "ne",
            "<" => "lt",
            "<=" => "le",
            ">" => "gt",
            ">=" => "ge",
            _ => {
                let (l, r) = (self.describe(left), self.describe(right));
                let instead = match operator {
                    "&&" => "; of comparisons, which are 1 or 0, `a * b` is 1 where both are",
                    "||" => "; of comparisons, which are 1 or 0, `max(a, b)` is 1 where one of them is",
                    "%" => "; `a - b * floor(a / b)` is the remainder",
                    _ => "",
                };
                return self
                    .fail(at, format!("`{operator}` is not for tensors: here it has {l} and {r}{instead}"));
            }
        };
        self.element_wise(row, operator, &operands, at, want)
    }

    /// `operator value`.
    pub(super) fn unary(
        &mut self,
        operator: &'static str,
        inner: &'a Expr,
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        let value = self.eval(inner, &Want::hint(want.hint.clone()));
        match (operator, &value) {
            (_, Value::Poison) => None,
            ("-", Value::Number(n, whole)) => Some(Value::Number(-n, *whole)),
            ("-", Value::Size(size)) => Some(Value::from_size(&Size::default() - size)),
            ("-", _) => self.element_wise("neg", "-", &[Operand::of(value, inner)], at, want),
            ("!", Value::Flag(flag)) => Some(Value::Flag(!flag)),
            _ => {
                let found = self.describe(&value);
                let instead = match operator {
                    "!" => "; of a comparison, which is 1 or 0, `1.0 - a` is the opposite",
                    _ => "",
                };
                self.fail(at, format!("`{operator}` is not for {found}{instead}"))
            }
        }
    }

    fn flags(&mut self, operator: &str, l: bool, r: bool, at: At) -> Option<Value<'a>> {
        Some(Value::Flag(match operator {
            "&&" => l && r,
            "||" => l || r,
            "==" => l == r,
            "!=" => l != r,
            _ => return self.fail(at, format!("`{operator}` is not for flags")),
        }))
    }

    fn fold(&mut self, operator: &str, l: f64, r: f64, whole: bool, at: At) -> Option<Value<'a>> {
        let flag = |flag| Some(Value::Flag(flag));
        let number = match operator {
            "+" => l + r,
            "-" => l - r,
            "*" => l * r,
            "/" | "%" if r == 0.0 => return self.fail(at, format!("`{l} {operator} {r}` divides by 0")),
            "/" if whole && l % r != 0.0 => {
                let message = format!("`{l} / {r}` is not whole; as numbers, write `{l:.1} / {r:.1}`");
                return self.fail(at, message);
            }
            "/" => l / r,
            "%" => l % r,
            "==" => return flag(l == r),
            "!=" => return flag(l != r),
            "<" => return flag(l < r),
            "<=" => return flag(l <= r),
            ">" => return flag(l > r),
            ">=" => return flag(l >= r),
            _ => return self.fail(at, format!("`{operator}` is for flags, not for numbers")),
        };
        Some(Value::Number(number, whole))
    }

    fn size_arithmetic(&mut self, operator: &str, l: &Size, r: &Size, at: At) -> Option<Value<'a>> {
        let (l, r) = (self.sizes.resolve(l), self.sizes.resolve(r));
        let size = match operator {
            "+" => &l + &r,
            "-" => &l - &r,
            "*" => &l * &r,
            "/" => match self.quotient(&l, &r) {
                Some(quotient) => quotient,
                None => {
                    let (l, r) = (self.sizes.show(&l), self.sizes.show(&r));
                    return self.fail(at, format!("`{l} / {r}` is not whole at compile time"));
                }
            },
            "==" if l == r => return Some(Value::Flag(true)),
            "!=" if l == r => return Some(Value::Flag(false)),
            _ => {
                let (l, r) = (self.sizes.show(&l), self.sizes.show(&r));
                let message = format!("`{l} {operator} {r}` is not known at compile time");
                return self.fail(at, message);
            }
        };
        Some(Value::from_size(size))
    }
}
