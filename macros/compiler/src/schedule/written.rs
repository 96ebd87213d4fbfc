//! What is written straight into the memory of a later node.
//!
//! In: a graph. Out: for a `Fold` or a `Pad`, the value that ends there, and how: a chain of folds, pads and
//! permutations is one strided walk over the memory of its last node. Never: a value that another node reads too.

use crate::graph::{Graph, Kind, NodeId, View};
use crate::size::Size;

use super::view::whole_strides;

/// Where the elements of a value go in the memory of a node: `offset + Σ strides · i`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    /// The first element.
    pub offset: Size,
    /// One for each axis of what is written.
    pub strides: Vec<Size>,
    /// Whether several elements may land in one place, where they add up.
    pub sums: bool,
}

/// The value that ends in a `Fold` or a `Pad`, and how; `None` for other nodes. `uses` counts the readers of each.
pub(super) fn written(graph: &Graph, uses: &[usize], id: NodeId) -> Option<(NodeId, Written)> {
    let starts = matches!(graph.node(id).kind, Kind::View(View::Fold { .. } | View::Pad { .. }));
    if !starts {
        return None;
    }
    let strides = whole_strides(&graph.ty(id).shape());
    let mut written = Written { offset: Size::default(), strides, sums: false };
    let mut root = id;
    while root == id || uses[root.index()] == 1 {
        let node = graph.node(root);
        match &node.kind {
            Kind::View(View::Fold { axis, stride, dilation }) => {
                let step = &written.strides[*axis];
                let steps = [step * &Size::known(*stride), step * &Size::known(*dilation)];
                written.strides.splice(axis..=axis, steps);
                written.sums = true;
            }
            Kind::View(View::Pad { axis, before }) => {
                written.offset = &written.offset + &(before * &written.strides[*axis]);
            }
            Kind::View(View::Permute(axes)) => {
                let mut strides = written.strides.clone();
                for (to, from) in axes.iter().enumerate() {
                    strides[*from] = written.strides[to].clone();
                }
                written.strides = strides;
            }
            _ => break,
        }
        root = node.args[0];
    }
    Some((root, written))
}
