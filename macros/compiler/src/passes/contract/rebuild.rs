//! From a term back to nodes: the cost of doing so, and the nodes.
//!
//! In: a term and the order of its products. Out: binary contracts, and maps where nothing is summed.
//! Never: a choice; `order` has made it.

use std::collections::HashMap;

use super::order::{Problem, Tree};
use super::term::{Factor, Label, Term};
use super::triangular::Product;
use crate::build::typed;
use crate::graph::*;
use crate::size::Size;

/// A term with its order of products and their cost.
pub(super) struct Plan {
    term: Term,
    sizes: Vec<Size>,
    output: Vec<Label>,
    rows: usize,
    /// The label of the batch, if any factor has rows.
    batch: Option<Label>,
    /// Without labels: multiplied first.
    scalars: Vec<Factor>,
    /// The others, and what is left of each after its own sums.
    factors: Vec<(Factor, Vec<Label>)>,
    tree: Tree,
    /// In additions.
    pub cost: f64,
    /// A product in place of the node that it is of.
    product: Option<Product>,
}

/// A value on the way, with its labels.
struct Part {
    id: NodeId,
    labels: Vec<Label>,
}

impl Plan {
    /// The cheapest way to compute `term`, whose result has the labels `output`, the first `rows` of them rows;
    /// none for more labels than `order` takes.
    pub fn new(graph: &Graph, term: Term, sizes: Vec<Size>, output: Vec<Label>, rows: usize) -> Option<Plan> {
        let nominal: Vec<f64> = sizes.iter().map(Size::nominal).collect();
        let elements = |labels: &[Label]| -> f64 { labels.iter().map(|l| nominal[*l]).product() };
        let (scalars, mut wide): (Vec<Factor>, Vec<Factor>) =
            term.factors.iter().cloned().partition(|factor| factor.labels.is_empty());
        let batch = wide.iter().find(|f| !graph.ty(f.node).rows.is_empty()).map(|f| f.labels[0]);
        let mut cost = 0.0;
        for factor in &mut wide {
            if graph.node(factor.node).kind == Kind::Const(Constant::Delta) {
                factor.power = 1;
            }
            let steps = f64::from(factor.power.abs() - 1) + if factor.power < 0 { 4.0 } else { 0.0 };
            cost += steps * elements(&factor.labels);
        }
        // What only one factor depends on is summed inside it.
        let mut factors = Vec::with_capacity(wide.len());
        for (place, factor) in wide.iter().enumerate() {
            let others = |l: &Label| wide.iter().enumerate().any(|(o, f)| o != place && f.labels.contains(l));
            let mut kept: Vec<Label> = Vec::new();
            for label in &factor.labels {
                if !kept.contains(label) && (output.contains(label) || others(label)) {
                    kept.push(*label);
                }
            }
            if kept.len() < factor.labels.len() {
                cost += elements(&factor.labels);
            }
            factors.push((factor.clone(), kept));
        }
        let operands: Vec<Vec<Label>> = factors.iter().map(|(_, kept)| kept.clone()).collect();
        let mut tree = Tree::One(0);
        if !operands.is_empty() {
            let smallest = operands.iter().map(|kept| elements(kept)).fold(f64::INFINITY, f64::min);
            if term.number != 1.0 || !scalars.is_empty() || !term.counts.is_empty() {
                cost += smallest;
            }
            let (best, products) = Problem::new(&operands, &output, &nominal)?.solve();
            (tree, cost) = (best, cost + products);
        }
        Some(Plan { term, sizes, output, rows, batch, scalars, factors, tree, cost, product: None })
    }

    /// The plan over another product in place of the node that it is of.
    pub fn with(mut self, product: Option<Product>) -> Plan {
        self.cost += product.as_ref().map_or(0.0, |product| product.cost);
        Plan { product, ..self }
    }

    /// The product that it has a narrower one for.
    pub fn narrows(&self) -> Option<NodeId> {
        self.product.as_ref().map(|product| product.of)
    }

    /// Appends the nodes; `moved` says where each factor's node of the old graph is now.
    pub fn build(&self, old: &Graph, graph: &mut Graph, moved: &HashMap<NodeId, NodeId>) -> NodeId {
        match &self.product {
            Some(product) => {
                let new = product.build(old, graph, moved);
                let mut moved = moved.clone();
                moved.insert(product.of, new);
                self.nodes(graph, &moved)
            }
            None => self.nodes(graph, moved),
        }
    }

    fn nodes(&self, graph: &mut Graph, moved: &HashMap<NodeId, NodeId>) -> NodeId {
        let ty = typed(self.output.iter().map(|l| self.sizes[*l].clone()).collect(), self.rows);
        let scalar = self.scalar(graph, moved);
        let mut parts: Vec<Option<Part>> = self
            .factors
            .iter()
            .map(|(factor, kept)| Some(self.operand(graph, moved, factor, kept)))
            .collect();
        if let Some(scalar) = scalar {
            // On the smallest operand.
            let size =
                |part: &Part| -> f64 { part.labels.iter().map(|l| self.sizes[*l].nominal()).product() };
            let smallest = parts.iter_mut().flatten().min_by(|a, b| size(a).total_cmp(&size(b)));
            match smallest {
                None => return graph.broadcast(scalar, vec![None; ty.rank()], ty),
                Some(part) => {
                    let like = graph.ty(part.id).clone();
                    let factor = graph.broadcast(scalar, vec![None; like.rank()], like);
                    part.id = graph.mul(part.id, factor);
                }
            }
        }
        if parts.is_empty() {
            return graph.full(self.term.number, &ty);
        }
        let all = (1u64 << self.factors.len()) - 1;
        let (whole, _) = self.multiply(graph, &self.tree, &mut parts, all);
        self.align(graph, &whole, &self.output, ty)
    }

    /// The product of all that has no labels; none where it is 1.
    fn scalar(&self, graph: &mut Graph, moved: &HashMap<NodeId, NodeId>) -> Option<NodeId> {
        let mut product = graph.number(self.term.number);
        for size in &self.term.counts {
            let count = graph.size(size.clone());
            product = graph.mul(product, count);
        }
        for factor in &self.scalars {
            let power = power(graph, moved[&factor.node], factor.power);
            product = graph.mul(product, power);
        }
        (graph.as_number(product) != Some(1.0)).then_some(product)
    }

    /// A factor to its power, summed over what only it depends on.
    fn operand(
        &self,
        graph: &mut Graph,
        moved: &HashMap<NodeId, NodeId>,
        factor: &Factor,
        kept: &[Label],
    ) -> Part {
        let id = power(graph, moved[&factor.node], factor.power);
        let mut distinct: Vec<Label> = Vec::new();
        for label in &factor.labels {
            if !distinct.contains(label) {
                distinct.push(*label);
            }
        }
        let id = if distinct.len() < factor.labels.len() {
            let names = |labels: &[Label]| labels.iter().map(|l| *l as u32).collect::<Vec<u32>>();
            graph.contract(vec![names(&factor.labels)], &[id], names(kept), self.rows_of(kept))
        } else {
            let axes: Vec<usize> =
                (0..distinct.len()).filter(|axis| !kept.contains(&distinct[*axis])).collect();
            graph.sum(id, &axes)
        };
        Part { id, labels: kept.to_vec() }
    }

    /// The product of a tree; which operands it has.
    fn multiply(&self, graph: &mut Graph, tree: &Tree, parts: &mut [Option<Part>], all: u64) -> (Part, u64) {
        match tree {
            Tree::One(operand) => match parts[*operand].take() {
                Some(part) => (part, 1 << operand),
                None => unreachable!("an operand stands once in the tree"),
            },
            Tree::Pair(left, right) => {
                let (a, left) = self.multiply(graph, left, parts, all);
                let (b, right) = self.multiply(graph, right, parts, all);
                let set = left | right;
                let outside = |label: &Label| {
                    self.output.contains(label)
                        || (0..self.factors.len())
                            .any(|f| set >> f & 1 == 0 && self.factors[f].1.contains(label))
                };
                let mut every = a.labels.clone();
                every.extend(b.labels.iter().filter(|l| !a.labels.contains(l)));
                let kept: Vec<Label> = every.iter().copied().filter(outside).collect();
                let labels = self.ordered(kept, set == all);
                let rows = self.rows_of(&labels);
                let id = if labels.len() == every.len() {
                    let ty = typed(labels.iter().map(|l| self.sizes[*l].clone()).collect(), rows);
                    let a = self.align(graph, &a, &labels, ty.clone());
                    let b = self.align(graph, &b, &labels, ty);
                    graph.mul(a, b)
                } else {
                    let names = |labels: &[Label]| labels.iter().map(|l| *l as u32).collect::<Vec<u32>>();
                    let inputs = vec![names(&a.labels), names(&b.labels)];
                    graph.contract(inputs, &[a.id, b.id], names(&labels), rows)
                };
                (Part { id, labels }, set)
            }
        }
    }

    /// The batch first, then further rows, then the order of the result for the last product.
    fn ordered(&self, labels: Vec<Label>, last: bool) -> Vec<Label> {
        let mut labels = labels;
        labels.sort_by_key(|label| {
            let place = self.output.iter().position(|l| l == label).unwrap_or(self.output.len());
            let row = self.rows > 0 && place < self.rows;
            match (Some(*label) == self.batch, row || last) {
                (true, _) => (0, 0),
                (_, true) => (1, place),
                _ => (2, 0),
            }
        });
        labels
    }

    /// How many of the leading labels are rows: none without the batch.
    fn rows_of(&self, labels: &[Label]) -> usize {
        if labels.is_empty() || labels.first().copied() != self.batch {
            return 0;
        }
        let further =
            labels[1..].iter().take_while(|l| self.rows > 0 && self.output[..self.rows].contains(l));
        1 + further.count()
    }

    /// A value in other labels' order, repeated along those that it lacks.
    fn align(&self, graph: &mut Graph, part: &Part, labels: &[Label], ty: Type) -> NodeId {
        let order: Vec<usize> =
            labels.iter().filter_map(|label| part.labels.iter().position(|l| l == label)).collect();
        let rows = graph.ty(part.id).rows.len();
        let turned: Vec<Label> = order.iter().map(|axis| part.labels[*axis]).collect();
        // As many rows as the target has among these axes.
        let wanted = labels[..ty.rows.len()].iter().filter(|l| turned.contains(l)).count();
        let batched = rows > 0;
        let id = graph.permute(part.id, &order, if batched { wanted } else { 0 });
        let axes = labels.iter().map(|label| turned.iter().position(|l| l == label)).collect();
        graph.broadcast(id, axes, ty)
    }
}

fn power(graph: &mut Graph, id: NodeId, power: i32) -> NodeId {
    let mut product = id;
    let mut left = power.unsigned_abs();
    if left.is_multiple_of(2) && left > 0 {
        product = graph.square(id);
        left -= 1;
    }
    for _ in 1..left {
        product = graph.mul(product, id);
    }
    if power < 0 { graph.recip(product) } else { product }
}
