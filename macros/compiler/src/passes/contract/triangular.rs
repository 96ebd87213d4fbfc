//! Sums of squares of a product with a long matrix: Σₑ (Σ꜀ A꜀ Wₑ꜀)² = Σᵢ (Σ꜀ A꜀ Rᵢ꜀)² where RᵀR = WᵀW.
//!
//! In: a term, and where it squares a product of which one factor, W, has no rows. Out: the same term over the triangular
//! factor of W, which has as many rows as columns, however many W has; and what that costs. Never: WᵀW in place
//! of a square. A (WᵀW) Aᵀ *cancels*: with nearly collinear columns in f32 it was off by 6 %, then negative. A R
//! does not: R is nearly exact for a W that is moved by its own rounding error, which is what *stable* means, and a sum
//! of squares is not negative.
//!
//! Where R is there, derivatives use it too: Σₑ Wₑ꜀ Wₑ꜀′, which they leave of the squares, is Σᵢ Rᵢ꜀ Rᵢ꜀′. Their A (WᵀW) has a
//! rounding error of ε ‖A‖ ‖W‖², as it always had: there is no other square for it to be small against.

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
    Some(Narrowed { term, product: Some(product) })
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

/// Two equal matrices, summed over the axis that their triangular factor has as well, where that is there already.
fn gram(graph: &Graph, root: NodeId, term: &Term, sizes: &mut Vec<Size>) -> Option<Narrowed> {
    let pairs = (0..term.factors.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let alive = live(graph);
    for (a, b) in pairs {
        let (left, right) = (&term.factors[a], &term.factors[b]);
        let pair = left.node == right.node && (left.power, right.power) == (1, 1) && left.labels.len() == 2;
        if !pair {
            continue;
        }
        let Some((factor, long)) = graph.ids().take(root.index()).find_map(|id| {
            let node = graph.node(id);
            let of = (alive[id.index()] && node.kind == Kind::TriangularFactor).then(|| node.args[0])?;
            match (&graph.node(of).kind, graph.node(of).args.as_slice()) {
                _ if of == left.node => Some((id, 0)),
                (Kind::View(View::Permute(axes)), [from]) if *from == left.node && axes[..] == [1, 0] => {
                    Some((id, 1))
                }
                _ => None,
            }
        }) else {
            continue;
        };
        let label = left.labels[long];
        let [one, other] = [left.labels[1 - long], right.labels[1 - long]];
        let only =
            term.factors.iter().enumerate().all(|(at, f)| at == a || at == b || !f.labels.contains(&label));
        let apart = one != other && one != label && other != label;
        if right.labels[long] != label || !term.summed.contains(&label) || !only || !apart {
            continue;
        }
        sizes.push(graph.ty(factor).features[0].clone());
        let new = sizes.len() - 1;
        let mut term = term.clone();
        term.summed.retain(|l| *l != label);
        term.summed.push(new);
        for (place, name) in [(a, one), (b, other)] {
            term.factors[place] = Factor { node: factor, labels: vec![new, name], power: 1 };
        }
        return Some(Narrowed { term, product: None });
    }
    None
}
