//! Row 26: the divergences of Kullback and Leibler, and of Jensen and Shannon.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | JSD without its ½ | two normals; nothing shared; any two | 0.223 for 0.111; 1.386; above log 2 |
//! | 0 log 0 as it is | nothing shared; any two | NaN |
//! | KL with its sign turned | all four | −0.253 |
//! | `covering` with KL(q ‖ p) | covers and hides | mean 1.40 for 0.10 |

use std::f64::consts::LN_2;

use common as _;
use diabolo::prelude::*;
use diabolo::{Minimum, Stopped};
use diabolo_acceptance::statistics::{normals, uniforms};

#[allow(dead_code)]
#[path = "../../../examples/divergences.rs"]
mod divergences;

use divergences::{grid, normal, probabilities};

/// KL(p ‖ q), KL(q ‖ p) and JSD of rows of probabilities on the grid.
fn of(p: Vec<f64>, q: Vec<f64>) -> [Vec<f64>; 3] {
    let array = |values: Vec<f64>| Array::new(&[values.len() / 301, 301], values).unwrap();
    let model = Model::<f64>::untrained(divergences::divergences, 0).unwrap();
    let (there, back, between) =
        model.run(divergences::divergences, &[("p", &array(p)), ("q", &array(q))]).unwrap();
    [there.into_values(), back.into_values(), between.into_values()]
}

#[test]
fn of_two_normals() {
    // The grid ends at 6 deviations of the mean and more, and its step is far below a deviation: sums are integrals.
    let [there, back, _] = of(probabilities(normal(0.0, 1.0)), probabilities(normal(0.5, 0.8)));
    let kl = |m: f64, s: f64, p: f64, t: f64| (t / s).ln() + (s * s + (m - p).powi(2)) / (2.0 * t * t) - 0.5;
    assert!((there[0] - kl(0.0, 1.0, 0.5, 0.8)).abs() < 1e-6, "{there:?}");
    assert!((back[0] - kl(0.5, 0.8, 0.0, 1.0)).abs() < 1e-6, "{back:?}");
    assert!((there[0] - back[0]).abs() > 0.08, "symmetric: {there:?} and {back:?}");
    // JSD(N(0, 1), N(1, 1)): what a discriminator between them reaches is 2 JSD − 2 log 2 = −1.1635.
    let [_, _, between] = of(probabilities(normal(0.0, 1.0)), probabilities(normal(1.0, 1.0)));
    assert!((2.0 * between[0] - 2.0 * LN_2 + 1.1635).abs() < 5e-5, "{between:?}");
}

#[test]
fn of_distributions_that_share_nothing() {
    let half = |sign: f64| probabilities(|x| f64::from(u8::from(sign * x > 0.0)));
    let [there, back, between] = of(half(1.0), half(-1.0));
    assert_eq!((there[0], back[0]), (f64::INFINITY, f64::INFINITY));
    assert!((between[0] - LN_2).abs() < 1e-14, "{between:?}");
    // Only p has places that q lacks: one of the two is finite.
    let [there, back, between] = of(half(1.0), probabilities(|_| 1.0));
    assert!(
        (there[0] - (301.0f64 / 150.0).ln()).abs() < 1e-12 && back[0] == f64::INFINITY,
        "{there:?} {back:?}"
    );
    assert!(between[0] > 0.0 && between[0] < LN_2);
}

#[test]
fn of_any_two() {
    // Rows of probabilities, from flat to nearly all in one place, with zeros.
    let draw = |seed: u64| -> Vec<f64> {
        let (logits, holes) = (normals(400 * 301, seed), uniforms(400 * 301, seed + 9));
        let row = |at: usize| {
            let weight = |i: usize| if holes[i] < 0.3 { 0.0 } else { (0.02 * at as f64 * logits[i]).exp() };
            let total: f64 = (at * 301..(at + 1) * 301).map(weight).sum();
            (at * 301..(at + 1) * 301).map(move |i| weight(i) / total).collect::<Vec<f64>>()
        };
        (0..400).flat_map(row).collect()
    };
    let (p, q) = (draw(1), draw(2));
    let [there, _, between] = of(p.clone(), q.clone());
    let [back, _, mirrored] = of(q, p.clone());
    assert!(there.iter().chain(&back).all(|kl| *kl > 0.0));
    assert!(between.iter().all(|jsd| (0.0..=LN_2).contains(jsd)));
    assert!(between.iter().any(|jsd| *jsd > 0.99 * LN_2) && between.iter().any(|jsd| *jsd < 0.3));
    assert!(between.iter().zip(&mirrored).all(|(a, b)| (a - b).abs() < 1e-14));
    for same in of(p.clone(), p) {
        assert!(same.iter().all(|value| value.abs() < 1e-14));
    }
}

fn minimum<L: Loss>(loss: impl diabolo::program::IntoRoot<Root = L>) -> (f64, f64, Minimum) {
    let trainer = Trainer::new(loss).precision::<f64>().seed(7).quiet();
    let (model, end) = trainer
        .full_batch(Lbfgs { gradient: 1e-9, change: 0.0, ..Lbfgs::new() })
        .fit(&divergences::mixture().unwrap())
        .unwrap();
    let q = model.run(divergences::fitted, &divergences::mixture().unwrap()).unwrap();
    let (mean, variance) = moments(q.values());
    (mean, variance, end)
}

/// The mean and the variance of probabilities on the grid.
fn moments(p: &[f64]) -> (f64, f64) {
    let expectation =
        |f: &dyn Fn(f64) -> f64| -> f64 { grid().into_iter().zip(p).map(|(x, p)| p * f(x)).sum() };
    let mean = expectation(&|x| x);
    (mean, expectation(&|x| (x - mean).powi(2)))
}

#[test]
fn one_covers_and_the_other_hides() {
    let p = divergences::mixture().unwrap().array::<f64>("p").unwrap();
    let (mean, variance) = moments(p.values());
    let (covering, spread, end) = minimum(divergences::covering);
    assert_eq!(end.stopped, Stopped::Gradient);
    // The gradient by the parameters of a Gaussian is the difference of its moments from those of p.
    assert!(
        (covering - mean).abs() < 1e-7 && (spread - variance).abs() < 1e-7,
        "{covering} {spread}: {mean} {variance}"
    );
    let (hiding, spread, _) = minimum(divergences::hiding);
    assert!((hiding - 1.5).abs() < 0.15 && (spread.sqrt() - 0.8).abs() < 0.15, "{hiding} {spread}");
    println!("p has mean {mean:.4}, variance {variance:.4}; hiding at {hiding:.4}, variance {spread:.4}");
}
