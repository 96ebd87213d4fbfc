//! The words of the language: what each one makes of its arguments.
//!
//! In: a word and evaluated arguments. Out: a value. Never: a name looked up, a type that was not checked.
//! Element-wise rows need no entry here: the table in `ops` is enough.

mod derive;
mod einsum;
mod index;
mod make;
mod parts;
mod reduce;
mod scan;
mod shape;
mod slide;
mod state;

use super::arguments::{Parameter, arrange};
use super::broadcast::Operand;
use super::expr::{Hint, Want};
use super::value::Value;
use super::{At, Lowerer};
use crate::ast::{Argument, Name};
use crate::graph::{NodeId, Type};
use crate::ops::Row;
use crate::size::Size;
use crate::words::WORDS;

/// No axis is longer.
const LONGEST: usize = 1 << 40;

/// Words that move values without computing, and so take positions as well as numbers.
const WITH_INDEX: &[&str] = &[
    "gather",
    "one_hot",
    "number",
    "reshape",
    "flatten",
    "squeeze",
    "unsqueeze",
    "expand_like",
    "permute",
    "transpose",
    "slice",
    "concat",
    "repeat",
    "batch",
    "stop_gradient",
    "exact",
    "inspect",
    "normal_like",
    "uniform_like",
];

/// A word: its name, what it takes, what it does.
struct Entry {
    name: &'static str,
    /// The names of the arguments; those that may be left out end with `?`.
    params: &'static [&'static str],
    /// Whether any number of further arguments may follow without a name, and after how many.
    rest_after: Option<usize>,
    run: for<'a> fn(&mut Lowerer<'a>, Call<'a, '_>) -> Option<Value<'a>>,
}

/// A call of a word.
struct Call<'a, 'w> {
    word: &'static str,
    at: At,
    /// By position in `Entry::params`.
    args: Vec<Option<Operand<'a>>>,
    rest: Vec<Operand<'a>>,
    want: &'w Want<'a>,
}

static GROUPS: &[&[Entry]] = &[
    reduce::WORDS,
    shape::WORDS,
    parts::WORDS,
    slide::WORDS,
    einsum::WORDS,
    make::WORDS,
    index::WORDS,
    derive::WORDS,
    scan::WORDS,
    state::WORDS,
];

fn entry(name: &str) -> Option<&'static Entry> {
    GROUPS.iter().copied().flatten().find(|entry| entry.name == name)
}

/// A word called as written.
pub(super) fn call<'a>(
    lowerer: &mut Lowerer<'a>,
    word: &'a str,
    args: &'a [Argument],
    at: At,
    want: &Want<'a>,
) -> Option<Value<'a>> {
    // What is wanted of the whole is wanted of the arguments where the shape passes through.
    let same_shape = Row::named(word).is_some()
        || ["stop_gradient", "straight_through", "exact", "inspect"].contains(&word);
    let inner = if same_shape { Want::hint(want.hint.clone()) } else { Want::default() };
    // The last element of a sequence has all its axes but the first.
    let inner = match (word, want.ty()) {
        ("last", Some(ty)) => {
            let length = lowerer.sizes.unknown("?");
            Want::hint(Hint::Type(ty.along(&length)))
        }
        _ => inner,
    };
    let mut operands = Vec::with_capacity(args.len());
    for arg in args {
        let value = lowerer.eval(&arg.value, &inner);
        operands.push((arg.name.as_ref(), Operand::of(value, &arg.value)));
    }
    dispatch(lowerer, word, operands, at, want)
}

/// A word called as a value, as in `grad(square, x)`.
pub(super) fn apply<'a>(
    lowerer: &mut Lowerer<'a>,
    word: &'a str,
    given: Vec<Operand<'a>>,
    at: At,
) -> Option<Value<'a>> {
    let operands = given.into_iter().map(|operand| (None, operand)).collect();
    dispatch(lowerer, word, operands, at, &Want::default())
}

fn dispatch<'a>(
    lowerer: &mut Lowerer<'a>,
    word: &'a str,
    operands: Vec<(Option<&Name>, Operand<'a>)>,
    at: At,
    want: &Want<'a>,
) -> Option<Value<'a>> {
    let unnamed = operands.iter().filter(|(name, _)| name.is_none()).count();
    let row = Row::named(word);
    // `max(x)` reduces, `max(a, b)` is a row.
    match (entry(word), row) {
        (Some(entry), row) if row.is_none_or(|row| unnamed < row.arity) => {
            let call = arranged(lowerer, entry, operands, at, want)?;
            if call.args.iter().flatten().chain(&call.rest).any(|o| matches!(o.value, Value::Poison)) {
                return None;
            }
            if !WITH_INDEX.contains(&entry.name) {
                let given: Vec<_> = call.args.iter().flatten().chain(&call.rest).cloned().collect();
                lowerer.numbers_only(word, &given)?;
            }
            let first = lowerer.graph.nodes.len();
            let value = (entry.run)(lowerer, call);
            lowerer.word_of_an_optimizer(word, first, at)?;
            value
        }
        (_, Some(row)) => {
            const NAMES: [&str; 3] = ["a", "b", "c"];
            let params: Vec<_> =
                NAMES.iter().take(row.arity).map(|name| Parameter { name, optional: false }).collect();
            let signature = format!("{word}({})", NAMES.get(..row.arity).unwrap_or_default().join(", "));
            let names = spelled(&operands);
            match arrange(&params, &names, word, &signature) {
                Ok(places) => {
                    let ordered = places.into_iter().map(|place| Some(operands.get(place?)?.1.clone()));
                    let ordered = ordered.collect::<Option<Vec<_>>>()?;
                    lowerer.element_wise(word, word, &ordered, at, want)
                }
                Err(mistakes) => complain(lowerer, mistakes, &operands, at),
            }
        }
        (None, None) | (Some(_), None) => lowerer
            .fail(at, format!("`{word}` is a word of the language that this version does not have yet")),
    }
}

fn arranged<'a, 'w>(
    lowerer: &mut Lowerer<'a>,
    entry: &Entry,
    operands: Vec<(Option<&Name>, Operand<'a>)>,
    at: At,
    want: &'w Want<'a>,
) -> Option<Call<'a, 'w>> {
    let params: Vec<_> = entry
        .params
        .iter()
        .map(|name| Parameter { name: name.trim_end_matches('?'), optional: name.ends_with('?') })
        .collect();
    let mut positional = 0;
    let (mut fixed, mut rest) = (Vec::new(), Vec::new());
    for (name, operand) in operands {
        positional += usize::from(name.is_none());
        match entry.rest_after {
            Some(after) if name.is_none() && positional > after => rest.push(operand),
            _ => fixed.push((name, operand)),
        }
    }
    let signature =
        WORDS.iter().find(|word| word.name == entry.name).map_or(entry.name, |word| word.signature);
    let names = spelled(&fixed);
    match arrange(&params, &names, entry.name, signature) {
        Ok(places) => {
            let args = places.into_iter().map(|place| Some(fixed.get(place?)?.1.clone())).collect();
            Some(Call { word: entry.name, at, args, rest, want })
        }
        Err(mistakes) => complain(lowerer, mistakes, &fixed, at),
    }
}

fn complain<'a, T>(
    lowerer: &mut Lowerer<'a>,
    mistakes: Vec<super::arguments::Mistake>,
    operands: &[(Option<&Name>, Operand<'a>)],
    at: At,
) -> Option<T> {
    for (position, text) in mistakes {
        let operand = position.and_then(|position| operands.get(position));
        let text = text.replace("It is declared as", "It is written");
        let at = operand.map_or(at, |(name, operand)| At {
            span: name.map_or(operand.at.span, |name| name.span),
            ..operand.at
        });
        lowerer.report(at, text);
    }
    None
}

/// The names that stand before arguments.
fn spelled<'n>(operands: &[(Option<&'n Name>, Operand<'_>)]) -> Vec<Option<&'n str>> {
    operands.iter().map(|(name, _)| name.map(|name| name.text.as_str())).collect()
}

impl<'a> Call<'a, '_> {
    /// Argument `index`, where it is given.
    fn arg(&self, index: usize) -> Option<&Operand<'a>> {
        self.args.get(index)?.as_ref()
    }

    /// Argument `index` as a node. None where it is none, which is reported.
    fn tensor(&self, lowerer: &mut Lowerer<'a>, index: usize) -> Option<NodeId> {
        let operand = self.arg(index)?;
        lowerer.tensor(&operand.value, operand.at)
    }

    /// The axis of the graph that `axis = k` means: features count from 1, `rows` is the last added row axis.
    fn axis(&self, lowerer: &mut Lowerer<'a>, axis: &Value<'a>, ty: &Type, at: At) -> Option<usize> {
        let (rows, features) = (ty.rows.len(), ty.features.len());
        match (axis, axis.integer()) {
            (Value::Poison, _) => None,
            (Value::Rows, _) if rows > 1 => Some(rows - 1),
            (Value::Rows, _) => {
                let shown = lowerer.show(ty);
                lowerer.fail(
                    at,
                    format!(
                        "`axis = rows` is the row axis that `repeat` added last, and {shown} has none. \
                         `batch_mean(x)` is the mean over the batch"
                    ),
                )
            }
            (_, Some(k)) => match usize::try_from(k).ok().filter(|k| (1..=features).contains(k)) {
                Some(k) => Some(rows + k - 1),
                None => {
                    let shown = lowerer.show(ty);
                    let range = match features {
                        0 => "no feature axes".to_owned(),
                        1 => "axis 1 alone".to_owned(),
                        n => format!("axes 1 to {n}"),
                    };
                    lowerer.fail(
                        at,
                        format!("feature axes count from 1, after the rows: {shown} has {range}, not {k}"),
                    )
                }
            },
            (other, None) => {
                let found = lowerer.describe(other);
                lowerer
                    .fail(at, format!("`axis` is an integer, a tuple of them or `rows`, and this is {found}"))
            }
        }
    }

    /// The axes that `axis = …` means, ascending; all features where it is left out.
    fn axes(&self, lowerer: &mut Lowerer<'a>, index: usize, ty: &Type) -> Option<Vec<usize>> {
        let Some(operand) = self.arg(index) else {
            return Some((ty.rows.len()..ty.rank()).collect());
        };
        let mut axes = match &operand.value {
            Value::Tuple(values) => {
                values.iter().map(|v| self.axis(lowerer, v, ty, operand.at)).collect::<Option<Vec<_>>>()?
            }
            value => vec![self.axis(lowerer, value, ty, operand.at)?],
        };
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair.first() == pair.last()) {
            return lowerer.fail(operand.at, "an axis stands here twice");
        }
        Some(axes)
    }

    /// Argument `index` as an integer known now.
    fn integer(&self, lowerer: &mut Lowerer<'a>, index: usize, what: &str) -> Option<i64> {
        let operand = self.arg(index)?;
        match operand.value.integer() {
            Some(n) => Some(n),
            None => {
                let found = lowerer.describe(&operand.value);
                lowerer.fail(
                    operand.at,
                    format!("{what} is an integer known at compile time, and this is {found}"),
                )
            }
        }
    }

    /// Argument `index` as a size of at least 1, perhaps with symbols.
    fn size(&self, lowerer: &mut Lowerer<'a>, index: usize, what: &str) -> Option<Size> {
        let operand = self.arg(index)?;
        match operand.value.size() {
            Some(size) if size.symbols().next().is_some() => Some(size),
            Some(size) if size.value().is_some_and(|n| (1..LONGEST).contains(&n)) => Some(size),
            _ => {
                let found = lowerer.describe(&operand.value);
                lowerer.fail(operand.at, format!("{what} is an integer of 1 or more, and this is {found}"))
            }
        }
    }

    /// Argument `index` as a number known now.
    fn number(&self, lowerer: &mut Lowerer<'a>, index: usize, what: &str) -> Option<f64> {
        let operand = self.arg(index)?;
        match &operand.value {
            Value::Number(n, _) => Some(*n),
            other => {
                let found = lowerer.describe(other);
                lowerer.fail(
                    operand.at,
                    format!("{what} is a number known at compile time, and this is {found}"),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_here_or_is_a_row() {
        for word in WORDS.iter().filter(|word| word.name != "rows") {
            assert!(
                entry(word.name).is_some() || Row::named(word.name).is_some(),
                "`{}` does nothing",
                word.name
            );
        }
        for entry in GROUPS.iter().copied().flatten() {
            assert!(WORDS.iter().any(|word| word.name == entry.name), "`{}` is not a word", entry.name);
        }
    }
}
