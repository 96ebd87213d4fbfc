//! Loops over steps, flattened into the legal graph.
//!
//! In: a scan and its arguments. Out: memory for its carries and stacks, then the nodes of its step; a slice of a
//! sequence is a view whose start is the loop's counter, a symbol like any size. Never: a step's node outside its
//! region; levels, loops and places keep regions together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::graph::*;
use crate::size::Size;

use super::gather::gather;
use super::legal::{Indexed, contract, copy, direct, uses};
use super::view::{Views, contiguous};
use super::written::Written;

/// A loop in the legal graph: `start..body` are its memory, `body..end` one step.
#[derive(Clone, Debug)]
pub(super) struct Region {
    /// The symbol that counts; user symbols are capitals.
    pub counter: String,
    /// The number of turns.
    pub length: Size,
    /// Whether the last one comes first.
    pub reverse: bool,
    /// The memory of each carry, and what it holds after a turn; none where that is what it held before.
    pub carries: Vec<(NodeId, Option<NodeId>)>,
    /// The memory of each stack, and the value of a turn.
    pub stacks: Vec<(NodeId, NodeId)>,
    /// The first node.
    pub start: u32,
    /// The first node of the step.
    pub body: u32,
    /// After the last node of the step.
    pub end: u32,
}

impl Region {
    /// Whether a node is one of the loop's.
    pub fn contains(&self, id: NodeId) -> bool {
        (self.start..self.end).contains(&id.0)
    }
}

/// What the legal graph has beside its nodes.
#[derive(Default)]
pub(super) struct Memory {
    /// Loops; an outer one before those inside it.
    pub regions: Vec<Region>,
    /// How values lie in memory that are not written in order.
    pub written: HashMap<NodeId, Written>,
}

/// A loop that is in the legal graph: it, its arguments there, and where its results are.
type Known = (Rc<Scan>, Vec<NodeId>, BTreeMap<ScanResult, NodeId>);

/// The loops of one graph, or of one step, while it is made legal.
#[derive(Default)]
pub(super) struct Flattened {
    known: Vec<Known>,
}

impl Flattened {
    /// The node of a scan's result in the legal graph `out`; `of` is the graph that the scan stands in.
    pub fn result(
        &mut self,
        out: &mut Graph,
        memory: &mut Memory,
        of: &Graph,
        (scan, result): (&Rc<Scan>, ScanResult),
        (old, args): (&[NodeId], Vec<NodeId>),
    ) -> Result<NodeId, String> {
        let known = |list: &[Known]| {
            let found = list.iter().find(|(other, known, _)| *known == args && other == scan);
            found.and_then(|(_, _, results)| results.get(&result).copied())
        };
        if let Some(node) = known(&self.known) {
            return Ok(node);
        }
        // Every result of this loop that the graph mentions.
        let wanted = of.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Scan { scan: other, result } if node.args == old && other == scan => Some(*result),
            _ => None,
        });
        let results = flatten(out, memory, scan, &args, wanted)?;
        self.known.push((scan.clone(), args.clone(), results));
        known(&self.known).ok_or_else(|| "a loop lacks a result".into())
    }
}

fn flatten(
    out: &mut Graph,
    memory: &mut Memory,
    scan: &Rc<Scan>,
    args: &[NodeId],
    wanted: impl Iterator<Item = ScanResult>,
) -> Result<BTreeMap<ScanResult, NodeId>, String> {
    let start = out.nodes.len() as u32;
    let counter = format!("t{}", memory.regions.len());
    // The place in the list is taken before the loops inside take theirs.
    let index = memory.regions.len();
    memory.regions.push(Region {
        counter: counter.clone(),
        length: scan.length.clone(),
        reverse: scan.reverse,
        carries: Vec::new(),
        stacks: Vec::new(),
        start,
        body: start,
        end: start,
    });
    let mut results = BTreeMap::new();
    let lasts = (0..scan.carries).map(ScanResult::Last);
    for result in lasts.chain(wanted) {
        if let Entry::Vacant(place) = results.entry(result) {
            let ty = scan.result_type(result).ok_or("a loop lacks a result")?;
            let kind = Kind::Scan { scan: scan.clone(), result };
            place.insert(out.push(kind, args.to_vec(), ty));
        }
    }
    let body = out.nodes.len() as u32;
    let outputs = step(out, memory, scan, args, &results, &counter)?;
    let views = Views::of(out, &memory.written);
    let lasts: Vec<NodeId> = (0..scan.carries).map(|carry| results[&ScanResult::Last(carry)]).collect();
    let mut carries = Vec::new();
    for (memory_of, output) in lasts.iter().zip(&outputs) {
        let view = views.get(*output);
        let plain = view.offset == Size::default() && view.strides == contiguous(&out.ty(*output).shape());
        let next = match (view.source == *memory_of && plain, lasts.contains(&view.source)) {
            (true, _) => None,
            // What another carry held before this turn is read before that one changes.
            (false, true) => Some(copy(out, *output)),
            (false, false) => Some(*output),
        };
        carries.push((*memory_of, next));
    }
    let stacks = results.iter().filter_map(|(result, node)| match *result {
        ScanResult::Last(_) => None,
        ScanResult::Previous(carry) => Some((*node, lasts[carry])),
        ScanResult::Stacked(output) => Some((*node, outputs[output])),
    });
    let stacks = stacks.collect();
    let end = out.nodes.len() as u32;
    let region = &mut memory.regions[index];
    *region = Region { carries, stacks, body, end, ..region.clone() };
    Ok(results)
}

/// Appends the nodes of a step; the step's outputs.
fn step(
    out: &mut Graph,
    memory: &mut Memory,
    scan: &Scan,
    args: &[NodeId],
    results: &BTreeMap<ScanResult, NodeId>,
    counter: &str,
) -> Result<Vec<NodeId>, String> {
    let graph = gather(&scan.body);
    let mut inner = Flattened::default();
    let mut map: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    let (uses, mut indexed) = (uses(&graph), Indexed::default());
    for id in graph.ids() {
        let node = graph.node(id);
        out.origin = node.origin.clone();
        let given: Vec<NodeId> = node.args.iter().map(|arg| map[arg.index()]).collect();
        map.push(match &node.kind {
            Kind::Input(carry) if *carry < scan.carries => results[&ScanResult::Last(*carry)],
            Kind::Input(at) if *at < scan.carries + scan.sequences => {
                slice(out, args[*at], &node.ty, Size::symbol(counter))
            }
            Kind::Input(at) => args[*at],
            Kind::Contract { inputs, output } => {
                let product = contract(out, inputs, output, given, &node.ty)?;
                indexed.factors(out, product)
            }
            Kind::TopK { .. } | Kind::Gather { .. } | Kind::Scatter { .. } | Kind::TriangularFactor => {
                indexed.node(out, (&graph, &uses), id, given)
            }
            Kind::Scan { scan, result } => {
                inner.result(out, memory, &graph, (scan, *result), (&node.args, given))?
            }
            Kind::View(View::Fold { .. } | View::Pad { .. }) => {
                direct(out, &mut memory.written, (&graph, &uses), &map, id)
            }
            kind => out.push(kind.clone(), given, node.ty.clone()),
        });
    }
    Ok(graph.outputs.iter().map(|output| map[output.node.index()]).collect())
}

/// The elements of one turn.
fn slice(out: &mut Graph, whole: NodeId, ty: &Type, time: Size) -> NodeId {
    let rows = ty.rows.len();
    let one = ty.along(&Size::known(1));
    let slice = out.view(View::Slice { axis: rows, start: time }, whole, one);
    let axes = (0..ty.rank()).map(|axis| Some(axis + usize::from(axis >= rows)));
    out.view(View::Broadcast(axes.collect()), slice, ty.clone())
}
