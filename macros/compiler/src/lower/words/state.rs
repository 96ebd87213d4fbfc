//! `update(state, new)`: what a state is after the step.
//!
//! In: a state, as read, and a value of its type. Out: an output of the graph, where a loss trains. Never: a
//! change that the step itself sees: a state is read-only inside it.

use super::{Call, Entry};
use crate::graph::{Kind, NodeId, Output, Role};
use crate::lower::value::Value;
use crate::lower::{Lowerer, Mode};

pub(super) static WORDS: &[Entry] =
    &[Entry { name: "update", params: &["state", "new"], rest_after: None, run: |l, call| update(l, &call) }];

fn update<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let (state, read) = state(l, call)?;
    let path = l.graph.params.get(state)?.path.clone();
    let node = new_value(l, call, read, &path)?;
    if let Some(word) = l.derivative {
        return refuse(
            l,
            call,
            format!(
                "`{path}` is updated under `{word}`, and a state is replaced once a step, by the loss itself: \
                 `update` cannot be a part of what `{word}` differentiates"
            ),
        );
    }
    if l.in_step > 0 {
        return refuse(
            l,
            call,
            format!(
                "`{path}` is updated in a step of a loop, and a state is replaced once, after the step of training: \
                 give it the loop's result"
            ),
        );
    }
    if !l.updated.insert(state) {
        return refuse(
            l,
            call,
            format!(
                "`{path}` is updated twice in one step, and only one value can be its next: \
                 call what updates it once"
            ),
        );
    }
    l.asked_mode = true;
    if l.mode == Mode::Train {
        l.graph.outputs.push(Output { role: Role::State(state), node });
    }
    Some(Value::Nothing)
}

/// Says why here is no place for an update: once for each call in the root.
fn refuse<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, message: String) -> Option<Value<'a>> {
    let at = l.anchor(call.at);
    if l.refused_updates.insert(format!("{at:?}")) {
        l.report(call.at, message);
    }
    None
}

/// Which state the first argument is, and the node that reads it.
fn state<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<(usize, NodeId)> {
    let operand = call.arg(0)?;
    let node = match &operand.value {
        Value::Tensor(node) => Some(*node),
        Value::Pending(index) => match (l.settled(*index), l.is_param(*index)) {
            (None, true) => {
                l.lost(*index);
                return None;
            }
            (node, _) => node,
        },
        _ => None,
    };
    let param = node.and_then(|node| match l.graph.node(node).kind {
        Kind::Param(index) => Some((index, node, l.graph.params.get(index)?)),
        _ => None,
    });
    match param {
        Some((index, node, param)) if param.state => Some((index, node)),
        Some((_, _, param)) => {
            let message = format!(
                "`{}` is a parameter, which the optimizer changes; `update` replaces a state: `state(…)` or `#[state]`",
                param.path
            );
            l.fail(operand.at, message)
        }
        None => {
            let found = l.describe(&operand.value);
            l.fail(
                operand.at,
                format!(
                    "`update` replaces a state, and this is {found}: it takes a call of a `#[state]`, as in \
                     `update(usage(), …)`, or the name of a `let` that is a `state(…)`"
                ),
            )
        }
    }
}

/// The new value, in the state's type.
fn new_value<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, read: NodeId, path: &str) -> Option<NodeId> {
    let operand = call.arg(1)?;
    let ty = l.graph.ty(read).clone();
    let node = match &operand.value {
        Value::Pending(index) => l.settle(*index, &ty)?,
        value => l.tensor(value, operand.at)?,
    };
    l.mark(call.at, call.word);
    let actual = l.graph.ty(node).clone();
    let (wanted, found) = (l.show(&ty), l.show(&actual));
    if !actual.rows.is_empty() {
        let message = format!(
            "`{path}` is {wanted}, without rows, and its new value is {found}: `batch_mean(…)` is the mean over the batch"
        );
        return l.fail(operand.at, message);
    }
    match l.repeat_to(node, &ty) {
        Some(node) => Some(node),
        None => l.fail(operand.at, format!("`{path}` is {wanted}, and its new value is {found}")),
    }
}
