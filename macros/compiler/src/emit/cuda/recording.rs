//! A recording as data: what is launched in what order, with every count as a size.
//!
//! In: nothing. Out: commands, which `tokens` writes as Rust and which tests evaluate. Never: a symbol's value.

use super::layer::Layer;
use crate::size::Size;

/// What a program does on a device.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The symbols, `B` first.
    pub symbols: Vec<String>,
    /// The slots of scratch: the elements of each, or the candidates for the most.
    pub work: Vec<Vec<Size>>,
    /// The elements of each gradient.
    pub gradients: Vec<Size>,
    /// In order.
    pub commands: Vec<Command>,
    /// The kernels that put values of blocks together: of sums, and of largest values.
    pub totals: [String; 2],
}

/// One thing to record.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A kernel of a thread an element.
    Each {
        /// Its name.
        kernel: String,
        /// The threads.
        count: Size,
        /// What it is given.
        arguments: Vec<Argument>,
    },
    /// A kernel whose blocks share so many places.
    Places {
        /// Its name.
        kernel: String,
        /// The places.
        count: Size,
        /// What it is given.
        arguments: Vec<Argument>,
    },
    /// A kernel with sums.
    Sums {
        /// Its name.
        kernel: String,
        /// How it walks.
        walk: Walk,
        /// Whether results lie one after the other.
        even: bool,
        /// How many results.
        results: Size,
        /// How many elements each is of.
        count: Size,
        /// Its sums, the first parameters of the kernel.
        sums: Vec<Sum>,
        /// What else it is given.
        arguments: Vec<Argument>,
    },
    /// Sets values.
    Fill {
        /// Where.
        to: Place,
        /// How many.
        count: Size,
        /// To what.
        value: f64,
    },
    /// The first of many.
    Select {
        /// Positions.
        into: Place,
        /// Values.
        from: Place,
        /// How often, of how many, how many.
        sizes: [Size; 3],
        /// Whether the largest come first.
        largest: bool,
    },
    /// Triangular factors.
    Factor {
        /// The factors, then room for work: so many elements.
        memory: (Place, Size),
        /// The first matrix.
        from: Place,
        /// How many, their rows and columns.
        sizes: [Size; 3],
        /// From one matrix, row and column to the next.
        strides: [Size; 3],
    },
    /// A product.
    Product(Box<Product>),
    /// What the product and the kernel before it are together.
    Layer(Layer),
    /// Shows a value.
    Inspect {
        /// The index of the `inspect` word.
        index: usize,
        /// Where it lies.
        from: Place,
        /// Its elements.
        count: Size,
    },
    /// Commands over and over.
    Turns {
        /// The symbol that counts.
        counter: String,
        /// The number of turns.
        count: Size,
        /// Whether it counts down.
        reverse: bool,
        /// A turn.
        commands: Vec<Command>,
    },
}

/// How a kernel with sums walks over its space; see the type of the same name of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// The threads of the grid take elements in turn.
    Elements,
    /// A thread a result.
    Threads,
    /// A warp a result.
    Warps,
    /// A block a result.
    Blocks,
    /// A thread a result beside so many others.
    Columns(usize),
}

/// A sum of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// Where it goes.
    pub into: Place,
    /// What it writes there.
    pub reach: Reach,
    /// Whether it is the largest.
    pub largest: bool,
    /// Whether it is over everything.
    pub whole: bool,
}

/// What a kernel is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Memory, what of it is touched, and whether it is written.
    Pointer(Place, Vec<Reach>, bool),
    /// A size.
    Size(Size),
    /// The site of random numbers.
    Site(u32),
    /// What random streams depend on.
    Clock,
}

/// What an access touches: extents and strides. Nothing where an extent is 0.
pub type Reach = Vec<(Size, Size)>;

/// An element of a space.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Which.
    pub space: Space,
    /// The element: the sum of these, each 0 where it is below.
    pub start: Vec<Size>,
}

/// Memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// A slot of scratch.
    Work(usize),
    /// The inputs.
    Inputs,
    /// A parameter.
    Param(usize),
    /// The hyperparameters.
    Hypers,
    /// The gradients.
    Gradients,
    /// New values of states.
    States,
    /// Results.
    Outputs,
    /// The loss and its parts.
    Metrics,
}

/// A product: axes as in `schedule`, but that each place of the result is written once.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// The left factor, the right one, the result.
    pub ends: [Place; 3],
    /// How many axes are independent, rows, columns; the others are summed.
    pub counts: [usize; 3],
    /// Each axis: its extent, and its strides in both factors and in the result.
    pub axes: Vec<[Size; 4]>,
    /// Whether it joins what is there.
    pub accumulate: bool,
}

impl Argument {
    /// Where it points.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Argument::Pointer(place, ..) => Some(place),
            Argument::Size(_) | Argument::Site(_) | Argument::Clock => None,
        }
    }
}

impl Place {
    /// `size` further on.
    pub(super) fn at(mut self, size: &Size) -> Self {
        if *size != Size::default() {
            self.start.push(size.clone());
        }
        self
    }
}
