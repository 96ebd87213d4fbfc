//! Element-wise rows on values of different shapes.
//!
//! In: the operands of an operator or a row. Out: one `Map` node. Never: a broadcast that cannot be seen:
//! scalars repeat, values without rows repeat over rows, axes of size 1 repeat; nothing else does.

use super::expr::Want;
use super::value::Value;
use super::written::written;
use super::{At, Lowerer};
use crate::ast::Expr;
use crate::graph::{NodeId, Type};
use crate::ops::Row;
use crate::size::Size;

/// A value, and the text it came from.
#[derive(Clone)]
pub(super) struct Operand<'a> {
    pub(super) value: Value<'a>,
    pub(super) at: At,
    pub(super) text: String,
}

impl<'a> Operand<'a> {
    /// What an expression gave.
    pub(super) fn of(value: Value<'a>, expr: &Expr) -> Self {
        Operand { value, at: expr.into(), text: written(expr) }
    }
}

impl<'a> Lowerer<'a> {
    /// A row of the table on operands that broadcast visibly; `word` is how the user writes it.
    pub(super) fn element_wise(
        &mut self,
        row: &str,
        word: &str,
        operands: &[Operand<'a>],
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        let row = Row::named(row)?;
        if operands.iter().any(|o| matches!(o.value, Value::Poison)) {
            return None;
        }
        self.numbers_only(word, operands)?;
        let numbers = operands.iter().map(|operand| match operand.value {
            Value::Number(n, _) => Some(n),
            _ => None,
        });
        if let Some(numbers) = numbers.collect::<Option<Vec<f64>>>() {
            let value = (row.eval)(&numbers);
            return match value.is_nan() {
                true => self.fail(at, format!("`{word}` of {numbers:?} is not a number")),
                false => Some(Value::Number(value, false)),
            };
        }
        let nodes = self.together(word, operands, at, want)?;
        self.mark(at, row.name);
        let node = match (row.name, nodes.as_slice()) {
            ("add", [a, b]) => self.graph.add(*a, *b),
            ("sub", [a, b]) => self.graph.sub(*a, *b),
            ("mul", [a, b]) => self.graph.mul(*a, *b),
            ("div", [a, b]) => self.graph.div(*a, *b),
            ("neg", [a]) => self.graph.neg(*a),
            _ => self.graph.map(row, &nodes),
        };
        self.inherit_shape(node, operands);
        Some(Value::Tensor(node))
    }

    /// A result gets its shape from the first operand that has it.
    fn inherit_shape(&mut self, node: NodeId, operands: &[Operand<'a>]) {
        let sources = operands.iter().filter_map(|operand| match operand.value {
            Value::Tensor(source) if self.graph.ty(source) == self.graph.ty(node) => {
                self.shaped_by.get(&source)
            }
            _ => None,
        });
        if let Some(from) = sources.into_iter().next().cloned() {
            self.shaped_by.entry(node).or_insert(from);
        }
    }

    /// The operands as nodes of one type.
    pub(super) fn together(
        &mut self,
        word: &str,
        operands: &[Operand<'a>],
        at: At,
        want: &Want<'a>,
    ) -> Option<Vec<NodeId>> {
        let mut nodes = Vec::with_capacity(operands.len());
        let mut ty = Type::scalar();
        for operand in operands {
            let node = match &operand.value {
                Value::Pending(index) => self.settled(*index),
                value => Some(self.tensor(value, operand.at)?),
            };
            if let Some(node) = node {
                ty = self.wider(word, ty, node, (operands, &nodes), at)?;
            }
            nodes.push(node);
        }
        self.settle_operands(operands, &mut nodes, &mut ty, want)?;
        self.mark(at, word);
        nodes.into_iter().map(|node| self.repeat_to(node?, &ty)).collect()
    }

    /// Placeholders take the type that is wanted, else that of the others.
    fn settle_operands(
        &mut self,
        operands: &[Operand<'a>],
        nodes: &mut [Option<NodeId>],
        ty: &mut Type,
        want: &Want<'a>,
    ) -> Option<()> {
        for (operand, node) in operands.iter().zip(nodes) {
            let (Value::Pending(index), None) = (&operand.value, &node) else { continue };
            let wanted = want.ty().filter(|wanted| self.leads_to(ty, wanted)).cloned();
            if let Some(wanted) = wanted {
                *ty = wanted;
            } else if ty.rank() == 0 {
                self.lost(*index);
                return None;
            }
            *node = Some(self.settle(*index, ty)?);
        }
        Some(())
    }

    /// Whether `from` broadcasts to `to`, as far as is known.
    fn leads_to(&self, from: &Type, to: &Type) -> bool {
        let sizes = |from: &[Size], to: &[Size]| {
            from.len() == to.len()
                && from.iter().zip(to).all(|(f, t)| {
                    let (f, t) = (self.sizes.resolve(f), self.sizes.resolve(t));
                    f == t || f.is_one() || self.sizes.is_open(&f) || self.sizes.is_open(&t)
                })
        };
        from.rank() == 0
            || (sizes(&from.features, &to.features) && (from.rows.is_empty() || sizes(&from.rows, &to.rows)))
    }

    /// The type that both `ty` (of the operands before) and a node repeat to.
    fn wider(
        &mut self,
        word: &str,
        ty: Type,
        node: NodeId,
        before: (&[Operand<'a>], &[Option<NodeId>]),
        at: At,
    ) -> Option<Type> {
        let next = self.graph.ty(node).clone();
        if ty.rank() == 0 {
            return Some(next);
        }
        if next.rank() == 0 {
            return Some(ty);
        }
        match self.joined(&ty, &next) {
            Some(joined) => Some(self.resolved(&joined)),
            None => {
                let (operands, nodes) = before;
                let texts: Vec<_> = operands.iter().map(|operand| operand.text.clone()).collect();
                let this = texts.get(nodes.len()).cloned().unwrap_or_default();
                let widest =
                    nodes.iter().position(|n| n.is_some_and(|n| self.graph.ty(n).rank() == ty.rank()));
                let that = widest.and_then(|w| texts.get(w).cloned()).unwrap_or_default();
                let other = widest.and_then(|w| nodes.get(w).copied().flatten());
                let message = self.mismatch(word, (&that, &ty, other), (&this, &next, Some(node)));
                self.fail(at, message)
            }
        }
    }

    fn joined(&mut self, a: &Type, b: &Type) -> Option<Type> {
        let rows = match (a.rows.as_slice(), b.rows.as_slice()) {
            ([], rows) | (rows, []) => rows.to_vec(),
            (l, r) => {
                self.same_list(l, r).ok()?;
                l.to_vec()
            }
        };
        if a.features.len() != b.features.len() {
            return None;
        }
        let mut features = Vec::new();
        for (l, r) in a.features.iter().zip(&b.features) {
            let (l, r) = (self.sizes.resolve(l), self.sizes.resolve(r));
            features.push(match (l.is_one(), r.is_one()) {
                (true, _) => r,
                (_, true) => l,
                _ if self.same(&l, &r) => l,
                _ => return None,
            });
        }
        Some(Type { rows, features })
    }

    fn mismatch(
        &self,
        word: &str,
        (left, a, left_node): (&str, &Type, Option<NodeId>),
        (right, b, right_node): (&str, &Type, Option<NodeId>),
    ) -> String {
        let (l, r) = (self.show(a), self.show(b));
        let mut text = format!("`{word}` of {l} and {r}: ");
        let rows_differ = !a.rows.is_empty() && !b.rows.is_empty() && a.rows.len() != b.rows.len();
        if rows_differ {
            let (fewer, more) = if a.rows.len() < b.rows.len() { (left, b) } else { (right, a) };
            let count = more.rows.last().map(|n| self.sizes.show(n).to_string()).unwrap_or_default();
            text.push_str(&format!(
                "the row axes differ, and rows never repeat by themselves. `repeat({}, {count})` adds the row axis.",
                named(fewer, "x")
            ));
        } else if a.features.len() != b.features.len() {
            let (name, small, large) =
                if a.features.len() < b.features.len() { (left, a, b) } else { (right, b, a) };
            text.push_str("they have different numbers of axes, and axes never appear by themselves.\n");
            text.push_str(&self.insertion(named(name, "x"), small, large));
        } else {
            let pairs = a.features.iter().zip(&b.features);
            let differ = pairs.enumerate().find(|(_, (l, r))| {
                self.sizes.resolve(l) != self.sizes.resolve(r) && !l.is_one() && !r.is_one()
            });
            match differ {
                Some((axis, (l, r))) => text.push_str(&format!(
                    "{} against {} in axis {}; only an axis of size 1 repeats.",
                    self.sizes.show(l),
                    self.sizes.show(r),
                    axis + 1
                )),
                None => text.push_str("their rows differ."),
            }
        }
        let sources = [(left, left_node), (right, right_node)];
        let from: String =
            sources.iter().filter_map(|(name, node)| Some(self.shape_from((*node)?, name))).collect();
        [text.trim_end(), from.trim_end()].join("\n").trim_end().to_owned()
    }

    /// Which axes to insert, and where, for the smaller one to repeat.
    fn insertion(&self, name: &str, small: &Type, large: &Type) -> String {
        let missing = large.features.len() - small.features.len();
        let fits = |before: usize| {
            let target = large.features.iter().skip(before);
            small
                .features
                .iter()
                .zip(target)
                .all(|(s, l)| s.is_one() || self.sizes.resolve(s) == self.sizes.resolve(l))
        };
        let Some(before) = [missing, 0].into_iter().chain(1..missing).find(|before| fits(*before)) else {
            return "`unsqueeze(x, axis)` inserts an axis of size 1, which repeats.".to_owned();
        };
        let mut text = name.to_owned();
        let mut features = small.features.clone();
        for _ in 0..before {
            text = format!("unsqueeze({text}, 1)");
            features.insert(0, Size::known(1));
        }
        for _ in before..missing {
            features.push(Size::known(1));
            text = format!("unsqueeze({text}, {})", features.len());
        }
        let ty = Type { rows: small.rows.clone(), features };
        format!(
            "`{text}` is {}, whose axis of size 1 repeats: write that in the place of `{name}`.",
            self.show(&ty)
        )
    }
}

fn named<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() || text == "…" { otherwise } else { text }
}
