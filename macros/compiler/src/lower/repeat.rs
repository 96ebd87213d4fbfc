//! `for` loops.
//!
//! In: a range known at compile time, and a body. Out: its turns one by one, or, where they are many, a loop over
//! steps whose state is what the body assigns. Never: a parameter made in a turn of a loop that is not unrolled.

use super::broadcast::Operand;
use super::expr::Want;
use super::turns::Turns;
use super::value::Value;
use super::{At, Lowerer};
use crate::ast::{Block, Expr, ExprKind, Name, Statement};
use crate::graph::NodeId;
use crate::size::Size;

/// A loop with more turns than this is a scan.
const UNROLLED: i64 = 64;

impl<'a> Lowerer<'a> {
    /// The turns of a loop.
    pub(super) fn repeat_body(
        &mut self,
        variable: Option<&'a Name>,
        range: (&'a Expr, &'a Expr, bool),
        body: &'a Block,
        at: At,
    ) {
        let (from, to, inclusive) = range;
        // Both bounds have the same mistake, most often: said once.
        let Some(first) = self.bound(from) else { return };
        let Some(last) = self.bound(to) else { return };
        let turns = last.saturating_sub(first).saturating_add(i64::from(inclusive));
        if turns > UNROLLED {
            self.long_loop(variable, first, turns, body, at);
            return;
        }
        for turn in 0..turns.max(0) {
            let value = Value::Number((first + turn) as f64, true);
            if self.one_turn(variable, value, body).is_none() {
                return;
            }
        }
    }

    fn one_turn(&mut self, variable: Option<&'a Name>, counter: Value<'a>, body: &'a Block) -> Option<()> {
        let frame = self.frames.last_mut()?;
        frame.scopes.push(Default::default());
        if let Some(name) = variable {
            frame.bind(&name.text, counter);
        }
        self.block(body, &Want::default());
        self.frames.last_mut()?.scopes.pop();
        Some(())
    }

    /// The locals that the body assigns are the state; the counter is a number of the graph.
    fn long_loop(
        &mut self,
        variable: Option<&'a Name>,
        first: i64,
        turns: i64,
        body: &'a Block,
        at: At,
    ) -> Option<()> {
        let what = format!("this loop of {turns} turns");
        let mut names: Vec<&'a str> = Vec::new();
        assigned(body, &mut names);
        let frame = self.frames.last()?;
        names.retain(|name| frame.local(name).is_some());
        let mut init = Vec::new();
        for name in &names {
            let value = self.frames.last()?.local(name)?.clone();
            if matches!(value, Value::Poison) {
                return None;
            }
            if !matches!(value, Value::Tensor(_) | Value::Pending(_) | Value::Number(..) | Value::Size(_)) {
                let found = self.describe(&value);
                let message = format!(
                    "{what} is too long to unroll, so what it assigns passes from turn to turn as a tensor, and \
                     `{name}` is {found}"
                );
                return self.fail(at, message);
            }
            init.push(Operand { value, at, text: (*name).to_owned() });
        }
        let hints = vec![None; init.len() + 1];
        let counter = Value::Number(first as f64, false);
        init.push(Operand { value: counter, at, text: String::new() });
        let length = Size::integer(turns);
        let loop_of = Turns { what, init, hints, sequences: Vec::new(), length, reverse: false, at };
        let owner = self.frames.last()?.owner;
        let metrics = self.frames.last_mut()?.metrics.take();
        self.frames.last_mut()?.owner = None;
        let outer = self.long_loop.replace(turns);
        let results = self.turns(&loop_of, &mut |l, state, _| {
            let (counter, state) = state.split_last()?;
            for (name, value) in names.iter().zip(state) {
                l.frames.last_mut()?.assign(name, value.clone());
            }
            l.one_turn(variable, counter.clone(), body)?;
            let mut next = Vec::new();
            for (name, before) in names.iter().zip(state) {
                let frame = l.frames.last_mut()?;
                next.push(frame.local(name)?.clone());
                frame.assign(name, before.clone());
            }
            let counter = l.tensor(counter, at)?;
            next.push(Value::Tensor(l.graph.offset(counter, 1.0)));
            let poisoned = next.iter().any(|value| matches!(value, Value::Poison));
            (!poisoned).then_some(next)
        });
        self.long_loop = outer;
        let frame = self.frames.last_mut()?;
        (frame.owner, frame.metrics) = (owner, metrics);
        let last: Vec<Option<NodeId>> = match &results {
            Some(results) => results.last.iter().copied().map(Some).collect(),
            None => vec![None; names.len()],
        };
        for (name, node) in names.iter().zip(last) {
            let value = node.map_or(Value::Poison, Value::Tensor);
            self.note_metric(name, &value);
            self.frames.last_mut()?.assign(name, value);
        }
        Some(())
    }

    fn bound(&mut self, expr: &'a Expr) -> Option<i64> {
        let value = self.eval(expr, &Want::default());
        match value.integer() {
            Some(n) => Some(n),
            None if matches!(value, Value::Poison) => None,
            None => {
                let found = match &value {
                    Value::Size(size) => {
                        format!("`{}`, known only when the program runs", self.sizes.show(size))
                    }
                    other => self.describe(other),
                };
                self.fail(
                    expr,
                    format!("a loop counts over integers known at compile time, and this is {found}"),
                )
            }
        }
    }
}

/// The names that a block assigns, in order.
fn assigned<'a>(block: &'a Block, found: &mut Vec<&'a str>) {
    for statement in &block.statements {
        match statement {
            Statement::Assign(name, value) => {
                if !found.contains(&name.text.as_str()) {
                    found.push(&name.text);
                }
                inside(value, found);
            }
            Statement::For { body, .. } => assigned(body, found),
            Statement::Let { value, .. } | Statement::Expr(value) => inside(value, found),
        }
    }
    if let Some(value) = &block.value {
        inside(value, found);
    }
}

/// The names that the blocks of an expression assign.
fn inside<'a>(expr: &'a Expr, found: &mut Vec<&'a str>) {
    match &expr.kind {
        ExprKind::Block(block) => assigned(block, found),
        ExprKind::If(_, then, otherwise) => {
            assigned(then, found);
            otherwise.iter().for_each(|block| assigned(block, found));
        }
        _ => {}
    }
}
