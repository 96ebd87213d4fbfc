//! Makes a program that differs smaller.
//!
//! In: a specification, what is wrong with it, and what says so of others. Out: a smaller one with a fault of the same
//! sort. Never: a program tried alone where a batch would do, because each batch costs a compilation.

use diabolo_compiler::graph::{Graph, Kind, Node, View};
use diabolo_compiler::print::live;

use crate::random::Spec;

/// Rounds of replacing nodes, each a batch.
const ROUNDS: usize = 12;
/// Nodes that one round tries to replace.
const CANDIDATES: usize = 150;

/// Fewer steps, then one output, then nodes replaced by numbers or by their arguments, as long as the fault stays.
///
/// # Errors
/// Those of `faults`.
pub fn shrink(
    spec: &Spec,
    fault: String,
    mut faults: impl FnMut(&[Spec]) -> Result<Vec<Option<String>>, String>,
) -> Result<(Spec, String), String> {
    let kind = sort(&fault);
    let mut best = (spec.clone(), fault);
    let mut smaller = |best: &mut (Spec, String), candidates: Vec<Spec>| -> Result<bool, String> {
        let found = faults(&candidates)?;
        let failing = candidates.into_iter().zip(found).filter_map(|(spec, fault)| Some((spec, fault?)));
        let least =
            failing.filter(|(_, fault)| sort(fault) == kind).min_by_key(|(spec, _)| size(&spec.raw().0));
        Ok(match least {
            Some(least) if size(&least.0.raw().0) < size(&best.0.raw().0) => {
                *best = least;
                true
            }
            _ => false,
        })
    };
    let prefixes = (0..spec.steps).map(|steps| Spec { steps, ..best.0.clone() }).collect();
    smaller(&mut best, prefixes)?;
    if best.0.output.is_none() {
        let outputs = 0..best.0.raw().0.outputs.len();
        let alone = outputs.map(|output| Spec { output: Some(output), ..best.0.clone() }).collect();
        smaller(&mut best, alone)?;
    }
    for _ in 0..ROUNDS {
        let candidates = replaced(&best.0);
        if candidates.is_empty() || !smaller(&mut best, candidates)? {
            break;
        }
    }
    Ok(best)
}

/// What sort of fault: another one is another story.
fn sort(fault: &str) -> &'static str {
    const SORTS: [&str; 6] =
        ["not emitted", "does not compile", "ended the process", "panicked", "other bits", "instead of"];
    SORTS.into_iter().find(|sort| fault.contains(sort)).unwrap_or("other")
}

/// How many nodes an output needs; a cut is none.
pub fn size(graph: &Graph) -> usize {
    let counts = |node: &Node| node.kind != Kind::View(View::Identity);
    graph.nodes.iter().zip(live(graph)).filter(|(node, live)| *live && counts(node)).count()
}

/// With one more node replaced: by an argument of its type, or by a number.
fn replaced(spec: &Spec) -> Vec<Spec> {
    let graph = spec.raw().0;
    // Where nodes are replaced, all are one place later.
    let shift = usize::from(!spec.cut.is_empty());
    let live = live(&graph);
    let mut ways = Vec::new();
    for id in graph.ids().filter(|id| live[id.index()] && id.index() >= shift) {
        let node = graph.node(id);
        let cut = node.kind == Kind::View(View::Identity) || matches!(node.kind, Kind::Const(_));
        if cut || spec.cut.iter().any(|(at, _)| *at as usize + shift == id.index()) {
            continue;
        }
        let at = id.0 - shift as u32;
        let alike = |arg: &usize| *graph.ty(node.args[*arg]) == node.ty;
        if !graph.is_index(id) {
            ways.push((at, None));
        }
        ways.extend((0..node.args.len()).filter(alike).map(|arg| (at, Some(arg))));
    }
    let stride = ways.len().div_ceil(CANDIDATES).max(1);
    let with = |way| {
        let mut spec = spec.clone();
        spec.cut.push(way);
        spec.cut.sort_unstable();
        spec
    };
    ways.into_iter().step_by(stride).map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(spec: &Spec, name: &str) -> bool {
        let graph = spec.raw().0;
        let live = live(&graph);
        let is = |kind: &Kind| matches!(kind, Kind::Map(row) if row.name == name);
        graph.nodes.iter().zip(live).any(|(node, live)| live && is(&node.kind))
    }

    #[test]
    fn what_is_left_is_little_more_than_the_fault() {
        let fault = |spec: &Spec| has(spec, "tanh").then(|| "1 instead of 2".to_owned());
        let whole = Spec::whole(4);
        let start = fault(&whole).expect("seed 4 has a tanh");
        let (small, _) = shrink(&whole, start, |specs| Ok(specs.iter().map(fault).collect())).unwrap();
        let graph = small.raw().0;
        assert!(has(&small, "tanh"));
        assert!(size(&graph) <= 4, "{}", diabolo_compiler::print::print_bare(&graph));
        diabolo_compiler::verify::verify(&graph, "shrink").unwrap();
        assert_eq!(small.to_string().parse::<Spec>().unwrap(), small);
    }

    #[test]
    fn another_fault_is_not_followed() {
        let fault = |spec: &Spec| match *spec == Spec::whole(4) {
            true => Some("1 instead of 2".to_owned()),
            false => Some("does not compile".to_owned()),
        };
        let whole = Spec::whole(4);
        let start = fault(&whole).expect("it has one");
        let (small, _) = shrink(&whole, start, |specs| Ok(specs.iter().map(fault).collect())).unwrap();
        assert_eq!(small, whole);
    }

    #[test]
    fn lists_are_read_as_they_are_written() {
        use crate::random::parse;
        let list = "3..5 17:9:2:14,23.1 17:9:*: 8";
        let specs = parse(list).unwrap();
        let written: Vec<String> = specs.iter().map(Spec::to_string).collect();
        assert_eq!(written, ["3", "4", "17:9:2:14,23.1", "17:9:*:", "8"]);
        assert_eq!(parse(&written.join(" ")).unwrap(), specs);
        assert!(parse("3..x").unwrap_err().contains("3..x"));
    }
}
