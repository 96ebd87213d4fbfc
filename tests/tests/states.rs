//! States in training, in checkpoints and in evaluation; batch normalisation.

use diabolo::data::{Data, digits};
use diabolo::nn::{batch_norm, dense, squared_error};
use diabolo::prelude::*;

#[state]
fn average() -> Tensor<64> {
    zeros()
}

#[state]
fn steps() -> Scalar {
    zeros()
}

#[network]
fn offset() -> Tensor<64> {
    param(zeros())
}

#[loss]
fn follow(x: Tensor<B, 64>) -> Tensor<B> {
    update(average(), 0.75 * average() + 0.25 * batch_mean(x));
    update(steps(), steps() + 1.0);
    let before = sum(average());
    squared_error(x, offset()) + 0.0 * before
}

#[loss]
fn count(x: Tensor<B, 64>) -> Tensor<B> {
    update(steps(), steps() + 100.0);
    squared_error(x, offset())
}

#[function]
fn centred(x: Tensor<B, 64>) -> Tensor<B, 64> {
    x - average()
}

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 6> {
    batch_norm(dense(x, 6), eps = 1e-9)
}

/// Without a gradient that changes anything: what it trains has no weight.
#[loss]
fn normalise(x: Tensor<B, 64>) -> Tensor<B> {
    let h = encode(x);
    let mean = sum(square(batch_mean(h)));
    let variance = sum(square(batch_mean(square(h)) - 1.0));
    0.0 * sum(h) + mean + variance
}

#[loss]
fn autoencode(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[decoder]
fn decode(z: Tensor<B, 6>) -> Tensor<B, 64> {
    dense(z, 64)
}

/// The map alone: images of one channel with two rows of positions.
#[network]
fn normal_image(x: Tensor<B, 2, 4, 8>) -> Tensor<B, 2, 4, 8> {
    batch_norm(x, eps = 1e-9)
}

#[loss]
fn image(x: Tensor<B, 64>) -> Tensor<B> {
    let y = normal_image(reshape(x, 2, 4, 8));
    let second: Tensor<2> = einsum("cij->c", batch_mean(square(y)));
    let first: Tensor<2> = einsum("cij->c", batch_mean(y));
    let means = sum(square(first));
    let variances = sum(square(second / 32.0 - 1.0));
    0.0 * sum(y) + means + variances
}

fn small() -> Data {
    digits().train.take(200).unwrap()
}

fn state(model: &Model, path: &str) -> Vec<f64> {
    model.parameter(path).unwrap().values().iter().map(|v| f64::from(*v)).collect()
}

/// The mean of every column of rows.
fn columns(data: &Data) -> Vec<f64> {
    let x = data.array::<f64>("x").unwrap();
    let mut mean = vec![0.0; 64];
    for row in x.iter() {
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / data.rows() as f64);
    }
    mean
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    let far = found.iter().zip(expected).position(|(a, b)| (a - b).abs() > tolerance * (1.0 + b.abs()));
    assert!(found.len() == expected.len() && far.is_none(), "{far:?}: {found:?}\n{expected:?}");
}

#[test]
fn a_state_is_replaced_after_each_step() {
    let data = small();
    let mut training = Trainer::new(follow).batch(200).quiet().start(&data).unwrap();
    assert_eq!(state(&training.model().unwrap(), "steps"), [0.0]);
    for step in 1..=3 {
        training.step().unwrap();
        assert_eq!(state(&training.model().unwrap(), "steps"), [f64::from(step)]);
        // 1 - 0.75^step of the mean, which is the same in every step.
        let share = 1.0 - 0.75f64.powi(step);
        let expected: Vec<f64> = columns(&data).iter().map(|mean| share * mean).collect();
        near(&state(&training.model().unwrap(), "average"), &expected, 1e-5);
    }
}

#[test]
fn evaluation_and_runs_read_a_state_and_leave_it() {
    let data = small();
    let model = Trainer::new(follow).batch(200).epochs(8).quiet().fit(&data).unwrap();
    let (kept, steps) = (state(&model, "average"), state(&model, "steps"));
    assert_eq!(steps, [8.0]);
    let part = model.mean(follow, &data).unwrap().part("before").unwrap();
    near(&[part], &[kept.iter().sum()], 1e-5);
    let centred = model.run(centred, &data).unwrap();
    let x = data.array::<f32>("x").unwrap();
    near(&[f64::from(centred.values()[70])], &[f64::from(x.values()[70]) - kept[6]], 1e-6);
    assert_eq!(state(&model, "average"), kept);
    // A state is a function that can be run, too.
    let alone = model.run(average, &1usize).unwrap();
    assert_eq!(alone, model.parameter("average").unwrap());
    // Validation does not change it either.
    let model = Trainer::new(follow).batch(160).validation(0.2).epochs(3).quiet().fit(&data).unwrap();
    assert_eq!(state(&model, "steps"), [3.0]);
}

#[test]
fn states_go_through_checkpoints_and_on() {
    let data = small();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let model = Trainer::new(follow).batch(50).epochs(2).quiet().fit(&data).unwrap();
    model.save(&path).unwrap();
    let loaded: Model = Model::load(&path).unwrap();
    assert_eq!(state(&loaded, "average"), state(&model, "average"));
    assert_eq!(loaded.run(centred, &data).unwrap(), model.run(centred, &data).unwrap());
    let resumed = Trainer::new(follow).batch(50).epochs(1).quiet().resume(loaded, &data).unwrap();
    assert_eq!(state(&resumed, "steps"), [12.0]);
}

#[test]
fn each_loss_in_turn_replaces_its_states() {
    let model = Trainer::alternate((follow, count)).every((1, 2)).batch(100).epochs(1).quiet();
    let mut training = model.start(Box::leak(Box::new(small()))).unwrap();
    for expected in [1.0, 101.0, 201.0, 202.0, 302.0, 402.0] {
        training.step().unwrap();
        assert_eq!(state(&training.model().unwrap(), "steps"), [expected]);
    }
    assert!(training.untrained().is_empty(), "a state is no parameter that a loss could train");
}

#[test]
fn in_training_the_batch_has_mean_0_and_variance_1() {
    let data = small();
    for loss in [
        Trainer::new(normalise).precision::<f64>().batch(200).quiet().start(&data).unwrap().step().unwrap(),
        Trainer::new(image).precision::<f64>().batch(200).quiet().start(&data).unwrap().step().unwrap(),
    ] {
        // But for eps, which makes the variance σ² / (σ² + 1e-9).
        assert!(loss < 1e-12, "{loss}");
    }
}

#[test]
fn batch_norm_evaluates_with_the_running_averages() {
    let data = small();
    // One batch, again and again: the averages become its statistics.
    let model =
        Trainer::new(normalise).optimizer(Sgd::new(0.0)).batch(200).epochs(200).quiet().fit(&data).unwrap();
    let paths: Vec<&str> = model.parameters().map(|(path, _)| path).collect();
    assert!(paths.contains(&"encode.batch_norm0.mean"), "{paths:?}");
    let weight = model.parameter("encode.dense0.weight").unwrap();
    let bias = model.parameter("encode.dense0.bias").unwrap();
    let x = data.array::<f64>("x").unwrap();
    let unit = |row: &[f64], unit: usize| -> f64 {
        let sum: f64 =
            row.iter().enumerate().map(|(i, v)| v * f64::from(weight.values()[6 * i + unit])).sum();
        sum + f64::from(bias.values()[unit])
    };
    let (mut means, mut variances) = (vec![0.0; 6], vec![0.0; 6]);
    for u in 0..6 {
        let values: Vec<f64> = x.iter().map(|row| unit(row, u)).collect();
        means[u] = values.iter().sum::<f64>() / 200.0;
        variances[u] = values.iter().map(|v| (v - means[u]).powi(2)).sum::<f64>() / 199.0;
    }
    near(&state(&model, "encode.batch_norm0.mean"), &means, 1e-4);
    near(&state(&model, "encode.batch_norm0.variance"), &variances, 1e-4);
    // A row alone is evaluated as it is among others.
    let all = model.run(encode, &data).unwrap();
    let one = model.run(encode, &data.select(&[17]).unwrap()).unwrap();
    assert_eq!(all.row(17).unwrap(), one.row(0).unwrap());
    let first = x.iter().nth(17).unwrap();
    let expected: Vec<f64> =
        (0..6).map(|u| (unit(first, u) - means[u]) / (variances[u] + 1e-9).sqrt()).collect();
    let found: Vec<f64> = one.values().iter().map(|v| f64::from(*v)).collect();
    near(&found, &expected, 1e-3);
}

#[test]
fn batch_norm_learns() {
    let data = small();
    let fresh =
        Trainer::new(autoencode).epochs(1).quiet().fit(&data).unwrap().mean(autoencode, &data).unwrap();
    let model = Trainer::new(autoencode).epochs(60).batch(50).quiet().fit(&data).unwrap();
    let trained = model.mean(autoencode, &data).unwrap();
    assert!(trained.loss < 0.6 * fresh.loss, "{trained} from {fresh}");
}
