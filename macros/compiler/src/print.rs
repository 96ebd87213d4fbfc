//! The text form of a graph: the format of the golden tests, and of `diabolo`'s plan.
//!
//! In: a graph. Out: one line a node: `%7: Tensor<B, 256> = relu %6    // examples/vae.rs:12 h`.
//! Never: an address, a hash, an order that depends on anything but the graph.

use std::fmt::Write;
use std::rc::Rc;

use crate::graph::*;

/// Every node and output.
pub fn print(graph: &Graph) -> String {
    write(graph, &vec![true; graph.nodes.len()], true)
}

/// Only the nodes that an output needs, numbered from 0.
pub fn print_live(graph: &Graph) -> String {
    write(graph, &live(graph), true)
}

/// As `print_live`, without places in the source.
pub fn print_bare(graph: &Graph) -> String {
    write(graph, &live(graph), false)
}

/// Which nodes an output needs.
pub fn live(graph: &Graph) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    for output in &graph.outputs {
        live[output.node.index()] = true;
    }
    for id in graph.ids().rev() {
        if live[id.index()] {
            graph.node(id).args.iter().for_each(|arg| live[arg.index()] = true);
        }
    }
    live
}

fn write(graph: &Graph, shown: &[bool], places: bool) -> String {
    let mut numbers = vec![usize::MAX; graph.nodes.len()];
    let mut text = String::new();
    let mut loops = Vec::new();
    for (next, id) in graph.ids().filter(|id| shown[id.index()]).enumerate() {
        let node = graph.node(id);
        numbers[id.index()] = next;
        let args: String = node.args.iter().map(|arg| format!(" %{}", numbers[arg.index()])).collect();
        let line = format!("%{next}: {} = {}{args}", node.ty, describe(graph, node));
        let origin = &node.origin;
        match (places, &*origin.file, &*origin.label) {
            (false, ..) | (true, "", "") => writeln!(text, "{line}"),
            (true, "", label) => writeln!(text, "{line:<60} // {label}"),
            (true, file, label) => {
                writeln!(text, "{:<60} // {}", line, format!("{file}:{} {label}", origin.line).trim_end())
            }
        }
        .ok();
        if let Kind::Scan { scan, .. } = &node.kind {
            let known = loops
                .iter()
                .any(|(other, args): &(&Rc<Scan>, &Vec<NodeId>)| *args == &node.args && *other == scan);
            if !known {
                loops.push((scan, &node.args));
                let body = write(&scan.body, &vec![true; scan.body.nodes.len()], places);
                body.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
            }
        }
    }
    for hand in &graph.by_hand {
        let named = |ids: &[NodeId]| -> Option<String> {
            let numbers = ids.iter().map(|id| numbers[id.index()]);
            let all: Option<Vec<String>> =
                numbers.map(|n| (n != usize::MAX).then(|| format!("%{n}"))).collect();
            Some(all?.join(" "))
        };
        let ByHand { results, args, adjoints, shares } = hand;
        if let [Some(results), Some(args), Some(adjoints), Some(shares)] =
            [results, args, adjoints, shares].map(|ids| named(ids))
        {
            writeln!(text, "by hand: {results} of {args}: {adjoints} -> {shares}").ok();
        }
    }
    for Output { role, node } in &graph.outputs {
        let name = match role {
            Role::Loss => "loss".to_owned(),
            Role::Metric(name) => format!("metric {name}"),
            Role::Result(index) => format!("result {index}"),
            Role::Gradient(index) => match graph.params.get(*index) {
                Some(param) => format!("gradient {}", param.path),
                None => format!("gradient {index}"),
            },
            Role::State(index) => match graph.params.get(*index) {
                Some(param) => format!("state {}", param.path),
                None => format!("state {index}"),
            },
            Role::Inspect(name) => format!("inspect {name}"),
        };
        writeln!(text, "{name} = %{}", numbers[node.index()]).ok();
    }
    text
}

/// A node's kind in words, without its arguments.
fn describe(graph: &Graph, node: &Node) -> String {
    let numbered = |what: &str, index: usize, name: Option<&str>| match name {
        Some(name) => format!("{what} {name}"),
        None => format!("{what} {index}"),
    };
    match &node.kind {
        Kind::Input(i) => numbered("input", *i, graph.inputs.get(*i).map(|d| d.name.as_str())),
        Kind::Param(i) => numbered("param", *i, graph.params.get(*i).map(|d| d.path.as_str())),
        Kind::Hyper(i) => numbered("hyper", *i, graph.hypers.get(*i).map(|d| d.name.as_str())),
        Kind::Const(Constant::Number(value)) => format!("{value:?}"),
        Kind::Const(Constant::Size(size)) => format!("size {size}"),
        Kind::Const(Constant::Delta) => "delta".to_owned(),
        Kind::Const(Constant::Iota) => "iota".to_owned(),
        Kind::Random { distribution, site } => match distribution {
            Distribution::Normal => format!("normal #{site}"),
            Distribution::Uniform => format!("uniform #{site}"),
        },
        Kind::Map(row) => row.name.to_owned(),
        Kind::Reduce { reduction: Reduction::Sum, axes } => format!("sum{}", list(axes)),
        Kind::Reduce { reduction: Reduction::Max, axes } => format!("max{}", list(axes)),
        Kind::View(view) => match view {
            View::Identity => "identity".to_owned(),
            View::Reshape => "reshape".to_owned(),
            View::Permute(axes) => format!("permute{}", list(axes)),
            View::Broadcast(axes) => {
                let axes: Vec<_> = axes.iter().map(|a| a.map_or("_".to_owned(), |a| a.to_string())).collect();
                format!("broadcast[{}]", axes.join(", "))
            }
            View::Slice { axis, start } => format!("slice[axis {axis} from {start}]"),
            View::Pad { axis, before } => format!("pad[axis {axis} before {before}]"),
            View::Concat { axis } => format!("concat[axis {axis}]"),
            View::Window { axis, kernel, stride, dilation } => {
                format!("window[axis {axis} of {kernel}{}]", steps(*stride, *dilation))
            }
            View::Fold { axis, stride, dilation } => {
                format!("fold[axis {axis}{}]", steps(*stride, *dilation))
            }
            View::Batch => "batch".to_owned(),
            View::Unbatch => "unbatch".to_owned(),
            View::Number => "number".to_owned(),
        },
        Kind::Contract { inputs, output } => {
            let mut seen = Vec::new();
            let mut letters =
                |labels: &[u32]| -> String { labels.iter().map(|l| letter(*l, &mut seen)).collect() };
            let inputs: Vec<String> = inputs.iter().map(|labels| letters(labels)).collect();
            format!("contract {}->{}", inputs.join(","), letters(output))
        }
        Kind::TopK { largest } => if *largest { "largest" } else { "smallest" }.to_owned(),
        Kind::Gather { shared } => format!("gather[shared {shared}]"),
        Kind::Scatter { shared } => format!("scatter[shared {shared}]"),
        Kind::TriangularFactor => "triangular_factor".to_owned(),
        Kind::StopGradient => "stop_gradient".to_owned(),
        Kind::Scan { scan, result } => {
            let result = match result {
                ScanResult::Stacked(output) => format!("stacked {output}"),
                ScanResult::Previous(carry) => format!("previous {carry}"),
                ScanResult::Last(carry) => format!("last {carry}"),
            };
            let backwards = if scan.reverse { " backwards" } else { "" };
            format!("{result} of scan[{} steps{backwards}]", scan.length)
        }
    }
}

/// Steps that are not 1.
fn steps(stride: usize, dilation: usize) -> String {
    let step = |name: &str, n: usize| if n == 1 { String::new() } else { format!(" {name} {n}") };
    step("stride", stride) + &step("dilation", dilation)
}

fn list(axes: &[usize]) -> String {
    format!("[{}]", axes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

/// Labels print as a, b, c… in the order in which they are met, so that their numbers do not matter.
fn letter(label: u32, seen: &mut Vec<u32>) -> char {
    let place = seen.iter().position(|l| *l == label).unwrap_or_else(|| {
        seen.push(label);
        seen.len() - 1
    });
    char::from_u32('a' as u32 + place as u32).filter(char::is_ascii_lowercase).unwrap_or('?')
}
