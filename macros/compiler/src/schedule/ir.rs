//! The schedule as data.
//!
//! In: nothing. Out: segments, stages, loops, products, buffers: what `print` writes and emitters read.
//! Never: a graph's kinds; a node is only a name here.

use crate::graph::{Distribution, Graph, NodeId, Reduction, Role};
use crate::ops::Row;
use crate::size::Size;

use super::abreast::Rows;

/// What a machine does to run a graph.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The graph it was made of; nodes are named by it.
    pub graph: Graph,
    /// In order.
    pub segments: Vec<Segment>,
    /// Every value that lies in memory.
    pub buffers: Vec<Buffer>,
    /// The slots of the arena that outlive a tile: the elements of each.
    pub slots: Vec<Slot>,
    /// What is handed out, in the order of the graph's outputs.
    pub homes: Vec<Role>,
    /// Right factors that are copied for the products of many tiles.
    pub panels: Vec<Panels>,
}

/// A part of the run; parts follow each other.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a program has a dozen of them
pub enum Segment {
    /// Work without rows, on the calling thread.
    Alone(Vec<Step>),
    /// Products over the whole batch, all at once on all threads.
    Wide(Vec<Product>),
    /// A walk over tiles of rows.
    Stage(Stage),
    /// Shows a whole value: the index of the `inspect` word, and where it lies.
    Inspect(usize, usize),
}

impl Segment {
    /// The walk over tiles, if it is one.
    pub fn stage(&self) -> Option<&Stage> {
        if let Segment::Stage(stage) = self { Some(stage) } else { None }
    }
}

/// A walk over tiles of rows: everything between two places where rows meet; or one large loop without rows,
/// walked along its first axis.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The number of rows: the batch's, or those of the axis.
    pub over: Size,
    /// Buffers that a tile sees from its own first row on: what the stage writes.
    pub local: Vec<usize>,
    /// What one tile does.
    pub steps: Vec<Step>,
    /// Scratch slots: the elements of each that one row needs.
    pub scratch: Vec<Size>,
    /// Elements of one lane's accumulators.
    pub lane: Size,
    /// Elements of scratch and of whole-batch buffers that one row touches.
    pub row_elements: Size,
    /// Floating-point operations of one row.
    pub row_flops: Size,
    /// Whole-batch buffers that it writes, by index into [`Schedule::buffers`].
    pub full: Vec<usize>,
    /// Whether the rows of a tile lie side by side in scratch, [`ABREAST`](super::ABREAST) of them.
    pub abreast: bool,
    /// What is copied before it, by index into [`Schedule::panels`].
    pub panels: Vec<usize>,
    /// The matrix whose columns its rows become.
    pub turned: Option<Turned>,
}

/// A matrix that a stage fills row by row in scratch, and hands out the other way.
#[derive(Clone, Debug)]
pub struct Turned {
    /// The scratch, the first of the stage, by index into [`Schedule::buffers`].
    pub from: usize,
    /// The matrix whose columns are these rows, likewise.
    pub into: usize,
}

/// One thing a tile, or the calling thread, does.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a program has dozens of them, not thousands
pub enum Step {
    /// A fused loop.
    Loop(Loop),
    /// A matrix product.
    Product(Product),
    /// The first of many, in order.
    Select(Select),
    /// Triangular factors of matrices without rows.
    Factor(Factor),
    /// Steps, over and over.
    Scan(Turns),
}

/// A loop over steps, whose turn comes after the one before.
#[derive(Clone, Debug)]
pub struct Turns {
    /// A node of the loop, for comments.
    pub node: NodeId,
    /// The symbol that counts, in offsets of the steps.
    pub counter: String,
    /// The number of turns.
    pub count: Size,
    /// Whether it counts down.
    pub reverse: bool,
    /// What a turn does.
    pub steps: Vec<Step>,
}

/// The positions of the first `k` of each `n` elements that follow each other, in order.
#[derive(Clone, Debug)]
pub struct Select {
    /// The node that it computes.
    pub node: NodeId,
    /// How often.
    pub outer: Extent,
    /// Of how many.
    pub n: Size,
    /// How many.
    pub k: Size,
    /// Whether the largest come first.
    pub largest: bool,
    /// The elements, one run after the other.
    pub from: Place,
    /// The positions, likewise.
    pub into: Place,
}

/// The triangular factors R of `count` matrices A, m × n each: RᵀR = AᵀA, n × n, zeros below the diagonal. It is on the
/// calling thread, in a segment of its own kind of work ([`Segment::Alone`]), never in a stage.
///
/// A machine may choose which R, and how, under two conditions. It must not sum AᵀA in the program's own type, whose
/// rounding errors are those of a square: Householder reflections of A, or, for f32, AᵀA summed and factored in f64 with
/// pivots below their rounding error taken for 0 (`kernels::triangular_factors` has both, with bounds). And a NaN or an
/// infinity in a column of A stays visible in that column of R.
#[derive(Clone, Debug)]
pub struct Factor {
    /// The node that it computes.
    pub node: NodeId,
    /// How many matrices.
    pub count: Size,
    /// Rows of each.
    pub m: Size,
    /// Columns of each, and rows and columns of a factor.
    pub n: Size,
    /// The first element of the first matrix.
    pub from: Place,
    /// Elements from one matrix to the next, from one row to the next, from one column to the next.
    pub strides: [Size; 3],
    /// The factors, one after the other, each row-major; behind them the room for work that [`Factor::memory`] counts.
    pub into: Place,
}

/// An index that an access follows: it moves on by `step` times the index.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow {
    /// The operation that loads the index.
    pub index: usize,
    /// Elements from one place to the next.
    pub step: Size,
    /// The number of places; a position beyond means the last.
    pub bound: Size,
    /// Whether only places of the tile's own rows count; others are passed over.
    pub window: bool,
}

/// The extent of an axis: `size`, times the rows of the tile where `rows`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Whether the rows of the tile are a factor.
    pub rows: bool,
    /// The other factor.
    pub size: Size,
}

/// A nest of loops with one body; collapsed as far as the strides allow.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The extents, outermost first.
    pub space: Vec<Extent>,
    /// Elements of the space of one row, for the cost of the loop.
    pub row_elements: Size,
    /// What memory is set to before the nest: sums start at 0.
    pub fills: Vec<(Source, Extent, f64)>,
    /// The body, in order; operands are positions in this list.
    pub body: Vec<Op>,
    /// The nodes that it computes, for comments.
    pub nodes: Vec<NodeId>,
}

/// One operation of a loop's body.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A value from memory.
    Load(Access),
    /// A value from memory, where an index says.
    Choose(Access, Follow),
    /// The position along the space.
    Count(Vec<Size>),
    /// A number.
    Number(f64),
    /// A size, as a number.
    Extent(Size),
    /// A random number.
    Random {
        /// What it draws from.
        distribution: Distribution,
        /// The site.
        site: u32,
        /// Elements of one row, 0 without rows: what each row before the tile adds to an element's number.
        row: Size,
        /// How an element's number grows along the space.
        strides: Vec<Size>,
    },
    /// An element-wise function of earlier operations.
    Map(Row, Vec<usize>),
    /// Writes to memory.
    Store(Access, usize),
    /// Joins to what memory holds: strides are 0 along the axes that are dropped.
    Reduce {
        /// How.
        reduction: Reduction,
        /// The operand.
        value: usize,
        /// Where to.
        into: Access,
        /// Whether the first visit of each place writes, instead of joining: only the innermost axis is dropped.
        fresh: bool,
        /// The index that says where.
        follow: Option<Follow>,
    },
}

/// Where memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// An input; with rows: the tile's rows of it.
    Input(usize),
    /// A parameter.
    Param(usize),
    /// A hyperparameter.
    Hyper(usize),
    /// A buffer.
    Buffer(usize),
}

/// Where an access begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// In what.
    pub source: Source,
    /// Elements from one row of the batch to the next; 0 where every row sees the same.
    pub row: Size,
    /// The first element.
    pub offset: Size,
}

/// Strided elements: `offset + Σ strides[i] · position[i]`, from the tile's first row on.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Where it begins.
    pub place: Place,
    /// One for each axis of the space.
    pub strides: Vec<Size>,
}

/// One axis of a product: its extent, and its strides in both factors and in the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The extent.
    pub extent: Extent,
    /// The stride in the left factor (0: absent).
    pub a: Size,
    /// The stride in the right factor.
    pub b: Size,
    /// The stride in the result.
    pub c: Size,
}

/// `c (+)= a · b`, m × k times k × n, repeated along `outer`. Each of m, n and k is one axis, or several over which
/// it runs, the last fastest: then those of m and k lie evenly in `a`, and places of `c` may be shared if it
/// accumulates.
#[derive(Clone, Debug)]
pub struct Product {
    /// The node that it computes.
    pub node: NodeId,
    /// Loops around the product.
    pub outer: Vec<Axis>,
    /// Rows of the result.
    pub m: Vec<Axis>,
    /// Columns of the result.
    pub n: Vec<Axis>,
    /// What is summed.
    pub k: Vec<Axis>,
    /// The left factor; strides are those of the axes.
    pub a: Place,
    /// The right factor.
    pub b: Place,
    /// The result.
    pub c: Place,
    /// Whether to add to what `c` holds.
    pub accumulate: bool,
    /// The elements of `c` to set to 0 first, where an outer loop sums.
    pub clear: Option<Extent>,
    /// What it does with rows that lie side by side. They are none of its axes then.
    pub rows: Rows,
    /// Whether the right factor is read from a copy, by index into [`Schedule::panels`].
    pub panels: Option<usize>,
}

/// A matrix without rows, k × n, that tiles of a stage multiply by: copied once in the order in which products read it, if
/// there are enough rows to repay it.
#[derive(Clone, Debug)]
pub struct Panels {
    /// The first product that reads it.
    pub node: NodeId,
    /// Rows of all products by it.
    pub rows: Size,
    /// Where the matrix begins.
    pub b: Place,
    /// Its columns, and the stride from one to the next.
    pub n: (Size, Size),
    /// Its rows, likewise.
    pub k: (Size, Size),
}

/// A value in memory.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// The value.
    pub node: NodeId,
    /// Whether it has rows: then `elements` counts one row's.
    pub rows: bool,
    /// Its elements.
    pub elements: Size,
    /// Where it lies.
    pub home: Home,
    /// The segment that writes it.
    pub writer: usize,
}

/// Where a buffer lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a slot of the arena.
    Slot(usize),
    /// In the scratch of its stage's tile: the slot.
    Scratch(usize),
    /// In the accumulators of the stage, from this element on; final after the stage.
    Lane(Size),
    /// Among the gradients: the position in the list of trained parameters.
    Gradient(usize),
    /// Among the new values of states: the position in the list of states that the program replaces.
    State(usize),
    /// Among the results.
    Result(usize),
    /// Among the metrics.
    Metric(usize),
}

/// A slot of the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its elements, or those of one row of the batch.
    pub elements: Size,
    /// Whether it holds rows of the batch.
    pub rows: bool,
}

impl Factor {
    /// The elements that a buffer for so many factors of `n` columns has: the factors, then what
    /// `kernels::triangular_factors` works in.
    pub fn memory(count: &Size, n: &Size) -> Size {
        let of = |more: usize| n + &Size::known(more);
        let work = &(&of(128) * &of(16)) * &Size::known(2);
        &(&(count * &(n * n)) + &work) + &Size::known(2)
    }
}

impl Loop {
    /// What it reads and what it writes, if it copies a matrix to one that lies the other way, and does nothing else.
    pub(crate) fn transposed(&self) -> Option<(&Access, &Access)> {
        let [Op::Load(from), Op::Store(into, 0)] = self.body.as_slice() else { return None };
        let ([outer, _], [_, inner]) = (from.strides.as_slice(), into.strides.as_slice()) else {
            return None;
        };
        (self.fills.is_empty() && outer.is_one() && inner.is_one()).then_some((from, into))
    }
}

impl Product {
    /// The multiplications of a row, at nominal sizes.
    pub(super) fn work(&self) -> f64 {
        let axes = [&self.outer, &self.m, &self.n, &self.k].into_iter().flatten();
        axes.filter(|axis| !axis.extent.rows).map(|axis| axis.extent.nominal()).product()
    }

    /// Whether m, n and k are one axis each.
    pub fn is_plain(&self) -> bool {
        [&self.m, &self.n, &self.k].iter().all(|axes| axes.len() == 1)
    }
}

impl Extent {
    /// An extent without the tile's rows.
    pub fn plain(size: Size) -> Self {
        Extent { rows: false, size }
    }

    /// The number that costs assume.
    pub fn nominal(&self) -> f64 {
        self.size.nominal() * if self.rows { 128.0 } else { 1.0 }
    }

    /// The product of both.
    pub(super) fn times(&self, other: &Extent) -> Extent {
        Extent { rows: self.rows || other.rows, size: &self.size * &other.size }
    }
}
