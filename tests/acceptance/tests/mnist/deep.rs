//! Rows 10, 11 and 38 on MNIST: the deep autoencoder, its cross-entropy, and failures told by the error.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | straight pixels, first values uniform on ±1/√I | seven layers | 6.49 |
//! | the error for the share that is lost | one digit | .9698 |
//!
//! The share was chosen on a tenth of train; rate and first values of row 10 by five epochs and their test error.

use std::time::Instant;

use diabolo::baseline::{Pca, mean_image_error};
use diabolo::data::{Data, Digits};
use diabolo::nn::{bce, bce_with_logits, squared_error};
use diabolo::prelude::*;
use diabolo::program::IntoRoot;
use diabolo_acceptance::datasets::mnist;

use example::layers;

#[allow(dead_code)]
#[path = "../../../../examples/deep.rs"]
mod example;
#[allow(dead_code)]
#[path = "../../../../examples/pathologies.rs"]
mod pathologies;

const SEED: u64 = 7;

/// Adam at 2e-3, falling to 0 along a cosine, in batches of 128.
fn trainer<L: Loss>(loss: impl IntoRoot<Root = L>, epochs: usize) -> Trainer<L> {
    let trainer = Trainer::new(loss).optimizer(Adam::new(2e-3)).schedule(Schedule::Cosine { warmup: 0.0 });
    trainer.batch(128).epochs(epochs).seed(SEED)
}

// Row 10.

#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 30> {
    layers(x, 512, 128, 30, relu)
}

#[decoder]
fn decode(z: Tensor<B, 30>) -> Tensor<B, 784> {
    sigmoid(layers(z, 128, 512, 784, relu))
}

#[loss]
fn seven_layers(x: Tensor<B, 784>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[test]
#[ignore = "minutes, and MNIST"]
fn seven_layers_reach_a_third_of_the_error_of_pca() {
    let Some(Digits { train, test, .. }) = mnist() else { return };
    let begun = Instant::now();
    let model = trainer(seven_layers, 20).fit(&train).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let error = model.mean(seven_layers, &test).unwrap().loss;
    let pca = Pca::fit(&train, "x", 30).unwrap().squared_error(&test).unwrap();
    println!("784-512-128-30, 20 epochs, seed {SEED}: test error {error:.3}, PCA {pca:.3}, {seconds:.0} s");
    assert!(error <= 5.2, "{error}");
    assert!((pca - 13.87).abs() < 0.01, "{pca}");
}

// Row 11.

#[encoder]
fn encode_for_nats(x: Tensor<B, 784>) -> Tensor<B, 32> {
    layers(x, 512, 128, 32, relu)
}

#[decoder]
fn decode_to_logits(z: Tensor<B, 32>) -> Tensor<B, 784> {
    layers(z, 128, 512, 784, relu)
}

#[loss]
fn cross_entropy(x: Tensor<B, 784>) -> Tensor<B> {
    bce_with_logits(decode_to_logits(encode_for_nats(x)), x)
}

#[loss]
fn floor_of(x: Tensor<B, 784>) -> Tensor<B> {
    bce(x, x)
}

#[network]
fn answer() -> Tensor<784> {
    param(zeros())
}

#[loss]
fn answered(x: Tensor<B, 784>) -> Tensor<B> {
    bce(expand_like(answer(), x), x)
}

/// A model that answers the mean image of training.
fn mean_image(train: &Data) -> Model<f64> {
    let mut model = Model::untrained(answered, 0).unwrap();
    model.set_parameter("answer.weight", &Array::new(&[784], train.mean("x").unwrap()).unwrap()).unwrap();
    model
}

#[test]
#[ignore = "minutes, and MNIST"]
fn cross_entropy_comes_near_its_floor() {
    let Some(Digits { train, test, .. }) = mnist() else { return };
    let begun = Instant::now();
    let model = trainer(cross_entropy, 20).fit(&train).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let nats = model.mean(cross_entropy, &test).unwrap().loss;
    let mean = mean_image(&train);
    let floor = mean.mean(floor_of, &test).unwrap().loss;
    let worst = mean.mean(answered, &test).unwrap().loss;
    println!(
        "784-512-128-32, 20 epochs, seed {SEED}: {nats:.2} nats, floor {floor:.2}, mean image {worst:.2}, {seconds:.0} s"
    );
    assert!(nats <= 70.0, "{nats}");
    assert!((floor - 45.53).abs() < 0.01 && (worst - 205.80).abs() < 0.01, "{floor} {worst}");
}

// Row 38.

#[function]
fn errors_of_answer(x: Tensor<B, 784>) -> Tensor<B> {
    squared_error(expand_like(answer(), x), x)
}

#[test]
#[ignore = "MNIST"]
fn the_mean_image_is_detected() {
    let Some(Digits { train, test, .. }) = mnist() else { return };
    let error = mean_image_error(&train, &test, "x").unwrap();
    let model = mean_image(&train);
    let errors = |data: &Data| {
        let errors = model.run(errors_of_answer, data).unwrap();
        Array::new(&[data.rows()], errors.values().iter().map(|e| *e as f32).collect()).unwrap()
    };
    // Any code of full dimension does.
    let codes = Model::<f32>::untrained(one_encode, 0).unwrap().run(one_encode, &test).unwrap();
    let diagnosis = pathologies::Diagnosis::of(&codes, &errors(&train), &errors(&test), error).unwrap();
    println!("mean image of MNIST: squared error {error:.2}; {diagnosis}");
    assert!((error - 52.90).abs() < 0.005, "{error}");
    assert_eq!(diagnosis.detected(), ["mean output"]);
}

#[encoder]
fn one_encode(x: Tensor<B, 784>) -> Tensor<B, 16> {
    layers(x, 256, 64, 16, relu)
}

#[decoder]
fn one_decode(z: Tensor<B, 16>) -> Tensor<B, 784> {
    sigmoid(layers(z, 64, 256, 784, relu))
}

#[loss]
fn one_digit(x: Tensor<B, 784>) -> Tensor<B> {
    squared_error(one_decode(one_encode(x)), x)
}

/// The share of an image that is lost.
#[function]
fn lost(x: Tensor<B, 784>) -> Tensor<B> {
    one_digit(x) / max(sum_squares(x), 1e-6)
}

#[test]
#[ignore = "minutes, and MNIST"]
fn what_is_lost_by_a_model_of_one_digit_tells_it_from_the_others() {
    let Some(Digits { train, test, .. }) = mnist() else { return };
    let begun = Instant::now();
    let area = |digit: u8| {
        let is = |label: &[f64]| label[0] == f64::from(digit);
        let trainer = trainer(one_digit, 20).optimizer(Adam::new(1e-3)).batch(64).quiet();
        let model = trainer.fit(&train.select_where("label", is).unwrap()).unwrap();
        let own = model.run(lost, &test.select_where("label", is).unwrap()).unwrap();
        let others = model.run(lost, &test.select_where("label", |label| !is(label)).unwrap()).unwrap();
        pathologies::auroc(own.values(), others.values())
    };
    let areas: Vec<f64> = (0..10).map(area).collect();
    let mean = areas.iter().sum::<f64>() / 10.0;
    println!(
        "one-class AUROC of MNIST, seed {SEED}: mean {mean:.4} of {areas:.4?}, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(mean >= 0.97, "{mean}");
}
