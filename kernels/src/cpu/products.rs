//! Wide products over the threads. In: a list of products. Out: each one's c. Cut into blocks of c, by the shapes only, so that the bits are the same for every number of threads.
//! Never: allocation.
use super::crew::{Parts, item_of, share_by};
use super::float::Float;
use super::matmul::{MatMut, MatRef, matmul, matmul_part};

/// Less work than this in the whole list runs on the calling thread: some 50 µs of one core.
const SHARED_FLOPS: usize = 5_000_000;
/// A block of rows is about this much work: enough to pay for a fork.
const BLOCK_FLOPS: usize = 4_000_000;
/// Rows of a block of a large product at least: each block packs its factors anew.
const LARGE_ROWS: usize = 128;
/// Rows of such a block at most, and columns: what a block writes stays in a second-level cache.
const MOST_ROWS: usize = 256;
const MOST_COLS: usize = 1024;
/// Blocks have a multiple of this many rows, and at least two such multiples.
const BLOCK_ROWS: usize = 24;

/// `c = a·b`, or `c += a·b`.
#[derive(Debug)]
pub struct Product<'a, F> {
    /// The result, row-major, a's rows by b's columns.
    pub c: &'a mut [F],
    /// The left factor.
    pub a: MatRef<'a, F>,
    /// The right factor.
    pub b: MatRef<'a, F>,
    /// Whether to add to `c`.
    pub accumulate: bool,
}

/// Computes all products of the list, in parallel where there is enough of them.
///
/// # Panics
/// Where the shapes of a product do not match.
pub fn products<F: Float, const N: usize>(list: [Product<'_, F>; N]) {
    let tasks = list.map(|product| {
        let Product { c, a, b, accumulate } = product;
        assert!(a.cols() == b.rows() && c.len() == a.rows() * b.cols(), "shapes of a product");
        let (rows, cols) = block(a.rows(), a.cols(), b.cols());
        Task { rows, cols, c: Parts::of(c), a, b, accumulate }
    });
    let items = tasks.iter().map(Task::blocks).sum();
    let flops: usize = tasks.iter().map(Task::flops).sum();
    let one = |i: usize| {
        if let Some((task, block)) = item_of(&tasks, i, Task::blocks) {
            task.run(block);
        }
    };
    if flops < SHARED_FLOPS {
        return (0..items).for_each(one);
    }
    // The blocks of the seats before this one have about their share of the work.
    let start = |seat: usize, seats: usize| {
        let mut left = flops / seats * seat;
        let mut blocks = 0;
        for task in &tasks {
            let whole = left / task.block_flops().max(1);
            if whole < task.blocks() {
                return blocks + whole;
            }
            blocks += task.blocks();
            left = left.saturating_sub(task.flops());
        }
        blocks
    };
    share_by(items, &start, &one);
}

/// A product, cut into blocks of so many rows and columns.
struct Task<'a, F> {
    rows: usize,
    cols: usize,
    c: Parts<'a, F>,
    a: MatRef<'a, F>,
    b: MatRef<'a, F>,
    accumulate: bool,
}

impl<F: Float> Task<'_, F> {
    fn blocks(&self) -> usize {
        self.a.rows().div_ceil(self.rows) * self.strips()
    }

    fn strips(&self) -> usize {
        self.b.cols().div_ceil(self.cols)
    }

    fn flops(&self) -> usize {
        2 * self.a.rows() * self.a.cols() * self.b.cols()
    }

    fn block_flops(&self) -> usize {
        2 * self.rows * self.a.cols() * self.cols
    }

    /// A block is a product of its own.
    fn run(&self, block: usize) {
        let (i, j) = (block / self.strips() * self.rows, block % self.strips() * self.cols);
        let (m, n) = (self.a.rows(), self.b.cols());
        let (a, _) = self.a.split_rows(i).1.split_rows(self.rows.min(m - i));
        if self.strips() == 1 {
            // SAFETY: blocks have different rows, and each is visited once.
            let c = unsafe { self.c.part(i * n, a.rows() * n) };
            return matmul(MatMut::rows_of(c, a.rows(), n), a, self.b, self.accumulate);
        }
        let (b, _) = self.b.t().split_rows(j).1.split_rows(self.cols.min(n - j));
        // SAFETY: blocks share no element, and each is visited once; all of them lie within c.
        unsafe { matmul_part(self.c.place(i * n + j), n, a, b.t(), self.accumulate) }
    }
}

/// Rows and columns of a block, from the whole product's shape.
fn block(m: usize, k: usize, n: usize) -> (usize, usize) {
    let rows = BLOCK_FLOPS.div_ceil((2 * k * n).max(1)).next_multiple_of(BLOCK_ROWS);
    let rows = rows.clamp(2 * BLOCK_ROWS, m.max(2 * BLOCK_ROWS));
    // Few long rows are cut across as well.
    let strips = if n >= 2 * MOST_COLS { n.div_ceil(MOST_COLS) } else { 1 };
    // As many rows as may be, but four blocks or more.
    let large = (m * strips.min(4) / 4).next_multiple_of(8).min(MOST_ROWS);
    if large >= LARGE_ROWS && n >= 128 && k >= 128 {
        (rows.max(large), n.div_ceil(strips).next_multiple_of(16))
    } else {
        (rows, n)
    }
}
