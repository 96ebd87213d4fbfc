//! Rows 27 and 28: the discriminator as a meter of the Jensen-Shannon divergence, and modes that get lost.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | real and made exchanged in `meter` | `its_logit…` | slope 0.96 (the value is symmetric) |
//! | made samples of twice the variance | `the_discriminator_measures…` | −1.341 for −1.386 |
//! | no penalty | `a_penalty…finds_all_modes` | 6 |
//! | the sign of `deceive` | `ten_steps…`, `a_penalty…` | no mode in equal turns |
//! | a ring of four | `the_ring_has_eight_modes` | 4 |

use common as _;
use diabolo::Model;
use diabolo::data::{Array, Data};
use diabolo::prelude::*;
use diabolo_acceptance as _;

#[allow(dead_code)]
#[path = "../../../examples/gan.rs"]
mod gan;

/// A trained discriminator between N(0, 1) and N(shift, 1).
fn discriminator(shift: f32, seed: u64) -> Model {
    let trainer = Trainer::new(gan::meter { shift })
        .optimizer(Adam::new(3e-3))
        .batch(256)
        .epochs(10)
        .seed(seed)
        .quiet();
    trainer.schedule(Schedule::Cosine { warmup: 0.0 }).fit(&Data::without_columns(25_600)).unwrap()
}

/// What the discriminator maximises, on 10⁴ samples of each that it has not seen.
fn value(model: Model, shift: f32) -> f64 {
    -model.seed(1000).mean(gan::meter { shift }, &10_000usize).unwrap().loss
}

/// ∫ p log p/(p + q) + q log q/(p + q), with p and q the densities of N(0, 1) and N(shift, 1): 2 JSD − 2 log 2.
fn optimum(shift: f64) -> f64 {
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let at = |i: i32| {
        let (p, q) = (density(f64::from(i) / 100.0), density(f64::from(i) / 100.0 - shift));
        p * (p / (p + q)).ln() + q * (q / (p + q)).ln()
    };
    (-1200..=1300).map(at).sum::<f64>() / 100.0
}

#[test]
fn the_discriminator_measures_the_divergence() {
    for (shift, stated) in [(0.0, -1.3863), (1.0, -1.1635)] {
        assert!((optimum(shift) - stated).abs() < 5e-5, "{}", optimum(shift));
        let value = value(discriminator(shift as f32, 7), shift as f32);
        assert!((value - stated).abs() < 0.02, "{value}, and {stated} is the optimum");
    }
}

#[test]
fn its_logit_is_the_logarithm_of_the_ratio_of_the_densities() {
    // log N(x; 0, 1) − log N(x; 1, 1) = ½ − x; a line through its logits, weighted by the mixture of both densities.
    let model = discriminator(1.0, 7);
    let points: Vec<f32> = (-250..=350).map(|i| i as f32 / 100.0).collect();
    let logits = model.run(gan::log_odds, &Array::new(&[601, 1], points.clone()).unwrap()).unwrap();
    let mut sums = [0.0; 5];
    for (x, y) in points.iter().zip(logits.values()) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        let weight = (-0.5 * x * x).exp() + (-0.5 * (x - 1.0) * (x - 1.0)).exp();
        for (sum, term) in sums.iter_mut().zip([1.0, x, y, x * x, x * y]) {
            *sum += weight * term;
        }
    }
    let [n, x, y, xx, xy] = sums;
    let slope = (n * xy - x * y) / (n * xx - x * x);
    let zero = (x - y / slope) / n;
    assert!((slope + 1.0).abs() < 0.05 && (zero - 0.5).abs() < 0.05, "slope {slope}, zero at {zero}");
}

/// How many of the eight modes a generator finds.
fn modes_found(penalty: f32, turns: (usize, usize), seed: u64) -> usize {
    let adam = Adam { b1: 0.5, ..Adam::new(1e-3) };
    let trainer = Trainer::alternate((gan::discriminate { penalty }, gan::deceive))
        .every(turns)
        .optimizers((adam, adam));
    let rounds = if turns.1 > 1 { 10 } else { 40 };
    let model =
        trainer.batch(256).epochs(rounds).seed(seed).quiet().fit(&Data::without_columns(25_600)).unwrap();
    gan::modes(&model.run(gan::made, &2000usize).unwrap())
}

#[test]
fn ten_steps_of_the_generator_lose_modes_that_equal_turns_find() {
    let (ten, equal) = (modes_found(0.0, (1, 10), 7), modes_found(0.0, (1, 1), 7));
    assert!(ten <= 2 && equal >= 5, "{ten} with ten steps, {equal} in turns");
}

/// Without the penalty, this seed finds 6.
#[test]
fn a_penalty_on_the_slope_finds_all_modes() {
    assert_eq!(modes_found(1.0, (1, 1), 9), 8);
}

#[test]
fn the_ring_has_eight_modes() {
    // Each has 1/8 of the samples, and 1 − e^(−9/2) of these lie within 3 standard deviations.
    let points = Model::<f32>::untrained(gan::ring, 3).unwrap().run(gan::ring, &40_000usize).unwrap();
    assert_eq!(gan::modes(&points), 8);
    let near = |point: &&[f32]| (point[0] - 2f32.sqrt()).hypot(point[1] - 2f32.sqrt()) < 0.3;
    let share = points.iter().filter(near).count() as f64 / 40_000.0;
    assert!((share - 0.125 * (1.0 - (-4.5f64).exp())).abs() < 0.006, "{share}");
}

/// Run in release: `cargo test --release -p diabolo-acceptance --test gan -- --ignored --nocapture`.
///
/// Seeds 0 to 19: values −1.3862 to −1.3864, and −1.1652 to −1.1666. Modes: with ten steps at most 2, but 7 for seed 0; in turns 6 to
/// 8; with the penalty 8, always.
#[test]
#[ignore = "twenty trainings of each"]
fn over_twenty_seeds() {
    for seed in 0..20 {
        let (equal, shifted) = (value(discriminator(0.0, seed), 0.0), value(discriminator(1.0, seed), 1.0));
        let [ten, plain, penalty] = [(0.0, (1, 10)), (0.0, (1, 1)), (1.0, (1, 1))]
            .map(|(penalty, turns)| modes_found(penalty, turns, seed));
        println!(
            "{seed}: {equal:.4} {shifted:.4}; modes {ten} with ten steps, {plain} in turns, {penalty} with the penalty"
        );
    }
}
