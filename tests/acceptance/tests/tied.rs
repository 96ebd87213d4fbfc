//! Row 7: tied weights.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | decoder copied (`stop_gradient`) | all | a rest of 1.5 of the gradient; differences off by 95; an error of 3.87 for .77 |
//! | one path for the whole | `the_gradient_is…` | a rest of .993 |

use common as _;
use diabolo::data::digits;
use diabolo::prelude::*;
use diabolo_acceptance::slopes::{gradient, worst_slope};

#[allow(dead_code)]
#[path = "../../../examples/tied.rs"]
mod tied;

fn slope<'a>(slopes: &'a [(String, Vec<f64>)], path: &str) -> &'a [f64] {
    &slopes.iter().find(|(name, _)| name == path).expect("a parameter of the loss").1
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |most, v| most.max(v.abs()))
}

#[test]
fn the_gradient_is_the_sum_of_both_paths() {
    let data = digits().train.take(200).unwrap();
    let model = Model::<f64>::untrained(tied::tied, 1).unwrap();
    let both = gradient(tied::tied, &model, &data);
    let both = slope(&both, "weight.weight");

    // The untied model at the same point: its decoder's matrix set to the encoder's.
    let mut apart = Model::<f64>::untrained(tied::untied, 1).unwrap();
    for path in ["weight.weight", "code_bias.weight", "image_bias.weight"] {
        apart.set_parameter(path, &model.parameter(path).unwrap()).unwrap();
    }
    apart.set_parameter("second.weight", &model.parameter("weight.weight").unwrap()).unwrap();
    let slopes = gradient(tied::untied, &apart, &data);
    let (encoder, decoder) = (slope(&slopes, "weight.weight"), slope(&slopes, "second.weight"));
    let size = largest(both.iter().copied());
    let rest = largest(both.iter().zip(encoder.iter().zip(decoder)).map(|(w, (e, d))| w - e - d));
    assert!(rest < 1e-12 * size, "{:e}", rest / size);
    // Neither path is nothing: one alone is not the gradient.
    for path in [encoder, decoder] {
        let rest = largest(both.iter().zip(path).map(|(w, p)| w - p));
        assert!(rest > 0.1 * size, "{}", rest / size);
    }

    // And so in the language.
    let (whole, e, d) = model.run(tied::slopes, &data).unwrap();
    for (found, expected) in [(&whole, both), (&e, encoder), (&d, decoder)] {
        let rest = largest(found.values().iter().zip(expected).map(|(a, b)| a - b));
        assert!(rest < 1e-12 * size, "{:e}", rest / size);
    }
}

#[test]
fn its_gradient_is_that_of_finite_differences() {
    let data = digits().train.take(20).unwrap();
    let model = Model::<f64>::untrained(tied::tied, 1).unwrap();
    let worst = worst_slope(tied::tied, &model, &data, 12, 1e-2);
    assert!(worst < 1e-7, "{worst:e}");
}

#[test]
fn half_the_weights_do_nearly_as_well() {
    let digits = digits();
    let error = |model: &Model| model.mean(tied::tied, &digits.test).unwrap().loss;
    let train = || Adam::new(2e-3);
    let tied = Trainer::new(tied::tied)
        .optimizer(train())
        .batch(64)
        .epochs(100)
        .seed(7)
        .quiet()
        .fit(&digits.train)
        .unwrap();
    let free = Trainer::new(tied::untied)
        .optimizer(train())
        .batch(64)
        .epochs(100)
        .seed(7)
        .quiet()
        .fit(&digits.train)
        .unwrap();
    assert_eq!((tied.weights(), free.weights()), (64 * 16 + 80, 2 * 64 * 16 + 80));
    let (tied, free) = (error(&tied), free.mean(tied::untied, &digits.test).unwrap().loss);
    // With one hidden layer and a linear output, PCA is the best that there is (Bourlard and Kamp 1988), on training data.
    let pca =
        diabolo::baseline::Pca::fit(&digits.train, "x", 16).unwrap().squared_error(&digits.test).unwrap();
    assert!(tied < 1.1 * free && tied < 1.1 * pca && free < 1.1 * pca, "{tied}, {free}, {pca} of PCA");
}
