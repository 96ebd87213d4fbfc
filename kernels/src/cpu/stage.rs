//! The row-tile driver. In: the rows of a batch and buffers over them. Out: the body run over every tile
//! of rows, tiles grouped in lanes, lanes in parallel, and the lanes' accumulators summed.
//! Never: allocation, or a tile, lane or order that depends on the number of threads.
use super::block::{self, BLOCK};
use super::crew::{Parts, share};
use super::float::Float;
use super::isa::{Body, Isa, dispatch};
use super::matmul::copy_columns;
use std::ops::Range;

/// A tile's scratch should fit here: half of an L2 cache of 1 MiB.
const TILE_BYTES: usize = 512 << 10;
/// Up to here a tile may grow to reach [`ROWS`], or [`TALL`] where the batch has enough of them: lower ones pass the
/// weights through the cache too often. Measured: a 512-8192-512 autoencoder's step on one thread took 753 ms with
/// tiles of 2 MiB, 312 with 4 MiB, as 32 rows need.
const LOW_TILE_BYTES: usize = 40 * TILE_BYTES;
/// All lanes' accumulators together should fit here.
const LANES_BYTES: usize = 16 << 20;
/// The most lanes.
const LANES: usize = 16;
/// Less work than this is not worth a lane of its own: some 50 µs of one core.
const LANE_FLOPS: usize = 5_000_000;
/// Fewer rows than this make products slow.
const ROWS: usize = 32;
/// Rows of a tile of wide layers, where the batch has enough of them: with 128, whose lanes are half as many, steps of a
/// 512-8192-512 autoencoder took as long.
const TALL: usize = 64;
/// Elements of one piece of the final sum.
const PIECE: usize = 1 << 14;

/// How a batch is cut: a pure function of the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Rows of the batch.
    pub rows: usize,
    /// Rows of a tile; the last may have fewer.
    pub tile: usize,
    /// Runs of tiles that may run in parallel, each with its own scratch and accumulators.
    pub lanes: usize,
}

impl Tiling {
    /// Cuts `rows`, given the bytes of scratch and the flops that one row needs, and the bytes of one
    /// lane's accumulators. Small work gets one lane, which runs on the calling thread.
    pub fn plan(rows: usize, row_bytes: usize, row_flops: usize, lane_bytes: usize) -> Tiling {
        let rows_of_work = rows.max(1);
        let flops = rows.saturating_mul(row_flops);
        // The tallest tile that fits, then the same number of tiles of even height for every lane.
        let fits = TILE_BYTES / row_bytes.max(1);
        // Of wide layers: taller, as long as there are eight lanes or more.
        let least = if fits < ROWS { (rows_of_work / 8).clamp(ROWS, TALL) } else { ROWS };
        let lanes = (flops / LANE_FLOPS)
            .min(LANES_BYTES / lane_bytes.max(1))
            .min(rows_of_work.div_ceil(least))
            .clamp(1, LANES);
        let fits = fits.max(least.min(LOW_TILE_BYTES / row_bytes.max(1)));
        let fits = if fits >= 8 { fits / 8 * 8 } else { fits.max(1) };
        let lane_rows = rows_of_work.div_ceil(lanes);
        let even = lane_rows.div_ceil(lane_rows.div_ceil(fits)).next_multiple_of(8);
        let tile = even.min(fits).min(rows_of_work);
        Tiling { rows, tile, lanes: lanes.min(rows_of_work.div_ceil(tile)) }
    }

    /// The same rows in tiles of this height, in no more lanes.
    pub fn of_height(self, tile: usize) -> Tiling {
        let tile = tile.min(self.rows.max(1));
        Tiling { tile, lanes: self.lanes.min(self.rows.max(1).div_ceil(tile)), ..self }
    }

    /// The number of tiles.
    pub fn tiles(&self) -> usize {
        self.rows.div_ceil(self.tile.max(1))
    }

    /// The first tile of a lane; lane `lanes` begins where the last one ends.
    fn first_tile(&self, lane: usize) -> usize {
        self.tiles() * lane / self.lanes
    }

    /// The first row of a lane.
    fn first_row(&self, lane: usize) -> usize {
        (self.first_tile(lane) * self.tile).min(self.rows)
    }
}

/// What the body of a stage gets: one tile of rows.
#[derive(Debug)]
pub struct Tile<'a, F, const W: usize> {
    /// The tile's first row in the batch.
    pub first: usize,
    /// Its number of rows.
    pub rows: usize,
    /// The lane's scratch, with what the lane's last tile left in it.
    pub scratch: &'a mut [F],
    /// The lane's accumulators: zero before its first tile.
    pub acc: &'a mut [F],
    /// The tile's rows of each whole-batch buffer.
    pub full: [&'a mut [F]; W],
}

/// Runs `body` over every tile. `scratch` and `acc` hold `lanes` equal parts; `full` holds buffers over
/// all rows with their width. Afterwards `acc`'s first part is the sum of all parts, in a fixed order; the
/// other parts hold no meaning.
///
/// # Panics
/// Where a buffer's length does not match the tiling.
pub fn stage<F: Float, const W: usize>(
    tiling: Tiling,
    scratch: &mut [F],
    acc: &mut [F],
    full: [(&mut [F], usize); W],
    body: impl Fn(Tile<'_, F, W>) + Sync,
) {
    let Tiling { rows, tile, lanes } = tiling;
    assert!(tile > 0 && lanes > 0, "a stage needs tiles and lanes");
    assert!(scratch.len().is_multiple_of(lanes) && acc.len().is_multiple_of(lanes), "unequal lanes");
    assert!(full.iter().all(|(buffer, width)| buffer.len() == rows * width), "a buffer over other rows");
    let (scratch_lane, acc_lane) = (scratch.len() / lanes, acc.len() / lanes);
    let (scratch, all) = (Parts::of(scratch), Parts::of(&mut *acc));
    let full = full.map(|(buffer, width)| (Parts::of(buffer), width));
    share(lanes, &|lane| {
        let (first, end) = (tiling.first_row(lane), tiling.first_row(lane + 1));
        // SAFETY: each lane has its own part of each, and each row one lane.
        let (scratch, acc, full) = unsafe {
            (
                scratch.part(lane * scratch_lane, scratch_lane),
                all.part(lane * acc_lane, acc_lane),
                full.each_ref().map(|(all, width)| (all.part(first * width, (end - first) * width), *width)),
            )
        };
        run_tiles(tile, first..end, scratch, acc, full, &body);
    });
    if lanes > 1 && acc_lane > 0 {
        let (first, others) = acc.split_at_mut(acc_lane);
        sum_lanes(first, others);
    }
}

/// Runs `body` over tiles of the rows of a matrix of `width` columns, which is to lie the other way in `to`, its rows side by
/// side as columns. A body writes its tile's rows to the beginning of its scratch, and they are turned while they are near.
///
/// # Panics
/// Where `to` has another length than all rows, or a lane's scratch is smaller than a tile.
pub fn stage_turned<F: Float>(
    tiling: Tiling,
    scratch: &mut [F],
    to: &mut [F],
    width: usize,
    body: impl Fn(Tile<'_, F, 0>) + Sync,
) {
    assert!(to.len() == tiling.rows * width, "a turned matrix of other rows");
    let to = Parts::of(to);
    stage(tiling, scratch, &mut [], [], |tile| {
        let Tile { first, rows, scratch, acc, .. } = tile;
        body(Tile { first, rows, scratch: &mut *scratch, acc, full: [] });
        let done = &scratch[..rows * width];
        if !done.is_empty() {
            // SAFETY: the columns from `first` on are in `to`, whose length was checked, and each row of the stage, which is a
            // column there, belongs to one tile.
            unsafe { copy_columns(to.place(first), tiling.rows, done, width, width, rows) }
        }
    });
}

/// The tiles of one lane, one after the other.
fn run_tiles<F: Float, const W: usize>(
    tile: usize,
    rows: Range<usize>,
    scratch: &mut [F],
    acc: &mut [F],
    mut full: [(&mut [F], usize); W],
    body: &(impl Fn(Tile<'_, F, W>) + Sync),
) {
    acc.fill(F::ZERO);
    for first in rows.clone().step_by(tile) {
        let rows = tile.min(rows.end - first);
        let tile_full = full.each_mut().map(|(buffer, width)| {
            let (mine, rest) = std::mem::take(buffer).split_at_mut(rows * *width);
            *buffer = rest;
            mine
        });
        body(Tile { first, rows, scratch: &mut *scratch, acc: &mut *acc, full: tile_full });
    }
}

/// `first += others[0] + others[1] + …`, one after the other for each element.
fn sum_lanes<F: Float>(first: &mut [F], others: &[F]) {
    let len = first.len();
    let all = Parts::of(first);
    share(len.div_ceil(PIECE), &|piece| {
        let start = piece * PIECE;
        let piece = PIECE.min(len - start);
        // SAFETY: a piece of its own.
        let first = unsafe { all.part(start, piece) };
        dispatch(AddLanes { first, others, start, lane: len });
    });
}

/// Adds the piece from `start` on of every other lane.
struct AddLanes<'a, F> {
    first: &'a mut [F],
    others: &'a [F],
    start: usize,
    lane: usize,
}

impl<F: Float> Body for AddLanes<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let AddLanes { first, others, start, lane } = self;
        // What is summed is read and written once: block after block, over all lanes.
        for at in (0..first.len()).step_by(2 * BLOCK) {
            let len = (2 * BLOCK).min(first.len() - at);
            if len == 2 * BLOCK {
                add::<F, { 2 * BLOCK }>(first, at, others, start + at, lane);
            } else {
                let of_lanes = others.chunks_exact(lane).map(|other| &other[start + at..][..len]);
                of_lanes.for_each(|other| first[at..].iter_mut().zip(other).for_each(|(sum, &x)| *sum += x));
            }
        }
    }
}

/// `first[at..] += others[from..]` of each lane, one after the other, for `N` elements.
#[inline(always)]
fn add<F: Float, const N: usize>(first: &mut [F], at: usize, others: &[F], from: usize, lane: usize) {
    let mut sum: [F; N] = block::load(first, at, N);
    for other in others.chunks_exact(lane) {
        let other: [F; N] = block::load(other, from, N);
        for i in 0..N {
            sum[i] += other[i];
        }
    }
    block::store(first, at, N, &sum);
}
