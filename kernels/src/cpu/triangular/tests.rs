//! Triangular factors against AᵀA in twice the digits.
use super::*;
use crate::IsaKind;
use crate::cpu::isa;

/// Numbers in [-1, 1), the same at every call.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn rounded<F: Float>(a: &[f64]) -> Vec<F> {
    a.iter().map(|x| F::from_f64(*x)).collect()
}

/// The factor of an m × n matrix, row-major.
fn factor<F: Float>(a: &[F], m: usize, n: usize) -> Vec<F> {
    // What is there before does not matter.
    let mut memory = vec![F::from_f64(f64::NAN); room(1, n)];
    triangular_factors(&mut memory, a, [1, m, n], [0, n, 1]);
    memory.truncate(n * n);
    memory
}

/// Two numbers whose sum is a · b, and likewise a + b (Dekker 1971): sums that the tests may call exact.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// Σ aᵢ bᵢ in twice the digits of f64 (Ogita, Rump and Oishi 2005, algorithm 5.3).
fn dot(terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut rest) = (0.0, 0.0);
    for (a, b) in terms {
        let (product, lost) = two_product(a, b);
        let next = sum + product;
        let part = next - sum;
        rest += (sum - (next - part)) + (product - part) + lost;
        sum = next;
    }
    sum + rest
}

/// The largest |RᵀR − AᵀA|ᵢⱼ / ‖aᵢ‖ ‖aⱼ‖; and nothing stands below the diagonal.
fn error<F: Float>(a: &[F], r: &[F], m: usize, n: usize) -> f64 {
    let at = |x: &[F], i: usize, j: usize| x[i * n + j].to_f64();
    let gram = |x: &[F], rows: usize, i: usize, j: usize| dot((0..rows).map(|k| (at(x, k, i), at(x, k, j))));
    let mut worst: f64 = 0.0;
    for j in 0..n {
        for i in 0..=j {
            assert!(i == j || r[j * n + i] == F::ZERO, "below the diagonal");
            let scale = (gram(a, m, i, i) * gram(a, m, j, j)).sqrt();
            let apart = (gram(r, n, i, j) - gram(a, m, i, j)).abs();
            worst = worst.max(if scale == 0.0 { apart } else { apart / scale });
        }
    }
    worst
}

/// ε of f32 for its last rounding, and half of it for a pivot that counts as 0.
const SINGLE: f64 = 1.5 * f32::EPSILON as f64;

/// Householder's bound is a small multiple of m n ε; this is far below it, and holds for the sizes here.
fn double(n: usize) -> f64 {
    (8 + n) as f64 * f64::EPSILON
}

fn check(a: &[f64], m: usize, n: usize) {
    let single: Vec<f32> = rounded(a);
    let apart = error(&single, &factor(&single, m, n), m, n);
    assert!(apart <= SINGLE, "f32, {m} × {n}: {apart:e}");
    let apart = error(a, &factor(a, m, n), m, n);
    assert!(apart <= double(n), "f64, {m} × {n}: {apart:e}");
}

const SHAPES: [(usize, usize); 12] = [
    (1, 1),
    (5, 1),
    (300, 1),
    (7, 3),
    (40, 8),
    (33, 9),
    (129, 31),
    (400, 64),
    (130, 65),
    (784, 128),
    // More columns than rows.
    (3, 7),
    (60, 70),
];

#[test]
fn the_factor_has_the_inner_products_of_the_columns() {
    for (m, n) in SHAPES {
        check(&numbers(m * n, (m * n) as u64), m, n);
    }
}

/// Columns that are one column and a part of others: 1e-1 to 1e-12 of its length.
fn collinear(m: usize, n: usize, gap: f64) -> Vec<f64> {
    let (base, others) = (numbers(m, 1), numbers(m * n, 2));
    (0..m * n).map(|e| base[e / n] + gap * others[e]).collect()
}

#[test]
fn nearly_and_exactly_collinear_columns_keep_their_inner_products() {
    for gap in [1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-12, 0.0] {
        for (m, n) in SHAPES {
            check(&collinear(m, n, gap), m, n);
        }
    }
}

/// ‖x Aᵀ‖² for an x that takes the common part of the columns away.
fn squares<F: Float>(a: &[F], rows: usize, n: usize) -> f64 {
    let weight = |j: usize| if j.is_multiple_of(2) { 1.0 } else { -1.0 };
    let one = |i: usize| dot((0..n).map(|j| (a[i * n + j].to_f64(), weight(j))));
    (0..rows).map(|i| one(i).powi(2)).sum()
}

#[test]
fn what_is_left_where_columns_cancel_is_right() {
    let (m, n) = (784, 128);
    // f32 rounds R to 6e-8 of a column's length, which is that part of what is left, squared.
    for (gap, single) in [(1e-2, 1e-6), (1e-3, 1e-5), (1e-4, 1e-4), (1e-6, 2e-2)] {
        let a = collinear(m, n, gap);
        let rounded: Vec<f32> = rounded(&a);
        let (found, expected) = (squares(&factor(&rounded, m, n), n, n), squares(&rounded, m, n));
        assert!((found / expected - 1.0).abs() < single, "f32, {gap}: {found} and {expected}");
        let (found, expected) = (squares(&factor(&a, m, n), n, n), squares(&a, m, n));
        assert!((found / expected - 1.0).abs() < 1e-14 / gap, "f64, {gap}: {found} and {expected}");
    }
    // A Gram matrix in f64 would leave nothing of a gap of 1e-9: the reflections do.
    let a = collinear(m, n, 1e-9);
    let (found, expected) = (squares(&factor(&a, m, n), n, n), squares(&a, m, n));
    assert!((found / expected - 1.0).abs() < 1e-5, "{found} and {expected}");
}

#[test]
fn what_a_rounding_error_leaves_of_a_column_counts_as_nothing() {
    for (m, n) in [(300, 40), (784, 128)] {
        // Whole numbers, so that every column is a sum of the first two exactly.
        let whole = |seed: u64, size: f64, count: usize| -> Vec<f64> {
            numbers(count, seed).iter().map(|x| (size * x).round()).collect()
        };
        let (base, parts) = (whole(1, 500.0, 2 * m), whole(2, 3.4, 2 * n));
        let part = |i: usize, j: usize| match j {
            0 | 1 => base[2 * i + j],
            _ => parts[2 * j] * base[2 * i] + parts[2 * j + 1] * base[2 * i + 1],
        };
        let a: Vec<f64> = (0..m * n).map(|e| part(e / n, e % n)).collect();
        check(&a, m, n);
        let r: Vec<f32> = factor(&rounded(&a), m, n);
        assert!(r[n + 1] != 0.0 && r[2 * n..].iter().all(|x| *x == 0.0), "{m} × {n}");
    }
}

#[test]
fn columns_of_zeros_and_matrices_without_rows_give_zeros() {
    for (m, n) in [(0, 4), (5, 0), (0, 0), (50, 9)] {
        assert_eq!(factor(&vec![0f32; m * n], m, n), vec![0.0; n * n]);
        assert_eq!(factor(&vec![0f64; m * n], m, n), vec![0.0; n * n]);
    }
    let mut a = numbers(200 * 20, 9);
    (0..200).for_each(|i| a[i * 20 + 7] = 0.0);
    (0..200).for_each(|i| a[i * 20] = 0.0);
    check(&a, 200, 20);
    let zero = |r: &dyn Fn(usize) -> f64| (0..20).all(|i| r(i * 20 + 7) == 0.0 && r(i * 20) == 0.0);
    let (single, double) = (factor(&rounded::<f32>(&a), 200, 20), factor(&a, 200, 20));
    assert!(zero(&|e| f64::from(single[e])) && zero(&|e| double[e]));
}

#[test]
fn what_is_no_number_stays_in_its_column() {
    fn check<F: Float>(bad: f64, row: usize, column: usize) {
        let (m, n) = (150, 70);
        let mut a: Vec<F> = rounded(&numbers(m * n, 4));
        a[row * n + column] = F::from_f64(bad);
        let r = factor(&a, m, n);
        let finite = |j: usize| (0..n).all(|i| r[i * n + j].to_f64().is_finite());
        assert!(!finite(column), "{bad} in row {row}, column {column}");
        assert!((0..column).all(finite), "{bad} in row {row}, column {column} is elsewhere");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (row, column) in [(0, 0), (3, 69), (149, 0), (140, 65), (31, 12)] {
            check::<f32>(bad, row, column);
            check::<f64>(bad, row, column);
        }
    }
}

#[test]
fn many_matrices_lie_as_their_strides_say() {
    fn check<F: Float>() {
        let (count, m, n) = (3, 45, 12);
        let whole: Vec<F> = rounded(&numbers(count * m * n, 5));
        let mut memory = vec![F::ONE; room(count, n)];
        triangular_factors(&mut memory, &whole, [count, m, n], [m * n, n, 1]);
        for c in 0..count {
            let one = &whole[c * m * n..][..m * n];
            assert_eq!(memory[c * n * n..][..n * n], factor(one, m, n));
            // The same matrix, column by column.
            let turned: Vec<F> = (0..m * n).map(|e| one[e % m * n + e / m]).collect();
            let mut other = vec![F::ONE; room(1, n)];
            triangular_factors(&mut other, &turned, [1, m, n], [0, 1, m]);
            assert_eq!(other[..n * n], memory[c * n * n..][..n * n]);
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Every instruction set keeps the bounds, and its own bits. The choice is global: this is the only test that takes it
/// through a body, and not by force.
#[test]
fn every_instruction_set_reflects_alike() {
    let (m, n, width) = (100, 21, 24);
    let values = numbers(m * n, 6);
    let a = Tall { from: &values, m, n, row: n, col: 1 };
    for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
        let mut room = vec![0.0; (n + ROWS) * width];
        isa::run_on(kind, householder::Factor { a: &a, room: &mut room, width });
        let r: Vec<f64> =
            (0..n * n).map(|e| if e % n < e / n { 0.0 } else { room[e / n * width + e % n] }).collect();
        assert!(error(&values, &r, m, n) <= double(n), "{}", kind.name());
    }
}
