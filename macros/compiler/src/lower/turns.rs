//! Loops over steps: `scan`, and `for` loops that are too long to unroll.
//!
//! In: first values of a state, sequences, and what a step makes of them. Out: a scan, and the state's type, which
//! is that of what a step makes. Never: a step that is lowered for good before its types are known; trials leave
//! nothing behind, so parameters are made once.

use super::broadcast::Operand;
use super::expr::{Hint, Want};
use super::pending::What;
use super::value::Value;
use super::{At, Lowerer};
use crate::graph::{Kind, NodeId, Type};
use crate::scan::{Carry, Recurrence, Results, Sequence, build, crossing, place};
use crate::size::Size;

/// The most trials: each can only add rows or axes to the state.
const TRIALS: usize = 5;

/// What a step is of.
pub(super) struct Turns<'a> {
    /// `scan`, or the loop in words.
    pub what: String,
    /// The state's first values, without tuples.
    pub init: Vec<Operand<'a>>,
    /// The state's types, where something says them.
    pub hints: Vec<Option<Type>>,
    /// Whole sequences.
    pub sequences: Vec<NodeId>,
    /// The number of steps.
    pub length: Size,
    /// Whether the last element comes first.
    pub reverse: bool,
    /// Where it stands.
    pub at: At,
}

/// Runs a step on the values of its state and its slices; the next state.
pub(super) type Step<'a, 's> =
    &'s mut dyn FnMut(&mut Lowerer<'a>, &[Value<'a>], &[NodeId]) -> Option<Vec<Value<'a>>>;

impl<'a> Lowerer<'a> {
    /// The loop, and the types of its state.
    pub(super) fn turns(&mut self, this: &Turns<'a>, step: Step<'a, '_>) -> Option<Results> {
        self.numbers_only("what passes from step to step", &this.init)?;
        let mut types = self.first_types(this);
        for _ in 0..TRIALS {
            let Some(found) = self.trial(this, &types, step) else {
                // A state that nothing has fixed may be like a slice; else the mistake is a real one.
                if types.iter().all(Option::is_some) {
                    break;
                }
                let like = this.sequences.first().map(|whole| self.slice_type(*whole));
                types = types.into_iter().map(|ty| ty.or_else(|| like.clone())).collect();
                if types.iter().any(Option::is_none) {
                    break;
                }
                continue;
            };
            let wider = self.widened(&types, &found);
            if wider == types {
                break;
            }
            types = wider;
        }
        self.final_step(this, types, step)
    }

    fn first_types(&mut self, this: &Turns<'a>) -> Vec<Option<Type>> {
        let init = this.init.iter().zip(&this.hints);
        init.map(|(init, hint)| match (&init.value, hint) {
            (Value::Tensor(node), hint) if self.graph.ty(*node).rank() > 0 || hint.is_none() => {
                Some(self.graph.ty(*node).clone())
            }
            (Value::Pending(index), None) => self.settled(*index).map(|node| self.graph.ty(node).clone()),
            (Value::Number(..), None) => Some(Type::scalar()),
            (_, hint) => hint.clone(),
        })
        .collect()
    }

    fn slice_type(&self, whole: NodeId) -> Type {
        let ty = self.resolved(self.graph.ty(whole));
        Type { rows: ty.rows, features: ty.features.get(1..).unwrap_or_default().to_vec() }
    }

    /// One step on this state, and on a place for a slice of each sequence: these places, and what the step makes.
    fn one_step(
        &mut self,
        this: &Turns<'a>,
        state: &[Value<'a>],
        step: Step<'a, '_>,
    ) -> (Vec<NodeId>, Option<Vec<Value<'a>>>) {
        let mut slices = Vec::with_capacity(this.sequences.len());
        for whole in &this.sequences {
            let ty = self.slice_type(*whole);
            slices.push(place(&mut self.graph, &ty));
        }
        self.in_step += 1;
        let next = step(self, state, &slices);
        self.in_step -= 1;
        (slices, next)
    }

    /// The types that a step makes of these; none where it has a mistake.
    fn trial(&mut self, this: &Turns<'a>, types: &[Option<Type>], step: Step<'a, '_>) -> Option<Vec<Type>> {
        let saved = self.save();
        let errors = self.errors.0.len();
        let places: Vec<Value<'a>> = types
            .iter()
            .zip(&this.init)
            .map(|(ty, init)| match ty {
                Some(ty) => Value::Tensor(place(&mut self.graph, ty)),
                None => self.placeholder(What::State, "zeros", init.at, None),
            })
            .collect();
        let (_, next) = self.one_step(this, &places, step);
        let mut found = Vec::new();
        for (at, value) in next.into_iter().flatten().enumerate() {
            let node = match value {
                Value::Tensor(node) => Some(node),
                Value::Number(n, _) => Some(self.graph.number(n)),
                Value::Size(size) => Some(self.size_node(&size)),
                // What takes any shape takes the state's.
                Value::Pending(index) => self.settled(index).or(match places.get(at) {
                    Some(Value::Tensor(place)) => Some(*place),
                    Some(Value::Pending(state)) => self.settled(*state),
                    _ => None,
                }),
                _ => None,
            };
            found.extend(node.map(|node| self.resolved(self.graph.ty(node))));
        }
        let good = self.errors.0.len() == errors && found.len() == this.init.len();
        let open = found.iter().any(|ty| ty.shape().iter().any(|size| self.sizes.is_open(size)));
        self.restore(saved);
        // An unknown of the trial means nothing outside it.
        (good && !open).then_some(found)
    }

    /// The state's types, with the rows and axes that a step adds: a single number repeats to any type, and what has
    /// no rows to rows.
    fn widened(&self, types: &[Option<Type>], found: &[Type]) -> Vec<Option<Type>> {
        let wider = types.iter().zip(found).map(|(ty, found)| match ty {
            Some(ty) if ty.rank() > 0 => {
                let rows = if ty.rows.is_empty() { found.rows.clone() } else { ty.rows.clone() };
                Type { rows, features: ty.features.clone() }
            }
            _ => found.clone(),
        });
        wider.map(Some).collect()
    }

    fn final_step(
        &mut self,
        this: &Turns<'a>,
        types: Vec<Option<Type>>,
        step: Step<'a, '_>,
    ) -> Option<Results> {
        let mut init = Vec::new();
        for (operand, ty) in this.init.iter().zip(&types) {
            let Some(ty) = ty else {
                if let Value::Pending(index) = operand.value {
                    self.lost(index);
                }
                return None;
            };
            let node = match &operand.value {
                Value::Pending(index) => self.settle(*index, ty)?,
                value => self.tensor(value, operand.at)?,
            };
            let Some(node) = self.repeat_to(node, ty) else {
                let (found, wanted) = (self.show(self.graph.ty(node)), self.show(ty));
                let what = &this.what;
                return self
                    .fail(operand.at, format!("{what} starts with {found}, where its step makes {wanted}"));
            };
            init.push(node);
        }
        let pending = self.pending.len();
        let first = NodeId(self.graph.nodes.len() as u32);
        let places: Vec<NodeId> = init
            .iter()
            .map(|node| {
                let ty = self.graph.ty(*node).clone();
                place(&mut self.graph, &ty)
            })
            .collect();
        let state: Vec<Value<'a>> = places.iter().map(|node| Value::Tensor(*node)).collect();
        let (slices, next) = self.one_step(this, &state, step);
        let next = next?;
        let mut carries = Vec::new();
        for ((place, init), value) in places.iter().zip(&init).zip(next) {
            let ty = self.resolved(self.graph.ty(*place));
            let node = match value {
                Value::Pending(index) => self.settle(index, &ty)?,
                value => self.tensor(&value, this.at)?,
            };
            let found = self.resolved(self.graph.ty(node));
            let alike = found.rows.len() <= ty.rows.len()
                && (found.rank() == 0
                    || self.same_list(&found.features, &ty.features).is_ok()
                        && (found.rows.is_empty() || self.same_list(&found.rows, &ty.rows).is_ok()));
            let next = if alike { self.repeat_to(node, &ty) } else { None };
            let Some(next) = next else {
                let (before, after) = (self.show(&ty), self.show(&found));
                let what = &this.what;
                let message = format!(
                    "the state of {what} keeps its shape from step to step, and here it is {before} before a step \
                     and {after} after it"
                );
                return self.fail(this.at, message);
            };
            carries.push(Carry { place: *place, init: *init, next });
        }
        let whole = this.sequences.iter().zip(&slices);
        let sequences = whole.map(|(whole, place)| Sequence { place: *place, whole: *whole }).collect();
        // What a placeholder from outside became is drawn once, not in every step.
        let outside = (0..pending).filter_map(|index| self.settled(index)).filter(|node| *node >= first);
        let fixed = outside.filter(|n| matches!(self.graph.node(*n).kind, Kind::Random { .. })).collect();
        let (length, reverse) = (self.sizes.resolve(&this.length), this.reverse);
        let recurrence = Recurrence { carries, sequences, outputs: vec![], length, reverse, first, fixed };
        if let Some(node) = crossing(&self.graph, &recurrence) {
            let label = self.graph.node(node).origin.label.clone();
            let at = if label.is_empty() { String::new() } else { format!(" (at `{label}`)") };
            let what = &this.what;
            let message = format!(
                "a step of {what} cannot let the rows of the batch meet{at}: each row has a state of its own. What \
                 crosses the batch stands before {what} or after it"
            );
            return self.fail(this.at, message);
        }
        self.mark(this.at, "scan");
        let results = build(&mut self.graph, &recurrence);
        Some(results)
    }
}

/// The leaves of a value with tuples in it.
pub(super) fn leaves<'a>(value: &Value<'a>, found: &mut Vec<Value<'a>>) {
    match value {
        Value::Tuple(values) => values.iter().for_each(|value| leaves(value, found)),
        value => found.push(value.clone()),
    }
}

/// A value like another one, with other leaves.
pub(super) fn like<'a>(value: &Value<'a>, leaves: &mut dyn Iterator<Item = Value<'a>>) -> Value<'a> {
    match value {
        Value::Tuple(values) => {
            let values: Vec<Value<'a>> = values.iter().map(|value| like(value, leaves)).collect();
            Value::Tuple(values.into())
        }
        _ => leaves.next().unwrap_or(Value::Poison),
    }
}

/// What is wanted of each leaf of a stack.
pub(super) fn hints<'a>(value: &Value<'a>, want: &Want<'a>) -> Vec<Option<Type>> {
    fn of<'a>(value: &Value<'a>, hint: Option<&Hint>, found: &mut Vec<Option<Type>>) {
        match (value, hint) {
            (Value::Tuple(values), hint) => values.iter().enumerate().for_each(|(i, value)| {
                let part = match hint {
                    Some(Hint::Tuple(hints)) => hints.get(i),
                    _ => None,
                };
                of(value, part, found);
            }),
            (_, Some(Hint::Type(ty))) => found.push(
                ty.features
                    .split_first()
                    .map(|(_, rest)| Type { rows: ty.rows.clone(), features: rest.to_vec() }),
            ),
            _ => found.push(None),
        }
    }
    let mut found = Vec::new();
    of(value, Some(&want.hint), &mut found);
    found
}
