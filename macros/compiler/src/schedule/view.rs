//! Views folded into strides.
//!
//! In: a graph. Out: for each node, the node in whose memory its elements lie, and how: an offset, a stride for
//! each axis, and perhaps an index that is followed. Never: a copy; a view that these cannot say is a source of
//! its own.

use std::collections::HashMap;

use super::written::Written;
use crate::graph::{Graph, Kind, Node, NodeId, View};
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
    /// The index that is followed on the way, for what a `Gather` chose.
    pub through: Option<Box<Through>>,
}

/// The element moves on by `step · index`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Through {
    /// How the index is read, along the same axes; it follows no index itself.
    pub index: Strided,
    /// Elements of the source from one place to the next.
    pub step: Size,
    /// The number of places.
    pub bound: Size,
}

/// The offset that a view adds, and the strides it has, given those of its argument.
type Move<'a> = &'a dyn Fn(&Strided) -> Option<(Size, Vec<Size>)>;

impl Strided {
    /// What lies in memory: the source, and the index.
    pub fn parts(&self) -> impl Iterator<Item = &Strided> {
        std::iter::once(self).chain(self.through.as_deref().map(|through| &through.index))
    }

    /// The same elements under other axes, for all parts, where strides can say it.
    fn moved(&self, to: Move<'_>, shape: &[Size], (whole, slides): (bool, bool)) -> Option<Strided> {
        let through = match &self.through {
            None => None,
            Some(through) => {
                let index = through.index.moved(to, shape, (whole, slides))?;
                Some(Box::new(Through { index, ..(**through).clone() }))
            }
        };
        let (offset, strides) = to(self)?;
        let strides = shape.iter().zip(strides).map(|(n, s)| if n.is_one() { Size::default() } else { s });
        Some(Strided {
            source: self.source,
            offset: &self.offset + &offset,
            strides: strides.collect(),
            whole: self.whole || whole,
            slides: self.slides || slides,
            through,
        })
    }
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
        views.follow(graph);
        views
    }

    /// Resolves the nodes that were appended since.
    pub fn follow(&mut self, graph: &Graph) {
        for id in graph.ids().skip(self.read.len()) {
            let view = self.resolve(graph, id);
            self.read.push(view);
        }
    }

    /// The nodes in memory that reading a node needs: its source, and an index.
    pub fn sources(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.get(id).parts().map(|part| part.source)
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
            through: None,
        };
        let lies = (
            matches!(node.kind, Kind::View(View::Batch)),
            matches!(node.kind, Kind::View(View::Window { .. })),
        );
        let moved = |to: Move<'_>| self.get(node.args[0]).moved(to, &shape, lies).unwrap_or_else(own);
        let still = |strides: Vec<Size>| Some((Size::default(), strides));
        match &node.kind {
            // A copy that `legal` asks for is an identity of two arguments, the same twice.
            Kind::View(View::Identity) if node.args.len() == 2 => own(),
            Kind::View(View::Identity | View::Number | View::Batch | View::Unbatch) | Kind::StopGradient => {
                moved(&|from| still(from.strides.clone()))
            }
            Kind::View(View::Permute(axes)) => {
                moved(&|from| still(axes.iter().map(|axis| from.strides[*axis].clone()).collect()))
            }
            Kind::View(View::Broadcast(axes)) => {
                let sizes = graph.ty(node.args[0]).shape();
                moved(&|from| {
                    let stride = |axis: &Option<usize>| match axis {
                        Some(axis) if !sizes[*axis].is_one() => from.strides[*axis].clone(),
                        _ => Size::default(),
                    };
                    still(axes.iter().map(stride).collect())
                })
            }
            Kind::View(View::Slice { axis, start }) => {
                moved(&|from| Some((start * &from.strides[*axis], from.strides.clone())))
            }
            Kind::View(View::Window { axis, stride, dilation, .. }) => moved(&|from| {
                let mut strides = from.strides.clone();
                let step = strides[*axis].clone();
                let steps = [&step * &Size::known(*stride), &step * &Size::known(*dilation)];
                strides.splice(axis..=axis, steps);
                still(strides)
            }),
            Kind::View(View::Reshape) => {
                let sizes = graph.ty(node.args[0]).shape();
                moved(&|from| still(reshape(&sizes, &from.strides, &shape)?))
            }
            Kind::Gather { shared } => self.chosen(graph, node, *shared).unwrap_or_else(own),
            _ => own(),
        }
    }

    /// A gather as loads through its index. `legal` has seen to it that neither part follows an index itself.
    fn chosen(&self, graph: &Graph, node: &Node, shared: usize) -> Option<Strided> {
        let (table, index) = (self.get(node.args[0]), self.get(node.args[1]));
        if table.through.is_some() || index.through.is_some() {
            return None;
        }
        let (from, at) = (&table.strides, &index.strides);
        let (inner, trailing) = (at.len() - shared, from.len() - shared - 1);
        let none = |count: usize| std::iter::repeat_n(Size::default(), count);
        let along = |strides: Vec<Size>, of: &Strided, through| Strided { strides, through, ..of.clone() };
        let through = Through {
            index: along(at.iter().cloned().chain(none(trailing)).collect(), index, None),
            step: from[shared].clone(),
            bound: graph.ty(node.args[0]).shape()[shared].clone(),
        };
        let strides =
            from[..shared].iter().cloned().chain(none(inner)).chain(from[shared + 1..].iter().cloned());
        Some(along(strides.collect(), table, Some(Box::new(through))))
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
