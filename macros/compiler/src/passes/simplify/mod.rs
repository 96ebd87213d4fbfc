//! Local rewrites: dead code, equal values, constants, neutral elements, views of views.
//!
//! In: a graph that needs no more differentiation (`StopGradient` and `Identity` go). Out: a smaller one.
//! Never: a rewrite that looks at costs; equal random numbers from two sites.

mod index;
mod maps;
mod reduce;
mod scan;
mod views;

pub(super) use index::is_distinct;

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use super::{sweep, without_nodes};
use crate::graph::*;
use crate::print::live;

/// Rewrites every node by local rules, merges equal ones, and drops what no output needs.
pub fn simplify(graph: &Graph) -> Graph {
    let mut simplifier = Simplifier { graph: without_nodes(graph), known: HashMap::new(), scans: Vec::new() };
    let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
    let live = live(graph);
    let needs = scan::Needs::of(graph, &live);
    for id in graph.ids().filter(|id| live[id.index()]) {
        let node = graph.node(id);
        simplifier.graph.origin = node.origin.clone();
        let args: Vec<NodeId> = node.args.iter().map(|arg| moved[arg]).collect();
        let new = match &node.kind {
            Kind::Scan { scan, result } => {
                let all = needs.get(scan, &node.args).cloned().unwrap_or_default();
                simplifier.scan(scan, &args, &all)[result]
            }
            kind => simplifier.make(kind.clone(), args, node.ty.clone()),
        };
        debug_assert_eq!(*simplifier.graph.ty(new), node.ty, "{:?}", node.kind);
        moved.insert(id, new);
    }
    let mut simple = simplifier.graph;
    simple.outputs.iter_mut().for_each(|output| output.node = moved[&output.node]);
    simple.origin = graph.origin.clone();
    sweep(&simple)
}

/// The new graph, in which equal nodes are one.
struct Simplifier {
    graph: Graph,
    /// By kind and arguments; those of one entry differ in what their kind carries, or in type.
    known: HashMap<(Discriminant<Kind>, Vec<NodeId>), Vec<NodeId>>,
    scans: scan::Simple,
}

impl Simplifier {
    /// The simplest form of a node over simple arguments.
    fn make(&mut self, kind: Kind, args: Vec<NodeId>, ty: Type) -> NodeId {
        let simpler = match &kind {
            Kind::Map(row) => self.map(*row, &args),
            Kind::Reduce { reduction, axes } => self.reduce(*reduction, axes, args[0]),
            Kind::View(view) => self.view(view, &args, &ty),
            Kind::StopGradient => Some(args[0]),
            Kind::Const(Constant::Size(size)) => size
                .value()
                .map(|n| self.make(Kind::Const(Constant::Number(n as f64)), vec![], Type::scalar())),
            Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) => None,
            // Loops are made anew as a whole, see `scan`.
            Kind::Random { .. } | Kind::Contract { .. } | Kind::TopK { .. } | Kind::Scan { .. } => None,
            Kind::TriangularFactor => None,
            Kind::Gather { shared } => self.gather(*shared, &args, &ty),
            Kind::Scatter { .. } => self.scatter(args[0], &ty),
        };
        simpler.unwrap_or_else(|| self.intern(kind, args, ty))
    }

    /// The node as it is, once.
    fn intern(&mut self, kind: Kind, args: Vec<NodeId>, ty: Type) -> NodeId {
        let key = (discriminant(&kind), args);
        let equal = |id: &&NodeId| {
            let node = self.graph.node(**id);
            // 0 and -0 are equal, and not the same.
            let bits = |kind: &Kind| match kind {
                Kind::Const(Constant::Number(number)) => number.to_bits(),
                _ => 0,
            };
            node.kind == kind && bits(&node.kind) == bits(&kind) && node.ty == ty
        };
        if let Some(id) = self.known.get(&key).and_then(|ids| ids.iter().find(equal)) {
            return *id;
        }
        let id = self.graph.push(kind, key.1.clone(), ty);
        self.known.entry(key).or_default().push(id);
        id
    }

    /// Every element `value`.
    fn full(&mut self, value: f64, ty: &Type) -> NodeId {
        let number = self.intern(Kind::Const(Constant::Number(value)), vec![], Type::scalar());
        self.make(Kind::View(View::Broadcast(vec![None; ty.rank()])), vec![number], ty.clone())
    }

    fn row(&mut self, name: &str, args: &[NodeId]) -> NodeId {
        let ty = self.graph.ty(args[0]).clone();
        match crate::ops::Row::named(name) {
            Some(row) => self.make(Kind::Map(row), args.to_vec(), ty),
            None => unreachable!("`{name}` is not in the table"),
        }
    }

    fn number(&self, id: NodeId) -> Option<f64> {
        self.graph.as_number(id)
    }

    /// The arguments, where the node is this row.
    fn is_row(&self, id: NodeId, name: &str) -> Option<Vec<NodeId>> {
        match &self.graph.node(id).kind {
            Kind::Map(row) if row.name == name => Some(self.graph.node(id).args.clone()),
            _ => None,
        }
    }
}
