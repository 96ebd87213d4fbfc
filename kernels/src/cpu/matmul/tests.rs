//! Products against the obvious triple loop in f64.
use super::*;
use crate::cpu::isa::{IsaKind, run_on};

pub(super) fn random(n: usize, seed: u64) -> Vec<f64> {
    let mut out = vec![0.0; n];
    crate::random::uniform(crate::random::Stream { seed, step: 0, site: 0 }, 0, &mut out);
    out.iter().map(|x| x - 0.5).collect()
}

/// One shape and layout on every instruction set, plain and accumulating.
fn check<F: Float>(m: usize, n: usize, k: usize, layout: usize) {
    let (ta, tb, tc) = (layout & 1 != 0, layout & 2 != 0, layout & 4 != 0);
    let gap = if layout & 8 != 0 { 3 } else { 0 };
    let make = |seed| random((m.max(k) + gap) * (n.max(k) + gap) + 1, seed);
    let to: fn(&Vec<f64>) -> Vec<F> = |v| v.iter().map(|&x| F::from_f64(x)).collect();
    let (a, b, c) = (to(&make(1)), to(&make(2)), to(&make(3)));
    let strides = |t: bool, rows: usize, cols: usize| if t { (1, rows + gap) } else { (cols + gap, 1) };
    let ((ar, ac), (br, bc), (cr, cc)) = (strides(ta, m, k), strides(tb, k, n), strides(tc, m, n));
    // What is added to c, and the sum of the terms' sizes.
    let mut exact = Vec::new();
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|p| a[i * ar + p * ac].to_f64() * b[p * br + j * bc].to_f64());
            let at = i * cr + j * cc;
            exact.push((at, terms.clone().sum::<f64>(), terms.map(f64::abs).sum::<f64>()));
        }
    }
    for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
        for accumulate in [false, true] {
            let mut got = c.clone();
            let mc = MatMut::new(&mut got, m, n, cr, cc);
            let (ma, mb) = (MatRef::new(&a, m, k, ar, ac), MatRef::new(&b, k, n, br, bc));
            product_on(kind, mc, ma, mb, accumulate);
            let mut expect = c.clone();
            for &(at, sum, size) in &exact {
                let start = if accumulate { c[at].to_f64() } else { 0.0 };
                let error = (got[at].to_f64() - start - sum).abs() / (1e-30 + start.abs() + size);
                assert!(error < 8.0 * F::EPSILON.to_f64(), "{m}×{n}×{k} layout {layout} {kind:?}: {error}");
                expect[at] = got[at];
            }
            assert!(got == expect, "{m}×{n}×{k} layout {layout}: wrote outside of c");
        }
    }
}

fn product_on<F: Float>(
    kind: IsaKind,
    c: MatMut<'_, F>,
    a: MatRef<'_, F>,
    b: MatRef<'_, F>,
    accumulate: bool,
) {
    if c.cols == 1 && c.rows > 0 && a.cols > 0 {
        run_on(kind, thin::MatVec { c, a, b, accumulate });
    } else if c.rows > 1 && c.cols > 1 && a.cols > 0 {
        run_on(kind, Blocked { c, a, b, accumulate });
    } else {
        matmul(c, a, b, accumulate);
    }
}

#[test]
fn small_shapes_in_every_layout() {
    for layout in 0..16 {
        for m in [0, 1, 2, 7, 8, 13] {
            for n in [0, 1, 2, 8, 16, 33, 50] {
                for k in [0, 1, 9, 17] {
                    check::<f32>(m, n, k, layout);
                    check::<f64>(m, n, k, layout);
                }
            }
        }
    }
}

#[test]
fn large_shapes_cross_every_block() {
    for layout in [0, 1, 2, 3, 4, 9, 15] {
        for (m, n, k) in [(70, 100, 300), (131, 49, 513), (33, 784, 40), (9, 200, 600)] {
            check::<f32>(m, n, k, layout);
            check::<f64>(m, n, k, layout);
        }
    }
}

#[test]
fn products_that_pack_both_factors() {
    // Rows of two packed blocks that no group divides, columns that no vector divides, several blocks of k.
    let (m, n, k) = (269, 299, 421);
    assert!(kernel::is_large(m, n, k));
    for layout in 0..16 {
        check::<f32>(m, n, k, layout);
    }
    check::<f64>(m, n, k, 0);
    check::<f64>(m, n, k, 7);
}

#[test]
fn same_bits_from_unaligned_slices_and_other_threads() {
    let (m, n, k) = (37, 61, 300);
    let data: Vec<f32> = random(m * k + k * n + 64, 5).iter().map(|&x| x as f32).collect();
    let run = |shift: usize| {
        let mut a = vec![0.0; m * k + shift];
        a[shift..].copy_from_slice(&data[..m * k]);
        let mut c = vec![0.0; m * n + shift];
        matmul(
            MatMut::rows_of(&mut c[shift..], m, n),
            MatRef::rows_of(&a[shift..], m, k),
            MatRef::rows_of(&data[m * k..], k, n),
            false,
        );
        c.split_off(shift)
    };
    let first = run(0);
    for shift in 1..5 {
        assert!(first == run(shift));
    }
    std::thread::scope(|s| assert!(first == s.spawn(|| run(0)).join().expect("no panic")));
}

#[test]
#[should_panic(expected = "internal error")]
fn a_short_slice_is_refused() {
    MatRef::new(&[0.0_f32; 11], 3, 4, 4, 1);
}

#[test]
#[should_panic(expected = "share a place")]
fn overlapping_results_are_refused() {
    MatMut::new(&mut [0.0_f32; 12], 3, 4, 2, 1);
}
