//! Row 29: a critic of bounded slope measures the Wasserstein distance.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | not divided by the steepest slope | `a_clipped_critic…` | 0.03 of the distance |
//! | a twentieth of λ | `a_penalised_critic…` | 1.108 of the distance |
//! | the same | `a_small_penalty…` | 2.02 for 1.054 |
//! | the sign of `deceive` | `a_generator_finds_its_target` | mean −1.07 |

use common as _;
use diabolo::data::Data;
use diabolo::prelude::*;
use diabolo::projection::clip;
use diabolo_acceptance::statistics::{mean_and_variance, normal_cdf};

#[allow(dead_code)]
#[path = "../../../examples/wasserstein.rs"]
mod wasserstein;

use wasserstein::{bounded, critic, criticise, deceive, distance, made, penalised, rising};

const SAMPLES: usize = 200_000;

/// The distance of N(shift, 1) from N(0, 1) by a clipped critic: its mean difference over its steepest slope.
fn by_clipping(shift: f32, seed: u64) -> f64 {
    let trainer = Trainer::new(bounded { shift }).optimizer(RmsProp::new(1e-3)).project(critic, clip(0.1));
    let model = trainer.batch(256).epochs(10).seed(seed).quiet().fit(&Data::without_columns(25_600)).unwrap();
    distance(&model.seed(1000), shift, SAMPLES).unwrap()
}

/// The mean difference of a critic under the penalty.
fn by_penalty(shift: f32, lambda: f32, seed: u64) -> f64 {
    let loss = penalised { shift, lambda };
    let trainer = Trainer::new(loss).optimizer(Adam::new(2e-3)).schedule(Schedule::Cosine { warmup: 0.0 });
    let trainer = trainer.anneal("lambda", move |share| rising(share).min(lambda.into()));
    let model = trainer.batch(256).epochs(20).seed(seed).quiet().fit(&Data::without_columns(25_600)).unwrap();
    model.seed(1000).mean(loss, &SAMPLES).unwrap().part("distance").unwrap()
}

/// W₁ + ∫ΔF²/(2λp̂): the slope 1 + ΔF/(2λp̂) maximises ∫ f′ΔF − λ p̂ (f′ − 1)², where ΔF is the difference of the two
/// distribution functions, and p̂ the density of t x + (1 − t) y for uniform t: N((shift) t, t² + (1 − t)²).
fn optimum(shift: f64, lambda: f64) -> f64 {
    let between = |x: f64| -> f64 {
        let at = |i: i32| {
            let t = (f64::from(i) + 0.5) / 200.0;
            let s = (t * t + (1.0 - t) * (1.0 - t)).sqrt();
            (-0.5 * ((x - shift * t) / s).powi(2)).exp() / (s * (2.0 * std::f64::consts::PI).sqrt())
        };
        (0..200).map(at).sum::<f64>() / 200.0
    };
    let at = |i: i32| {
        let x = f64::from(i) / 100.0;
        let apart = normal_cdf(x) - normal_cdf(x - shift);
        apart + apart * apart / (2.0 * lambda * between(x))
    };
    (-600..=800).map(at).sum::<f64>() / 100.0
}

#[test]
fn a_clipped_critic_measures_the_distance() {
    for shift in [1.0, 2.0] {
        let found = by_clipping(shift, 7) / f64::from(shift);
        assert!((found - 1.0).abs() < 0.05, "{found} of the distance {shift}");
    }
}

#[test]
fn a_penalised_critic_measures_the_distance() {
    for shift in [1.0, 2.0] {
        let found = by_penalty(shift, 100.0, 7) / f64::from(shift);
        assert!((found - 1.0).abs() < 0.05, "{found} of the distance {shift}");
    }
}

#[test]
fn a_small_penalty_exceeds_the_distance_by_as_much_as_it_must() {
    let expected = optimum(1.0, 10.0);
    assert!((expected - 1.054).abs() < 5e-4, "{expected}");
    let found = by_penalty(1.0, 10.0, 7);
    assert!((found - expected).abs() < 0.02, "{found}, and {expected} is the optimum");
}

#[test]
fn a_generator_finds_its_target() {
    let trainer =
        Trainer::alternate((criticise, deceive)).optimizers((RmsProp::new(1e-3), RmsProp::new(1e-3)));
    let trainer = trainer.every((5, 1)).project(critic, clip(0.1)).batch(256).epochs(20).seed(7).quiet();
    let model = trainer.fit(&Data::without_columns(25_600)).unwrap();
    let points = model.run(made, &SAMPLES).unwrap();
    let points: Vec<f64> = points.values().iter().map(|v| f64::from(*v)).collect();
    let (mean, variance) = mean_and_variance(&points);
    assert!(
        (mean - 2.0).abs() < 0.1 && (variance.sqrt() - 0.5).abs() < 0.1,
        "mean {mean}, variance {variance}"
    );
}

/// Run in release: `cargo test --release -p diabolo-acceptance --test wasserstein -- --ignored --nocapture`.
///
/// Seeds 0 to 19: clipped 1.002 to 1.005 for μ = 1 and 0.970 to 1.002 for μ = 2; penalty 100 1.010, penalty 10 1.0545 to 1.0593.
/// With λ at its value from the start, 4 of the 20 were caught by a slope of the wrong sign: 0.92 down to −0.01.
#[test]
#[ignore = "twenty trainings of each"]
fn over_twenty_seeds() {
    for seed in 0..20 {
        let [one, two] = [1.0, 2.0].map(|shift| by_clipping(shift, seed) / f64::from(shift));
        let [hundred, ten] = [100.0, 10.0].map(|lambda| by_penalty(1.0, lambda, seed));
        println!("{seed}: clipped {one:.4} {two:.4} of the distance; penalty 100 {hundred:.4}, 10 {ten:.4}");
    }
}
