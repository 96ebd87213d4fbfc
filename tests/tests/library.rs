//! The library's functions against formulas written out by hand, in f64.
//!
//! In: rows of fixed numbers. Out: agreement to 1e-9. Never: the language on both sides.

use diabolo::Model;
use diabolo::data::Data;
use diabolo::nn;
use diabolo::nn::{attention, complex_dense, complex_mul, kl_normal, layer_norm, mmd_imq, total_correlation};
use diabolo::prelude::*;

const ROWS: usize = 5;

/// Numbers that have nothing to do with each other: multiples of the golden ratio, between -1 and 1.
fn numbers(count: usize, start: usize) -> Vec<f64> {
    (start..start + count).map(|i| (i as f64 * 0.618_033_988_749_895 % 1.0) * 2.0 - 1.0).collect()
}

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() < 1e-9 * (1.0 + e.abs()), "element {i}: {f}, and by hand {e}");
    }
}

/// Columns of `ROWS` rows: name, features.
fn data(columns: &[(&str, &[usize])]) -> (Data, Vec<Vec<f64>>) {
    let (mut data, mut all) = (Data::new(), Vec::new());
    for (at, (name, features)) in columns.iter().enumerate() {
        let values = numbers(ROWS * features.iter().product::<usize>(), 100 * at + 1);
        data = data.with(name, features, values.clone()).expect("a column");
        all.push(values);
    }
    (data, all)
}

#[function]
fn attend(q: Tensor<B, 3, 2>, k: Tensor<B, 4, 2>, v: Tensor<B, 4, 5>) -> Tensor<B, 3, 5> {
    attention(q, k, v)
}

#[test]
fn attention_is_a_weighted_mean_of_values() {
    let (data, given) = data(&[("q", &[3, 2]), ("k", &[4, 2]), ("v", &[4, 5])]);
    let model = Model::<f64>::untrained(attend, 0).expect("a model");
    let found = model.run(attend, &data).expect("it runs");
    let mut expected = Vec::new();
    for row in 0..ROWS {
        let (q, k, v) = (&given[0][row * 6..], &given[1][row * 8..], &given[2][row * 20..]);
        for t in 0..3 {
            let weights: Vec<f64> = (0..4)
                .map(|s| ((0..2).map(|d| q[t * 2 + d] * k[s * 2 + d]).sum::<f64>() / 2f64.sqrt()).exp())
                .collect();
            let total: f64 = weights.iter().sum();
            expected.extend((0..5).map(|e| (0..4).map(|s| weights[s] * v[s * 5 + e]).sum::<f64>() / total));
        }
    }
    near(found.values(), &expected);
}

#[network]
fn normalise(x: Tensor<B, 2, 6>) -> Tensor<B, 2, 6> {
    layer_norm(x, eps = 0.0)
}

#[test]
fn layer_norm_leaves_mean_0_and_variance_1() {
    let (data, given) = data(&[("x", &[2, 6])]);
    let model = Model::<f64>::untrained(normalise, 0).expect("a model");
    let found = model.run(normalise, &data).expect("it runs");
    let expected: Vec<f64> = given[0]
        .chunks(6)
        .flat_map(|x| {
            let mean = x.iter().sum::<f64>() / 6.0;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 6.0;
            x.iter().map(move |x| (x - mean) / variance.sqrt()).collect::<Vec<_>>()
        })
        .collect();
    near(found.values(), &expected);
}

#[function]
fn between(m: Tensor<B, 3>, v: Tensor<B, 3>, p: Tensor<B, 3>, w: Tensor<B, 3>) -> (Tensor<B>, Tensor<B>) {
    (kl_normal(m, v, prior_mean = p, prior_logvar = w), kl_normal(m, v))
}

#[test]
fn kl_between_two_normals() {
    let (data, given) = data(&[("m", &[3]), ("v", &[3]), ("p", &[3]), ("w", &[3])]);
    let model = Model::<f64>::untrained(between, 0).expect("a model");
    let (found, standard) = model.run(between, &data).expect("it runs");
    let kl = |row: usize, prior: bool| -> f64 {
        (row * 3..row * 3 + 3)
            .map(|i| {
                let (m, s2) = (given[0][i], given[1][i].exp());
                let (p, t2) = if prior { (given[2][i], given[3][i].exp()) } else { (0.0, 1.0) };
                0.5 * ((t2 / s2).ln() + (s2 + (m - p).powi(2)) / t2 - 1.0)
            })
            .sum()
    };
    near(found.values(), &(0..ROWS).map(|row| kl(row, true)).collect::<Vec<_>>());
    near(standard.values(), &(0..ROWS).map(|row| kl(row, false)).collect::<Vec<_>>());
}

#[function]
fn correlation(z: Tensor<B, 3>, m: Tensor<B, 3>, v: Tensor<B, 3>) -> Tensor<B> {
    total_correlation(z, m, v, 100.0)
}

#[test]
fn total_correlation_by_minibatch_weighting() {
    let (data, given) = data(&[("z", &[3]), ("m", &[3]), ("v", &[3])]);
    let model = Model::<f64>::untrained(correlation, 0).expect("a model");
    let found = model.run(correlation, &data).expect("it runs");
    let density = |i: usize, j: usize, d: usize| {
        let (z, m, s2) = (given[0][i * 3 + d], given[1][j * 3 + d], given[2][j * 3 + d].exp());
        (-(z - m).powi(2) / (2.0 * s2)).exp() / (2.0 * std::f64::consts::PI * s2).sqrt()
    };
    let expected: Vec<f64> = (0..ROWS)
        .map(|i| {
            let weight = 1.0 / (100.0 * ROWS as f64);
            let joint =
                weight * (0..ROWS).map(|j| (0..3).map(|d| density(i, j, d)).product::<f64>()).sum::<f64>();
            let each = |d| (weight * (0..ROWS).map(|j| density(i, j, d)).sum::<f64>()).ln();
            joint.ln() - (0..3).map(each).sum::<f64>()
        })
        .collect();
    near(found.values(), &expected);
}

#[function]
fn distance(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Scalar {
    mmd_imq(x, y, 2.0)
}

#[test]
fn inverse_multiquadric_discrepancy() {
    let (data, given) = data(&[("x", &[3]), ("y", &[3])]);
    let model = Model::<f64>::untrained(distance, 0).expect("a model");
    let found = model.run(distance, &data).expect("it runs");
    let k = |a: &[f64], b: &[f64]| 2.0 / (2.0 + a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>());
    let mean = |a: &[f64], b: &[f64]| {
        let pairs = a.chunks(3).flat_map(|a| b.chunks(3).map(move |b| (a, b)));
        pairs.map(|(a, b)| k(a, b)).sum::<f64>() / (ROWS * ROWS) as f64
    };
    let (x, y) = (&given[0], &given[1]);
    near(found.values(), &[mean(x, x) + mean(y, y) - 2.0 * mean(x, y)]);
}

#[function]
fn product(
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    c: Tensor<B, 2>,
    d: Tensor<B, 2>,
) -> (Tensor<B, 2>, Tensor<B, 2>) {
    complex_mul((a, b), (c, d))
}

#[network]
fn rotate(a: Tensor<B, 2>, b: Tensor<B, 2>) -> (Tensor<B, 3>, Tensor<B, 3>) {
    complex_dense((a, b), 3)
}

#[test]
fn complex_products() {
    let (data, given) = data(&[("a", &[2]), ("b", &[2]), ("c", &[2]), ("d", &[2])]);
    let model = Model::<f64>::untrained(product, 0).expect("a model");
    let (re, im) = model.run(product, &data).expect("it runs");
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| &given[i]);
    near(re.values(), &(0..2 * ROWS).map(|i| a[i] * c[i] - b[i] * d[i]).collect::<Vec<_>>());
    near(im.values(), &(0..2 * ROWS).map(|i| a[i] * d[i] + b[i] * c[i]).collect::<Vec<_>>());

    let model = Model::<f64>::untrained(rotate, 3).expect("a model");
    let (re, im) = model.run(rotate, &data).expect("it runs");
    let w =
        ["re", "im"].map(|part| model.parameter(&format!("rotate.complex_dense0.{part}")).expect("a part"));
    let [v, u] = w.each_ref().map(|part| part.values());
    let at = |row: usize, out: usize, imaginary: bool| -> f64 {
        let term = |i: usize| {
            let (a, b, p, q) = (a[row * 2 + i], b[row * 2 + i], v[i * 3 + out], u[i * 3 + out]);
            if imaginary { a * q + b * p } else { a * p - b * q }
        };
        term(0) + term(1)
    };
    let all = |imaginary| (0..3 * ROWS).map(|e| at(e / 3, e % 3, imaginary)).collect::<Vec<_>>();
    near(re.values(), &all(false));
    near(im.values(), &all(true));
}

#[function]
fn games(real: Tensor<B>, made: Tensor<B>) -> (Tensor<B>, Tensor<B>, Tensor<B>, Tensor<B>) {
    (
        nn::discriminator_loss(real, made),
        nn::non_saturating_loss(made),
        nn::wasserstein_critic_loss(real, made),
        nn::wasserstein_generator_loss(made),
    )
}

/// A critic whose slope is 3 everywhere.
#[function]
fn steep(real: Tensor<B, 4>, made: Tensor<B, 4>) -> Tensor<B> {
    nn::gradient_penalty(|y| 1.5 * sum(y), real, made)
}

#[test]
fn adversarial_losses() {
    let (data, given) = data(&[("real", &[]), ("made", &[])]);
    let model = Model::<f64>::untrained(games, 0).expect("a model");
    let (critic, generator, distance, fooled) = model.run(games, &data).expect("it runs");
    let (real, made) = (&given[0], &given[1]);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let of = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).collect::<Vec<_>>();
    near(critic.values(), &of(&|i| -sigmoid(real[i]).ln() - (1.0 - sigmoid(made[i])).ln()));
    near(generator.values(), &of(&|i| -sigmoid(made[i]).ln()));
    near(distance.values(), &of(&|i| made[i] - real[i]));
    near(fooled.values(), &of(&|i| -made[i]));

    let (data, _) = self::data(&[("real", &[4]), ("made", &[4])]);
    let model = Model::<f64>::untrained(steep, 0).expect("a model");
    let penalty = model.run(steep, &data).expect("it runs");
    near(penalty.values(), &[4.0; ROWS]);
}
