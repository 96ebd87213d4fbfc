//! An update rule as one kernel.
//!
//! In: an element-wise graph over slots. Out: a text of one kernel over weights, gradients and moments, and what it is
//! launched with. Never: an operation between elements; what is the same for all weights is computed by each thread,
//! once.

use super::Text;
use super::kernel::{bare, float};
use super::recording::{Argument, Command, Place, Recording, Space};
use crate::graph::*;
use crate::lower::{OptimizerGraph, SlotKind};
use crate::print::live;
use crate::size::Size;

/// The symbol of the number of weights.
const WEIGHTS: &str = "N";

/// The kernel of a rule. Its one symbol is the number of weights; parameter 0 of its program is the weights, the others
/// the moments in their order; gradients and hyperparameters lie in spaces of their own, and the clock's step is the
/// number of the update, from 1.
///
/// # Errors
/// A fault of the compiler.
pub fn optimizer(prefix: &str, rule: &OptimizerGraph) -> Result<Text, String> {
    let graph = &rule.graph;
    let live = live(graph);
    let (mut once, mut element, mut stores) = (String::new(), String::new(), String::new());
    let mut moments = 0..;
    let slots: Vec<String> = rule
        .slots
        .iter()
        .map(|slot| match slot.kind {
            SlotKind::Weight => "weight[at]".to_owned(),
            SlotKind::Gradient => "gradient[at]".to_owned(),
            SlotKind::Moment => format!("moment{}[at]", moments.next().unwrap_or(0)),
            SlotKind::Step => "T(clock->step)".to_owned(),
        })
        .collect();
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        let code = match &node.kind {
            Kind::Input(slot) => slots.get(*slot).cloned().ok_or("an update rule lacks a slot")?,
            Kind::Hyper(index) => format!("hypers[{index}]"),
            Kind::Const(Constant::Number(number)) => float(*number),
            Kind::Map(row) => {
                let args = node.args.iter().enumerate();
                args.fold(row.cuda.to_owned(), |code, (i, arg)| {
                    code.replace(&format!("{{{i}}}"), &name(graph, *arg))
                })
            }
            // Broadcasts are the scalar itself; see `name`.
            Kind::View(_) => continue,
            kind => return Err(format!("an update rule has no {kind:?}")),
        };
        let (list, depth) = if node.ty.rank() == 0 { (&mut once, 1) } else { (&mut element, 2) };
        *list += &format!("{}const T {} = {};\n", "    ".repeat(depth), name(graph, id), bare(&code));
    }
    for (index, node) in rule.results().into_iter().enumerate() {
        let to = if index == 0 { "weight".to_owned() } else { format!("moment{}", index - 1) };
        stores += &format!("        {to}[at] = {};\n", name(graph, node));
    }
    let kept = rule.moments();
    let moments: String = (0..kept).map(|i| format!("T *__restrict__ moment{i}, ")).collect();
    let kernel = format!("{prefix}_update");
    let source = format!(
        "// One step of `{prefix}`.\n\
         extern \"C\" __global__ void {kernel}(T *__restrict__ weight, const T *__restrict__ gradient, {moments}\
         const T *__restrict__ hypers, const Clock *__restrict__ clock, long long count) {{\n{once}    \
         for (long long at = grid_start(); at < count; at += grid_step()) {{\n{element}{stores}    }}\n}}\n"
    );
    let count = Size::symbol(WEIGHTS);
    let reach = |count: &Size| vec![vec![(count.clone(), Size::known(1))]];
    let place = |space: Space| Place { space, start: Vec::new() };
    let weight = Argument::Pointer(place(Space::Param(0)), reach(&count), true);
    let gradient = Argument::Pointer(place(Space::Gradients), reach(&count), false);
    let moments = (0..kept).map(|i| Argument::Pointer(place(Space::Param(1 + i)), reach(&count), true));
    let hypers = Size::known(graph.hypers.len());
    let hypers = Argument::Pointer(place(Space::Hypers), reach(&hypers), false);
    let last = [hypers, Argument::Clock, Argument::Size(count.clone())];
    let arguments = [weight, gradient].into_iter().chain(moments).chain(last).collect();
    let recording = Recording {
        symbols: vec![WEIGHTS.to_owned()],
        commands: vec![Command::Each { kernel, count, arguments }],
        ..Recording::default()
    };
    Ok(Text { source, recording })
}

/// The local that holds a node: a broadcast is what it repeats.
fn name(graph: &Graph, id: NodeId) -> String {
    match &graph.node(id).kind {
        Kind::View(_) => name(graph, graph.node(id).args[0]),
        _ => format!("v{}", id.0),
    }
}
