//! Words about derivatives, the mode, and looking inside.
//!
//! In: functions and values. Out: derivatives as ordinary values of the graph, which can be differentiated
//! again. Never: a derivative that flows into what a closure captured: the argument is cut first.

use super::{Call, Entry};
use crate::autodiff;
use crate::graph::{NodeId, Output, Role};
use crate::lower::broadcast::Operand;
use crate::lower::value::Value;
use crate::lower::{Lowerer, Mode};

const fn entry(name: &'static str, params: &'static [&'static str], run: Run) -> Entry {
    Entry { name, params, rest_after: None, run }
}

type Run = for<'a> fn(&mut Lowerer<'a>, Call<'a, '_>) -> Option<Value<'a>>;

pub(super) static WORDS: &[Entry] = &[
    entry("grad", &["f", "x"], |l, call| grad(l, &call)),
    entry("jacobian", &["f", "x"], |l, call| {
        let (cut, y) = at_cut(l, &call)?;
        l.mark(call.at, call.word);
        let (x_ty, y_ty) = (l.graph.ty(cut).clone(), l.graph.ty(y).clone());
        let derivative = match x_ty.rows == y_ty.rows {
            true => autodiff::jacobian(&mut l.graph, y, cut).map_err(|why| format!(": {why}")),
            false => {
                let (x, y) = (l.show(&x_ty), l.show(&y_ty));
                let message = format!(
                    "`jacobian` is taken row by row, and this function has other rows than its argument: it turns {x} into {y}"
                );
                return l.fail(call.at, message);
            }
        };
        match derivative {
            Ok(node) => Some(Value::Tensor(node)),
            Err(why) => l.fail(
                call.at,
                format!(
                    "`jacobian` is taken row by row, so its function cannot cross the rows of the batch{why}"
                ),
            ),
        }
    }),
    entry("jvp", &["f", "x", "v"], |l, call| {
        let (cut, y) = at_cut(l, &call)?;
        let along = direction(l, &call, cut)?;
        l.mark(call.at, call.word);
        Some(Value::Tensor(autodiff::jvp(&mut l.graph, y, cut, along)))
    }),
    entry("hvp", &["f", "x", "v"], |l, call| {
        let (cut, slope) = slope(l, &call)?;
        let along = direction(l, &call, cut)?;
        l.mark(call.at, call.word);
        // The Hessian is symmetric, so its product is the pull-back of `v` through the gradient.
        let product = autodiff::vjp(&mut l.graph, slope, along, &[cut]);
        product.first().copied().map(Value::Tensor)
    }),
    entry("stop_gradient", &["x"], |l, call| {
        let x = match (&call.arg(0)?.value, call.want.ty()) {
            (Value::Pending(index), Some(ty)) => l.settle(*index, &ty.clone())?,
            _ => call.tensor(l, 0)?,
        };
        l.mark(call.at, call.word);
        let node = l.graph.stop_gradient(x);
        if let Some(from) = l.shaped_by.get(&x).cloned() {
            l.shaped_by.insert(node, from);
        }
        Some(Value::Tensor(node))
    }),
    entry("straight_through", &["q", "x"], |l, call| {
        // stop(q) + (x − stop(x)): exactly q for every finite x, with the derivative of x.
        let operands = [call.arg(0)?.clone(), call.arg(1)?.clone()];
        let nodes = l.together(call.word, &operands, call.at, call.want)?;
        let [q, x] = nodes.as_slice() else { return None };
        l.mark(call.at, call.word);
        let (value, still) = (l.graph.stop_gradient(*q), l.graph.stop_gradient(*x));
        let slope = l.graph.sub(*x, still);
        Some(Value::Tensor(l.graph.add(value, slope)))
    }),
    entry("exact", &["x"], |l, call| call.tensor(l, 0).map(Value::Tensor)),
    entry("inspect", &["name", "x"], |l, call| {
        let operand = call.arg(0)?;
        let Value::Text(name) = &operand.value else {
            let found = l.describe(&operand.value);
            return l
                .fail(operand.at, format!("`inspect(\"name\", x)` starts with a name, and this is {found}"));
        };
        let (name, x) = (name.to_string(), call.tensor(l, 1)?);
        if l.in_step > 0 {
            let message = format!(
                "`inspect` shows a value once, and this one is made in every step of a loop: make it part of the \
                 state, and write `inspect(\"{name}\", …)` after the loop"
            );
            return l.fail(call.at, message);
        }
        l.graph.outputs.push(Output { role: Role::Inspect(name), node: x });
        Some(Value::Tensor(x))
    }),
    entry("training", &[], |l, _| {
        l.asked_mode = true;
        Some(Value::Flag(l.mode == Mode::Train))
    }),
];

/// The cut at which `f` is differentiated, and `f` there.
fn at_cut<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<(NodeId, NodeId)> {
    let f = call.arg(0)?;
    let Value::Function(function) = &f.value else {
        let (word, found) = (call.word, l.describe(&f.value));
        return l.fail(f.at, format!("`{word}(f, x)` differentiates a function, and this is {found}"));
    };
    let x = call.tensor(l, 1)?;
    l.mark(call.at, call.word);
    let cut = l.graph.identity(x);
    if let Some(from) = l.shaped_by.get(&x).cloned() {
        l.shaped_by.insert(cut, from);
    }
    let argument = Operand { value: Value::Tensor(cut), ..call.arg(1)?.clone() };
    let outer = l.derivative.replace(call.word);
    let value = l.apply(function, vec![argument], call.at);
    l.derivative = outer;
    match value? {
        value @ Value::Tuple(_) => {
            let (word, found) = (call.word, l.describe(&value));
            l.fail(
                call.at,
                format!("`{word}` differentiates one value, and this function returns {found}: `|x| {{ let (a, _) = f(x); a }}` picks one"),
            )
        }
        value => {
            let y = l.tensor(&value, call.at)?;
            if l.graph.is_index(y) {
                let (word, found) = (call.word, l.show_node(y));
                let message =
                    format!("`{word}`: positions have no derivative, and this function returns {found}");
                return l.fail(call.at, message);
            }
            Some((cut, y))
        }
    }
}

fn grad<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<Value<'a>> {
    slope(l, call).map(|(_, slope)| Value::Tensor(slope))
}

/// The cut, and the gradient there.
fn slope<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>) -> Option<(NodeId, NodeId)> {
    let word = call.word;
    let (cut, y) = at_cut(l, call)?;
    let (x_ty, y_ty) = (l.graph.ty(cut).clone(), l.graph.ty(y).clone());
    let (x, found) = (l.show(&x_ty), l.show(&y_ty));
    if !y_ty.features.is_empty() {
        return l.fail(
            call.at,
            format!("`{word}` differentiates one value per row, and this function returns {found}: reduce its features, as in `|x| sum(f(x))`, or take `jacobian`"),
        );
    }
    if x_ty.rows.is_empty() && !y_ty.rows.is_empty() {
        return l.fail(
            call.at,
            format!("{x} has no rows, so `{word}` needs a function to `Scalar`, and this one returns {found}: `batch_mean(…)` is the mean over the rows"),
        );
    }
    l.mark(call.at, call.word);
    let seed = l.graph.full_like(1.0, y);
    let gradient = autodiff::vjp(&mut l.graph, y, seed, &[cut]);
    Some((cut, *gradient.first()?))
}

/// The third argument, in the type of the value at the cut.
fn direction<'a>(l: &mut Lowerer<'a>, call: &Call<'a, '_>, cut: NodeId) -> Option<NodeId> {
    let operand = call.arg(2)?;
    let ty = l.graph.ty(cut).clone();
    let along = match operand.value {
        Value::Pending(index) => l.settle(index, &ty)?,
        _ => call.tensor(l, 2)?,
    };
    let found = l.graph.ty(along).clone();
    let fits =
        l.same_list(&ty.rows, &found.rows).is_ok() && l.same_list(&ty.features, &found.features).is_ok();
    let fitting = if fits { Some(along) } else { l.repeat_to(along, &ty) };
    fitting.or_else(|| {
        let (word, x, v, from) = (call.word, l.show(&ty), l.show(&found), l.shape_from(cut, ""));
        l.fail(
            operand.at,
            format!("`{word}` goes from {x} along a direction of the same type, and this is {v}. {from}"),
        )
    })
}
