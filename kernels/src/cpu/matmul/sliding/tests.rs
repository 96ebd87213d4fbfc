//! Convolutions and their transposes against loops over elements.
use super::*;

fn random(n: usize, seed: u64) -> Vec<f64> {
    let mut out = vec![0.0; n];
    crate::random::uniform(crate::random::Stream { seed, step: 0, site: 0 }, 0, &mut out);
    out.iter().map(|x| x - 0.5).collect()
}

/// Every element, the axes of an index as nested loops.
fn offsets(axes: &[(usize, usize)]) -> Vec<usize> {
    axes.iter().fold(vec![0], |all, &(n, stride)| {
        all.iter().flat_map(|base| (0..n).map(move |i| base + i * stride)).collect()
    })
}

fn check(
    rows: &[(usize, usize)],
    m: &[(usize, usize)],
    k: &[(usize, usize)],
    n: &[(usize, usize)],
    cn: &[(usize, usize)],
) {
    let (om, ok, on, ocn) = (offsets(rows), offsets(k), offsets(n), offsets(cn));
    let (height, depth) = (offsets(m).len(), ok.len());
    let most = |of: &[usize]| of.iter().max().copied().unwrap_or(0);
    let a = random(height * depth + 1, 1);
    let b = random(most(&ok) + most(&on) + 1, 2);
    let start = random(most(&om) + most(&ocn) + 1, 3);
    for accumulate in [false, true] {
        let mut got = start.clone();
        matmul_sliding(
            SlideMut::new(&mut got, Axes::new(rows), Axes::new(cn)),
            MatRef::rows_of(&a, height, depth),
            SlideRef::new(&b, Axes::new(k), Axes::new(n)),
            accumulate,
        );
        let mut want = start.clone();
        for (i, r) in om.iter().enumerate() {
            for (j, c) in on.iter().zip(&ocn) {
                let sum: f64 = ok.iter().enumerate().map(|(p, k)| a[i * depth + p] * b[k + j]).sum();
                want[r + c] = if accumulate { want[r + c] + sum } else { sum };
            }
        }
        for (want, got) in want.iter().zip(&got) {
            assert!((want - got).abs() < 1e-12, "{got} instead of {want}, accumulating: {accumulate}");
        }
    }
}

#[test]
fn convolutions_are_products() {
    // 5 channels from 3 of 9 × 11, kernel 3 × 2, stride 2: a plain result.
    check(&[(5, 20)], &[(5, 1)], &[(3, 99), (3, 11), (2, 1)], &[(4, 22), (5, 2)], &[(20, 1)]);
    // Long sums and many positions: several blocks.
    check(&[(3, 400)], &[(3, 1)], &[(40, 500), (5, 1)], &[(400, 1)], &[(400, 1)]);
    check(&[(70, 1)], &[(70, 1)], &[(150, 7)], &[(130, 1)], &[(130, 70)]);
    // Runs that are copied whole, one of them cut by a block.
    check(&[(3, 130)], &[(3, 1)], &[(2, 600), (3, 1)], &[(5, 40), (26, 1)], &[(130, 1)]);
    check(&[(3, 1)], &[(3, 1)], &[(2, 600), (3, 1)], &[(5, 40), (26, 1)], &[(5, 90), (26, 3)]);
    check(&[(3, 200)], &[(3, 1)], &[(7, 1)], &[(5, 40), (26, 1)], &[(5, 30), (26, 1)]);
    // An outer axis of 1, no sum at all, no column at all.
    check(&[(1, 9), (2, 9)], &[(2, 1)], &[(1, 5)], &[(3, 2), (1, 0)], &[(3, 1)]);
    check(&[(2, 3)], &[(2, 1)], &[(0, 1)], &[(3, 1)], &[(3, 1)]);
    check(&[(2, 3)], &[(2, 1)], &[(4, 1)], &[(0, 1)], &[(0, 1)]);
}

#[test]
fn places_may_be_shared() {
    // Rows (channel, kernel row, kernel column) over positions, stride 1: every place takes up to 9 terms.
    let rows = [(2, 64), (3, 8), (3, 1)];
    let (ok, on) = (offsets(&rows), offsets(&[(6, 8), (6, 1)]));
    let (a, b) = (random(18 * 4, 1), random(4 * 36, 2));
    let mut got = vec![0.0; 128];
    matmul_sliding(
        SlideMut::new(&mut got, Axes::new(&rows), Axes::new(&[(6, 8), (6, 1)])),
        MatRef::rows_of(&a, 18, 4),
        SlideRef::new(&b, Axes::new(&[(4, 36)]), Axes::new(&[(36, 1)])),
        true,
    );
    let mut want = vec![0.0; 128];
    for (i, r) in ok.iter().enumerate() {
        for (j, c) in on.iter().enumerate() {
            want[r + c] += (0..4).map(|p| a[i * 4 + p] * b[p * 36 + j]).sum::<f64>();
        }
    }
    assert!(want.iter().zip(&got).all(|(want, got): (&f64, &f64)| (want - got).abs() < 1e-12));
}
