//! Words about time: `scan` and `last`.
//!
//! In: a function of a state and a step, first values, sequences. Out: every state, stacked. Never: a number of
//! steps that the sequences do not have.

use super::{Call, Entry};
use crate::graph::NodeId;
use crate::lower::Lowerer;
use crate::lower::broadcast::Operand;
use crate::lower::turns::{Turns, hints, leaves, like};
use crate::lower::value::Value;

pub(super) static WORDS: &[Entry] = &[
    Entry {
        name: "scan",
        params: &["f", "init", "x", "reverse?"],
        rest_after: None,
        run: |l, call| scan(l, &call),
    },
    Entry {
        name: "last",
        params: &["x"],
        rest_after: None,
        run: |l, call| {
            let operand = call.arg(0)?;
            if let Value::Tuple(_) = operand.value {
                let mut parts = Vec::new();
                leaves(&operand.value, &mut parts);
                let mut all = Vec::new();
                for part in parts {
                    let node = l.tensor(&part, operand.at)?;
                    all.push(Value::Tensor(last(l, &call, node)?));
                }
                return Some(like(&operand.value, &mut all.into_iter()));
            }
            let x = call.tensor(l, 0)?;
            last(l, &call, x).map(Value::Tensor)
        },
    },
];

fn last<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, x: NodeId) -> Option<NodeId> {
    let ty = l.graph.ty(x).clone();
    if ty.features.is_empty() {
        let shown = l.show(&ty);
        let message =
            format!("`last` takes the last element along the first feature axis, and {shown} has none");
        return l.fail(call.at, message);
    }
    l.mark(call.at, call.word);
    Some(l.graph.last(x))
}

fn scan<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let (f, init, x) = (call.arg(0)?, call.arg(1)?, call.arg(2)?);
    let Value::Function(function) = &f.value else {
        let found = l.describe(&f.value);
        return l.fail(
            f.at,
            format!("`scan(f, init, x)` runs a function over the steps of x, and this is {found}"),
        );
    };
    let reverse = match call.arg(3).map(|operand| (&operand.value, operand.at)) {
        None => false,
        Some((Value::Flag(flag), _)) => *flag,
        Some((other, at)) => {
            let found = l.describe(other);
            return l
                .fail(at, format!("`reverse` is true or false, known at compile time, and this is {found}"));
        }
    };
    let sequences = sequences(l, x)?;
    let first = sequences.first().map(|(_, node)| *node);
    let Some(first) = first else { return l.fail(x.at, "`scan` needs a sequence to run over") };
    let length = l.graph.ty(first).features.first()?.clone();
    for (_, node) in &sequences {
        let other = l.graph.ty(*node).features.first()?.clone();
        if !l.same(&length, &other) {
            let (a, b) = (l.show(&l.graph.ty(first).clone()), l.show(&l.graph.ty(*node).clone()));
            let (m, n) = (l.sizes.show(&length), l.sizes.show(&other));
            return l.fail(
                x.at,
                format!(
                    "the sequences of a `scan` have equally many steps, and {a} has {m} where {b} has {n}"
                ),
            );
        }
    }
    let mut states = Vec::new();
    leaves(&init.value, &mut states);
    let mut hints = hints(&init.value, call.want);
    // Where another number of steps is wanted, that is the mistake, and not the state's shape.
    if let Some(wanted) = call.want.ty().and_then(|ty| ty.features.first()) {
        let (wanted, steps) = (l.sizes.resolve(wanted), l.sizes.resolve(&length));
        if wanted != steps && !l.sizes.is_open(&wanted) && !l.sizes.is_open(&steps) {
            hints.fill(None);
        }
    }
    let turns = Turns {
        what: "`scan`".to_owned(),
        init: states.into_iter().map(|value| Operand { value, ..init.clone() }).collect(),
        hints,
        sequences: sequences.iter().map(|(_, node)| *node).collect(),
        length,
        reverse,
        at: call.at,
    };
    let count = turns.init.len();
    let results = l.turns(&turns, &mut |l, state, slices| {
        let argument = |shape: &Operand<'a>, leaves: &mut dyn Iterator<Item = Value<'a>>| Operand {
            value: like(&shape.value, leaves),
            ..shape.clone()
        };
        let state = argument(init, &mut state.iter().cloned());
        let slice = argument(x, &mut slices.iter().map(|node| Value::Tensor(*node)));
        let next = l.apply(function, vec![state, slice], call.at)?;
        let mut found = Vec::new();
        leaves(&next, &mut found);
        if found.len() != count {
            if !matches!(next, Value::Poison) {
                let (shown, n) = (
                    l.describe(&next),
                    if count == 1 { "one value".to_owned() } else { format!("{count} values") },
                );
                l.report(
                    call.at,
                    format!("the state of this `scan` is {n}, and its function returns {shown}"),
                );
            }
            return None;
        }
        Some(found)
    })?;
    let mut stacks = results.stacked.into_iter().map(Value::Tensor);
    Some(like(&init.value, &mut stacks))
}

/// The sequences, each with a first feature axis to run along.
fn sequences<'a>(l: &mut Lowerer<'a>, x: &Operand<'a>) -> Option<Vec<(Value<'a>, NodeId)>> {
    let mut found = Vec::new();
    leaves(&x.value, &mut found);
    let mut all = Vec::new();
    for value in found {
        let node = l.tensor(&value, x.at)?;
        let ty = l.graph.ty(node).clone();
        if ty.features.is_empty() {
            let shown = l.show(&ty);
            return l.fail(
                x.at,
                format!("`scan` runs along the first feature axis of its sequence, and {shown} has no feature axis"),
            );
        }
        all.push((value, node));
    }
    Some(all)
}
