//! The penalty of a two-layer encoder whose units nearly do the same: what its triangular factor is for.
//!
//! f(x) = tanh(tanh(x W₁) W₂) has the Jacobian W₂ᵀW₁ᵀ at 0, where all slopes are 1 and their derivatives 0: so the
//! gradients of the penalty ‖W₁W₂‖² are 2 (W₁W₂) W₂ᵀ and 2 W₁ᵀ (W₁W₂). Here they are computed in f64, term by term, from the
//! weights as f32 holds them. The columns of W₁ are one column and a small part, the *gap*, of others; the signs of W₂
//! take the common part away.

use diabolo::data::{Array, Data};
use diabolo::nn::dense;
use diabolo::prelude::*;
use diabolo_kernels::Float;

const WIDE: usize = 400;
const UNITS: usize = 64;
const CODES: usize = 16;

#[encoder]
fn encode(x: Tensor<B, 400>) -> Tensor<B, 16> {
    tanh(dense(tanh(dense(x, 64, bias = false)), 16, bias = false))
}

#[loss]
fn penalty(x: Tensor<B, 400>) -> Tensor<B> {
    sum_squares(jacobian(encode, x))
}

/// Numbers in [-1, 1), the same at every call.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// W₁ [400, 64] and W₂ [64, 16].
fn weights(gap: f64) -> [Vec<f64>; 2] {
    let (base, others, sizes) = (numbers(WIDE, 1), numbers(WIDE * UNITS, 2), numbers(CODES, 3));
    let first = (0..WIDE * UNITS).map(|e| base[e / UNITS] + gap * others[e]);
    let sign = |unit: usize| if unit.is_multiple_of(2) { 1.0 } else { -1.0 };
    let second = (0..UNITS * CODES).map(|e| sign(e / CODES) * sizes[e % CODES]);
    [first.collect(), second.collect()]
}

/// The penalty and its gradients as the program has them, for a batch of rows of zeros.
fn found<F: Float>(weights: &[Vec<F>; 2], threads: usize) -> (f64, [Vec<F>; 2]) {
    const RATE: f32 = 64.0;
    let data = Data::from_array("x", Array::new(&[5, WIDE], vec![0.0; 5 * WIDE]).unwrap()).unwrap();
    let paths = ["encode.dense0.weight", "encode.dense1.weight"];
    let shapes = [[WIDE, UNITS], [UNITS, CODES]];
    let mut model = Model::<F>::untrained(penalty, 1).unwrap();
    for ((path, shape), values) in paths.iter().zip(&shapes).zip(weights) {
        model.set_parameter(path, &Array::new(shape, values.clone()).unwrap()).unwrap();
    }
    let value = model.mean(penalty, &data).unwrap().loss;
    // One plain step is the gradient.
    let trainer = Trainer::new(penalty).precision::<F>().optimizer(Sgd::new(RATE)).threads(threads);
    let model = trainer.batch(5).epochs(1).quiet().resume(model, &data).unwrap();
    let slope = |path: &str, before: &[F]| -> Vec<F> {
        let after = model.parameter(path).unwrap().into_values();
        let part = F::from_f64(-1.0 / f64::from(RATE));
        after.into_iter().zip(before).map(|(after, before)| (after - *before) * part).collect()
    };
    (value, [slope(paths[0], &weights[0]), slope(paths[1], &weights[1])])
}

/// The same in f64, term by term.
fn expected<F: Float>(weights: &[Vec<F>; 2]) -> (f64, [Vec<f64>; 2]) {
    let [first, second] = weights.each_ref().map(|w| w.iter().map(|x| x.to_f64()).collect::<Vec<f64>>());
    let sum = |count: usize, term: &dyn Fn(usize) -> f64| (0..count).map(term).sum::<f64>();
    let product: Vec<f64> = (0..WIDE * CODES)
        .map(|e| sum(UNITS, &|u| first[e / CODES * UNITS + u] * second[u * CODES + e % CODES]))
        .collect();
    let of_first = (0..WIDE * UNITS)
        .map(|e| 2.0 * sum(CODES, &|c| product[e / UNITS * CODES + c] * second[e % UNITS * CODES + c]));
    let of_second = (0..UNITS * CODES)
        .map(|e| 2.0 * sum(WIDE, &|i| first[i * UNITS + e / CODES] * product[i * CODES + e % CODES]));
    (product.iter().map(|x| x * x).sum(), [of_first.collect(), of_second.collect()])
}

fn rounded<F: Float>(weights: &[Vec<f64>; 2]) -> [Vec<F>; 2] {
    weights.each_ref().map(|w| w.iter().map(|x| F::from_f64(*x)).collect())
}

/// ‖a − b‖ / ‖scale‖, where the scale is b or more.
fn apart<F: Float>(a: &[F], b: &[f64], scale: f64) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a.to_f64() - b).powi(2)).sum::<f64>();
    squares.sqrt() / scale
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn the_penalty_goes_through_a_triangular_factor() {
    let plan = Trainer::new(penalty).plan();
    assert!(plan.contains("triangular factor 400 × 64: encode.dense0.weight"), "{plan}");
}

#[test]
fn nearly_collinear_units_leave_the_penalty_right_and_positive() {
    for gap in [1e-2, 1e-3, 1e-4] {
        let weights: [Vec<f32>; 2] = rounded(&weights(gap));
        let ((value, slopes), (wanted, directions)) = (found(&weights, 2), expected(&weights));
        let off = (value / wanted - 1.0).abs();
        println!("f32, {gap:e}: {value} for {wanted}, off by {off:.1e}");
        assert!(value > 0.0 && off < 1e-4, "f32, {gap:e}: {value} for {wanted}");
        // A gradient of a value that cancels has its rounding error from what cancels: ε ‖W₁‖² ‖W₂‖ and ε ‖W₁‖ ‖W₂‖².
        let [one, two] =
            weights.each_ref().map(|w| norm(&w.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()));
        let off = [
            apart(&slopes[0], &directions[0], one * two * two),
            apart(&slopes[1], &directions[1], one * one * two),
        ];
        println!("gradients: {off:?} of their terms");
        assert!(
            off.iter().all(|off| *off < 1e-6),
            "f32, {gap:e}: gradients are off by {off:?} of their terms"
        );
        let off = [0, 1].map(|w| apart(&slopes[w], &directions[w], norm(&directions[w])));
        println!("gradients: {off:?} of themselves");
    }
}

#[test]
fn doubles_keep_their_digits() {
    for gap in [1e-2, 1e-4, 1e-8] {
        let weights = weights(gap);
        let ((value, slopes), (wanted, directions)) = (found(&weights, 2), expected(&weights));
        let off = (value / wanted - 1.0).abs();
        println!("f64, {gap:e}: off by {off:.1e}");
        assert!(value > 0.0 && off < 1e-13 / gap, "f64, {gap:e}: {value} for {wanted}");
        let off = [0, 1].map(|w| apart(&slopes[w], &directions[w], norm(&directions[w])));
        println!("gradients: {off:?}");
        assert!(off.iter().all(|off| *off < 1e-13 / gap / gap), "f64, {gap:e}: gradients are off by {off:?}");
    }
}

#[test]
fn collinear_units_and_zeros_leave_nothing() {
    let weights: [Vec<f32>; 2] = rounded(&weights(0.0));
    let (value, slopes) = found(&weights, 2);
    // What is left is the rounding error of terms of a size of 64 ‖column‖ ‖row‖, squared.
    assert!((0.0..1e-7).contains(&value), "{value}");
    assert!(slopes.iter().flatten().all(|x| x.abs() < 1e-2), "{slopes:?}");
    for w in [0, 1] {
        let mut weights = weights.clone();
        weights[w].fill(0.0);
        let (value, slopes) = found(&weights, 2);
        assert!(value == 0.0 && slopes.iter().flatten().all(|x| *x == 0.0), "{value}");
    }
}

#[test]
fn what_is_no_number_shows() {
    for bad in [f32::NAN, f32::INFINITY] {
        for place in [0, 77 * UNITS + 5, WIDE * UNITS - 1] {
            let mut weights: [Vec<f32>; 2] = rounded(&weights(1e-1));
            weights[0][place] = bad;
            let data =
                Data::from_array("x", Array::new(&[2, WIDE], vec![0.0f32; 2 * WIDE]).unwrap()).unwrap();
            let mut model = Model::untrained(penalty, 1).unwrap();
            for (path, shape, values) in [
                ("encode.dense0.weight", [WIDE, UNITS], &weights[0]),
                ("encode.dense1.weight", [UNITS, CODES], &weights[1]),
            ] {
                model.set_parameter(path, &Array::new(&shape, values.clone()).unwrap()).unwrap();
            }
            let value = model.mean(penalty, &data).map(|means| means.loss);
            assert!(!value.as_ref().is_ok_and(|value| value.is_finite()), "{bad} at {place}: {value:?}");
        }
    }
}

#[test]
fn every_number_of_threads_has_the_same_bits() {
    let weights: [Vec<f32>; 2] = rounded(&weights(1e-3));
    let bits = |threads: usize| -> Vec<u32> {
        found(&weights, threads).1.iter().flatten().map(|x| x.to_bits()).collect()
    };
    let one = bits(1);
    assert!(one.iter().any(|bits| *bits != 0) && one == bits(2) && one == bits(4));
}
