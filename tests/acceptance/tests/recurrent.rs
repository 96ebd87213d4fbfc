//! Row 32: recurrent autoencoders; a loop over steps means its steps written out.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | no gradient through the state, in `gru` | `…gated_loops…` | apart by 0.17 of the largest slope |
//! | no gradient through the memory, in `lstm` | `…loops_with_memory…` | apart by 0.17 of the largest slope |
//! | both | `both_gradients_are_those_of_finite_differences` | off by 10 (relative) |

use common as _;
use diabolo::Model;
use diabolo::data::{Data, digits};
use diabolo::nn::{dense, gru_cell, lstm_cell, squared_error};
use diabolo::prelude::*;
use diabolo_acceptance::slopes::{gradient, worst_slope};

#[allow(dead_code)]
#[path = "../../../examples/recurrent.rs"]
mod recurrent;

/// The autoencoders of the example with every step written out: no `scan`.
mod unrolled {
    use super::*;

    #[network]
    fn read_gru(h: Tensor<B, 64>, x: Tensor<B, 8>) -> Tensor<B, 64> {
        gru_cell(h, x)
    }

    #[network]
    fn write_gru(h: Tensor<B, 64>, x: Tensor<B, 8>) -> Tensor<B, 64> {
        gru_cell(h, x)
    }

    #[network]
    fn read_lstm(h: Tensor<B, 64>, c: Tensor<B, 64>, x: Tensor<B, 8>) -> (Tensor<B, 64>, Tensor<B, 64>) {
        lstm_cell(h, c, x)
    }

    #[network]
    fn write_lstm(h: Tensor<B, 64>, c: Tensor<B, 64>, x: Tensor<B, 8>) -> (Tensor<B, 64>, Tensor<B, 64>) {
        lstm_cell(h, c, x)
    }

    #[network]
    fn code(h: Tensor<B, 64>) -> Tensor<B, 8> {
        dense(h, 8)
    }

    #[network]
    fn pixels(h: Tensor<B, 64>) -> Tensor<B, 8> {
        dense(h, 8)
    }

    #[loss]
    pub fn gated(x: Tensor<B, 64>) -> Tensor<B> {
        let mut h = 0.0 * x;
        for t in 0..8 {
            h = read_gru(h, slice(x, axis = 1, start = 8 * t, end = 8 * t + 8));
        }
        let z = code(h);
        let mut loss = 0.0 * sum(x);
        h = 0.0 * x;
        for t in 0..8 {
            h = write_gru(h, z);
            loss += squared_error(pixels(h), slice(x, axis = 1, start = 8 * t, end = 8 * t + 8));
        }
        loss
    }

    #[loss]
    pub fn remembering(x: Tensor<B, 64>) -> Tensor<B> {
        let mut memory = (0.0 * x, 0.0 * x);
        for t in 0..8 {
            let (h, c) = memory;
            memory = read_lstm(h, c, slice(x, axis = 1, start = 8 * t, end = 8 * t + 8));
        }
        let (read, _) = memory;
        let z = code(read);
        let mut loss = 0.0 * sum(x);
        memory = (0.0 * x, 0.0 * x);
        for t in 0..8 {
            let (h, c) = memory;
            memory = write_lstm(h, c, z);
            let (written, _) = memory;
            loss += squared_error(pixels(written), slice(x, axis = 1, start = 8 * t, end = 8 * t + 8));
        }
        loss
    }
}

fn few() -> Data {
    digits().train.take(5).unwrap()
}

/// The parameters of both in pairs: those of the loops of the one and of the cells of the other, layer by layer.
fn pairs(looped: &Model<f64>, unrolled: &Model<f64>) -> Vec<(String, String)> {
    let theirs = |network: &str| -> Vec<String> {
        let paths = unrolled.parameters().map(|(path, _)| path.to_owned());
        paths.filter(|path| path.starts_with(network)).collect()
    };
    let mut pairs = Vec::new();
    for (reader, name, layer) in [("read", "code.", "read_"), ("write", "pixels.", "write_")] {
        let ours =
            looped.parameters().map(|(path, _)| path.to_owned()).filter(|path| path.starts_with(reader));
        let both = [theirs(layer), theirs(name)].concat();
        pairs.extend(ours.zip(both));
    }
    assert_eq!(pairs.len(), looped.parameters().count());
    assert_eq!(pairs.len(), unrolled.parameters().count());
    pairs
}

/// The unrolled model at the parameters of the looped one.
fn same_values(looped: &Model<f64>, mut unrolled: Model<f64>) -> Model<f64> {
    for (ours, theirs) in pairs(looped, &unrolled) {
        unrolled.set_parameter(&theirs, &looped.parameter(&ours).unwrap()).unwrap();
    }
    unrolled
}

/// The largest difference between two gradients, over the largest slope.
fn apart(looped: &[(String, Vec<f64>)], unrolled: &[(String, Vec<f64>)], pairs: &[(String, String)]) -> f64 {
    let of = |gradient: &[(String, Vec<f64>)], path: &str| -> Vec<f64> {
        gradient.iter().find(|(known, _)| known == path).expect("its own").1.clone()
    };
    let (mut worst, mut largest) = (0.0f64, 0.0f64);
    for (ours, theirs) in pairs {
        for (a, b) in of(looped, ours).iter().zip(of(unrolled, theirs)) {
            (worst, largest) = (worst.max((a - b).abs()), largest.max(a.abs()));
        }
    }
    worst / largest
}

#[test]
fn the_gradient_through_gated_loops_is_the_unrolled_one() {
    let data = few();
    let looped = Model::<f64>::untrained(recurrent::gated, 1).unwrap();
    let unrolled = same_values(&looped, Model::untrained(unrolled::gated, 2).unwrap());
    let (a, b) = (
        looped.mean(recurrent::gated, &data).unwrap().loss,
        unrolled.mean(unrolled::gated, &data).unwrap().loss,
    );
    assert!((a - b).abs() < 1e-12 * a, "{a} and {b}");
    let slopes = (gradient(recurrent::gated, &looped, &data), gradient(unrolled::gated, &unrolled, &data));
    let worst = apart(&slopes.0, &slopes.1, &pairs(&looped, &unrolled));
    assert!(worst < 1e-12, "{worst:e}");
}

#[test]
fn the_gradient_through_loops_with_memory_is_the_unrolled_one() {
    let data = few();
    let looped = Model::<f64>::untrained(recurrent::remembering, 1).unwrap();
    let unrolled = same_values(&looped, Model::untrained(unrolled::remembering, 2).unwrap());
    let loss = looped.mean(recurrent::remembering, &data).unwrap().loss;
    let same = unrolled.mean(unrolled::remembering, &data).unwrap().loss;
    assert!((loss - same).abs() < 1e-12 * loss, "{loss} and {same}");
    let slopes =
        (gradient(recurrent::remembering, &looped, &data), gradient(unrolled::remembering, &unrolled, &data));
    let worst = apart(&slopes.0, &slopes.1, &pairs(&looped, &unrolled));
    assert!(worst < 1e-12, "{worst:e}");
}

#[test]
fn both_gradients_are_those_of_finite_differences() {
    let model = Model::<f64>::untrained(recurrent::gated, 1).unwrap();
    let worst = worst_slope(recurrent::gated, &model, &few(), 6, 1e-2);
    assert!(worst < 1e-7, "{worst:e}");
    let model = Model::<f64>::untrained(recurrent::remembering, 1).unwrap();
    let worst = worst_slope(recurrent::remembering, &model, &few(), 6, 1e-2);
    assert!(worst < 1e-7, "{worst:e}");
}
