//! What is known of a root without running it.
//!
//! In: both graphs of a root. Out: parameters in one order for both, and the `Spec` as a constant.
//! Never: a size guessed; a parameter has known sizes.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Meta;
use super::crosses::crosses;
use crate::graph::*;
use crate::schedule::{Schedule, print};
use crate::size::Size;

/// The parameters of both graphs, each once: those of training first.
pub(super) fn unite(evaluate: &Graph, train: Option<&Graph>) -> Vec<ParamDecl> {
    let mut all: Vec<ParamDecl> = train.map_or_else(Vec::new, |graph| graph.params.clone());
    for param in &evaluate.params {
        if !all.iter().any(|other| other.path == param.path) {
            all.push(param.clone());
        }
    }
    all
}

/// The same graph over a longer list of parameters.
pub(super) fn renumber(graph: &Graph, params: &[ParamDecl]) -> Graph {
    let mut out = graph.clone();
    let place = |index: usize| {
        let path = &graph.params[index].path;
        params.iter().position(|param| param.path == *path).unwrap_or(index)
    };
    for node in &mut out.nodes {
        if let Kind::Param(index) = &mut node.kind {
            *index = place(*index);
        }
    }
    for output in &mut out.outputs {
        if let Role::Gradient(index) | Role::State(index) = &mut output.role {
            *index = place(*index);
        }
    }
    out.params = params.to_vec();
    out
}

/// The body of `fn spec`.
pub(super) fn spec(
    meta: &Meta,
    sizes: &[(String, usize)],
    known: &[String],
    evaluate: &Graph,
    train: Option<&Graph>,
    evaluate_plan: &Schedule,
    train_plan: Option<&Schedule>,
) -> Result<TokenStream, String> {
    let krate = &meta.krate;
    let program = quote!(#krate::program);
    let graph = train.unwrap_or(evaluate);
    let axis = |size: &Size| match size.value() {
        Some(n) => Ok(quote!(#program::Axis::Known(#n))),
        None => match linear(known, size) {
            Some((symbol, 1, 0)) => Ok(quote!(#program::Axis::Symbol(#symbol))),
            Some((symbol, factor, offset)) => {
                let (factor, offset) = (Literal::i64_unsuffixed(factor), Literal::i64_unsuffixed(offset));
                Ok(quote!(#program::Axis::Linear { symbol: #symbol, factor: #factor, offset: #offset }))
            }
            None => Err(format!("the size {size} of an input or a result depends on several sizes")),
        },
    };
    let bounds = super::bounds::bounds(std::iter::once(evaluate).chain(train));
    let slot = |name: &str, ty: &Type, index: Option<&Vec<Size>>| {
        let shape = ty.rows.iter().skip(1).chain(&ty.features).map(axis).collect::<Result<Vec<_>, _>>()?;
        let rows = !ty.rows.is_empty();
        let index = match index {
            None => quote!(None),
            Some(bounds) => {
                // What no axis can say means its last place beyond the end.
                let bounds = bounds.iter().filter_map(|size| axis(size).ok());
                quote!(Some(&[#(#bounds),*]))
            }
        };
        Ok::<_, String>(
            quote!(#program::SlotSpec { name: #name, rows: #rows, shape: &[#(#shape),*], index: #index }),
        )
    };
    let inputs = evaluate.inputs.iter().zip(&bounds);
    let inputs = inputs
        .map(|(input, bounds)| slot(&input.name, &input.ty, input.index.then_some(bounds)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut results: Vec<(usize, &Type)> = evaluate
        .outputs
        .iter()
        .filter_map(|output| match output.role {
            Role::Result(index) => Some((index, evaluate.ty(output.node))),
            _ => None,
        })
        .collect();
    results.sort_by_key(|(index, _)| *index);
    let outputs = results
        .iter()
        .map(|(index, ty)| slot(&format!("result{index}"), ty, None))
        .collect::<Result<Vec<_>, _>>()?;
    let params = graph.params.iter().map(|param| {
        let shape: Option<Vec<usize>> = param.ty.shape().iter().map(Size::value).collect();
        let shape =
            shape.ok_or_else(|| format!("the parameter {} has a size known only at run time", param.path))?;
        let initial = initial(&program, &param.initial, &shape);
        let (path, network, state) = (&param.path, param.network, param.state);
        Ok(quote! {
            #program::ParamSpec {
                path: #path, network: #network, shape: &[#(#shape),*], initial: #initial, state: #state,
            }
        })
    });
    let params = params.collect::<Result<Vec<_>, String>>()?;
    let name = &meta.name;
    let networks = graph.networks.iter().map(|network| {
        let routes = network
            .routes
            .iter()
            .map(|route| quote!(<#name as #program::Declared>::identity(&[#(#route),*])));
        let label = &network.name;
        quote!(#program::NetworkSpec { name: #label, identities: || ::std::vec![#(#routes),*] })
    });
    let hypers = graph.hypers.iter().map(|hyper| {
        let name = &hyper.name;
        quote!(#program::HyperSpec { name: #name })
    });
    let metrics = graph.outputs.iter().filter_map(|output| match &output.role {
        Role::Metric(name) => Some(name),
        _ => None,
    });
    let indices = |pick: fn(&Role) -> Option<usize>| {
        let mut indices: Vec<usize> = graph.outputs.iter().filter_map(|output| pick(&output.role)).collect();
        indices.sort_unstable();
        indices
    };
    let trained = indices(|role| if let Role::Gradient(index) = role { Some(*index) } else { None });
    let states = indices(|role| if let Role::State(index) = role { Some(*index) } else { None });
    let inspects = graph.outputs.iter().filter_map(|output| match &output.role {
        Role::Inspect(name) => {
            let origin = &graph.node(output.node).origin;
            let place = format!("{}:{}", origin.file, origin.line);
            Some(quote!((#name, #place)))
        }
        _ => None,
    });
    let least = least(known, &[Some(evaluate), train]).into_iter().map(|(symbol, n)| quote!((#symbol, #n)));
    let crosses = crosses(evaluate);
    let random = [Some(evaluate), train]
        .into_iter()
        .flatten()
        .any(|graph| graph.nodes.iter().any(|node| matches!(node.kind, Kind::Random { .. })));
    let plan = match train_plan {
        Some(plan) => print::print(plan),
        None => print::print(evaluate_plan),
    };
    let values: Vec<String> = sizes.iter().map(|(_, value)| value.to_string()).collect();
    let label = match values.is_empty() {
        true => meta.name.to_string(),
        false => format!("{}<{}>", meta.name, values.join(", ")),
    };
    let (file, line) = (&meta.file, meta.line as u32);
    Ok(quote! {
        static SPEC: #program::Spec = #program::Spec {
            name: #label,
            file: #file,
            line: #line,
            symbols: &[#(#known),*],
            least: &[#(#least),*],
            inputs: &[#(#inputs),*],
            outputs: &[#(#outputs),*],
            hypers: &[#(#hypers),*],
            params: &[#(#params),*],
            networks: &[#(#networks),*],
            metrics: &[#(#metrics),*],
            trained: &[#(#trained),*],
            states: &[#(#states),*],
            inspects: &[#(#inspects),*],
            crosses_rows: #crosses,
            random: #random,
            plan: #plan,
        };
        &SPEC
    })
}

/// A size as a symbol, by position, times a factor above 0, plus a number; where it is one.
fn linear(known: &[String], size: &Size) -> Option<(usize, i64, i64)> {
    let place = known.iter().position(|symbol| size.mentions(symbol))?;
    let name = known.get(place)?;
    let factor = size.terms().find(|(symbols, _)| *symbols == [name.clone()]).map_or(0, |(_, factor)| factor);
    let rest = size - &(&Size::integer(factor) * &Size::symbol(name));
    let offset = rest.terms().map(|(_, n)| n).sum();
    (factor > 0 && rest.symbols().next().is_none()).then_some((place, factor, offset))
}

/// For each symbol that a window slides along, the least value into which a piece fits, where that depends on the
/// symbol alone.
fn least(known: &[String], graphs: &[Option<&Graph>]) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> = Vec::new();
    for (graph, node) in graphs.iter().flatten().flat_map(|graph| graph.nodes.iter().map(move |n| (graph, n)))
    {
        let Kind::View(View::Window { axis, kernel, dilation, .. }) = node.kind else { continue };
        let size = &graph.ty(node.args[0]).shape()[axis];
        let span = (dilation * (kernel - 1) + 1) as i64;
        // span ≤ factor · symbol + offset
        if let Some((place, factor, offset)) = linear(known, size).filter(|(_, _, offset)| *offset < span) {
            let n = ((span - offset + factor - 1) / factor) as usize;
            match all.iter_mut().find(|(other, _)| *other == place) {
                Some((_, least)) => *least = n.max(*least),
                None => all.push((place, n)),
            }
        }
    }
    all
}

fn initial(program: &TokenStream, initial: &Initial, shape: &[usize]) -> TokenStream {
    let uniform = |bound: f64| quote!(#program::Initial::Uniform(#bound));
    let (fan_out, fan_in) = match shape.split_last() {
        Some((last, rest)) => (*last as f64, rest.iter().product::<usize>() as f64),
        None => (1.0, 1.0),
    };
    match initial {
        Initial::Constant(value) => quote!(#program::Initial::Constant(#value)),
        Initial::Normal(deviation) => quote!(#program::Initial::Normal(#deviation)),
        Initial::Uniform(bound) => uniform(*bound),
        Initial::Kaiming => uniform((6.0 / fan_in.max(1.0)).sqrt()),
        Initial::Xavier => uniform((6.0 / (fan_in + fan_out)).sqrt()),
        Initial::FanIn(size) => uniform(1.0 / size.nominal().max(1.0).sqrt()),
        Initial::Orthogonal => quote!(#program::Initial::Orthogonal),
    }
}
