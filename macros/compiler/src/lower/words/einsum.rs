//! `einsum("bd,kd->bk", x, w)`: any product, summed over the labels that the result lacks.
//!
//! In: labels and values. The first label of a value with rows stands for all of its rows; `...` stands for any
//! feature axes, the same in every value that has it. Out: one `Contract`. Never: rows summed.

use std::collections::BTreeMap;

use super::{Call, Entry};
use crate::graph::{NodeId, Type};
use crate::lower::Lowerer;
use crate::lower::broadcast::Operand;
use crate::lower::value::Value;
use crate::lower::written::counted;
use crate::size::Size;

pub(super) static WORDS: &[Entry] =
    &[Entry { name: "einsum", params: &["labels"], rest_after: Some(1), run: |l, call| einsum(l, &call) }];

/// `...` among the labels.
const ANY: char = '…';

/// The labels as written.
struct Labels {
    inputs: Vec<Vec<char>>,
    output: Vec<char>,
}

impl Labels {
    fn parse(text: &str) -> Result<Self, String> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let Some((inputs, output)) = text.split_once("->") else {
            return Err(format!(
                "\"{text}\" has no `->`: the labels of the result stand behind it, as in \"bd,kd->bk\""
            ));
        };
        let letters = |part: &str| part.replace("...", "…").chars().collect::<Vec<_>>();
        let labels = Labels { inputs: inputs.split(',').map(letters).collect(), output: letters(output) };
        let lists = || labels.inputs.iter().chain([&labels.output]);
        if lists().any(|list| list.iter().filter(|c| **c == ANY).count() > 1) {
            return Err(format!("`...` stands twice for one value in \"{text}\""));
        }
        let strange = lists().flatten().copied().find(|c| !c.is_ascii_alphabetic() && *c != ANY);
        match strange {
            Some(c) => Err(format!("`{c}` in \"{text}\" is not a label: a label is one letter")),
            None => Ok(labels),
        }
    }
}

/// One argument: its node once it has one, and the labels of its features.
struct Factor {
    node: Option<NodeId>,
    rows: bool,
    features: Vec<char>,
}

fn einsum<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    let text = call.arg(0)?;
    let Value::Text(written) = &text.value else {
        let found = l.describe(&text.value);
        return l.fail(
            text.at,
            format!("`einsum` starts with its labels, as in \"bd,kd->bk\", and this is {found}"),
        );
    };
    let labels = match Labels::parse(written) {
        Ok(labels) => labels,
        Err(why) => return l.fail(text.at, why),
    };
    if labels.inputs.len() != call.rest.len() {
        let (has, given) = (labels.inputs.len(), call.rest.len());
        return l.fail(text.at, format!("\"{written}\" has labels for {has} values, and {given} are given"));
    }
    let row = row_label(l, &labels, &call.rest)?;
    let (mut sizes, mut any) = (BTreeMap::new(), None);
    let mut factors = Vec::new();
    for (labels, operand) in labels.inputs.iter().zip(&call.rest) {
        factors.push(factor(l, labels, operand, row, &mut any, &mut sizes)?);
    }
    let labels = spelled_out(l, call, labels, &mut factors, any)?;
    let rows = factors.iter().filter_map(|f| f.node).find(|n| !l.graph.ty(*n).rows.is_empty());
    let rows = rows.map(|n| l.graph.ty(n).rows.clone()).unwrap_or_default();
    let output = result_labels(l, call, &labels, row, &rows)?;
    settle(l, call, &mut factors, &output, &rows, &mut sizes)?;
    contract(l, call, &factors, &output, &rows)
}

/// `…` as that many labels of its own.
fn expanded(labels: &[char], any: usize) -> Vec<char> {
    let own = (0..any as u32).filter_map(|i| char::from_u32(0xE000 + i));
    labels.iter().flat_map(|c| if *c == ANY { own.clone().collect() } else { vec![*c] }).collect()
}

/// Every `…` that is left, once its number of axes is known.
fn spelled_out<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    labels: Labels,
    factors: &mut [Factor],
    any: Option<usize>,
) -> Option<Labels> {
    let waits = factors.iter().any(|f| f.features.contains(&ANY)) || labels.output.contains(&ANY);
    if waits && any.is_none() {
        return l.fail(call.at, "nothing says how many axes `...` stands for here");
    }
    let any = any.unwrap_or(0);
    factors.iter_mut().for_each(|f| f.features = expanded(&f.features, any));
    let inputs = labels.inputs.iter().map(|list| expanded(list, any)).collect();
    Some(Labels { inputs, output: expanded(&labels.output, any) })
}

/// The label that stands for the rows: the first one of the values that have any. In a function that is used
/// without rows, the one that a value has too many.
fn row_label<'a>(l: &mut Lowerer<'a>, labels: &Labels, operands: &[Operand<'a>]) -> Option<Option<char>> {
    let mut found: Option<char> = None;
    let output = &labels.output;
    let used_without_rows =
        l.frames.last().is_some_and(|f| f.letters.rows.as_ref().is_some_and(Vec::is_empty));
    for (labels, operand) in labels.inputs.iter().zip(operands) {
        let ty = match &operand.value {
            Value::Pending(index) if l.settled(*index).is_none() => continue,
            value => l.tensor(value, operand.at).map(|node| l.graph.ty(node).clone())?,
        };
        let dropped = used_without_rows
            && match labels.contains(&ANY) {
                true => labels.first() == output.first() && labels.len() > 1 && labels.first() != Some(&ANY),
                false => labels.len() == ty.features.len() + 1,
            };
        if ty.rows.is_empty() && !dropped {
            continue;
        }
        let shown = l.show(&ty);
        match (labels.first(), found) {
            (None, _) => {
                return l.fail(
                    operand.at,
                    format!("{shown} has rows: its first label stands for them, and there is none"),
                );
            }
            (Some(first), Some(row)) if *first != row => {
                let message =
                    format!("the rows are labelled `{row}` and, of {shown}, `{first}`: give them one label");
                return l.fail(operand.at, message);
            }
            (Some(first), _) => found = Some(*first),
        }
    }
    Some(found)
}

fn factor<'a>(
    l: &mut Lowerer<'a>,
    labels: &[char],
    operand: &Operand<'a>,
    row: Option<char>,
    any: &mut Option<usize>,
    sizes: &mut BTreeMap<char, Size>,
) -> Option<Factor> {
    let starts_with_rows = row.is_some() && labels.first() == row.as_ref();
    if let Value::Pending(index) = operand.value
        && l.settled(index).is_none()
    {
        let rows = starts_with_rows && !l.is_param(index);
        let features = if starts_with_rows { labels.get(1..).unwrap_or_default() } else { labels };
        return Some(Factor { node: None, rows, features: features.to_vec() });
    }
    let node = l.tensor(&operand.value, operand.at)?;
    let ty = l.graph.ty(node).clone();
    let has_rows = !ty.rows.is_empty();
    // A value without rows may carry the label of the rows: it is repeated over them.
    let has_any = labels.contains(&ANY);
    let drop = has_rows || (starts_with_rows && (has_any || labels.len() == ty.features.len() + 1));
    let features = if drop { labels.get(1..).unwrap_or_default() } else { labels };
    let shown = l.show(&ty);
    let here = (ty.features.len() + 1).saturating_sub(features.len());
    if has_any && *any.get_or_insert(here) != here {
        let before = any.unwrap_or_default();
        return l
            .fail(operand.at, format!("`...` is {here} axes of {shown}, and {before} of a value before"));
    }
    let features = expanded(features, here).as_slice().to_vec();
    let from = l.shape_from(node, &operand.text);
    if features.len() != ty.features.len() {
        let (wish, have) = (labels.len(), ty.features.len() + usize::from(has_rows));
        let message = format!(
            "{} for {shown}, which has {} (rows count as one)\n{from}",
            counted(wish, "label", "labels"),
            counted(have, "axis", "axes")
        );
        return l.fail(operand.at, message.trim_end());
    }
    if let Some(row) = row.filter(|row| features.contains(row)) {
        return l.fail(
            operand.at,
            format!("`{row}` labels the rows, and here a feature axis of {shown}: they differ"),
        );
    }
    for (label, size) in features.iter().zip(&ty.features) {
        let known = sizes.entry(*label).or_insert_with(|| size.clone()).clone();
        if !l.same(&known, size) {
            let (known, size) = (l.sizes.show(&known), l.sizes.show(size));
            let message = format!("label `{label}` is {known} before and {size} here, in {shown}\n{from}");
            return l.fail(operand.at, message.trim_end());
        }
    }
    Some(Factor { node: Some(node), rows: has_rows, features: features.to_vec() })
}

/// The labels of the result's features.
fn result_labels<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    labels: &Labels,
    row: Option<char>,
    rows: &[Size],
) -> Option<Vec<char>> {
    let output = labels.output.as_slice();
    let features = match row {
        Some(row) if output.first() == Some(&row) => output.get(1..).unwrap_or_default(),
        Some(row) if !rows.is_empty() => {
            return l.fail(
                call.at,
                format!(
                    "`{row}` labels the rows, so the result starts with it too: rows are never summed or moved. \
                     `batch(x)` makes the batch an ordinary axis"
                ),
            );
        }
        _ => output,
    };
    for (i, label) in features.iter().enumerate() {
        if features.iter().skip(i + 1).any(|other| other == label) {
            return l.fail(call.at, format!("label `{label}` stands twice in the result"));
        }
        if Some(*label) == row || !labels.inputs.iter().flatten().any(|other| other == label) {
            return l.fail(
                call.at,
                format!("label `{label}` of the result labels no feature axis of an argument"),
            );
        }
    }
    Some(features.to_vec())
}

/// Placeholders take the sizes of their labels; a label that nothing else has takes what is wanted, or waits.
fn settle<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    factors: &mut [Factor],
    output: &[char],
    rows: &[Size],
    sizes: &mut BTreeMap<char, Size>,
) -> Option<()> {
    if let Some(wanted) = call.want.ty().filter(|ty| ty.features.len() == output.len()) {
        for (label, size) in output.iter().zip(&wanted.features) {
            sizes.entry(*label).or_insert_with(|| size.clone());
        }
    }
    for (factor, operand) in factors.iter_mut().zip(&call.rest) {
        let (None, Value::Pending(index)) = (factor.node, &operand.value) else { continue };
        let features = factor
            .features
            .iter()
            .map(|label| sizes.entry(*label).or_insert_with(|| l.sizes.unknown(&label.to_string())).clone());
        let features = features.collect();
        let rows = if factor.rows { rows.to_vec() } else { vec![] };
        factor.node = Some(l.settle(*index, &Type { rows, features })?);
    }
    Some(())
}

fn contract<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    factors: &[Factor],
    output: &[char],
    rows: &[Size],
) -> Option<Value<'a>> {
    let count = u32::try_from(rows.len()).ok()?;
    let row_labels: Vec<u32> = (0..count).collect();
    let number = |label: &char| count + u32::from(*label);
    let numbered = |has_rows: bool, features: &[char]| {
        let rows = if has_rows { row_labels.as_slice() } else { &[] };
        rows.iter().copied().chain(features.iter().map(number)).collect::<Vec<u32>>()
    };
    let mut args = Vec::new();
    for factor in factors {
        args.push(factor.node?);
    }
    let inputs = factors.iter().map(|f| numbered(f.rows, &f.features)).collect();
    // Row axes of different values are the same rows.
    for (factor, operand) in factors.iter().zip(&call.rest) {
        let own = l.graph.ty(factor.node?).rows.clone();
        if factor.rows && l.same_list(&own, rows).is_err() {
            return l.fail(operand.at, "the rows of these values differ: `repeat(x, n)` adds a row axis");
        }
    }
    l.mark(call.at, call.word);
    let output = numbered(!rows.is_empty(), output);
    Some(Value::Tensor(l.graph.contract(inputs, &args, output, rows.len())))
}
