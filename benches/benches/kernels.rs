//! Criterion over the kernels, on one thread: products in GFLOP/s, everything else in GB/s, each beside what the machine
//! was seen to do at the start.
//!
//! In: shapes of the workloads. Out: criterion's report. Never: a share of a peak from a table.

use std::hint::black_box;

use beside::BesidePeak;
use criterion::{Criterion, Throughput};
use diabolo_benches::peak;
use diabolo_kernels::random::Stream;
use diabolo_kernels::{
    Axes, Body, Isa, MatMut, MatRef, Panels, SlideMut, SlideRef, dispatch, math, matmul, matmul_panels,
    matmul_sliding, pack_panels, panels, random, sum_squares, top_k,
};

mod beside;

/// Bytes that stay in the second level of cache.
const CACHED: usize = 256 << 10;

/// Bytes that do not.
const FAR: usize = 32 << 20;

fn numbers(count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    random::uniform(Stream { seed: 1, step: 0, site: 0 }, 0, &mut values);
    values
}

/// The three products of a layer: forward, to the input, to the weights.
fn products(criterion: &mut Criterion<BesidePeak>) {
    let mut group = criterion.benchmark_group("matmul");
    for (workload, rows, i, o) in [
        ("W1", 64, 64, 32),
        ("W2", 128, 784, 256),
        ("W2 inner", 128, 256, 64),
        ("W4", 1024, 1024, 512),
        ("W6", 1024, 512, 8192),
    ] {
        let (x, w, y) = (numbers(rows * i), numbers(i * o), numbers(rows * o));
        let mut out = vec![0.0; rows.max(i) * i.max(o)];
        let (x, w, y) =
            (MatRef::rows_of(&x, rows, i), MatRef::rows_of(&w, i, o), MatRef::rows_of(&y, rows, o));
        group.throughput(Throughput::Elements(2 * (rows * i * o) as u64));
        for (name, m, n, a, b) in [
            ("forward", rows, o, x, w),
            ("to the input", rows, i, y, w.t()),
            ("to the weights", i, o, x.t(), y),
        ] {
            group.bench_function(format!("{workload} {rows}×{i}×{o} {name}"), |bencher| {
                bencher.iter(|| matmul(MatMut::rows_of(&mut out[..m * n], m, n), a, b, false));
            });
        }
    }
    group.finish();
}

/// A tile of rows by weights as a step finds them, where other weights were used since: in turn by each of as many as the second level
/// of cache cannot hold. The copy of panels first (bytes read and written), then products by the matrix, its transpose, and panels.
fn far(criterion: &mut Criterion<BesidePeak>) {
    let mut group = criterion.benchmark_group("matmul, weights far");
    for (rows, k, n) in [(32, 784, 256), (32, 256, 784), (128, 784, 1024), (128, 1024, 512), (128, 512, 8192)]
    {
        let (x, weights) = (numbers(rows * k), numbers((FAR / 4).max(2 * k * n)));
        let (count, size) = (weights.len() / (k * n), panels(rows.max(1024), k, n));
        let (mut copies, mut out) = (vec![0.0; count * size], vec![0.0; rows * n]);
        let weight = |i: usize| &weights[i % count * k * n..][..k * n];
        let x = MatRef::rows_of(&x, rows, k);
        let mut turn = 0;
        let mut next = || {
            turn += 1;
            turn
        };
        group.throughput(Throughput::Bytes(8 * (k * n) as u64));
        group.bench_function(format!("{rows}×{k}×{n} panels' copy"), |bencher| {
            bencher.iter(|| {
                let i = next();
                let to = &mut copies[i % count * size..][..size];
                pack_panels([Panels { to, b: MatRef::rows_of(weight(i), k, n) }]);
            });
        });
        for (i, to) in copies.chunks_exact_mut(size).enumerate() {
            pack_panels([Panels { to, b: MatRef::rows_of(weight(i), k, n) }]);
        }
        group.throughput(Throughput::Elements(2 * (rows * k * n) as u64));
        for (name, turned, by_panels) in
            [("matrix", false, false), ("transpose", true, false), ("panels", false, true)]
        {
            group.bench_function(format!("{rows}×{k}×{n} by {name}"), |bencher| {
                bencher.iter(|| {
                    let i = next();
                    let b = match turned {
                        true => MatRef::new(weight(i), k, n, 1, k),
                        false => MatRef::rows_of(weight(i), k, n),
                    };
                    let panels = if by_panels { &copies[i % count * size..][..size] } else { &[] };
                    matmul_panels(MatMut::rows_of(&mut out, rows, n), x, b, panels, false);
                });
            });
        }
    }
    group.finish();
}

/// W7's first convolution of one image: 1 → 16 channels, 3 × 3, stride 2, of a padded 30 × 30.
fn sliding(criterion: &mut Criterion<BesidePeak>) {
    let mut group = criterion.benchmark_group("matmul_sliding");
    let (image, weight, mut out) = (numbers(32 * 900), numbers(32 * 32 * 9), vec![0.0; 32 * 196]);
    for (name, channels, made) in
        [("W7 1 → 16, 28 × 28", 1, 16), ("W7's second, 16 → 32 at the size of its first", 16, 32)]
    {
        group.throughput(Throughput::Elements((2 * made * channels * 9 * 196) as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let rows = Axes::new(&[(channels, 900), (3, 30), (3, 1)]);
                let columns = Axes::new(&[(14, 60), (14, 2)]);
                let pieces = SlideRef::new(&image[..channels * 900], rows, columns);
                let weight = MatRef::rows_of(&weight[..made * channels * 9], made, channels * 9);
                let (rows, columns) = (Axes::new(&[(made, 196)]), Axes::new(&[(196, 1)]));
                matmul_sliding(SlideMut::new(&mut out[..made * 196], rows, columns), weight, pieces, false);
            });
        });
    }
    group.finish();
}

/// One function over a slice in cache.
struct Each<'a, G>(&'a [f32], &'a mut [f32], G);

/// A function of one number, whatever the instruction set.
trait Row: Copy {
    fn of<I: Isa>(self, x: f32) -> f32;
}

impl<G: Row> Body for Each<'_, G> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (y, x) in self.1.iter_mut().zip(self.0) {
            *y = self.2.of::<I>(*x);
        }
    }
}

macro_rules! rows {
    ($group:ident, $x:ident, $y:ident: $($name:ident)*) => {$({
        #[derive(Clone, Copy)]
        struct This;
        impl Row for This {
            #[inline(always)]
            fn of<I: Isa>(self, x: f32) -> f32 {
                math::$name::<I, f32>(x)
            }
        }
        $group.bench_function(stringify!($name), |bencher| bencher.iter(|| dispatch(Each(&$x, &mut $y, This))));
    })*};
}

/// Reads and writes in cache: where a row is at the rate of reading, its arithmetic is free.
fn rows(criterion: &mut Criterion<BesidePeak>) {
    let mut group = criterion.benchmark_group("rows");
    let x = numbers(CACHED / 8);
    let mut y = vec![0.0; x.len()];
    group.throughput(Throughput::Bytes(8 * x.len() as u64));
    rows!(group, x, y: abs exp expm1 log log1p tanh sigmoid softplus erf sin cos sqrt);
    group.finish();
}

/// Random numbers, a sum, a selection.
fn others(criterion: &mut Criterion<BesidePeak>) {
    let mut group = criterion.benchmark_group("others");
    let x = numbers(CACHED / 4);
    let mut y = vec![0.0; x.len()];
    let stream = Stream { seed: 1, step: 0, site: 0 };
    group.throughput(Throughput::Bytes(4 * x.len() as u64));
    group.bench_function("random::uniform", |bencher| bencher.iter(|| random::uniform(stream, 0, &mut y)));
    group.bench_function("random::normal", |bencher| bencher.iter(|| random::normal(stream, 0, &mut y)));
    group.bench_function("sum_squares", |bencher| bencher.iter(|| sum_squares(black_box(&x))));
    group.bench_function("top_k 32 of 8192", |bencher| {
        bencher.iter(|| top_k(&mut y[..32 * x.len() / 8192], &x, 8192, 32, true));
    });
    group.finish();
}

fn main() {
    let peak = BesidePeak { flops: peak::gflops(), bytes: peak::reading(CACHED) };
    println!(
        "one thread, {}: {:.1} GFLOP/s, reading {:.1} GB/s from cache and {:.1} GB/s from memory",
        diabolo_kernels::isa_name(),
        peak.flops,
        peak.bytes,
        peak::reading(1 << 28)
    );
    let mut criterion = Criterion::default().with_measurement(peak).configure_from_args();
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("one thread");
    products(&mut criterion);
    far(&mut criterion);
    sliding(&mut criterion);
    rows(&mut criterion);
    others(&mut criterion);
    criterion.final_summary();
}
