//! Wide products over the threads. In: a list of products. Out: each one's c. Cut into blocks of rows of
//! c, by the shapes only, so that the bits are the same for every number of threads.
//! Never: allocation.
use super::float::Float;
use super::matmul::{MatMut, MatRef, matmul};

/// Less work than this in the whole list runs on the calling thread: some 50 µs of one core.
const SHARED_FLOPS: usize = 5_000_000;
/// A block of rows is about this much work: enough to pay for a fork.
const BLOCK_FLOPS: usize = 4_000_000;
/// Rows of a block of a large product: each block packs its factors anew.
const LARGE_ROWS: usize = 128;
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
    for p in &list {
        assert!(p.a.cols() == p.b.rows() && p.c.len() == p.a.rows() * p.b.cols(), "shapes of a product");
    }
    let list = list.map(|p| {
        let block = block_rows(p.a.rows(), p.a.cols(), p.b.cols());
        Some(Task { block, product: p })
    });
    let parallel = flops(&list) >= SHARED_FLOPS;
    run(list, parallel);
}

/// A product, or what a split left of it, cut into blocks of so many rows.
struct Task<'a, F> {
    block: usize,
    product: Product<'a, F>,
}

impl<F: Float> Task<'_, F> {
    fn blocks(&self) -> usize {
        self.product.a.rows().div_ceil(self.block)
    }
    fn block_flops(&self) -> usize {
        2 * self.block * self.product.a.cols() * self.product.b.cols()
    }
    /// The first `blocks` blocks, and the rest.
    fn split(self, blocks: usize) -> (Self, Self) {
        let Task { block, product: Product { c, a, b, accumulate } } = self;
        let rows = (blocks * block).min(a.rows());
        let (c_top, c_rest) = c.split_at_mut(rows * b.cols());
        let (a_top, a_rest) = a.split_rows(rows);
        let task = |c, a| Task { block, product: Product { c, a, b, accumulate } };
        (task(c_top, a_top), task(c_rest, a_rest))
    }
}

/// Rows of a block, from the whole product's shape.
fn block_rows(m: usize, k: usize, n: usize) -> usize {
    let rows = BLOCK_FLOPS.div_ceil((2 * k * n).max(1)).next_multiple_of(BLOCK_ROWS);
    let rows = rows.clamp(2 * BLOCK_ROWS, m.max(2 * BLOCK_ROWS));
    // Up to 256 rows, but four blocks or more.
    let large = (m / 4).next_multiple_of(8).min(256);
    if large >= LARGE_ROWS && n >= 128 && k >= 128 { rows.max(large) } else { rows }
}

fn flops<F: Float, const N: usize>(list: &[Option<Task<'_, F>>; N]) -> usize {
    list.iter().flatten().map(|task| task.blocks() * task.block_flops()).sum()
}

fn run<F: Float, const N: usize>(list: [Option<Task<'_, F>>; N], parallel: bool) {
    let blocks: usize = list.iter().flatten().map(Task::blocks).sum();
    if blocks <= 1 || !parallel {
        for task in list.into_iter().flatten() {
            run_blocks(task);
        }
        return;
    }
    // Blocks go to the left until it has half of the work, and at least one stays on either side.
    let half = flops(&list) / 2;
    let (mut given, mut work) = (0, 0);
    let (left, right) = super::chunks::halves(list.map(|task| {
        let Some(task) = task else { return (None, None) };
        let mut mine = 0;
        while mine < task.blocks()
            && given + 1 < blocks
            && (given == 0 || work + task.block_flops() / 2 <= half)
        {
            (mine, given, work) = (mine + 1, given + 1, work + task.block_flops());
        }
        if mine < task.blocks() {
            // Later products belong to the right, or order would decide what fits.
            work = usize::MAX / 2;
        }
        match mine {
            0 => (None, Some(task)),
            all if all == task.blocks() => (Some(task), None),
            _ => {
                let (top, rest) = task.split(mine);
                (Some(top), Some(rest))
            }
        }
    }));
    rayon::join(|| run(left, parallel), || run(right, parallel));
}

/// Each block is a product of its own: a product library may round otherwise when it is cut otherwise.
fn run_blocks<F: Float>(mut task: Task<'_, F>) {
    while task.blocks() > 1 {
        let (top, rest) = task.split(1);
        run_blocks(top);
        task = rest;
    }
    let Product { c, a, b, accumulate } = task.product;
    let (m, n) = (a.rows(), b.cols());
    matmul(MatMut::rows_of(c, m, n), a, b, accumulate);
}
