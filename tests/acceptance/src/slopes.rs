//! Gradients of a loss, and central differences beside them.
//!
//! In: a model in f64, a loss, data. Out: gradients by parameter, the largest relative difference. Never: the gradient on
//! both sides of a comparison.

use diabolo::data::Data;
use diabolo::program::{IntoRoot, Loss};
use diabolo::{Model, Sgd, Trainer};

/// The gradient of the mean loss by each parameter, at the values of the model: zero where it does not train one.
///
/// Of a loss with noise, that of its first step at the model's seed.
pub fn gradient<L: Loss>(
    loss: impl IntoRoot<Root = L>,
    model: &Model<f64>,
    data: &Data,
) -> Vec<(String, Vec<f64>)> {
    // One step of size 1 along the gradient, over all rows: what it moved is the gradient.
    let trainer = Trainer::new(loss).precision::<f64>().optimizer(Sgd::new(1.0)).quiet();
    let moved = trainer.batch(data.rows()).epochs(1).resume(model.clone(), data).expect("one step");
    let paths: Vec<String> = model.parameters().map(|(path, _)| path.to_owned()).collect();
    let values = |model: &Model<f64>, path: &str| model.parameter(path).expect("its own").into_values();
    let slope = |path: &String| {
        let after = values(&moved, path);
        values(model, path).iter().zip(after).map(|(before, after)| before - after).collect()
    };
    paths.iter().map(|path| (path.clone(), slope(path))).collect()
}

/// The largest difference between slopes and central differences of the mean loss, over `count` elements of each parameter,
/// relative to the larger of the slope and `floor`.
pub fn worst_slope<L: Loss, I: IntoRoot<Root = L> + Clone>(
    loss: I,
    model: &Model<f64>,
    data: &Data,
    count: usize,
    floor: f64,
) -> f64 {
    let mut worst = 0.0f64;
    for (path, slopes) in gradient(loss.clone(), model, data) {
        let stride = slopes.len().div_ceil(count);
        for at in (0..slopes.len()).step_by(stride) {
            let beside = |by: f64| {
                let mut moved = model.clone();
                let array = model.parameter(&path).expect("its own");
                let mut values = array.values().to_vec();
                values[at] += by;
                let array = diabolo::data::Array::new(array.shape(), values).expect("the same shape");
                moved.set_parameter(&path, &array).expect("the same shape");
                moved.mean(loss.clone(), data).expect("it runs").loss
            };
            // Of fourth order: rounding and truncation are both near 1e-12 at this step.
            let h = 1e-3;
            let difference =
                (8.0 * (beside(h) - beside(-h)) - (beside(2.0 * h) - beside(-2.0 * h))) / (12.0 * h);
            worst = worst.max((slopes[at] - difference).abs() / slopes[at].abs().max(floor));
        }
    }
    worst
}
