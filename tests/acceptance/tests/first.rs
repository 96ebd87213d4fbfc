//! Row 1: the first autoencoder.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | `stop_gradient` around half of the reconstruction | `its_gradient…` | relative difference 1.0 |
//! | a decoder without its rectifier | `it_beats_pca…` | error 1.624, PCA 1.608 |

use common as _;
use diabolo::Model;
use diabolo::baseline::Pca;
use diabolo::data::digits;
use diabolo::prelude::*;
use diabolo_acceptance::slopes::worst_slope;

#[allow(dead_code)]
#[path = "../../../examples/first.rs"]
mod first;

#[test]
fn its_gradient_is_that_of_finite_differences() {
    // The rectifier has corners: few rows, so that no difference steps across one.
    let data = digits().train.take(3).unwrap();
    let model = Model::<f64>::untrained(first::vanilla, 1).unwrap();
    let worst = worst_slope(first::vanilla, &model, &data, 12, 1e-2);
    assert!(worst < 1e-7, "{worst:e}");
}

#[test]
fn it_beats_pca_of_as_many_numbers() {
    let digits = digits();
    let trainer =
        Trainer::new(first::vanilla).optimizer(Adam::new(2e-3)).batch(64).epochs(60).seed(7).quiet();
    let model = trainer.fit(&digits.train).unwrap();
    let error = model.mean(first::vanilla, &digits.test).unwrap().loss;
    let pca = Pca::fit(&digits.train, "x", 8).unwrap().squared_error(&digits.test).unwrap();
    assert!(error < 0.6 * pca, "{error}, and {pca} of PCA");
}
