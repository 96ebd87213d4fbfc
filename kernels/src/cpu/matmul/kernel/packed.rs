//! A large product, both factors packed: block after block of rows and of k, panel after panel of columns, tile by tile.
//! In: raw views. Out: sums, in c. Never: a sum in another order than p = 0, 1, 2, … within blocks of k.
//!
//! What is packed next comes from a far cache or from memory, and a core awaits some 16 lines at a time: asked for in
//! bursts, they keep the packed rows waiting, which come from a second-level cache. So each tile asks for its share,
//! a line of each factor every four steps at most.
use std::mem::MaybeUninit;

use super::super::pack::{View, pack, pack_left};
use super::super::scalar::Work;
use super::super::vector::{Vector, prefetch_far};
use super::panel::{Panel, unrolled};
use super::{Aligned, Factors, PACKED, Panelled, even};
use crate::Float;

/// Bytes of a block of k: 192 f32, so that a panel of b leaves a first-level cache of 48 KiB some room for a and c.
const BOTH_DEPTH: usize = 192 * 4;
/// Rows of a that are packed at a time: 192 KiB of them, for a second-level cache.
const LEFT_ROWS: usize = 256;
const LEFT: usize = LEFT_ROWS * BOTH_DEPTH;
/// Turns of a tile, of four steps each, that ask for a line.
const TURNS: usize = 48;

/// Both factors packed, of a [large](super::is_large) product.
pub(in super::super) struct BothPacked<F>(pub Factors<F>);

impl<F: Float> Work<F> for BothPacked<F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<F>, const MR: usize>(self) {
        let Factors { shape: (m, n, k), c, a, b, accumulate } = self.0;
        let mut buffer = Aligned::<LEFT>(MaybeUninit::uninit());
        let packed = buffer.0.as_mut_ptr().cast::<F>();
        let depth = even(k, BOTH_DEPTH / size_of::<F>());
        let rows = even(m, LEFT_ROWS).next_multiple_of(MR);
        let mut buffer = Aligned::<PACKED>(MaybeUninit::uninit());
        let panel = buffer.0.as_mut_ptr().cast::<F>();
        let panels = Panelled::new(n, V::LANES);
        for i in (0..m).step_by(rows) {
            for p in (0..k).step_by(depth) {
                let (here, deep) = (rows.min(m - i), depth.min(k - p));
                // The left rows that come next: deeper ones, or the next ones.
                let (next_i, next_p) = if p + depth < k { (i, p + depth) } else { (i + rows, 0) };
                let next = if next_i < m { here } else { 0 };
                let groups = here.div_ceil(MR);
                let ahead =
                    Ask::of(Strips::of(a, (next_i, next_p), next, deep), panels.count() * groups, deep);
                // SAFETY: (i, p) lies within a; LEFT_ROWS is a multiple of MR, so that whole groups of `rows` fit the buffer.
                let left = unsafe { pack_left::<F, MR>(packed, a.at(i, p), here, deep, V::AVX) };
                for number in 0..panels.count() {
                    let (j, end) = (panels.start(number), panels.start(number + 1));
                    let (vectors, width) = ((end - j) / V::LANES, end.min(n) - j);
                    // Of the last panel: what comes next begins again with the first one.
                    let from = if number + 1 == panels.count() { (next_p, 0) } else { (p, end) };
                    let right = Ask::of(Strips::of(b, from, deep, width), groups, deep);
                    let asks = Asks { right, left: &ahead, first: number * groups };
                    let this =
                        Panel { rows: here, depth: deep, width, accumulate: accumulate || p > 0, far: false };
                    // SAFETY: (p, j) and (i, j) lie within the matrices; a panel fits its buffer, and has whole vectors.
                    unsafe {
                        let b = pack::<F, V>(panel, b.at(p, j), deep, width, end - j, V::AVX);
                        let c = c.at(i, j);
                        match vectors {
                            1 => this.run_packed::<F, V, MR, 1>(c, left, b, &asks),
                            2 => this.run_packed::<F, V, MR, 2>(c, left, b, &asks),
                            _ => this.run_packed::<F, V, MR, 3>(c, left, b, &asks),
                        }
                    }
                }
            }
        }
    }
}

/// Contiguous strips of a matrix.
#[derive(Clone, Copy)]
struct Strips<F> {
    first: *const F,
    count: usize,
    /// How far apart they begin.
    stride: usize,
    /// The numbers of each.
    length: usize,
}

impl<F> Strips<F> {
    /// Of so many rows and columns of a matrix from (i, j) on.
    #[inline(always)]
    fn of(matrix: View<F>, (i, j): (usize, usize), rows: usize, cols: usize) -> Self {
        let first = matrix.data.wrapping_add(i * matrix.row + j * matrix.col).cast_const();
        if matrix.row == 1 {
            Strips { first, count: cols, stride: matrix.col, length: rows }
        } else {
            Strips { first, count: rows, stride: matrix.row, length: if matrix.col == 1 { cols } else { 0 } }
        }
    }
}

/// Which lines of some strips each of so many tiles asks for, so that all are asked for once: whole strips, or a piece of one.
#[derive(Clone, Copy)]
struct Ask<F> {
    first: *const F,
    /// Tiles that ask for something.
    tiles: usize,
    /// Pieces of a strip, the numbers of one, and how far apart strips are: those of one tile and of the next.
    pieces: usize,
    piece: usize,
    stride: usize,
    /// Where the lines of a tile lie from its own first on, for its turns of four steps.
    lines: [usize; TURNS],
}

impl<F> Ask<F> {
    /// For so many tiles of `depth` steps each.
    #[inline(always)]
    fn of(strips: Strips<F>, tiles: usize, depth: usize) -> Self {
        let Strips { first, count, stride, length } = strips;
        let line = 64 / size_of::<F>();
        let mut lines = [0; TURNS];
        if count == 0 || length == 0 {
            return Ask { first, tiles: 1, pieces: 1, piece: 0, stride: 0, lines };
        }
        // A strip that begins inside of a line has a part of one more at its end.
        let begins = ((first.addr() / size_of::<F>()) | stride).is_multiple_of(line);
        let each = (length - 1) / line + if begins { 1 } else { 2 };
        let (strips, pieces) = (count.div_ceil(tiles), (tiles / count).clamp(1, each));
        let own = each.div_ceil(pieces);
        let turns = (depth / 4).clamp(1, TURNS);
        for (turn, place) in lines.iter_mut().enumerate().take(turns) {
            let number = turn * strips * own / turns;
            *place = number / own * stride + (number % own * line).min(length - 1);
        }
        let tiles = count.div_ceil(strips) * pieces;
        Ask { first, tiles, pieces, piece: own * line, stride: strips * stride, lines }
    }

    /// Where the lines of a tile begin; of one without any, those of the last one that has.
    #[inline(always)]
    fn begin(&self, tile: usize) -> *const F {
        let tile = tile.min(self.tiles - 1);
        let at = tile / self.pieces * self.stride + tile % self.pieces * self.piece;
        self.first.wrapping_add(at)
    }
}

/// What all tiles of a panel ask for: the next panel, and with all tiles of a block the rows that are packed next.
struct Asks<'a, F> {
    right: Ask<F>,
    left: &'a Ask<F>,
    /// The number of the panel's first tile among those of the block.
    first: usize,
}

impl Panel {
    /// Groups of `MR` rows of a, which lie side by side, against a panel of b.
    ///
    /// # Safety
    /// As for [`Work::run`] of [`BothPacked`]; a is packed in groups of `MR` rows and this depth, b in rows of `NV` vectors.
    #[inline(always)]
    unsafe fn run_packed<F: Float, V: Vector<F>, const MR: usize, const NV: usize>(
        &self,
        c: View<F>,
        a: View<F>,
        b: View<F>,
        asks: &Asks<'_, F>,
    ) {
        let mut i = 0;
        while i < self.rows {
            // SAFETY: row i exists in a and c.
            unsafe {
                let (c, a) = (c.at(i, 0), a.data.add(i / MR * MR * self.depth + i % MR).cast_const());
                // Whole groups, then the rest by 4, 2 and 1.
                i += match self.rows - i {
                    rest if rest >= MR => self.packed::<F, V, MR, NV, MR>(c, a, b.data, i / MR, asks),
                    4.. if MR > 4 => self.packed::<F, V, 4, NV, MR>(c, a, b.data, i / MR, asks),
                    2.. if MR > 2 => self.packed::<F, V, 2, NV, MR>(c, a, b.data, i / MR, asks),
                    _ => self.packed::<F, V, 1, NV, MR>(c, a, b.data, i / MR, asks),
                };
            }
        }
    }

    /// `R` rows of c, which it returns. The sums stay in registers.
    ///
    /// # Safety
    /// As for [`Panel::run_packed`], and the `R` rows exist.
    #[inline(always)]
    unsafe fn packed<F: Float, V: Vector<F>, const R: usize, const NV: usize, const MR: usize>(
        &self,
        c: View<F>,
        mut a: *const F,
        b: *const F,
        tile: usize,
        asks: &Asks<'_, F>,
    ) -> usize {
        let (right, left) = (asks.right.begin(tile), asks.left.begin(asks.first + tile));
        let (right_lines, left_lines) = (asks.right.lines.as_ptr(), asks.left.lines.as_ptr());
        let mut b = b;
        // SAFETY: `depth` steps, four times TURNS at most, i < R, and b's rows hold NV vectors.
        unsafe {
            self.ask::<F, V, R, NV>(c);
            let mut sums = [[V::splat(F::ZERO); NV]; R];
            macro_rules! step {
                ($p:literal) => {
                    let right: [V; NV] = std::array::from_fn(|v| V::load(b.add(($p * NV + v) * V::LANES)));
                    unrolled!(i < R {
                        let left = V::splat(*a.add($p * MR + i));
                        unrolled!(v < NV {
                            sums[i][v] = V::fma(left, right[v], sums[i][v]);
                        });
                    });
                };
            }
            for turn in 0..self.depth / 4 {
                prefetch_far(right.wrapping_add(*right_lines.add(turn)));
                prefetch_far(left.wrapping_add(*left_lines.add(turn)));
                step!(0);
                step!(1);
                step!(2);
                step!(3);
                (a, b) = (a.add(4 * MR), b.add(4 * NV * V::LANES));
            }
            for _ in 0..self.depth % 4 {
                step!(0);
                (a, b) = (a.add(MR), b.add(NV * V::LANES));
            }
            self.write(c, sums);
        }
        R
    }
}
