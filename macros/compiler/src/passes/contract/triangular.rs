//! Sums of squares of a product with a long matrix: Σₑ (Σ꜀ A꜀ Wₑ꜀)² = Σᵢ (Σ꜀ A꜀ Rᵢ꜀)² where RᵀR = WᵀW.
//!
//! In: a term, and where it squares a product of which one factor, W, has no rows. Out: the same term over the triangular
//! factor of W, which has as many rows as columns, however many W has; and what that costs. Never: WᵀW in place
//! of a square. A (WᵀW) Aᵀ *cancels*: with nearly collinear columns in f32 it was off by 6 %, then negative. A R
//! does not: R is nearly exact for a W that is moved by its own rounding error, which is what *stable* means, and a sum
//! of squares is not negative.
//!
//! Where R is there, derivatives use it too. They have A (WᵀW), whose rounding errors are those of WᵀW as well, however
//! little A leaves of it; the same without a square is (A Rᵀ) R, and A Rᵀ is there.

use std::collections::HashMap;

use super::term::{Factor, Label, Term};
use crate::build::typed;
use crate::graph::*;
use crate::print::live;
use crate::size::Size;

/// A multiplication in f64 on one thread, in multiplications of a product that all threads share.
const ALONE: f64 = 4.0;
/// What a column costs beside its multiplications: a root, a quotient, a loop.
const COLUMN: f64 = 1000.0;

/// The cost of the triangular factors of matrices `[s…, m, n]`.
pub(super) fn cost(features: &[Size]) -> f64 {
    let [outer @ .., m, n] = features else { return 0.0 };
    let (count, m, n) = (Size::product(outer).nominal(), m.nominal(), n.nominal());
    count * (ALONE * (m + n) * n * n + COLUMN * n)
}

/// Another term that means the same.
pub(super) struct Narrowed {
    /// The term. Where `product` is some, its node there stands for the new product.
    pub term: Term,
    /// A product with a triangular factor that has to be made.
    pub product: Option<Product>,
    /// Whether it rounds less, and is to be had for the same cost.
    pub stabler: bool,
}

/// A product with the triangular factor of one of its factors in that factor's place.
#[derive(Clone)]
pub(super) struct Product {
    /// The product that is replaced.
    pub of: NodeId,
    /// The cost of the new one, and of its factor.
    pub cost: f64,
    /// Which argument is W.
    wide: usize,
    /// The axes of W: those that `of` keeps and shares, those that only W has, those that are summed.
    axes: [Vec<usize>; 3],
    /// The labels of the new product: those of the other argument, of the triangular factor, of the result.
    labels: [Vec<u32>; 3],
}

/// The terms that follow from this one; new labels are appended to `sizes`.
pub(super) fn narrowed(graph: &Graph, root: NodeId, term: &Term, sizes: &mut Vec<Size>) -> Vec<Narrowed> {
    let mut found = Vec::new();
    for place in 0..term.factors.len() {
        for wide in [0, 1] {
            found.extend(square(graph, term, place, wide, sizes));
        }
    }
    found.extend(gram(graph, root, term, sizes));
    found
}

/// The factor at `place`, a square of a product, with the triangular factor of argument `wide`.
fn square(graph: &Graph, term: &Term, place: usize, wide: usize, sizes: &mut Vec<Size>) -> Option<Narrowed> {
    let factor = &term.factors[place];
    let node = graph.node(factor.node);
    let Kind::Contract { inputs, output } = &node.kind else { return None };
    let ([_, _], 2) = (inputs.as_slice(), factor.power) else { return None };
    let (w, a) = (&inputs[wide], &inputs[1 - wide]);
    let others = |label: &Label| {
        let own = factor.labels.iter().filter(|l| *l == label).count();
        own > 1 || term.factors.iter().enumerate().any(|(at, f)| at != place && f.labels.contains(label))
    };
    // Whether the squares are summed along an axis of the product, and nothing else has that axis.
    let dropped = |axis: usize| term.summed.contains(&factor.labels[axis]) && !others(&factor.labels[axis]);
    if !graph.ty(node.args[wide]).rows.is_empty() || term.factors.iter().any(|f| again(f, factor)) {
        return None;
    }
    let mut axes = [const { Vec::new() }; 3];
    for (axis, label) in w.iter().enumerate() {
        let group = match output.iter().position(|l| l == label) {
            None if a.contains(label) => 2,
            None => return None,
            Some(at) if !a.contains(label) && at >= node.ty.rows.len() && dropped(at) => 1,
            Some(_) => 0,
        };
        axes[group].push(axis);
    }
    if axes[1].is_empty() || axes[2].is_empty() {
        return None;
    }
    let shape = graph.ty(node.args[wide]).shape();
    let of = |axes: &[usize]| Size::product(axes.iter().map(|axis| &shape[*axis]));
    let (m, n) = (of(&axes[1]), of(&axes[2]));
    let new = inputs.iter().flatten().max().map_or(0, |label| label + 1);
    let long: Vec<u32> = axes[1].iter().map(|axis| w[*axis]).collect();
    // The new axis is where the first of those that go was.
    let mut result: Vec<u32> = Vec::new();
    let mut labels: Vec<Label> = Vec::new();
    sizes.push(n.clone());
    for (label, name) in output.iter().zip(&factor.labels) {
        match long.contains(label) {
            false => (result.push(*label), labels.push(*name)),
            true if !result.contains(&new) => (result.push(new), labels.push(sizes.len() - 1)),
            true => continue,
        };
    }
    let names = |axes: &[usize]| axes.iter().map(|axis| w[*axis]).collect::<Vec<u32>>();
    let triangular = [names(&axes[0]), vec![new], names(&axes[2])].concat();
    let matrices: Vec<Size> = axes[0].iter().map(|axis| shape[*axis].clone()).chain([m, n.clone()]).collect();
    let other = graph.ty(node.args[1 - wide]).shape();
    let work = a.iter().zip(&other).map(|(_, size)| size.nominal()).product::<f64>()
        * axes[0].iter().filter(|axis| !a.contains(&w[**axis])).map(|i| shape[*i].nominal()).product::<f64>()
        * n.nominal();
    let product = Product {
        of: factor.node,
        cost: cost(&matrices) + work,
        wide,
        axes,
        labels: [a.clone(), triangular, result],
    };
    let gone: Vec<Label> = factor.labels.iter().filter(|l| !labels.contains(l)).copied().collect();
    let mut term = term.clone();
    term.summed.retain(|label| !gone.contains(label));
    term.summed.push(sizes.len() - 1);
    term.factors[place].labels = labels;
    Some(Narrowed { term, product: Some(product), stabler: false })
}

/// Whether a factor is the same node as another one, and not that one itself.
fn again(factor: &Factor, other: &Factor) -> bool {
    factor.node == other.node && !std::ptr::eq(factor, other)
}

impl Product {
    /// Appends the nodes; `moved` says where those of the old graph are now.
    pub fn build(&self, old: &Graph, graph: &mut Graph, moved: &HashMap<NodeId, NodeId>) -> NodeId {
        let node = old.node(self.of);
        let [shared, long, summed] = &self.axes;
        let shape = old.ty(node.args[self.wide]).shape();
        let of = |axes: &[usize]| -> Vec<Size> { axes.iter().map(|axis| shape[*axis].clone()).collect() };
        let (m, n) = (Size::product(&of(long)), Size::product(&of(summed)));
        let turned = graph.permute(moved[&node.args[self.wide]], &self.axes.concat(), 0);
        let matrix = graph.reshape(turned, typed([of(shared), vec![m, n.clone()]].concat(), 0));
        let factor = graph.triangular_factor(matrix);
        let factor = graph.reshape(factor, typed([of(shared), vec![n], of(summed)].concat(), 0));
        let [left, right, result] = self.labels.clone();
        let args = [moved[&node.args[1 - self.wide]], factor];
        graph.contract(vec![left, right], &args, result, node.ty.rows.len())
    }
}

/// Two factors that are W, summed over its long axis, where the triangular factor of W is there already: it takes
/// their place. Where one of them meets an A whose product with R is there too, that product is used: (A Rᵀ) R, as stable
/// as the square, in place of A (RᵀR), and for the same cost.
fn gram(graph: &Graph, root: NodeId, term: &Term, sizes: &mut Vec<Size>) -> Vec<Narrowed> {
    let mut found = Vec::new();
    let places = 0..term.factors.len();
    for (one, other) in places.clone().flat_map(|a| places.clone().map(move |b| (a, b))) {
        let Some((factor, long)) = pair(graph, root, term, one, other) else { continue };
        sizes.push(graph.ty(factor).features[0].clone());
        let new = sizes.len() - 1;
        let short = |place: usize| term.factors[place].labels[1 - long];
        let triangular = |place: usize| Factor { node: factor, labels: vec![new, short(place)], power: 1 };
        let mut narrow = term.clone();
        let label = term.factors[one].labels[long];
        narrow.summed.retain(|l| *l != label);
        narrow.summed.push(new);
        narrow.factors[other] = triangular(other);
        if let Some((place, product)) = met(graph, root, term, (one, short(one)), factor, new) {
            let mut narrow = narrow.clone();
            narrow.summed.retain(|l| *l != short(one));
            narrow.factors[place] = product;
            narrow.factors.remove(one);
            found.push(Narrowed { term: narrow, product: None, stabler: true });
        }
        if one < other {
            narrow.factors[one] = triangular(one);
            found.push(Narrowed { term: narrow, product: None, stabler: false });
        }
    }
    found
}

/// The triangular factor of two factors that are the same matrix, summed over an axis that nothing else has; and that
/// axis.
fn pair(graph: &Graph, root: NodeId, term: &Term, one: usize, other: usize) -> Option<(NodeId, usize)> {
    let (left, right) = (&term.factors[one], &term.factors[other]);
    let same = left.node == right.node && (left.power, right.power) == (1, 1);
    if one == other || !same || left.labels.len() != 2 {
        return None;
    }
    let triangular = |node: &Node| match (&node.kind, node.args.as_slice()) {
        (Kind::TriangularFactor, [of]) if *of == left.node => Some(0),
        (Kind::TriangularFactor, [of]) => match (&graph.node(*of).kind, graph.node(*of).args.as_slice()) {
            (Kind::View(View::Permute(axes)), [from]) if *from == left.node && axes[..] == [1, 0] => Some(1),
            _ => None,
        },
        _ => None,
    };
    let (factor, long) = earlier(graph, root, triangular)?;
    let label = left.labels[long];
    let only = |(at, f): (usize, &Factor)| at == one || at == other || !f.labels.contains(&label);
    let summed = right.labels[long] == label && term.summed.contains(&label);
    let apart = left.labels[1 - long] != label && right.labels[1 - long] != label;
    let apart = apart && left.labels != right.labels;
    (summed && apart && term.factors.iter().enumerate().all(only)).then_some((factor, long))
}

/// The factor A that is summed with the matrix at `one` over `label`, and what takes its place: the product of A with
/// the triangular factor, over the label `new`, where there is such a node.
fn met(
    graph: &Graph,
    root: NodeId,
    term: &Term,
    (one, label): (usize, Label),
    factor: NodeId,
    new: Label,
) -> Option<(usize, Factor)> {
    let mut others =
        (0..term.factors.len()).filter(|at| *at != one && term.factors[*at].labels.contains(&label));
    let (place, None) = (others.next()?, others.next()) else { return None };
    let a = &term.factors[place];
    let axis = a.labels.iter().position(|l| *l == label)?;
    if a.power != 1 || !term.summed.contains(&label) {
        return None;
    }
    let product = |node: &Node| {
        let Kind::Contract { inputs, output } = &node.kind else { return None };
        let [left, right] = node.args[..] else { return None };
        let at = usize::from(right == factor);
        if [left, right] != [[factor, a.node], [a.node, factor]][at] {
            return None;
        }
        let (of, with) = (&inputs[1 - at], &inputs[at]);
        let summed = with.get(1) == of.get(axis) && output.len() == of.len();
        let name = |l: &u32| match of.iter().position(|o| o == l) {
            Some(axis) => Some(a.labels[axis]),
            None => (Some(l) == with.first()).then_some(new),
        };
        let labels: Option<Vec<Label>> = output.iter().map(name).collect();
        labels.filter(|labels| summed && labels.contains(&new) && !labels.contains(&label))
    };
    let (node, labels) = earlier(graph, root, product)?;
    Some((place, Factor { node, labels, power: 1 }))
}

/// The first node before `root` that an output needs and that `is` says something of.
fn earlier<T>(graph: &Graph, root: NodeId, is: impl Fn(&Node) -> Option<T>) -> Option<(NodeId, T)> {
    let mut found = graph.ids().take(root.index()).filter_map(|id| Some((id, is(graph.node(id))?)));
    let first = found.next()?;
    live(graph)[first.0.index()].then_some(first)
}
