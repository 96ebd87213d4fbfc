//! The graph: what a program means, before anything knows the machine it runs on.
//!
//! In: nodes appended by `lower`, `autodiff` and the passes, in topological order. Out: the same, read by
//! every pass. Never: sizes guessed, kinds beyond these, knowledge of CPU or CUDA.
//!
//! # Shapes
//! The axes of a value are its row axes followed by its feature axes (`Type::shape`). Every axis number in
//! a kind counts from the first row axis. Row axis 0 of a value with rows is always the batch, of size `B`;
//! further row axes come from `repeat`. Rows are independent: only `Reduce`, `Contract` and `Scatter` that drop
//! axis 0, and `View::Batch`, cross them.
//!
//! # Indices
//! Some values are positions along an axis of another one, not numbers ([`Graph::is_index`]): inputs declared so,
//! what `TopK` gives, and views of these. They lie in memory as whole floats, exact up to 2²⁴ ([`LONGEST_INDEXED`]).
//! Nothing computes with them; `Gather` and `Scatter` follow them, and `View::Number` makes numbers of them. A
//! position beyond the end means the last place.

mod declared;
mod scan;

use std::rc::Rc;

pub use declared::{HyperDecl, Initial, InputDecl, NetworkDecl, Output, ParamDecl, Role};
pub use scan::{Scan, ScanResult};

use crate::ops::Row;
use crate::size::Size;

/// No indexed axis is longer: the largest whole number up to which an f32 holds them all.
pub const LONGEST_INDEXED: usize = 1 << 24;

/// The position of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Rows | features.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Type {
    /// The row axes: none for a parameter, `[B]` for a value a sample, `[B, 50]` with 50 samples a row.
    pub rows: Vec<Size>,
    /// The feature axes.
    pub features: Vec<Size>,
}

impl Type {
    /// A value without axes.
    pub fn scalar() -> Self {
        Type::default()
    }

    /// Rows followed by features.
    pub fn shape(&self) -> Vec<Size> {
        [self.rows.as_slice(), self.features.as_slice()].concat()
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.rows.len() + self.features.len()
    }

    /// With a feature axis ahead of the others: the type of a sequence of such values.
    pub fn along(&self, length: &Size) -> Type {
        let features = [std::slice::from_ref(length), &self.features].concat();
        Type { rows: self.rows.clone(), features }
    }

    /// The number of elements.
    pub fn elements(&self) -> Size {
        Size::product(self.rows.iter().chain(&self.features))
    }
}

/// In the user's words: `Tensor<B, 784>`, `Tensor<Rows<B, 50>, 20>`, `Scalar`.
impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = match self.rows.as_slice() {
            [] if self.features.is_empty() => return f.write_str("Scalar"),
            [] => None,
            [one] => Some(one.to_string()),
            many => {
                Some(format!("Rows<{}>", many.iter().map(Size::to_string).collect::<Vec<_>>().join(", ")))
            }
        };
        let features = self.features.iter().map(|s| match s.value() {
            None if s.terms().count() > 1 || s.terms().any(|(_, factor)| factor != 1) => format!("{{{s}}}"),
            _ => s.to_string(),
        });
        write!(f, "Tensor<{}>", rows.into_iter().chain(features).collect::<Vec<_>>().join(", "))
    }
}

/// A distribution that a counter-based generator draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Standard normal.
    Normal,
    /// Uniform on (0, 1).
    Uniform,
}

/// What a reduction does with the elements of the axes it drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their sum (0 for none).
    Sum,
    /// The largest (negative infinity for none).
    Max,
}

/// A value known without running anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A scalar.
    Number(f64),
    /// The size of an axis, as a scalar; `B` is known only at run time.
    Size(Size),
    /// The identity matrix, shape `[n, n]`; `n` is in the node's type.
    Delta,
    /// 0, 1, …, n - 1, shape `[n]`; `n` is in the node's type.
    Iota,
}

/// Another way to look at the same elements; `Fold` alone adds some of them up.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// The same value under a new identity: the cut at which `grad` differentiates. `simplify` removes it.
    Identity,
    /// The same elements in the same order, other axes (row axes keep theirs).
    Reshape,
    /// Output axis `i` is input axis `axes[i]`.
    Permute(Vec<usize>),
    /// `axes[i]` is the input axis that output axis `i` takes, ascending; `None` repeats the value along a
    /// new axis. An input axis that is not named has size 1 and is dropped.
    Broadcast(Vec<Option<usize>>),
    /// `len` (the type's size of that axis) elements from `start`.
    Slice {
        /// The axis.
        axis: usize,
        /// The first element; it may depend on a size that a run fixes.
        start: Size,
    },
    /// Zeros before and after: the transpose of `Slice`; the type has the new size.
    Pad {
        /// The axis.
        axis: usize,
        /// Zeros before the elements.
        before: Size,
    },
    /// The arguments one after the other along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Overlapping pieces: an axis of size n becomes two, `[out, kernel]`; element (o, k) is element
    /// `o · stride + k · dilation`, and `out = ⌊(n − dilation · (kernel − 1) − 1) / stride⌋ + 1`.
    Window {
        /// The axis; `kernel` becomes the one after it.
        axis: usize,
        /// Elements of a piece.
        kernel: usize,
        /// Elements from one piece to the next.
        stride: usize,
        /// Elements from one element of a piece to the next.
        dilation: usize,
    },
    /// The transpose of `Window`: the axes `[out, kernel]` become one of the type's size; every element is the sum
    /// of what lands there.
    Fold {
        /// The axis `out`; the one after it, of known size, is `kernel`.
        axis: usize,
        /// Elements from one piece to the next.
        stride: usize,
        /// Elements from one element of a piece to the next.
        dilation: usize,
    },
    /// The rows of the whole batch as feature axis 0, seen by every row: `[B] | f…` to `| B, f…`. Crosses rows.
    Batch,
    /// The transpose of `Batch`: row `b` takes element `b` of feature axis 0.
    Unbatch,
    /// Positions as numbers: the same elements, no longer an index.
    Number,
}

/// What a node computes. Closed under differentiation: a derivative needs no new kind, and meets no `TriangularFactor`.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Argument `index` of the root.
    Input(usize),
    /// Parameter `index`; no rows.
    Param(usize),
    /// Hyperparameter `index`; a scalar that may change between steps.
    Hyper(usize),
    /// A constant.
    Const(Constant),
    /// Fresh numbers, the same for the same (seed, step, site, element). No arguments; shape from the type.
    Random {
        /// What it draws from.
        distribution: Distribution,
        /// The call path that draws: other sites draw other numbers.
        site: u32,
    },
    /// An element-wise row of the table; every argument has exactly the type of the node.
    Map(Row),
    /// Drops `axes` (ascending).
    Reduce {
        /// How.
        reduction: Reduction,
        /// Which.
        axes: Vec<usize>,
    },
    /// Moves elements; computes nothing.
    View(View),
    /// An einsum: one list of labels for each argument, and those of the result. A label stands for one size;
    /// labels that the result lacks are summed; a label twice in one list takes the diagonal.
    Contract {
        /// The labels of each argument's axes.
        inputs: Vec<Vec<u32>>,
        /// The labels of the result's axes, each once.
        output: Vec<u32>,
    },
    /// Along the last feature axis, of size N: the positions of the first elements in descending (`largest`) or
    /// ascending order, as an index. How many is in the node's type. Of equals the lowest position comes first,
    /// and NaN counts as larger than every number. No derivative.
    TopK {
        /// Whether the largest come first.
        largest: bool,
    },
    /// Elements of a table, chosen by an index: from `[s…, n, f…]` and `[s…, i…]` to `[s…, i…, f…]`. The table has
    /// no rows, and then `shared` is 0 where the index has some; or the rows of the index, all of them shared.
    Gather {
        /// How many leading axes (`s…`) both have in common.
        shared: usize,
    },
    /// The transpose of `Gather`: from values `[s…, i…, f…]` and an index `[s…, i…]` to the node's type
    /// `[s…, n, f…]`, each place the sum of the values that go there. Values and index have the same rows; with
    /// `shared` 0 these are summed too, and meet.
    Scatter {
        /// How many leading axes (`s…`) values and index have in common.
        shared: usize,
    },
    /// The triangular factor R of a QR decomposition, from `[s…, m, n]` to `[s…, n, n]`: RᵀR = AᵀA, zeros below the
    /// diagonal. Neither has rows. Which one of several it is (signs of rows; more where columns of A depend on each
    /// other), the machine chooses: whatever reads it depends on RᵀR alone. Only the pass `contract` makes it, when
    /// everything is differentiated, so that it needs no derivative.
    TriangularFactor,
    /// The value, without its derivative.
    StopGradient,
    /// One result of a loop over steps. Arguments: the first value of each carry, each whole sequence, then
    /// what is the same in every step. Nodes with equal scans and arguments are results of one loop.
    Scan {
        /// The loop.
        scan: Rc<Scan>,
        /// Which of its results.
        result: ScanResult,
    },
}

/// Where a node comes from, for comments, messages and logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Origin {
    /// The file as the compiler names it.
    pub file: Rc<str>,
    /// The line, from 1; 0 where unknown.
    pub line: usize,
    /// The user's words for it: a `let` name, or the word or row that made it.
    pub label: Rc<str>,
}

/// One value of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub kind: Kind,
    /// From what; all earlier in the graph.
    pub args: Vec<NodeId>,
    /// Rows and features.
    pub ty: Type,
    /// Where it comes from.
    pub origin: Rc<Origin>,
}

/// A derivative that the user wrote: `#[function(backward = g)]`.
///
/// `results` are cuts (`View::Identity`) of the values of one call, next to each other; their derivative for `args`
/// is not that of what is behind the cut, but `shares`: nodes computed from `args` and from `adjoints`, which
/// stand for the adjoints of `results`. Only `autodiff` reads this, and passes after it drop it: to them a result
/// is an ordinary value.
#[derive(Clone, Debug, PartialEq)]
pub struct ByHand {
    /// The values of the call; each comes after everything else here.
    pub results: Vec<NodeId>,
    /// What they are differentiated for.
    pub args: Vec<NodeId>,
    /// In the place of each result's adjoint; cuts of zeros, each of the type of its result.
    pub adjoints: Vec<NodeId>,
    /// The adjoint of each argument, in its type.
    pub shares: Vec<NodeId>,
}

/// A program as a graph in SSA form.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Graph {
    /// In topological order.
    pub nodes: Vec<Node>,
    /// The arguments with rows or features.
    pub inputs: Vec<InputDecl>,
    /// The parameters, in the order of their first use.
    pub params: Vec<ParamDecl>,
    /// The networks that own them.
    pub networks: Vec<NetworkDecl>,
    /// The scalar arguments.
    pub hypers: Vec<HyperDecl>,
    /// What is handed out.
    pub outputs: Vec<Output>,
    /// Derivatives that the user wrote, in the order of their calls.
    pub by_hand: Vec<ByHand>,
    /// The number of random sites used so far.
    pub sites: u32,
    /// Where nodes appended now come from.
    pub origin: Rc<Origin>,
}

impl Graph {
    /// Appends a node; its origin is `self.origin`. Small constructors in `build.rs` infer types.
    pub fn push(&mut self, kind: Kind, args: Vec<NodeId>, ty: Type) -> NodeId {
        debug_assert!(args.iter().all(|a| a.index() < self.nodes.len()));
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { kind, args, ty, origin: self.origin.clone() });
        id
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A node's type.
    pub fn ty(&self, id: NodeId) -> &Type {
        &self.nodes[id.index()].ty
    }

    /// Whether a value is positions along an axis of another one, not numbers.
    pub fn is_index(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match &node.kind {
            Kind::TopK { .. } => true,
            Kind::Input(input) => self.inputs.get(*input).is_some_and(|decl| decl.index),
            Kind::View(View::Number) => false,
            Kind::View(_) | Kind::StopGradient | Kind::Gather { .. } => self.is_index(node.args[0]),
            Kind::Scan { scan, result } => match *result {
                ScanResult::Stacked(output) => {
                    scan.body.outputs.get(output).is_some_and(|output| scan.body.is_index(output.node))
                }
                ScanResult::Previous(carry) | ScanResult::Last(carry) => {
                    scan.body.inputs.get(carry).is_some_and(|input| input.index)
                }
            },
            _ => false,
        }
    }

    /// All ids, in topological order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}
