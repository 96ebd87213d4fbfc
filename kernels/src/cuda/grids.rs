//! How recordings of generated code launch their kernels.
//!
//! In: what a kernel walks over. Out: launches, with sums in parts where one block would take too long. Never: a count
//! of parts or of blocks that depends on anything but shapes.

use super::tape::{Argument, Axis, Pointer, Product, Recorder, Space};

/// Threads of a block, where nothing is gained by more.
const THREADS: u32 = 256;
/// Threads of a block whose lanes walk down columns.
const LANES: u32 = 512;
/// More blocks than these wait for others: sixteen for each of 132 multiprocessors.
const BLOCKS: usize = 2112;
/// Blocks that are enough for a sum; more would only be more parts.
const ENOUGH: usize = 512;
/// Fewer leave processors without work: two for each of 132.
const BUSY: usize = 264;

/// Blocks that share places: as many as run at once, because each looks at all indices.
const SHARERS: usize = 1056;

/// Threads of the one block that factors a matrix.
const FACTORING: u32 = 1024;

/// How a kernel with sums walks over its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// The threads of the grid take elements in turn; all sums are over everything.
    Elements,
    /// A thread a result.
    Threads,
    /// A warp a result: its threads take what is summed in turn.
    Warps,
    /// A block a result, or a block for each part of one.
    Blocks,
    /// A thread a result beside so many others (a power of two up to 32); the other threads of the block, and other
    /// blocks, take the same results further down.
    Columns(usize),
}

/// A sum, or a largest value, that a kernel makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// Where it goes.
    pub into: Pointer,
    /// Whether it is the largest.
    pub largest: bool,
    /// Whether it is over everything: one value of each block. Else there is one for each result.
    pub whole: bool,
}

/// The kernels, of one block each, that put together the values of blocks: of sums, and of largest values.
pub type Totals = [&'static str; 2];

impl Recorder {
    /// A kernel of a thread an element.
    pub fn each(&mut self, kernel: &'static str, count: usize, arguments: &[Argument]) {
        let blocks = count.div_ceil(THREADS as usize).min(BLOCKS);
        self.launch(kernel, [blocks, 1, 1], THREADS, arguments);
    }

    /// A kernel whose blocks share places.
    pub fn places(&mut self, kernel: &'static str, count: usize, arguments: &[Argument]) {
        self.launch(kernel, [count.min(SHARERS), 1, 1], THREADS, arguments);
    }

    /// Sets values.
    pub fn fill(&mut self, to: Pointer, count: usize, value: f32) {
        let arguments = [Argument::Output(to), Argument::Size(count), Argument::Number(value)];
        self.each("fill", count, &arguments);
    }

    /// A kernel with sums: `results` of `count` elements each, `even` where the results lie one after the other. Its
    /// first parameters are where the sums go.
    pub fn sums(
        &mut self,
        (kernel, walk, even): (&'static str, Walk, bool),
        [results, count]: [usize; 2],
        sums: &[Sum],
        arguments: &[Argument],
        totals: Totals,
    ) {
        let (blocks, parts, threads) = grid(walk, results, count, even);
        if results * count == 0 && (even || results == 0 || sums.iter().all(|sum| sum.whole)) {
            // Sums of nothing; and where there is nothing, no pointer needs to be inside of it.
            for sum in sums {
                let none = if sum.largest { f32::NEG_INFINITY } else { 0.0 };
                self.fill(sum.into, if sum.whole { 1 } else { results }, none);
            }
            return;
        }
        // Where the parts of each sum go, as many values as a part has.
        let (each, whole) = (results, blocks * parts);
        let own: Vec<Pointer> = sums
            .iter()
            .map(|sum| match sum.whole {
                true if whole > 1 => self.work(whole),
                false if parts > 1 => self.work(each * parts),
                _ => sum.into,
            })
            .collect();
        let first = own.iter().map(|at| Argument::Output(*at));
        let all: Vec<Argument> = first.chain(arguments.iter().copied()).collect();
        self.launch(kernel, [blocks, parts, 1], threads, &all);
        for (sum, from) in sums.iter().zip(own).filter(|(sum, from)| sum.into != *from) {
            let ends = [Argument::Output(sum.into), Argument::Pointer(from)];
            if sum.whole {
                let total = totals[usize::from(sum.largest)];
                self.launch(total, [1, 1, 1], THREADS, &[ends[0], ends[1], Argument::Size(whole)]);
            } else {
                let over = if sum.largest { "max_parts" } else { "sum_parts" };
                let sizes = [each, parts, each, 0].map(Argument::Size);
                self.each(over, each, &[&ends[..], &sizes].concat());
            }
        }
    }

    /// The positions of the first `k` of each `n`, `outer` times.
    pub fn select(&mut self, [into, from]: [Pointer; 2], [outer, n, k]: [usize; 3], largest: bool) {
        let threads = if n > 4096 { 1024 } else { THREADS };
        let sizes = [outer, n, k, usize::from(largest)].map(Argument::Size);
        let ends = [Argument::Output(into), Argument::Pointer(from)];
        if k > 0 {
            self.launch("top_k", [outer, 1, 1], threads, &[&ends[..], &sizes].concat());
        }
    }

    /// The triangular factors of matrices of m × n, to the front of `memory`, which has room for work behind them.
    pub fn factor(
        &mut self,
        [memory, from]: [Pointer; 2],
        [count, m, n]: [usize; 3],
        [outer, row, col]: [usize; 3],
    ) {
        let skip = Argument::Size(count * n * n);
        for matrix in 0..count {
            // Of no rows there is nothing to point at.
            let from = if m == 0 { from } else { from.at(matrix * outer) };
            let sizes = [m, n, row, col].map(Argument::Size);
            let ends = [Argument::Output(memory), Argument::Pointer(from), skip];
            self.each("triangular_gram", n * n, &[&ends[..], &sizes].concat());
            let into = Argument::Output(memory.at(matrix * n * n));
            let arguments = [Argument::Output(memory), into, skip, Argument::Size(n)];
            self.launch("triangular_factor", [usize::from(n > 0), 1, 1], FACTORING, &arguments);
        }
    }

    /// `c (+)= a · b`: so many axes of `outer`, `m`, `n` and `k`, each `[size, a, b, c]`.
    pub fn multiply(
        &mut self,
        [a, b, c]: [Pointer; 3],
        [outer, m, n]: [usize; 3],
        axes: &[[usize; 4]],
        accumulate: bool,
    ) {
        let (first, rest) = axes.split_at(outer);
        let (second, rest) = rest.split_at(m);
        let (third, last) = rest.split_at(n);
        let [outer, m, n, k] =
            [first, second, third, last].map(|axes| axes.iter().map(axis).collect::<Vec<_>>());
        // Of factors without elements no later one can be named.
        let [a, b] = match k.iter().any(|axis| axis.size == 0) {
            true => [a, b].map(|factor| Pointer { start: 0, ..factor }),
            false => [a, b],
        };
        self.product(Product { outer, m, n, k, a, b, c, accumulate });
    }
}

/// An element of a space.
pub fn at(space: Space, start: usize) -> Pointer {
    Pointer { space, start }
}

fn axis([size, a, b, c]: &[usize; 4]) -> Axis {
    Axis { size: *size, a: *a, b: *b, c: *c }
}

/// Blocks along results, parts of each result, threads.
fn grid(walk: Walk, results: usize, count: usize, parts: bool) -> (usize, usize, u32) {
    let divided = |blocks: usize, each: usize| match parts {
        true => count.div_ceil(each).clamp(1, (ENOUGH / blocks.max(1)).max(1)),
        false => 1,
    };
    match walk {
        Walk::Elements => {
            // Sixteen elements a thread, until all multiprocessors have some.
            let each = if count <= 16 * THREADS as usize { 16 } else { 4 };
            (count.div_ceil(each * THREADS as usize).clamp(1, ENOUGH), 1, THREADS)
        }
        Walk::Threads => (results.div_ceil(THREADS as usize).min(BLOCKS), 1, THREADS),
        Walk::Warps => (results.div_ceil(THREADS as usize / 32), 1, THREADS),
        Walk::Blocks => (results, divided(results, 4096), THREADS),
        Walk::Columns(columns) => {
            let blocks = results.div_ceil(columns.max(1));
            // Between 8 and 64 elements a thread: as few as all processors need to have some.
            let lanes = LANES as usize / columns.max(1);
            let busy = count / (BUSY / blocks.max(1)).max(1);
            (blocks, divided(blocks, busy.clamp(8 * lanes, 64 * lanes)), LANES)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of a value of so many rows: the blocks, and the rows of each part.
    fn columns(results: usize, rows: usize) -> (usize, usize) {
        let (blocks, parts, _) = grid(Walk::Columns(32), results, rows, true);
        (blocks * parts, rows.div_ceil(parts))
    }

    #[test]
    fn sums_down_columns_keep_all_processors_busy() {
        // Few rows are one part; many are parts of up to 1,024 rows, as long as blocks are not far more than processors.
        assert_eq!(columns(400, 128), (13, 128));
        assert_eq!(columns(1024, 1024), (256, 128));
        assert_eq!(columns(400, 4096), (273, 196));
        assert_eq!(columns(1024, 65_536), (512, 4096));
        assert_eq!(columns(8192, 1024), (256, 1024));
        for results in [1, 33, 500, 20_000] {
            for rows in [1, 7, 127, 129, 5000, 1 << 20] {
                let (blocks, part) = columns(results, rows);
                assert!(
                    blocks <= ENOUGH.max(results.div_ceil(32)) && part >= rows.min(64),
                    "{results} {rows}"
                );
            }
        }
        // Results that do not lie evenly are not made of parts.
        assert_eq!(grid(Walk::Columns(32), 1024, 1024, false), (32, 1, LANES));
    }
}
