//! Rows 10 and 11: deep autoencoders, stacked greedily, and under cross-entropy.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | nothing between the layers | each activation | 1.369 of PCA's 1.608 |
//! | the second pair trains the first, too | stacking | `down1` moved |
//! | 0 times the loss of the second pair | stacking | `down2` as at first |
//! | no minus in the cross-entropy | formula; near the floor | −44.3; −7e17 |
//! | the sigmoid of the logits for the logits | formula; near the floor | 52.4; 41.1, the mean image 27.1 |
//! | −Σ x log x alone as the floor | entropies | 6.77 for 13.66 |

use common as _;
use diabolo::Model;
use diabolo::baseline::Pca;
use diabolo::data::{Data, digits};
use diabolo::prelude::*;
use diabolo::program::IntoRoot;
use diabolo_acceptance::slopes::{gradient, worst_slope};

#[allow(dead_code)]
#[path = "../../../examples/cross_entropy.rs"]
mod cross_entropy;
#[allow(dead_code)]
#[path = "../../../examples/deep.rs"]
mod deep;

fn trainer<L: Loss>(loss: impl IntoRoot<Root = L>, epochs: usize) -> Trainer<L> {
    Trainer::new(loss).optimizer(Adam::new(2e-3)).batch(64).epochs(epochs).seed(7).quiet()
}

// Row 10.

#[test]
fn seven_layers_have_the_gradient_of_finite_differences() {
    let data = digits().train.take(3).unwrap();
    let smooth = |worst: f64| assert!(worst < 1e-7, "{worst:e}");
    let model = Model::<f64>::untrained(deep::deep_tanh, 1).unwrap();
    smooth(worst_slope(deep::deep_tanh, &model, &data, 12, 1e-2));
    let model = Model::<f64>::untrained(deep::deep_sigmoid, 1).unwrap();
    smooth(worst_slope(deep::deep_sigmoid, &model, &data, 12, 1e-2));
}

#[test]
fn each_activation_beats_pca_of_as_many_numbers() {
    let digits = digits();
    let pca = Pca::fit(&digits.train, "x", 8).unwrap().squared_error(&digits.test).unwrap();
    let below = |error: f64, share: f64| assert!(error < share * pca, "{error}, and {pca} of PCA");
    let relu = trainer(deep::deep_relu, 60).fit(&digits.train).unwrap();
    below(relu.mean(deep::deep_relu, &digits.test).unwrap().loss, 0.6);
    let tanh = trainer(deep::deep_tanh, 60).fit(&digits.train).unwrap();
    below(tanh.mean(deep::deep_tanh, &digits.test).unwrap().loss, 0.6);
    // The sigmoid's gradients fade from layer to layer: it takes longer.
    let sigmoid = trainer(deep::deep_sigmoid, 120).fit(&digits.train).unwrap();
    below(sigmoid.mean(deep::deep_sigmoid, &digits.test).unwrap().loss, 0.8);
}

#[test]
fn stacking_leaves_the_pairs_outside_as_they_are_and_starts_ahead() {
    let digits = digits();
    let train = &digits.train;
    let first = trainer(deep::first_pair, 10).fit(train).unwrap();
    let second = trainer(deep::second_pair, 10).resume(first.clone(), train).unwrap();
    let stacked = trainer(deep::third_pair, 10).resume(second.clone(), train).unwrap();
    let same = |a: &Model, b: &Model, network: &str| {
        ["weight", "bias"].iter().all(|part| {
            let path = format!("{network}.dense0.{part}");
            a.parameter(&path).unwrap() == b.parameter(&path).unwrap()
        })
    };
    for network in ["down1", "up1"] {
        assert!(same(&first, &second, network) && same(&first, &stacked, network), "{network}");
    }
    for network in ["down2", "up2"] {
        assert!(same(&second, &stacked, network), "{network}");
    }
    let fresh = Model::<f32>::untrained(deep::deep_sigmoid, 7).unwrap();
    assert!(!same(&fresh, &stacked, "down2") && !same(&fresh, &stacked, "up3"));
    // Three epochs together, from there and from nothing.
    let tuned = trainer(deep::deep_sigmoid, 3).resume(stacked, train).unwrap();
    let alone = trainer(deep::deep_sigmoid, 3).fit(train).unwrap();
    let error = |model: &Model| model.mean(deep::deep_sigmoid, &digits.test).unwrap().loss;
    assert!(error(&tuned) < 0.6 * error(&alone), "{} {}", error(&tuned), error(&alone));
}

// Row 11.

/// H(x), the nats that a pixel costs if it predicts itself.
fn entropy(x: f64) -> f64 {
    [x, 1.0 - x].iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}

fn rows(data: &Data) -> Array<f64> {
    data.array("x").unwrap()
}

/// The nats of answering the mean image of training, per test image.
fn mean_image(train: &Data, test: &Data) -> (f64, f64) {
    let mean = train.mean("x").unwrap();
    let clipped: Vec<f64> = mean.iter().map(|p| p.clamp(1e-7, 1.0 - 1e-7)).collect();
    let test = rows(test);
    let cost = |x: &[f64]| -> f64 {
        x.iter().zip(&clipped).map(|(x, p)| -x * p.ln() - (1.0 - x) * (1.0 - p).ln()).sum()
    };
    let nats = test.iter().map(cost).sum::<f64>() / test.rows() as f64;
    let floor = test.values().iter().map(|x| entropy(*x)).sum::<f64>() / test.rows() as f64;
    (nats, floor)
}

fn answering(image: Vec<f64>) -> Model<f64> {
    let mut model = Model::untrained(cross_entropy::answered, 0).unwrap();
    model.set_parameter("answer.weight", &Array::new(&[64], image).unwrap()).unwrap();
    model
}

#[test]
fn the_mean_image_and_the_floor_are_entropies() {
    let digits = digits();
    let model = answering(digits.train.mean("x").unwrap());
    // On the images that it is the mean of, its nats are its own entropy.
    let closed: f64 = digits.train.mean("x").unwrap().iter().map(|p| entropy(*p)).sum();
    let nats = model.mean(cross_entropy::answered, &digits.train).unwrap().loss;
    assert!((nats - closed).abs() < 1e-5, "{nats} {closed}");
    let (expected, floor) = mean_image(&digits.train, &digits.test);
    let nats = model.mean(cross_entropy::answered, &digits.test).unwrap().loss;
    assert!((nats / expected - 1.0).abs() < 1e-10, "{nats} {expected}");
    let least = model.mean(cross_entropy::floor_of, &digits.test).unwrap().loss;
    assert!((least / floor - 1.0).abs() < 1e-5, "{least} {floor}");
}

#[test]
fn it_is_the_cross_entropy_of_its_outputs() {
    let data = digits().train.take(40).unwrap();
    let model = Model::<f64>::untrained(cross_entropy::cross_entropy, 1).unwrap();
    let (x, y) = (rows(&data), model.run(cross_entropy::reconstruct, &data).unwrap());
    let each = x.values().iter().zip(y.values()).map(|(x, y)| -x * y.ln() - (1.0 - x) * (1.0 - y).ln());
    let loss = model.mean(cross_entropy::cross_entropy, &data).unwrap().loss;
    assert!((loss / (each.sum::<f64>() / 40.0) - 1.0).abs() < 1e-12, "{loss}");
    // Its derivative by the logits is x̂ − x: the mean of that moves the last bias.
    let slopes = gradient(cross_entropy::cross_entropy, &model, &data);
    let (_, last) = slopes.iter().find(|(path, slope)| path.ends_with("bias") && slope.len() == 64).unwrap();
    for (k, slope) in last.iter().enumerate() {
        let expected = y.iter().zip(x.iter()).map(|(y, x)| y[k] - x[k]).sum::<f64>() / 40.0;
        assert!((slope - expected).abs() < 1e-12, "{k}: {slope} {expected}");
    }
}

#[test]
fn it_comes_near_the_floor() {
    let digits = digits();
    let model = trainer(cross_entropy::cross_entropy, 60).fit(&digits.train).unwrap();
    let nats = model.mean(cross_entropy::cross_entropy, &digits.test).unwrap().loss;
    let (mean, floor) = mean_image(&digits.train, &digits.test);
    // A quarter of the way from the floor to the mean image.
    assert!(nats > floor && nats - floor < 0.25 * (mean - floor), "{nats}, {mean}, {floor}");
}
