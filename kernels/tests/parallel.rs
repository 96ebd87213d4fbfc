//! The parallel drivers: the right result, the same bits for every number of threads, no allocation.
use diabolo_kernels::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts allocations.
struct Counting;
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator, and a counter.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(p, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut out = vec![0.0; n];
    random::uniform(Stream { seed, step: 0, site: 0 }, 0, &mut out);
    out.iter_mut().for_each(|x| *x -= 0.5);
    out
}
use random::Stream;

/// Runs `work` in pools of 1, 2 and 4 threads; all must return the same bits.
fn same_for_all_threads(work: impl Fn() -> Vec<f32> + Sync) -> Vec<f32> {
    let results = [1, 2, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        (0..5).map(|_| pool.install(&work)).collect::<Vec<_>>()
    });
    let all: Vec<Vec<f32>> = results.into_iter().flatten().collect();
    let bits = |v: &Vec<f32>| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert!(all.iter().all(|v| bits(v) == bits(&all[0])), "bits depend on the threads");
    all.into_iter().next().expect("a result")
}

/// A dense layer and its weight gradient over row tiles.
fn layer_stage(rows: usize, i: usize, o: usize, tiling: Tiling, buffers: &mut Buffers) {
    let Buffers { x, w, scratch, acc, y } = buffers;
    stage(tiling, scratch, acc, [(y, o)], |tile| {
        let Tile { first, rows: r, scratch, acc, full: [y] } = tile;
        let x = &x[first * i..(first + r) * i];
        let h = &mut scratch[..r * o];
        matmul(MatMut::rows_of(h, r, o), MatRef::rows_of(x, r, i), MatRef::rows_of(w, i, o), false);
        y.copy_from_slice(h);
        matmul(MatMut::rows_of(acc, i, o), MatRef::rows_of(x, r, i).t(), MatRef::rows_of(h, r, o), true);
    });
    assert_eq!(tiling.rows, rows);
}

struct Buffers {
    x: Vec<f32>,
    w: Vec<f32>,
    scratch: Vec<f32>,
    acc: Vec<f32>,
    y: Vec<f32>,
}

fn buffers(rows: usize, i: usize, o: usize, tiling: Tiling) -> Buffers {
    Buffers {
        x: numbers(rows * i, 1),
        w: numbers(i * o, 2),
        scratch: vec![f32::NAN; tiling.lanes * tiling.tile * o],
        acc: vec![f32::NAN; tiling.lanes * i * o],
        y: vec![f32::NAN; rows * o],
    }
}

#[test]
fn stages() {
    for (rows, i, o) in [(1, 5, 3), (7, 16, 8), (64, 64, 32), (1000, 100, 60), (515, 200, 130)] {
        let tiling = Tiling::plan(rows, 4 * o, 4 * i * o, 4 * i * o);
        let result = same_for_all_threads(|| {
            let mut b = buffers(rows, i, o, tiling);
            layer_stage(rows, i, o, tiling, &mut b);
            b.y.extend_from_slice(&b.acc[..i * o]);
            b.y
        });
        let b = buffers(rows, i, o, tiling);
        let (y, gradient) = result.split_at(rows * o);
        for r in 0..rows {
            for c in 0..o {
                let exact: f64 = (0..i).map(|p| f64::from(b.x[r * i + p]) * f64::from(b.w[p * o + c])).sum();
                assert!((f64::from(y[r * o + c]) - exact).abs() < 1e-4);
            }
        }
        for p in 0..i {
            let exact: f64 = (0..rows).map(|r| f64::from(b.x[r * i + p]) * f64::from(y[r * o])).sum();
            assert!((f64::from(gradient[p * o]) - exact).abs() < 1e-3, "{} and {exact}", gradient[p * o]);
        }
    }
}

/// Rows that become columns, in tiles of heights that are no whole lines.
#[test]
fn stages_that_write_the_other_way() {
    for (rows, width, tiling) in [
        (100, 37, Tiling { rows: 100, tile: 9, lanes: 4 }),
        (64, 32, Tiling { rows: 64, tile: 16, lanes: 2 }),
        (5, 1, Tiling { rows: 5, tile: 8, lanes: 1 }),
        (0, 3, Tiling { rows: 0, tile: 8, lanes: 1 }),
        (3, 0, Tiling { rows: 3, tile: 2, lanes: 2 }),
    ] {
        let found = same_for_all_threads(|| {
            let mut scratch = vec![f32::NAN; tiling.lanes * tiling.tile * width];
            let mut to = vec![-1.0; rows * width];
            stage_turned(tiling, &mut scratch, &mut to, width, |tile| {
                for (i, x) in tile.scratch[..tile.rows * width].iter_mut().enumerate() {
                    *x = (tile.first * width + i) as f32;
                }
            });
            to
        });
        let expected = (0..width).flat_map(|j| (0..rows).map(move |i| (i * width + j) as f32));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{rows} × {width}");
    }
}

#[test]
#[should_panic(expected = "a turned matrix of other rows")]
fn a_turned_stage_refuses_a_wrong_matrix() {
    let tiling = Tiling { rows: 4, tile: 4, lanes: 1 };
    stage_turned(tiling, &mut [0.0_f32; 8], &mut [0.0; 7], 2, |_| {});
}

#[test]
fn stages_without_rows_or_accumulators() {
    let tiling = Tiling::plan(0, 4, 4, 4);
    let mut acc = [1.0_f32];
    stage(tiling, &mut [], &mut acc, [], |_| panic!("no rows, no tiles"));
    assert_eq!(acc, [0.0]);
    let tiling = Tiling { rows: 10, tile: 3, lanes: 3 };
    let mut out = [0.0_f32; 20];
    stage(tiling, &mut [], &mut [], [(&mut out, 2)], |tile| {
        for (i, x) in tile.full.into_iter().flatten().enumerate() {
            *x = (tile.first * 2 + i) as f32;
        }
    });
    assert!(out.iter().enumerate().all(|(i, &x)| x == i as f32));
}

#[test]
fn plans() {
    // W1 and W2 of the peers' table: one lane; four lanes of 32 rows.
    assert_eq!(Tiling::plan(64, 1600, 27_648, 18_944), Tiling { rows: 64, tile: 64, lanes: 1 });
    assert_eq!(Tiling::plan(128, 17_000, 2_600_000, 1_740_000), Tiling { rows: 128, tile: 32, lanes: 4 });
    // W6: taller tiles than its scratch allows, and all lanes.
    let wide = Tiling::plan(1024, 135_176, 25_285_637, 34_820);
    assert_eq!(wide, Tiling { rows: 1024, tile: 64, lanes: 16 });
    for rows in [0, 1, 7, 31, 32, 33, 100, 128, 1000, 4096, 100_000] {
        for row_bytes in [0, 100, 4000, 100_000, 10_000_000] {
            for row_flops in [0, 1000, 1_000_000, usize::MAX / 2] {
                for lane_bytes in [0, 10_000, 2 << 20, 100 << 20] {
                    let t = Tiling::plan(rows, row_bytes, row_flops, lane_bytes);
                    assert!(t.tile >= 1 && t.tile <= rows.max(1) && (1..=16).contains(&t.lanes), "{t:?}");
                    let bytes = t.tile * row_bytes;
                    assert!(t.tile == 1 || bytes <= 20 << 20, "{t:?} of {row_bytes}");
                    // More than a cache holds only where low tiles are slow, and eight lanes are left.
                    let tall = t.tile <= 64 && rows >= 8 * t.tile;
                    assert!(bytes <= 512 << 10 || t.tile <= 32 || tall, "{t:?} of {row_bytes}");
                    assert!(t.lanes == 1 || t.lanes * lane_bytes <= 16 << 20, "{t:?}");
                    assert!(t.lanes <= t.tiles().max(1));
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "a buffer over other rows")]
fn a_stage_refuses_a_wrong_buffer() {
    let tiling = Tiling { rows: 4, tile: 2, lanes: 1 };
    stage(tiling, &mut [], &mut [], [(&mut [0.0_f32; 7], 2)], |_| {});
}

#[test]
fn lists_of_products() {
    // The last one is wide enough to be cut across.
    let shapes =
        [(784, 128, 256), (3, 5, 2), (256, 128, 784), (1, 1000, 1), (0, 3, 3), (50, 0, 4), (181, 140, 2100)];
    let result = same_for_all_threads(|| {
        let factors = shapes.map(|(m, k, n)| (numbers(m * k, 3), numbers(k * n, 4)));
        let mut results = shapes.map(|(m, _, n)| numbers(m * n, 5));
        let mut views = results.iter_mut().zip(&factors).zip(shapes);
        products(std::array::from_fn::<_, 7, _>(|i| {
            let ((c, (a, b)), (m, k, n)) = views.next().expect("seven");
            let (a, b) = (MatRef::rows_of(a, k, m).t(), MatRef::rows_of(b, k, n));
            Product { c, a, b, accumulate: i % 2 == 0 }
        }));
        results.concat()
    });
    let mut at = 0;
    for (i, (m, k, n)) in shapes.into_iter().enumerate() {
        let (a, b, mut expect) = (numbers(m * k, 3), numbers(k * n, 4), numbers(m * n, 5));
        matmul(
            MatMut::rows_of(&mut expect, m, n),
            MatRef::rows_of(&a, k, m).t(),
            MatRef::rows_of(&b, k, n),
            i % 2 == 0,
        );
        for (x, y) in result[at..].iter().zip(&expect) {
            assert!((x - y).abs() < 1e-4, "product {i}");
        }
        at += m * n;
    }
}

#[test]
fn flat_chunks_and_sums() {
    for len in [0, 1, 1000, 100_003] {
        let result = same_for_all_threads(|| {
            let (mut p, g) = (numbers(len, 1), numbers(len, 2));
            let mut v = vec![0.0; len];
            chunks([&mut p, &mut v], [&g], 1000, |start, [p, v], [g]| {
                assert!(p.len() <= 1000 && start % 1000 == 0);
                for i in 0..p.len() {
                    v[i] = (start + i) as f32;
                    p[i] += g[i];
                }
            });
            p.extend(v);
            p.push(sum(&g));
            p.push(sum_squares(&g));
            p
        });
        let (p, g) = (numbers(len, 1), numbers(len, 2));
        for i in 0..len {
            assert_eq!((result[i], result[len + i]), (p[i] + g[i], i as f32));
        }
        let exact: f64 = g.iter().map(|&x| f64::from(x)).sum();
        assert!((f64::from(result[2 * len]) - exact).abs() < 1e-3);
        let exact: f64 = g.iter().map(|&x| f64::from(x).powi(2)).sum();
        assert!((f64::from(result[2 * len + 1]) - exact).abs() < 1e-3 * exact.max(1.0));
    }
}

/// One test for all: another thread's allocations would be counted too. The others run in this process at
/// the same time, so it tries until a quiet moment comes.
#[test]
fn nothing_allocates_after_the_first_time() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
    let (rows, i, o) = (512, 300, 100);
    let tiling = Tiling::plan(rows, 4 * o, 4 * i * o, 4 * i * o);
    assert!(tiling.lanes > 1);
    let mut b = buffers(rows, i, o, tiling);
    let mut gradient = vec![0.0; i * o];
    let (mut p, g) = (numbers(100_000, 1), numbers(100_000, 2));
    let fewest = pool.install(|| {
        let mut fewest = usize::MAX;
        for _ in 0..200 {
            let before = ALLOCATIONS.load(Relaxed);
            layer_stage(rows, i, o, tiling, &mut b);
            let (a, y) = (MatRef::rows_of(&b.x, rows, i).t(), MatRef::rows_of(&b.y, rows, o));
            products([Product { c: &mut gradient, a, b: y, accumulate: false }]);
            chunks([&mut p], [&g], 4096, |_, [p], [g]| p.copy_from_slice(g));
            random::normal(Stream { seed: 1, step: 2, site: 3 }, 1, &mut p);
            assert!(sum(&p) != sum_squares(&g));
            fewest = fewest.min(ALLOCATIONS.load(Relaxed) - before);
        }
        fewest
    });
    assert_eq!(fewest, 0, "allocations in a step");
}
