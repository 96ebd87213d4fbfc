//! Words that make values: parameters, constants, random numbers, initialisers.
//!
//! In: at most a number or a value to be like. Out: placeholders, whose shape comes from their use, and
//! draws. Never: a shape chosen here; two calls that share a random site.

use super::{Call, Entry};
use crate::graph::{Distribution, Initial};
use crate::lower::Lowerer;
use crate::lower::networks::INITIALISERS;
use crate::lower::pending::What;
use crate::lower::value::{Function, Value};

const fn entry(name: &'static str, params: &'static [&'static str], run: Run) -> Entry {
    Entry { name, params, rest_after: None, run }
}

type Run = for<'a> fn(&mut Lowerer<'a>, Call<'a, '_>) -> Option<Value<'a>>;

pub(super) static WORDS: &[Entry] = &[
    entry("param", &["initial"], |l, call| made(l, &call, "parameter")),
    entry("state", &["initial"], |l, call| made(l, &call, "state")),
    entry("zeros", &[], |l, call| Some(l.placeholder(What::Fill(0.0), "zeros", call.at, call.want.name()))),
    entry("ones", &[], |l, call| Some(l.placeholder(What::Fill(1.0), "ones", call.at, call.want.name()))),
    entry("constant", &["value"], |l, call| {
        let value = call.number(l, 0, "`constant`")?;
        Some(l.placeholder(What::Fill(value), "constant", call.at, call.want.name()))
    }),
    entry("identity", &[], |l, call| Some(l.placeholder(What::Delta, "identity", call.at, call.want.name()))),
    entry("normal", &[], |l, call| Some(waiting(l, &call, Distribution::Normal, "normal"))),
    entry("uniform", &[], |l, call| Some(waiting(l, &call, Distribution::Uniform, "uniform"))),
    entry("normal_like", &["x"], |l, call| like(l, &call, Distribution::Normal)),
    entry("uniform_like", &["x"], |l, call| like(l, &call, Distribution::Uniform)),
    entry("bernoulli", &["p"], |l, call| {
        let p = call.tensor(l, 0)?;
        l.mark(call.at, call.word);
        if l.graph.ty(p).rank() == 0 {
            return Some(l.placeholder(What::Bernoulli(p), "bernoulli", call.at, call.want.name()));
        }
        Some(Value::Tensor(l.draw(p)))
    }),
    entry("kaiming", &[], |_, _| Some(Value::Initial(Initial::Kaiming))),
    entry("xavier", &[], |_, _| Some(Value::Initial(Initial::Xavier))),
    entry("orthogonal", &[], |_, _| Some(Value::Initial(Initial::Orthogonal))),
    entry("uniform_init", &["bound"], |l, call| {
        Some(Value::Initial(Initial::Uniform(call.number(l, 0, "the bound")?)))
    }),
    entry("normal_init", &["deviation"], |l, call| {
        Some(Value::Initial(Initial::Normal(call.number(l, 0, "the standard deviation")?)))
    }),
    entry("fan_in", &["n"], |l, call| {
        Some(Value::Initial(Initial::FanIn(call.size(l, 0, "the number of inputs of `fan_in`")?)))
    }),
];

/// `param(initial)` or `state(initial)`.
fn made<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, what: &str) -> Option<Value<'a>> {
    let operand = call.arg(0)?;
    if let Some(initial) = l.as_initial(&operand.value) {
        return l.parameter(initial, call.word, call.want.name(), call.at);
    }
    let (word, found) = (call.word, l.describe(&operand.value));
    if let Value::Function(Function::Word(initial)) = operand.value
        && INITIALISERS.contains(&format!("{initial}("))
    {
        let message =
            format!("`{initial}` stands here without its parentheses: write `{word}({initial}(…))`");
        return l.fail(operand.at, message);
    }
    l.fail(
        operand.at,
        format!("`{word}` takes how the {what} starts, and this is {found}; write one of {INITIALISERS}"),
    )
}

fn waiting<'a>(
    l: &mut Lowerer<'a>,
    call: &Call<'a, '_>,
    distribution: Distribution,
    word: &'static str,
) -> Value<'a> {
    l.placeholder(What::Random(distribution), word, call.at, call.want.name())
}

fn like<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, distribution: Distribution) -> Option<Value<'a>> {
    let x = call.tensor(l, 0)?;
    l.mark(call.at, call.word);
    let ty = l.graph.ty(x).clone();
    Some(Value::Tensor(l.graph.random(distribution, ty)))
}
