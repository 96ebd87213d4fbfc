//! What a loop computes: nodes as items over a space.
//!
//! In: a node that no view and no matrix product covers. Out: one item or several, each with the space it is
//! computed over, its operands as strides, and where it goes. Never: which loop it joins.

mod read;

use crate::graph::*;
use crate::size::Size;

use super::legal::is_copy;
use super::product;
use super::view::{Views, contiguous, whole_strides};
use super::written::Written;
pub(super) use read::operands;
use read::{at, joined, scattered};

/// What an item does with its operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Does {
    /// The node's element-wise function.
    Map,
    /// The node's random numbers.
    Random,
    /// The position along the space.
    Count,
    /// The product of the operands; of one operand, itself.
    Multiply,
    /// A number.
    Fill(f64),
}

/// One computation inside a loop.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The node that it computes, or a part of it.
    pub node: NodeId,
    /// How.
    pub does: Does,
    /// From what; the indices that these follow come after them.
    pub operands: Vec<Operand>,
    /// Where it goes: `None` for a value of the loop's own space.
    pub into: Option<Into>,
}

/// Where an item goes that is not simply the value of its node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Into {
    /// How it joins what is there; `None` for a plain store.
    pub reduction: Option<Reduction>,
    /// The first element.
    pub offset: Size,
    /// Strides along the space.
    pub strides: Vec<Size>,
    /// The index that says where.
    pub follows: Option<Follows>,
}

/// An index that is followed: the place moves on by `step` times its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Follows {
    /// Which of the item's operands it is.
    pub operand: usize,
    /// Elements from one place to the next.
    pub step: Size,
    /// The number of places.
    pub bound: Size,
}

/// How an item reads a source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    /// The node that is read.
    pub source: NodeId,
    /// The first element.
    pub offset: Size,
    /// Strides along the space.
    pub strides: Vec<Size>,
    /// The index that it is read through.
    pub follows: Option<Follows>,
}

impl Item {
    /// How many operands are values, not indices.
    pub fn values(&self) -> usize {
        let followed = self.operands.iter().filter_map(|operand| operand.follows.as_ref());
        let into = self.into.as_ref().and_then(|into| into.follows.as_ref());
        followed.chain(into).map(|follows| follows.operand).min().unwrap_or(self.operands.len())
    }

    /// Whether the item is a value that others in its loop read without memory.
    pub fn is_value(&self) -> bool {
        self.into.is_none()
    }
}

impl Operand {
    /// Whether it takes the elements in the order of the space.
    pub fn is_plain(&self, space: &[Size]) -> bool {
        self.follows.is_none() && self.offset == Size::default() && self.strides == contiguous(space)
    }
}

/// The items that compute a source, each with its space.
pub(super) fn items(
    graph: &Graph,
    views: &Views,
    id: NodeId,
    rows: bool,
) -> Result<Vec<(Vec<Size>, Item)>, String> {
    let node = graph.node(id);
    let shape = node.ty.shape();
    let value = |does: Does| {
        let keep = kept(&shape);
        let space: Vec<Size> = keep.iter().map(|i| shape[*i].clone()).collect();
        let operands = match does {
            Does::Random | Does::Count => Vec::new(),
            Does::Multiply => operands(views, &node.args[..1], |strides| at(strides, &keep)),
            _ => operands(views, &node.args, |strides| at(strides, &keep)),
        };
        (space, Item { node: id, does, operands, into: None })
    };
    Ok(match &node.kind {
        Kind::Map(_) => vec![value(Does::Map)],
        Kind::Random { .. } => vec![value(Does::Random)],
        Kind::View(View::Identity) if is_copy(node) => {
            vec![value(Does::Multiply)]
        }
        Kind::Reduce { reduction, axes } => {
            let from = graph.ty(node.args[0]).shape();
            let keep = kept(&from);
            let mut left = contiguous(&shape).into_iter();
            let strides: Vec<Size> = (0..from.len())
                .map(|i| if axes.contains(&i) { Size::default() } else { left.next().unwrap_or_default() })
                .collect();
            let into = Into {
                reduction: Some(*reduction),
                offset: Size::default(),
                strides: at(&strides, &keep),
                follows: None,
            };
            let operands = operands(views, &node.args, |strides| at(strides, &keep));
            let space = keep.iter().map(|i| from[*i].clone()).collect();
            vec![(space, Item { node: id, does: Does::Multiply, operands, into: Some(into) })]
        }
        Kind::Scatter { shared } => {
            vec![scattered(graph, views, id, *shared)]
        }
        Kind::Const(Constant::Iota) => vec![value(Does::Count)],
        Kind::Contract { .. } => vec![contraction(graph, views, id, rows)],
        Kind::View(View::Reshape) => vec![part(graph, views, id, 0, Size::default(), None)],
        Kind::View(View::Concat { axis }) => {
            let mut before = Size::default();
            let mut parts = Vec::new();
            for (arg, of) in node.args.iter().enumerate() {
                let start = &before * &whole_strides(&shape)[*axis];
                parts.push(part(graph, views, id, arg, start, Some(&shape)));
                before = &before + &graph.ty(*of).shape()[*axis];
            }
            parts
        }
        Kind::View(View::Pad { .. } | View::Fold { .. }) => {
            let how = views.written(id).ok_or("no place for what is written")?;
            let item = landing(graph, views, id, how);
            match how.sums {
                true => vec![item],
                false => vec![fill(id, &shape, contiguous(&shape), 0.0), item],
            }
        }
        Kind::Const(Constant::Delta) => {
            let diagonal = &shape[0] + &Size::known(1);
            vec![fill(id, &shape, contiguous(&shape), 0.0), fill(id, &shape[..1], vec![diagonal], 1.0)]
        }
        kind => return Err(format!("no loop computes {kind:?}")),
    })
}

/// An argument written where it lands in the memory of its node.
fn landing(graph: &Graph, views: &Views, id: NodeId, how: &Written) -> (Vec<Size>, Item) {
    let of = graph.node(id).args[0];
    let from = graph.ty(of).shape();
    let keep = kept(&from);
    let into = Into {
        reduction: how.sums.then_some(Reduction::Sum),
        offset: how.offset.clone(),
        strides: at(&how.strides, &keep),
        follows: None,
    };
    let operands = operands(views, &[of], |strides| at(strides, &keep));
    let space = keep.iter().map(|i| from[*i].clone()).collect();
    (space, Item { node: id, does: Does::Multiply, operands, into: Some(into) })
}

/// An argument stored as a part of its node: at `start`, with the strides of `whole` (or its own).
pub(super) fn part(
    graph: &Graph,
    views: &Views,
    id: NodeId,
    arg: usize,
    start: Size,
    whole: Option<&[Size]>,
) -> (Vec<Size>, Item) {
    let of = graph.node(id).args[arg];
    let from = graph.ty(of).shape();
    let keep = kept(&from);
    let strides = whole_strides(whole.unwrap_or(&from));
    let into = Into { reduction: None, offset: start, strides: at(&strides, &keep), follows: None };
    let space = keep.iter().map(|i| from[*i].clone()).collect();
    let operands = operands(views, &[of], |strides| at(strides, &keep));
    (space, Item { node: id, does: Does::Multiply, operands, into: Some(into) })
}

fn fill(id: NodeId, shape: &[Size], strides: Vec<Size>, value: f64) -> (Vec<Size>, Item) {
    let keep = kept(shape);
    let space = keep.iter().map(|i| shape[*i].clone()).collect();
    let strides = at(&strides, &keep);
    let into = Into { reduction: None, offset: Size::default(), strides, follows: None };
    (space, Item { node: id, does: Does::Fill(value), operands: vec![], into: Some(into) })
}

/// A contraction as a loop over its labels: the batch first, what is summed last.
fn contraction(graph: &Graph, views: &Views, id: NodeId, rows: bool) -> (Vec<Size>, Item) {
    let node = graph.node(id);
    let mut labels = product::labels(graph, views, id, rows);
    let written = views.written(id);
    let sums = labels.iter().any(|l| !l.in_c) || views.overlaps(id);
    if sums {
        // Innermost the axis along which most accesses are steps of 1 or 0; of equals the last.
        let steps = |l: &product::Label| {
            let even = [&l.axis.a, &l.axis.b, &l.axis.c];
            let jumps = product::jumps(graph, views, id, l.name);
            even.iter().filter(|s| s.is_one() || ***s == Size::default()).count().saturating_sub(2 * jumps)
        };
        let movable = |l: &product::Label| !l.axis.extent.rows;
        if let Some(best) =
            (0..labels.len()).filter(|i| movable(&labels[*i])).max_by_key(|i| steps(&labels[*i]))
        {
            let inner = labels.remove(best);
            labels.push(inner);
        }
        labels.sort_by_key(|l| !l.axis.extent.rows);
    }
    let extent = |l: &product::Label| match l.axis.extent.rows {
        true => Size::batch(),
        false => l.axis.extent.size.clone(),
    };
    let Kind::Contract { inputs, .. } = &node.kind else { unreachable!("a contraction") };
    let mut read = Vec::new();
    for (arg, own) in node.args.iter().zip(inputs) {
        // A label that stands twice takes both steps at once.
        let along = |strides: &[Size]| -> Vec<Size> {
            let step = |l: &product::Label| {
                let of = own.iter().zip(strides).filter(|(name, _)| **name == l.name).map(|(_, s)| s);
                of.fold(Size::default(), |sum, s| &sum + s)
            };
            labels.iter().map(step).collect()
        };
        read.push(operands(views, &[*arg], along));
    }
    let operands = joined(read);
    let into = sums.then(|| Into {
        reduction: Some(Reduction::Sum),
        offset: written.map(|how| how.offset.clone()).unwrap_or_default(),
        strides: labels.iter().map(|l| l.axis.c.clone()).collect(),
        follows: None,
    });
    (labels.iter().map(extent).collect(), Item { node: id, does: Does::Multiply, operands, into })
}

/// The axes that are not of size 1.
pub(super) fn kept(shape: &[Size]) -> Vec<usize> {
    (0..shape.len()).filter(|i| !shape[*i].is_one()).collect()
}
