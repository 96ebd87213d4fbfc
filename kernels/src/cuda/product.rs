//! Which kernels compute a product. In: a [`Product`]. Out: launches of the prelude's kernels, and how much scratch they
//! need. Never: anything but the shape decides, so that the bits are the same on every run and device.
//!
//! Tiles of three sizes; a sum over k is cut into parts where there are too few tiles to keep a device busy, and a second
//! kernel adds the parts in order. The choice is that of a small model of a nominal device, `PROCESSORS` of them with
//! 128 fused products a cycle, the numbers of which are estimates: it decides speed, never values beyond rounding.
use super::driver::Precision;
use super::tape::{Argument, Axis, Launch, Pointer, Product};

/// Axes of one index that a kernel takes; more are walked over by launches that follow each other.
const MOST: usize = 4;
/// Processors of the nominal device.
const PROCESSORS: usize = 128;
/// A part of k is a multiple of so many.
const PART: usize = 64;
/// The most parts of k.
const PARTS: usize = 64;
/// Cycles of a launch: what one more kernel costs.
const LAUNCH: usize = 4000;
/// Cycles in which a load comes back, from memory that no cache holds.
const LATENCY: usize = 1000;

/// A kernel for tiles of one size.
#[derive(Clone, Copy, Debug)]
struct Tile {
    kernel: &'static str,
    /// Results along each side.
    side: usize,
    /// Positions of k that are under way at once.
    depth: usize,
    /// Cycles for one position of k, of one block that has a processor for itself.
    step: usize,
    /// Blocks that share a processor.
    together: usize,
    /// Threads of a block.
    threads: u32,
}

/// Fewer rows, columns or terms than this are no matter for tensor cores.
const LEAST: usize = 8;

/// The kernels of a precision.
const fn tiles(precision: Precision) -> &'static [Tile] {
    match precision {
        Precision::Float32 => &[
            Tile { kernel: "product_large", side: 128, depth: 8, step: 200, together: 2, threads: 256 },
            Tile { kernel: "product_middle", side: 64, depth: 16, step: 64, together: 3, threads: 256 },
            Tile { kernel: "product_small", side: 32, depth: 32, step: 30, together: 4, threads: 256 },
        ],
        Precision::Tf32 => &[
            Tile { kernel: "product_tf32_large", side: 128, depth: 16, step: 64, together: 1, threads: 256 },
            Tile { kernel: "product_tf32_small", side: 64, depth: 16, step: 20, together: 3, threads: 128 },
        ],
        Precision::Bf16 => &[
            Tile { kernel: "product_bf16_large", side: 128, depth: 32, step: 40, together: 1, threads: 256 },
            Tile { kernel: "product_bf16_small", side: 64, depth: 32, step: 14, together: 3, threads: 128 },
        ],
    }
}

/// An axis with the strides that matter to its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    size: usize,
    strides: [usize; 3],
}

/// How a product is computed.
#[derive(Clone, Debug)]
struct Plan {
    outer: Vec<Side>,
    m: Vec<Side>,
    n: Vec<Side>,
    k: Vec<Side>,
    tile: Tile,
    parts: usize,
    part: usize,
}

/// Elements that [`plan`] needs of scratch.
pub fn scratch(product: &Product) -> usize {
    scratch_in(product, Precision::Float32)
}

/// The launches that compute a product in float32, in order. `scratch` is where [`scratch`] elements may be overwritten.
pub fn plan(product: &Product, scratch: Pointer) -> Vec<Launch> {
    plan_in(product, scratch, Precision::Float32)
}

/// As [`scratch`], of a precision.
pub fn scratch_in(product: &Product, precision: Precision) -> usize {
    Plan::of(product, precision)
        .map_or(0, |plan| if plan.parts > 1 { plan.parts * plan.results() } else { 0 })
}

/// As [`plan`], of a precision: on tensor cores where they gain something.
pub fn plan_in(product: &Product, scratch: Pointer, precision: Precision) -> Vec<Launch> {
    let mut launches = Vec::new();
    if let Some(plan) = Plan::of(product, precision) {
        plan.record(product, scratch, &mut launches);
    }
    launches
}

impl Plan {
    /// None where there is nothing to do.
    fn of(product: &Product, precision: Precision) -> Option<Plan> {
        // An axis that walks over both factors and the result repeats the product.
        let (repeated_m, m): (Vec<Axis>, Vec<Axis>) = product.m.iter().partition(|axis| axis.b != 0);
        let (repeated_n, n): (Vec<Axis>, Vec<Axis>) = product.n.iter().partition(|axis| axis.a != 0);
        let outer: Vec<Axis> = product.outer.iter().copied().chain(repeated_m).chain(repeated_n).collect();
        let (outer, m, n, k) = (merged(&outer), merged(&m), merged(&n), merged(&product.k));
        let extent = |axes: &[Side]| axes.iter().map(|axis| axis.size).product::<usize>();
        if extent(&outer) == 0 || extent(&m) == 0 || extent(&n) == 0 {
            return None;
        }
        let depth = extent(&k);
        if depth == 0 && product.accumulate {
            return None;
        }
        let (rows, cols) = (extent(kernel_axes(&m)), extent(kernel_axes(&n)));
        let one = extent(kernel_axes(&outer));
        // Parts of k need all of it in one launch.
        let whole = k.len() <= MOST && outer.len() <= MOST && m.len() <= MOST && n.len() <= MOST;
        let narrow = rows.min(cols).min(depth) < LEAST;
        let precision = if narrow { Precision::Float32 } else { precision };
        let (tile, parts) = choose(precision, [one, rows, cols, extent(kernel_axes(&k))], whole);
        let part = depth.div_ceil(parts).next_multiple_of(if parts > 1 { PART } else { 1 }).max(1);
        Some(Plan { parts: depth.div_ceil(part).max(1), part, outer, m, n, k, tile })
    }

    /// Elements of one part.
    fn results(&self) -> usize {
        [&self.outer, &self.m, &self.n].into_iter().flatten().map(|axis| axis.size).product()
    }

    fn record(&self, product: &Product, scratch: Pointer, launches: &mut Vec<Launch>) {
        // Positions of the axes that no kernel takes, k innermost: the first of k writes, the others add.
        for outer in loose(&self.outer) {
            for m in loose(&self.m) {
                for n in loose(&self.n) {
                    for (i, k) in loose(&self.k).into_iter().enumerate() {
                        let a = product.a.at(outer[0] + m[0] + k[0]);
                        let b = product.b.at(outer[1] + n[1] + k[1]);
                        let c = product.c.at(outer[2] + m[2] + n[2]);
                        if self.parts > 1 {
                            launches.push(self.tiles(a, b, scratch, false));
                            launches.push(self.sum(c, scratch, product.accumulate));
                        } else {
                            launches.push(self.tiles(a, b, c, product.accumulate || i > 0));
                        }
                    }
                }
            }
        }
    }

    fn tiles(&self, a: Pointer, b: Pointer, c: Pointer, accumulate: bool) -> Launch {
        let [outer, m, n, k] = [&self.outer, &self.m, &self.n, &self.k].map(|axes| four(kernel_axes(axes)));
        let extent = |axes: &[Side; MOST]| axes.iter().map(|axis| axis.size).product::<usize>();
        let (rows, cols) = (extent(&m), extent(&n));
        let stride = |axes: &[Side; MOST], which: usize| axes.map(|axis| axis.strides[which]);
        let size = |axes: &[Side; MOST]| axes.map(|axis| axis.size);
        // Parts lie one after the other, each row-major.
        let (outer_c, m_c, n_c) = if self.parts > 1 {
            (dense(&outer, rows * cols), dense(&m, cols), dense(&n, 1))
        } else {
            (stride(&outer, 2), stride(&m, 2), stride(&n, 2))
        };
        let mut arguments = vec![Argument::Output(c), Argument::Pointer(a), Argument::Pointer(b)];
        for four in [
            [size(&outer), stride(&outer, 0), stride(&outer, 1), outer_c].concat(),
            [size(&m), stride(&m, 0), m_c].concat(),
            [size(&n), stride(&n, 1), n_c].concat(),
            [size(&k), stride(&k, 0), stride(&k, 1)].concat(),
        ] {
            arguments.extend(four.into_iter().map(Argument::Size));
        }
        // Neighbouring threads load neighbouring values, where there are any.
        let nearest = |axes: &[Side], which: usize| {
            kernel_axes(axes).last().map_or(usize::MAX, |axis| axis.strides[which].wrapping_sub(1))
        };
        let along_k = |axes: &[Side], which: usize| nearest(&self.k, which) < nearest(axes, which);
        let flags = [
            self.part,
            if self.parts > 1 { extent(&outer) * rows * cols } else { 0 },
            usize::from(accumulate),
            usize::from(along_k(&self.m, 0)),
            usize::from(along_k(&self.n, 1)),
        ];
        arguments.extend(flags.map(Argument::Size));
        let blocks =
            extent(&outer) * rows.div_ceil(self.tile.side) * cols.div_ceil(self.tile.side) * self.parts;
        Launch {
            kernel: self.tile.kernel,
            blocks: [count(blocks), 1, 1],
            threads: self.tile.threads,
            arguments,
        }
    }

    /// Adds the parts.
    fn sum(&self, c: Pointer, scratch: Pointer, accumulate: bool) -> Launch {
        let results = self.results();
        let [outer, m, n] = [&self.outer, &self.m, &self.n].map(|axes| four(kernel_axes(axes)));
        let mut arguments = vec![Argument::Output(c), Argument::Pointer(scratch)];
        arguments.extend([results, self.parts, usize::from(accumulate)].map(Argument::Size));
        for axes in [outer, m, n] {
            arguments.extend(axes.map(|axis| Argument::Size(axis.size)));
            arguments.extend(axes.map(|axis| Argument::Size(axis.strides[2])));
        }
        let blocks = results.div_ceil(256).min(8 * PROCESSORS);
        Launch { kernel: "product_parts", blocks: [count(blocks), 1, 1], threads: 256, arguments }
    }
}

/// More blocks than a grid has are no shape that fits into memory.
fn count(blocks: usize) -> u32 {
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

/// Axes without those of extent 1, neighbours that lie evenly made one; one of extent 0 where there is one.
fn merged(axes: &[Axis]) -> Vec<Side> {
    let mut all: Vec<Side> = Vec::new();
    for axis in axes {
        let next = Side { size: axis.size, strides: [axis.a, axis.b, axis.c] };
        match all.last_mut() {
            _ if next.size == 1 => {}
            Some(last) if last.strides == next.strides.map(|stride| stride * next.size) => {
                *last = Side { size: last.size * next.size, strides: next.strides };
            }
            _ => all.push(next),
        }
    }
    if all.iter().any(|axis| axis.size == 0) {
        all.truncate(1);
        all[0].size = 0;
    }
    all
}

/// The axes that a kernel takes: the last ones.
fn kernel_axes(axes: &[Side]) -> &[Side] {
    &axes[axes.len().saturating_sub(MOST)..]
}

/// Where the positions of all other axes lie, in order.
fn loose(axes: &[Side]) -> Vec<[usize; 3]> {
    let others = &axes[..axes.len().saturating_sub(MOST)];
    others.iter().fold(vec![[0; 3]], |starts, axis| {
        let along = |start: &[usize; 3], i: usize| {
            let mut at = *start;
            at.iter_mut().zip(axis.strides).for_each(|(at, stride)| *at += i * stride);
            at
        };
        starts.iter().flat_map(|start| (0..axis.size).map(move |i| along(start, i))).collect()
    })
}

/// Four axes, the first slowest, then such of extent 1.
fn four(axes: &[Side]) -> [Side; MOST] {
    let mut all = [Side { size: 1, strides: [0; 3] }; MOST];
    all[..axes.len()].copy_from_slice(axes);
    all
}

/// The strides of an index that lies row-major, its last axis `stride` apart.
fn dense(axes: &[Side; MOST], stride: usize) -> [usize; MOST] {
    let mut strides = [0; MOST];
    let mut next = stride;
    for (to, axis) in strides.iter_mut().zip(axes).rev() {
        *to = next;
        next *= axis.size;
    }
    strides
}

/// The tile and the number of parts of k that take the fewest cycles of the nominal device.
fn choose(precision: Precision, [outer, rows, cols, depth]: [usize; 4], whole: bool) -> (Tile, usize) {
    let all = tiles(precision);
    let mut best = (usize::MAX, all[0], 1);
    for &tile in all {
        let tiles = outer * rows.div_ceil(tile.side) * cols.div_ceil(tile.side);
        let mut parts = 1;
        while parts == 1 || whole && parts <= PARTS && depth >= parts * PART {
            let cycles = cycles(&tile, tiles * parts, depth.div_ceil(parts))
                + if parts > 1 { LAUNCH + outer * rows * cols * (parts + 2) / (8 * PROCESSORS) } else { 0 };
            if cycles < best.0 {
                best = (cycles, tile, parts);
            }
            parts *= 2;
        }
    }
    (best.1, best.2)
}

fn cycles(tile: &Tile, blocks: usize, depth: usize) -> usize {
    // Blocks that share a processor hide each other's loads; full rounds, then what is left.
    let round = |together: usize| {
        let step = (tile.step * together).max(LATENCY / tile.depth);
        LATENCY + depth.next_multiple_of(tile.depth) * step
    };
    let full = blocks / (PROCESSORS * tile.together);
    let left = (blocks % (PROCESSORS * tile.together)).div_ceil(PROCESSORS);
    full * round(tile.together) + if left > 0 { round(left) } else { 0 }
}
