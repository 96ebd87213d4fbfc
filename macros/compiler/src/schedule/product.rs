//! An einsum as a matrix product with strides, or the decision that it is a loop.
//!
//! In: a `Contract` of at most two factors. Out: which axes are m, n and k, which loops stand around them.
//! Never: a copy of a factor; strides are enough, because what does not collapse becomes an outer loop.

mod sliding;

use crate::graph::*;
use crate::size::Size;

use super::view::{Views, contiguous};
use super::{Axis, Extent};

/// One label with its strides everywhere.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// Its name in the contraction.
    pub name: u32,
    /// The axis, with a stride of 0 where the label does not occur.
    pub axis: Axis,
    /// Whether the left factor has it.
    pub in_a: bool,
    /// Whether the right factor has it.
    pub in_b: bool,
    /// Whether the result has it.
    pub in_c: bool,
}

/// A contraction that is a matrix product.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    /// Loops around it.
    pub outer: Vec<Axis>,
    /// Rows of the result.
    pub m: Vec<Axis>,
    /// Columns of the result.
    pub n: Vec<Axis>,
    /// What is summed.
    pub k: Vec<Axis>,
    /// Whether the factors change places.
    pub swapped: bool,
    /// Whether an outer loop sums.
    pub sums_outside: bool,
}

impl Matrix {
    /// Whether it is one product of plain matrices, the result row-major: then threads can share it.
    pub fn is_dense(&self) -> bool {
        match (self.m.as_slice(), self.n.as_slice(), self.k.as_slice()) {
            ([m], [n], [_]) => self.outer.is_empty() && n.c.is_one() && m.c == n.extent.size,
            _ => false,
        }
    }

    /// The multiplications of all of it, at nominal sizes.
    pub fn work(&self) -> f64 {
        [&self.m, &self.n, &self.k].into_iter().map(|axes| work(axes)).product()
    }
}

/// The elements of axes, at nominal sizes.
pub(super) fn work(axes: &[Axis]) -> f64 {
    axes.iter().map(|axis| axis.extent.nominal()).product()
}

/// The labels of a contraction, those of the result first, in its order. In a stage (`rows`) the batch's label has
/// the rows of the tile.
pub(super) fn labels(graph: &Graph, views: &Views, id: NodeId, rows: bool) -> Vec<Label> {
    let node = graph.node(id);
    let Kind::Contract { inputs, output } = &node.kind else { return Vec::new() };
    let shapes: Vec<Vec<Size>> = node.args.iter().map(|a| graph.ty(*a).shape()).collect();
    let has_rows = |arg: &NodeId| !graph.ty(*arg).rows.is_empty();
    let row = match node.ty.rows.is_empty() {
        false => output.first(),
        true => node.args.iter().zip(inputs).find(|(a, _)| has_rows(a)).and_then(|(_, l)| l.first()),
    };
    let result = match views.written(id) {
        Some(how) => how.strides.clone(),
        None => contiguous(&node.ty.shape()),
    };
    let mut found: Vec<u32> = output.clone();
    for label in inputs.iter().flatten() {
        if !found.contains(label) {
            found.push(*label);
        }
    }
    let stride = |arg: usize, label: u32| -> Option<Size> {
        let labels = inputs.get(arg)?;
        let strides = &views.get(node.args[arg]).strides;
        let of = labels.iter().zip(strides).filter(|(l, _)| **l == label).map(|(_, s)| s);
        labels.contains(&label).then(|| of.fold(Size::default(), |sum, s| &sum + s))
    };
    found
        .into_iter()
        .filter_map(|label| {
            let size = inputs.iter().zip(&shapes).find_map(|(labels, shape)| {
                labels.iter().position(|l| *l == label).and_then(|at| shape.get(at).cloned())
            })?;
            let (a, b) = (stride(0, label), stride(1, label));
            let c = output.iter().position(|l| *l == label);
            let batch = rows && row == Some(&label);
            let size = if batch { Size::known(1) } else { size };
            Some(Label {
                name: label,
                in_a: a.is_some(),
                in_b: b.is_some(),
                in_c: c.is_some(),
                axis: Axis {
                    extent: Extent { rows: batch, size },
                    a: a.unwrap_or_default(),
                    b: b.unwrap_or_default(),
                    c: c.map_or(Size::default(), |c| result[c].clone()),
                },
            })
        })
        .filter(|label| label.axis.extent.rows || !label.axis.extent.size.is_one())
        .collect()
}

/// How many factors jump along a label, from one place of an index to the next.
pub(super) fn jumps(graph: &Graph, views: &Views, id: NodeId, label: u32) -> usize {
    let node = graph.node(id);
    let Kind::Contract { inputs, .. } = &node.kind else { return 0 };
    let jumps = |(arg, labels): (&NodeId, &Vec<u32>)| {
        let through = views.get(*arg).through.as_ref();
        through.is_some_and(|through| {
            labels.iter().zip(&through.index.strides).any(|(l, s)| *l == label && *s != Size::default())
        })
    };
    node.args.iter().zip(inputs).filter(|both| jumps(*both)).count()
}

/// The contraction as a matrix product, where one pays and both factors lie in memory as they are.
pub(super) fn matrix(graph: &Graph, views: &Views, id: NodeId, rows: bool) -> Option<Matrix> {
    let plain = graph.node(id).args.iter().all(|arg| views.get(*arg).through.is_none());
    plain.then(|| as_matrix(graph, views, id, rows)).flatten()
}

/// The same, whether or not a factor follows an index.
pub(super) fn as_matrix(graph: &Graph, views: &Views, id: NodeId, rows: bool) -> Option<Matrix> {
    let node = graph.node(id);
    if node.args.len() != 2 {
        return None;
    }
    // Numbers have no memory to multiply from.
    let stored = |arg: &NodeId| {
        !matches!(
            graph.node(views.get(*arg).source).kind,
            Kind::Const(Constant::Number(_) | Constant::Size(_)) | Kind::Hyper(_)
        )
    };
    if !node.args.iter().all(stored) {
        return None;
    }
    let labels = labels(graph, views, id, rows);
    if views.written(id).is_some() || node.args.iter().any(|arg| views.get(*arg).slides) {
        return sliding::matrix(&labels, views.overlaps(id));
    }
    let pick = |a: bool, b: bool, c: bool| -> Vec<Axis> {
        let of = labels.iter().filter(|l| (l.in_a, l.in_b, l.in_c) == (a, b, c));
        of.map(|l| l.axis.clone()).collect()
    };
    let (m, mut outer) = largest(pick(true, false, true), |x| (&x.a, &x.c))?;
    let (n, others) = largest(pick(false, true, true), |x| (&x.b, &x.c))?;
    outer.extend(others);
    outer.extend(pick(true, true, true));
    let (k, mut sums) = largest(pick(true, true, false), |x| (&x.a, &x.b))?;
    sums.extend(pick(true, false, false));
    sums.extend(pick(false, true, false));
    let sums_outside = !sums.is_empty();
    outer.extend(sums);
    // A product inside a loop over many rows must be worth its call.
    let work = m.extent.nominal() * n.extent.nominal() * k.extent.nominal();
    if !outer.is_empty() && work < 512.0 {
        return None;
    }
    // Results are row-major: the axis with stride 1 is the columns.
    let swapped = m.c.is_one() && !n.c.is_one();
    let (m, n, k) = if swapped { (swap(n), swap(m), swap(k)) } else { (m, n, k) };
    let outer = if swapped { outer.into_iter().map(swap).collect() } else { outer };
    Some(Matrix { outer, m: vec![m], n: vec![n], k: vec![k], swapped, sums_outside })
}

fn swap(axis: Axis) -> Axis {
    Axis { a: axis.b, b: axis.a, ..axis }
}

/// Collapses axes that lie one after the other in both places; the largest run, and the rest.
fn largest(axes: Vec<Axis>, strides: fn(&Axis) -> (&Size, &Size)) -> Option<(Axis, Vec<Axis>)> {
    let mut runs: Vec<Axis> = Vec::new();
    for axis in axes {
        if let Some(last) = runs.last_mut() {
            let ((one, two), (x, y)) = (strides(last), strides(&axis));
            let size = &axis.extent.size;
            if !axis.extent.rows && *one == x * size && *two == y * size {
                *last = Axis { extent: last.extent.times(&axis.extent), ..axis };
                continue;
            }
        }
        runs.push(axis);
    }
    let best = (0..runs.len()).max_by(|i, j| {
        let (a, b) = (runs[*i].extent.nominal(), runs[*j].extent.nominal());
        a.total_cmp(&b).then(j.cmp(i))
    })?;
    let main = runs.remove(best);
    Some((main, runs))
}
