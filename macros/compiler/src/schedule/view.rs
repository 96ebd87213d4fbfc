//! Views folded into strides.
//!
//! In: a graph. Out: for each node, the node in whose memory its elements lie, and how: an offset, and a
//! stride for each axis. Never: a copy; a view that strides cannot say is a source of its own.

use std::collections::HashMap;

use super::written::Written;
use crate::graph::{Graph, Kind, NodeId, View};
use crate::size::Size;

/// Element `i` of a value is element `offset + Σ strides · i` of `source`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strided {
    /// The node that is stored.
    pub source: NodeId,
    /// The first element (within the row, where the source has rows).
    pub offset: Size,
    /// One for each axis; 0 for axes of size 1.
    pub strides: Vec<Size>,
    /// Whether the rows of the whole batch are needed: a `Batch` lies between.
    pub whole: bool,
    /// Whether an element may be read at several positions of two axes: a `Window` lies between.
    pub slides: bool,
}

/// The views of a graph.
pub(super) struct Views {
    read: Vec<Strided>,
    written: HashMap<NodeId, Written>,
}

impl Views {
    /// Resolves every node.
    pub fn of(graph: &Graph, written: &HashMap<NodeId, Written>) -> Self {
        let mut views = Views { read: Vec::with_capacity(graph.nodes.len()), written: written.clone() };
        for id in graph.ids() {
            let view = views.resolve(graph, id);
            views.read.push(view);
        }
        views
    }

    /// Where a node's value goes in its memory, where that is not simply in order.
    pub fn written(&self, id: NodeId) -> Option<&Written> {
        self.written.get(&id)
    }

    /// Whether several elements of a node's value may land in one place.
    pub fn overlaps(&self, id: NodeId) -> bool {
        self.written(id).is_some_and(|written| written.sums)
    }

    /// How a node is read.
    pub fn get(&self, id: NodeId) -> &Strided {
        &self.read[id.index()]
    }

    /// Whether the node has memory or a computation of its own.
    pub fn is_source(&self, id: NodeId) -> bool {
        self.get(id).source == id
    }

    fn resolve(&self, graph: &Graph, id: NodeId) -> Strided {
        let node = graph.node(id);
        let shape = node.ty.shape();
        let own = || Strided {
            source: id,
            offset: Size::default(),
            strides: contiguous(&shape),
            whole: false,
            slides: false,
        };
        let from = |offset: Size, strides: Vec<Size>| {
            let arg = self.get(node.args[0]);
            let strides =
                shape.iter().zip(strides).map(|(n, s)| if n.is_one() { Size::default() } else { s });
            Strided {
                source: arg.source,
                offset: &arg.offset + &offset,
                strides: strides.collect(),
                whole: arg.whole || matches!(node.kind, Kind::View(View::Batch)),
                slides: arg.slides || matches!(node.kind, Kind::View(View::Window { .. })),
            }
        };
        let arg = || self.get(node.args[0]).strides.clone();
        match &node.kind {
            // A copy that `legal` asks for is an identity of two arguments, the same twice.
            Kind::View(View::Identity) if node.args.len() == 2 => own(),
            Kind::View(View::Identity | View::Batch | View::Unbatch) | Kind::StopGradient => {
                from(Size::default(), arg())
            }
            Kind::View(View::Permute(axes)) => {
                let arg = arg();
                from(Size::default(), axes.iter().map(|axis| arg[*axis].clone()).collect())
            }
            Kind::View(View::Broadcast(axes)) => {
                let (arg, sizes) = (arg(), graph.ty(node.args[0]).shape());
                let stride = |axis: &Option<usize>| match axis {
                    Some(axis) if !sizes[*axis].is_one() => arg[*axis].clone(),
                    _ => Size::default(),
                };
                from(Size::default(), axes.iter().map(stride).collect())
            }
            Kind::View(View::Slice { axis, start }) => {
                let arg = arg();
                from(start * &arg[*axis], arg)
            }
            Kind::View(View::Window { axis, stride, dilation, .. }) => {
                let mut strides = arg();
                let step = strides[*axis].clone();
                let steps = [&step * &Size::known(*stride), &step * &Size::known(*dilation)];
                strides.splice(axis..=axis, steps);
                from(Size::default(), strides)
            }
            Kind::View(View::Reshape) => match reshape(&graph.ty(node.args[0]).shape(), &arg(), &shape) {
                Some(strides) => from(Size::default(), strides),
                None => own(),
            },
            _ => own(),
        }
    }
}

/// The strides of a row-major value; 0 for axes of size 1.
pub(super) fn contiguous(shape: &[Size]) -> Vec<Size> {
    let mut stride = Size::known(1);
    let mut strides: Vec<Size> = shape
        .iter()
        .rev()
        .map(|size| {
            let this = if size.is_one() { Size::default() } else { stride.clone() };
            stride = &stride * size;
            this
        })
        .collect();
    strides.reverse();
    strides
}

/// Row-major strides, also for axes of size 1.
pub(super) fn whole_strides(shape: &[Size]) -> Vec<Size> {
    (0..shape.len()).map(|i| Size::product(&shape[i + 1..])).collect()
}

/// Strides of the same elements under other axes, where there are any.
fn reshape(from: &[Size], strides: &[Size], to: &[Size]) -> Option<Vec<Size>> {
    // Leading axes that stay, then either runs that split evenly, or a single run.
    let kept = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let mut out = strides[..kept].to_vec();
    let rest = &to[kept..];
    // Runs of axes that lie one after the other: their extent and the stride of their last axis.
    let mut runs: Vec<(Size, Size)> = Vec::new();
    for (size, stride) in from[kept..].iter().zip(&strides[kept..]).filter(|(size, _)| !size.is_one()) {
        match runs.last_mut() {
            Some((extent, last)) if *last == stride * size => {
                (*extent, *last) = (&*extent * size, stride.clone());
            }
            _ => runs.push((size.clone(), stride.clone())),
        }
    }
    if let [] | [_] = runs.as_slice() {
        let step = runs.first().map_or(Size::default(), |(_, stride)| stride.clone());
        out.extend(contiguous(rest).iter().map(|stride| stride * &step));
        return Some(out);
    }
    let mut tail = Vec::with_capacity(rest.len());
    for size in rest.iter().rev() {
        if size.is_one() {
            tail.push(Size::default());
            continue;
        }
        let (extent, stride) = runs.last_mut()?;
        tail.push(stride.clone());
        let left = divide(extent, size)?;
        if left.is_one() {
            runs.pop();
        } else {
            (*extent, *stride) = (left, &*stride * size);
        }
    }
    tail.reverse();
    out.extend(tail);
    runs.is_empty().then_some(out)
}

/// The quotient, where it is exact for every value of the symbols and easily seen.
fn divide(size: &Size, by: &Size) -> Option<Size> {
    if size == by {
        return Some(Size::known(1));
    }
    let (n, d) = (size.value()?, by.value()?);
    (d > 0 && n % d == 0).then(|| Size::known(n / d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(of: &[usize]) -> Vec<Size> {
        of.iter().map(|n| Size::known(*n)).collect()
    }

    #[test]
    fn reshapes_of_contiguous_and_sliced_values() {
        assert_eq!(reshape(&sizes(&[2, 6]), &sizes(&[6, 1]), &sizes(&[3, 4])), Some(sizes(&[4, 1])));
        // Rows of 8 of which 6 are kept: the rows stay, the rest splits.
        assert_eq!(reshape(&sizes(&[5, 6]), &sizes(&[8, 1]), &sizes(&[5, 2, 3])), Some(sizes(&[8, 3, 1])));
        assert_eq!(reshape(&sizes(&[5, 6]), &sizes(&[8, 1]), &sizes(&[30])), None);
        assert_eq!(
            reshape(&sizes(&[4, 6]), &sizes(&[1, 4]), &sizes(&[2, 2, 3, 2])),
            Some(sizes(&[2, 1, 8, 4]))
        );
    }
}
