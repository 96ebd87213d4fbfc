//! What a program does on a device, for one shape of its data: a list of commands.
//!
//! In: calls of generated code, with every size known. Out: a [`Tape`], which a device captures as one graph, and which
//! tests run on the CPU. Never: an address, a device, an element; all memory is named by space and offset.
//!
//! Commands follow each other: each sees what those before it wrote. All elements are f32.

/// A program as text and as the function that says how to run it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// CUDA C: the kernels that its launches name. It stands behind the prelude, and declares nothing else.
    pub source: &'static str,
    /// Records the commands for values of the program's symbols; `dims[0]` is the number of rows.
    pub record: fn(dims: &[usize], to: &mut Recorder),
}

/// Memory that commands name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Scratch: its contents mean nothing before and after.
    Work,
    /// The inputs, one after the other, each row-major.
    Inputs,
    /// A parameter of the program, by its number; where it lies in the model is known where it runs.
    Param(usize),
    /// The hyperparameters.
    Hypers,
    /// Gradients of the trained parameters, one after the other, overwritten.
    Gradients,
    /// New values of states, one after the other, overwritten.
    States,
    /// Results, one after the other, overwritten.
    Outputs,
    /// The loss and its named parts, overwritten.
    Metrics,
}

/// An element of a space, and all that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pointer {
    /// Where.
    pub space: Space,
    /// The element.
    pub start: usize,
}

impl Pointer {
    /// The first element of a space.
    pub fn new(space: Space) -> Self {
        Pointer { space, start: 0 }
    }

    /// `elements` further on.
    pub fn at(self, elements: usize) -> Self {
        Pointer { start: self.start + elements, ..self }
    }
}

/// What a kernel is given, in the order of its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// `const float *`.
    Pointer(Pointer),
    /// `float *`: the kernel writes there, and may read.
    Output(Pointer),
    /// `long long`.
    Size(usize),
    /// `float`.
    Number(f32),
    /// `unsigned int`.
    Site(u32),
    /// `const Clock *`: what random streams depend on, in memory of the device, so that a captured graph may run again.
    Clock,
}

/// What random streams depend on; the same three fields in the prelude.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// The seed of the random streams.
    pub seed: u64,
    /// The step of the random streams.
    pub step: u64,
    /// The number of the first row, for a batch that is a piece of a larger set.
    pub first_row: u64,
}

/// A kernel over blocks of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Its name, in the program's source or in the prelude.
    pub kernel: &'static str,
    /// Blocks along x, y, z; none of them 0.
    pub blocks: [u32; 3],
    /// Threads of a block, a multiple of 32 up to 1024.
    pub threads: u32,
    /// What it is given.
    pub arguments: Vec<Argument>,
}

/// One axis of a product: its extent, and its strides in both factors and in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The extent.
    pub size: usize,
    /// The stride in the left factor (0: absent).
    pub a: usize,
    /// The stride in the right factor.
    pub b: usize,
    /// The stride in the result.
    pub c: usize,
}

/// `c (+)= a · b`, m × k times k × n, repeated along `outer`; each of m, n and k is any number of axes, the last fastest.
/// No two positions of outer, m and n share a place of `c`: where the language lets them, products follow each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Independent repetitions.
    pub outer: Vec<Axis>,
    /// Rows of the result.
    pub m: Vec<Axis>,
    /// Columns of the result.
    pub n: Vec<Axis>,
    /// What is summed.
    pub k: Vec<Axis>,
    /// The left factor.
    pub a: Pointer,
    /// The right factor.
    pub b: Pointer,
    /// The result.
    pub c: Pointer,
    /// Whether to add to what `c` holds.
    pub accumulate: bool,
}

impl Product {
    /// The first elements of the left factor, the right one and the result, and how many there are from each to its last.
    pub fn ends(&self) -> [(Pointer, usize); 3] {
        let Product { outer, m, n, k, .. } = self;
        [
            (self.a, extent([outer, m, k], |axis| axis.a)),
            (self.b, extent([outer, n, k], |axis| axis.b)),
            (self.c, extent([outer, m, n], |axis| axis.c)),
        ]
    }
}

fn extent(groups: [&[Axis]; 3], stride: fn(&Axis) -> usize) -> usize {
    let axes = || groups.into_iter().flatten();
    if axes().any(|axis| axis.size == 0) {
        return 0;
    }
    axes().map(|axis| (axis.size - 1).saturating_mul(stride(axis))).fold(1, usize::saturating_add)
}

/// One thing that a device does.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Runs a kernel.
    Launch(Launch),
    /// A matrix product, by whatever computes it best.
    Product(Product),
    /// Shows a whole value: the index of the `inspect` word, where it lies, its elements.
    Inspect(usize, Pointer, usize),
}

/// A product whose result only the launch behind it reads: what that makes of it, where a library may do both at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// The number of the product's command; the launch is the next one.
    pub product: usize,
    /// A value for each column of the result, which is added.
    pub bias: Pointer,
    /// Whether what is below 0 becomes 0 then.
    pub relu: bool,
    /// Where the launch writes, each element where the result would lie from there on.
    pub to: Pointer,
}

/// All commands of a program for one shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tape {
    /// In order.
    pub commands: Vec<Command>,
    /// What products and the launches behind them are together, in order.
    pub layers: Vec<Layer>,
    /// Elements of [`Space::Work`].
    pub work: usize,
    /// Where the values in it begin, ascending: each reaches to the next one.
    pub slots: Vec<usize>,
    /// The same of [`Space::Gradients`]; of a tape that does not say, they are one value.
    pub gradients: Vec<usize>,
}

/// Writes a [`Tape`].
#[derive(Debug, Default)]
pub struct Recorder {
    tape: Tape,
}

impl Recorder {
    /// The commands of a program for values of its symbols.
    pub fn record(program: &Program, dims: &[usize]) -> Tape {
        let mut recorder = Recorder::default();
        (program.record)(dims, &mut recorder);
        recorder.finish()
    }

    /// What was recorded.
    pub fn finish(self) -> Tape {
        self.tape
    }

    /// Scratch, from a multiple of 256 bytes on.
    pub fn work(&mut self, elements: usize) -> Pointer {
        let start = self.tape.work;
        self.tape.work += elements.next_multiple_of(64);
        self.tape.slots.push(start);
        Pointer { space: Space::Work, start }
    }

    /// How many elements each gradient has.
    pub fn gradients(&mut self, elements: &[usize]) {
        let mut start = 0;
        for elements in elements {
            self.tape.gradients.push(start);
            start += elements;
        }
    }

    /// A launch; one without blocks does nothing.
    pub fn launch(&mut self, kernel: &'static str, blocks: [usize; 3], threads: u32, arguments: &[Argument]) {
        // More blocks than a grid has are no shape that fits into memory.
        let blocks = blocks.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        if !blocks.contains(&0) {
            let arguments = arguments.to_vec();
            self.tape.commands.push(Command::Launch(Launch { kernel, blocks, threads, arguments }));
        }
    }

    /// A product; one without results does nothing.
    pub fn product(&mut self, product: Product) {
        let axes = [&product.outer, &product.m, &product.n];
        if axes.into_iter().flatten().all(|axis| axis.size > 0) {
            self.tape.commands.push(Command::Product(product));
        }
    }

    /// Says what the last two commands are together: a product, and a launch that adds a bias.
    pub fn layer(&mut self, [bias, to]: [Pointer; 2], relu: bool) {
        // Without rows there is neither.
        if let [.., Command::Product(_), Command::Launch(_)] = self.tape.commands.as_slice() {
            let product = self.tape.commands.len() - 2;
            self.tape.layers.push(Layer { product, bias, relu, to });
        }
    }

    /// Shows a whole value.
    pub fn inspect(&mut self, index: usize, at: Pointer, elements: usize) {
        self.tape.commands.push(Command::Inspect(index, at, elements));
    }
}
