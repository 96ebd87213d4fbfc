//! Products of rows side by side against the obvious loops in f64, on every instruction set.
use super::*;
use crate::cpu::isa::run_on;

type List = [(usize, usize)];

fn random<F: Float>(n: usize, seed: u64) -> Vec<F> {
    let mut out = vec![0.0; n];
    crate::random::uniform(crate::random::Stream { seed, step: 0, site: 0 }, 0, &mut out);
    out.iter().map(|x: &f64| F::from_f64(x - 0.5)).collect()
}

/// Every element, the axes of an index as nested loops.
fn offsets(axes: &List) -> Vec<usize> {
    axes.iter().fold(vec![0], |all, &(n, stride)| {
        all.iter().flat_map(|base| (0..n).map(move |i| base + i * stride)).collect()
    })
}

fn end(x: &List, y: &List) -> usize {
    let most = |of: &List| of.iter().map(|(n, stride)| n.saturating_sub(1) * stride).sum::<usize>();
    most(x) + most(y) + 1
}

fn close<F: Float>(got: &[F], want: &[f64], what: &str) {
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got.to_f64() - want).abs();
        assert!(error < 400.0 * F::EPSILON.to_f64(), "{what}, {at}: {got:?} instead of {want}");
    }
}

/// (m, k) in a, (k, n) in b, (m, n) in c.
fn check<F: Float>(a: (&List, &List), b: (&List, &List), c: (&List, &List)) {
    let [am, ak, bk, bn, cm, cn] = [a.0, a.1, b.0, b.1, c.0, c.1].map(offsets);
    let view = |x: (&List, &List)| (Axes::new(x.0), Axes::new(x.1));
    let (va, vb, vc) = (view(a), view(b), view(c));
    for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
        for accumulate in [false, true] {
            let what = format!("{} {kind:?} {a:?} {b:?} {c:?} {accumulate}", F::NAME);
            // Every row, groups of 16 wherever strides say.
            let (numbers, groups) = (random::<F>(end(a.0, a.1), 1), random::<F>(end(b.0, b.1) + 15, 2));
            let start = random::<F>(end(c.0, c.1) + 15, 3);
            let (mut got, mut want) = (start.clone(), start.iter().map(|x| x.to_f64()).collect::<Vec<_>>());
            run_on(
                kind,
                Each {
                    c: SlideMut::new(&mut got, vc.0, vc.1),
                    a: SlideRef::new(&numbers, va.0, va.1),
                    b: SlideRef::new(&groups, vb.0, vb.1),
                    accumulate,
                },
            );
            for (row, line) in am.iter().zip(&cm) {
                for (from, to) in bn.iter().zip(&cn) {
                    for lane in 0..ABREAST {
                        let terms = ak.iter().zip(&bk);
                        let terms =
                            terms.map(|(p, q)| numbers[row + p].to_f64() * groups[q + from + lane].to_f64());
                        let sum: f64 = terms.sum();
                        let place = &mut want[line + to + lane];
                        *place = if accumulate { *place + sum } else { sum };
                    }
                }
            }
            close(&got, &want, &what);
            // Over rows: what does not count is NaN.
            for rows in [16, 1, 5, 8, 15] {
                let (left, right) = (random::<F>(end(a.0, a.1) * 16, 4), random::<F>(end(b.0, b.1) * 16, 5));
                let wide = |list: &List| list.iter().map(|(n, s)| (*n, s * 16)).collect::<Vec<_>>();
                let masked = |mut of: Vec<F>| {
                    of.iter_mut().enumerate().filter(|(i, _)| i % 16 >= rows).for_each(|(_, x)| {
                        *x = F::from_f64(f64::NAN);
                    });
                    of
                };
                let (left, right) = (masked(left), masked(right));
                let start = random::<F>(end(c.0, c.1), 6);
                let (mut got, mut want) =
                    (start.clone(), start.iter().map(|x| x.to_f64()).collect::<Vec<_>>());
                run_on(
                    kind,
                    Over {
                        c: SlideMut::new(&mut got, vc.0, vc.1),
                        a: SlideRef::new(&left, Axes::new(&wide(a.0)), Axes::new(&wide(a.1))),
                        b: SlideRef::new(&right, Axes::new(&wide(b.0)), Axes::new(&wide(b.1))),
                        rows,
                        accumulate,
                    },
                );
                for (row, line) in am.iter().zip(&cm) {
                    for (from, to) in bn.iter().zip(&cn) {
                        let mut sum = 0.0;
                        for (p, q) in ak.iter().zip(&bk) {
                            for lane in 0..rows {
                                sum += left[(row + p) * 16 + lane].to_f64()
                                    * right[(q + from) * 16 + lane].to_f64();
                            }
                        }
                        let place = &mut want[line + to];
                        *place = if accumulate { *place + sum } else { sum };
                    }
                }
                close(&got, &want, &format!("over {rows} rows, {what}"));
            }
        }
    }
}

fn both(a: (&List, &List), b: (&List, &List), c: (&List, &List)) {
    check::<f32>(a, b, c);
    check::<f64>(a, b, c);
}

#[test]
fn shapes_at_every_edge() {
    for m in [0, 1, 2, 3, 4, 5, 7, 8, 9, 13] {
        for n in [0, 1, 2, 3, 4, 7, 12] {
            for k in [0, 1, 6] {
                let (a, b) = ((&[(m, k + 1)][..], &[(k, 1)][..]), (&[(k, 16 * n)][..], &[(n, 16)][..]));
                check::<f32>(a, b, (&[(m, 16 * n)], &[(n, 16)]));
                check::<f64>(a, b, (&[(m, 16 * n)], &[(n, 16)]));
            }
        }
    }
}

#[test]
fn convolutions_with_steps() {
    // 5 channels from 3 of 9 × 11, kernel 3 × 2, step 2; the transpose of its weights too.
    let (k, n) = ([(3, 99 * 16), (3, 11 * 16), (2, 16)], [(4, 22 * 16), (5, 32)]);
    both((&[(5, 18)], &[(18, 1)]), (&k, &n), (&[(5, 20 * 16)], &[(20, 16)]));
    both((&[(5, 1)], &[(18, 5)]), (&k, &n), (&[(5, 20 * 16)], &[(20, 16)]));
    both((&[(5, 18)], &[(3, 6), (2, 3), (3, 1)]), (&k, &n), (&[(5, 20 * 16)], &[(20, 16)]));
}

#[test]
fn blocks_of_every_index() {
    both((&[(70, 1)], &[(400, 70)]), (&[(400, 16)], &[(2, 48)]), (&[(70, 32)], &[(2, 16)]));
    both((&[(3, 2)], &[(2, 1)]), (&[(2, 16)], &[(10, 160), (15, 32)]), (&[(3, 2400)], &[(150, 16)]));
    both((&[(130, 2)], &[(2, 1)]), (&[(2, 16)], &[(7, 32)]), (&[(2, 8000), (65, 112)], &[(7, 16)]));
}

#[test]
fn places_may_be_shared() {
    // Rows (channel, kernel row, kernel column) over positions, step 1: every place takes up to 9 terms.
    let (m, n) = ([(2, 64 * 16), (3, 8 * 16), (3, 16)], [(6, 8 * 16), (6, 16)]);
    let (a, b) = (random::<f64>(18 * 4, 1), random::<f64>(4 * 36 * 16, 2));
    let mut got = vec![0.0; 128 * 16];
    matmul_each(
        SlideMut::new(&mut got, Axes::new(&m), Axes::new(&n)),
        SlideRef::new(&a, Axes::new(&[(18, 4)]), Axes::new(&[(4, 1)])),
        SlideRef::new(&b, Axes::new(&[(4, 36 * 16)]), Axes::new(&[(36, 16)])),
        true,
    );
    let mut want = vec![0.0; 128 * 16];
    for (i, r) in offsets(&m).iter().enumerate() {
        for (j, c) in offsets(&n).iter().enumerate() {
            for lane in 0..16 {
                let terms = (0..4).map(|p| a[i * 4 + p] * b[(p * 36 + j) * 16 + lane]);
                want[r + c + lane] += terms.sum::<f64>();
            }
        }
    }
    close(&got, &want, "shared");
}

#[test]
#[should_panic(expected = "beyond its slice")]
fn a_group_beyond_the_slice_is_refused() {
    let (one, mut c) = (Axes::new(&[(1, 1)]), [0.0_f32; 16]);
    let b = [0.0_f32; 15];
    matmul_each(
        SlideMut::new(&mut c, one, one),
        SlideRef::new(&b, one, one),
        SlideRef::new(&b, one, one),
        false,
    );
}
