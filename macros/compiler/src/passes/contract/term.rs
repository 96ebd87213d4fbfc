//! A product under sums, and how a value unfolds into one.
//!
//! In: a node and labels for its axes. Out: a `Term`: a number times factors, some labels summed. Never: a
//! product of two sums multiplied out. One sum in a product may be opened (the rounding error stays within
//! Σ|terms|: *stable*); opening two, as in ‖A W‖² = A (W Wᵀ) Aᵀ, *cancels*. A square opens only where
//! nothing is summed inside (*exact*).

use std::collections::HashSet;

use crate::graph::*;
use crate::size::Size;

/// The name of an axis inside one term: an index into `Unfolding::sizes`.
pub(super) type Label = usize;

/// A node's value to a power, its axes labelled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Factor {
    pub node: NodeId,
    pub labels: Vec<Label>,
    pub power: i32,
}

/// `number · Π counts · Σ_summed Π factors`.
#[derive(Clone, Debug, Default)]
pub(super) struct Term {
    pub number: f64,
    pub counts: Vec<Size>,
    pub factors: Vec<Factor>,
    pub summed: Vec<Label>,
}

/// The unfolding of one node.
pub(super) struct Unfolding<'a> {
    pub graph: &'a Graph,
    /// Nodes that stay factors.
    pub closed: &'a HashSet<NodeId>,
    /// The size of each label.
    pub sizes: Vec<Size>,
    /// The nodes that were opened.
    pub opened: Vec<NodeId>,
    /// Products inside of squares, which therefore were not.
    pub squared: Vec<NodeId>,
    /// How many sums are open around the present node.
    pub depth: usize,
}

/// How many sums deep a node is opened. What lies deeper is reached in the next round.
const DEEPEST: usize = 3;

impl Unfolding<'_> {
    /// A new label.
    pub fn label(&mut self, size: Size) -> Label {
        self.sizes.push(size);
        self.sizes.len() - 1
    }

    /// The term of a node, opened as far as it stays stable.
    pub fn open(&mut self, id: NodeId, labels: &[Label]) -> Term {
        let node = self.graph.node(id);
        // Two batches in one term would need values with a row for each pair of samples.
        let crosses = node.ty.rows.is_empty() && node.args.iter().any(|a| !self.graph.ty(*a).rows.is_empty());
        let sums = matches!(node.kind, Kind::Reduce { .. } | Kind::Contract { .. });
        let deep = sums && self.depth == DEEPEST;
        if self.closed.contains(&id) || deep || (crosses && !self.opened.is_empty()) {
            return leaf(id, labels, 1);
        }
        self.depth += usize::from(sums);
        let term = self.unfold(id, node, labels);
        self.depth -= usize::from(sums);
        term
    }

    fn unfold(&mut self, id: NodeId, node: &Node, labels: &[Label]) -> Term {
        let mark = self.opened.len();
        self.opened.push(id);
        match &node.kind {
            Kind::Const(Constant::Number(number)) => Term { number: *number, ..Term::default() },
            Kind::Map(row) => match (row.name, node.args.as_slice()) {
                ("neg", [x]) => {
                    let term = self.open(*x, labels);
                    Term { number: -term.number, ..term }
                }
                ("mul", [a, b]) if a == b => self.power(*a, labels, 2),
                ("mul", args) => self.product(args.iter().map(|arg| (*arg, labels.to_vec())).collect()),
                ("square", [x]) => self.power(*x, labels, 2),
                ("recip", [x]) => self.power(*x, labels, -1),
                ("div", [a, b]) => {
                    let (above, below) = (self.open(*a, labels), self.power(*b, labels, -1));
                    multiply(above, below)
                }
                _ => self.closed_again(mark, id, labels),
            },
            Kind::Reduce { reduction: Reduction::Sum, axes } => {
                let shape = self.graph.ty(node.args[0]).shape();
                let mut kept = labels.iter();
                let mut summed = Vec::new();
                let inner: Vec<Label> = (0..shape.len())
                    .map(|axis| match kept.as_slice().first() {
                        Some(label) if !axes.contains(&axis) => {
                            kept.next();
                            *label
                        }
                        _ => {
                            summed.push(self.label(shape[axis].clone()));
                            self.sizes.len() - 1
                        }
                    })
                    .collect();
                let term = self.open(node.args[0], &inner);
                self.sum(term, summed)
            }
            Kind::View(View::Permute(axes)) => {
                let mut inner = vec![0; axes.len()];
                axes.iter().zip(labels).for_each(|(axis, label)| inner[*axis] = *label);
                self.open(node.args[0], &inner)
            }
            Kind::View(View::Broadcast(axes)) => {
                let shape = self.graph.ty(node.args[0]).shape();
                let mut summed = Vec::new();
                let mut inner = Vec::with_capacity(shape.len());
                for (axis, size) in shape.iter().enumerate() {
                    inner.push(match axes.iter().position(|a| *a == Some(axis)) {
                        Some(place) => labels[place],
                        None => {
                            summed.push(self.label(size.clone()));
                            self.sizes.len() - 1
                        }
                    });
                }
                let term = self.open(node.args[0], &inner);
                self.sum(term, summed)
            }
            Kind::Contract { inputs, output } => self.contract(node, inputs, output, labels),
            Kind::Input(_) | Kind::Param(_) | Kind::Hyper(_) | Kind::Const(_) | Kind::Random { .. } => {
                self.closed_again(mark, id, labels)
            }
            Kind::TopK { .. } | Kind::Gather { .. } | Kind::Scatter { .. } | Kind::TriangularFactor => {
                self.closed_again(mark, id, labels)
            }
            Kind::Reduce { .. } | Kind::View(_) | Kind::StopGradient | Kind::Scan { .. } => {
                self.closed_again(mark, id, labels)
            }
        }
    }

    /// A node that stays a factor after all.
    fn closed_again(&mut self, mark: usize, id: NodeId, labels: &[Label]) -> Term {
        self.opened.truncate(mark);
        leaf(id, labels, 1)
    }

    fn contract(&mut self, node: &Node, inputs: &[Vec<u32>], output: &[u32], labels: &[Label]) -> Term {
        let mut names: Vec<(u32, Label)> = output.iter().copied().zip(labels.iter().copied()).collect();
        let mut summed = Vec::new();
        let mut factors = Vec::with_capacity(inputs.len());
        for (own, arg) in inputs.iter().zip(&node.args) {
            let shape = self.graph.ty(*arg).shape();
            let mut inner = Vec::with_capacity(own.len());
            for (label, size) in own.iter().zip(shape) {
                inner.push(match names.iter().find(|(l, _)| l == label) {
                    Some((_, name)) => *name,
                    None => {
                        let name = self.label(size);
                        names.push((*label, name));
                        summed.push(name);
                        name
                    }
                });
            }
            factors.push((*arg, inner));
        }
        let term = self.product(factors);
        self.sum(term, summed)
    }

    /// A product in which at most one factor, the first with an inner sum, is opened through it.
    fn product(&mut self, factors: Vec<(NodeId, Vec<Label>)>) -> Term {
        let mut all = Term { number: 1.0, ..Term::default() };
        for (id, labels) in factors {
            let mark = self.opened.len();
            let term = self.open(id, &labels);
            if self.sums(&all) && self.sums(&term) {
                self.opened.truncate(mark);
                all = multiply(all, leaf(id, &labels, 1));
            } else {
                all = multiply(all, term);
            }
        }
        all
    }

    /// A power of a value; opened only where it is a plain product.
    fn power(&mut self, id: NodeId, labels: &[Label], power: i32) -> Term {
        let mark = self.opened.len();
        let mut term = self.open(id, labels);
        let vanishes = power < 0 && term.number == 0.0;
        // The zeros of an identity matrix have no reciprocal.
        let delta = term.factors.iter().any(|f| self.is_delta(f));
        if self.sums(&term) && power == 2 {
            let products = self.opened[mark..].iter().copied();
            self.squared
                .extend(products.filter(|id| matches!(self.graph.node(*id).kind, Kind::Contract { .. })));
        }
        if self.sums(&term) || power < 0 && (vanishes || delta || !term.counts.is_empty()) {
            self.opened.truncate(mark);
            return leaf(id, labels, power);
        }
        term.number = term.number.powi(power);
        term.factors.iter_mut().for_each(|factor| factor.power *= power);
        let counts = term.counts.clone();
        (1..power).for_each(|_| term.counts.extend_from_slice(&counts));
        term
    }

    /// Whether a term adds anything up.
    fn sums(&self, term: &Term) -> bool {
        term.summed.iter().any(|label| !self.sizes[*label].is_one())
    }

    fn is_delta(&self, factor: &Factor) -> bool {
        self.graph.node(factor.node).kind == Kind::Const(Constant::Delta)
    }

    /// The sum of a term over more labels: identity matrices rename labels, and what no factor depends on is
    /// counted.
    fn sum(&mut self, mut term: Term, labels: Vec<Label>) -> Term {
        term.summed.extend(labels);
        while let Some(place) = (0..term.factors.len()).find(|f| self.renames(&term, &term.factors[*f])) {
            let delta = term.factors.remove(place);
            let (a, b) = (delta.labels[0], delta.labels[1]);
            let (gone, stays) = if term.summed.contains(&a) { (a, b) } else { (b, a) };
            if gone != stays {
                term.summed.retain(|label| *label != gone);
                for label in term.factors.iter_mut().flat_map(|f| &mut f.labels).filter(|l| **l == gone) {
                    *label = stays;
                }
            }
        }
        // Renamed, two factors may have become one.
        let factors = std::mem::take(&mut term.factors);
        for factor in factors {
            push(&mut term.factors, factor);
        }
        let used = |label: &Label| term.factors.iter().any(|f| f.labels.contains(label));
        let (summed, counted): (Vec<Label>, Vec<Label>) = term.summed.iter().partition(|label| used(label));
        term.counts.extend(counted.into_iter().map(|l| self.sizes[l].clone()).filter(|size| !size.is_one()));
        term.summed = summed;
        term
    }

    fn renames(&self, term: &Term, factor: &Factor) -> bool {
        self.is_delta(factor)
            && (factor.labels[0] == factor.labels[1] || factor.labels.iter().any(|l| term.summed.contains(l)))
    }
}

fn leaf(node: NodeId, labels: &[Label], power: i32) -> Term {
    Term { number: 1.0, factors: vec![Factor { node, labels: labels.to_vec(), power }], ..Term::default() }
}

fn multiply(mut a: Term, b: Term) -> Term {
    a.number *= b.number;
    a.counts.extend(b.counts);
    a.summed.extend(b.summed);
    b.factors.into_iter().for_each(|factor| push(&mut a.factors, factor));
    a
}

/// One more factor: another power of one that is there, where both divide or both multiply.
fn push(factors: &mut Vec<Factor>, factor: Factor) {
    let same = |f: &&mut Factor| {
        f.node == factor.node && f.labels == factor.labels && (f.power > 0) == (factor.power > 0)
    };
    match factors.iter_mut().find(same) {
        Some(found) => found.power += factor.power,
        None => factors.push(factor),
    }
}
