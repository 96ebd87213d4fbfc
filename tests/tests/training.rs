//! Training and models as a user meets them: settings, precision, checkpoints, and every mistake an `Err`.

use diabolo::data::{Array, Data, digits};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::Run;
use diabolo::{Error, Result};

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 4> {
    tanh(dense(x, 4))
}

#[decoder]
fn decode(z: Tensor<B, 4>) -> Tensor<B, 64> {
    dense(z, 64)
}

#[loss]
fn weighted(x: Tensor<B, 64>, #[default(1.0)] weight: f32) -> Tensor<B> {
    let recon = squared_error(decode(encode(x)), x);
    weight * recon
}

/// A regression: two inputs, found by name.
#[loss]
fn towards(x: Tensor<B, 64>, y: Tensor<B, 4>) -> Tensor<B> {
    squared_error(encode(x), y)
}

#[function]
fn noise() -> Tensor<B, 3> {
    normal()
}

#[function]
fn halve(x: Tensor<B, 2>) -> Tensor<B, 2> {
    0.5 * x
}

#[loss]
fn explodes(x: Tensor<B, 64>) -> Tensor<B> {
    let big = sum_squares(encode(x));
    exp(10000.0 * (1.0 + big))
}

/// The same as `weighted`, looked into.
#[loss]
fn looked_into(x: Tensor<B, 64>) -> Tensor<B> {
    let code = inspect("code", encode(x));
    let recon = squared_error(decode(code), x);
    inspect("recon", recon)
}

mod other {
    use diabolo::nn::{dense, squared_error};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 64>) -> Tensor<B, 4> {
        dense(x, 4)
    }

    #[loss]
    pub fn size(x: Tensor<B, 64>) -> Tensor<B> {
        let e = encode(x);
        squared_error(e, 0.0 * e)
    }
}

fn small() -> Data {
    digits().train.take(200).unwrap()
}

fn trained() -> Model {
    Trainer::new(weighted).epochs(2).quiet().fit(&small()).unwrap()
}

/// The message of what should have been an error.
fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains('\n'), "one line: {message}");
            message
        }
    }
}

#[test]
fn a_loss_falls_and_its_parts_are_named() {
    let data = small();
    let before = Model::<f32>::untrained(weighted, 0).unwrap().mean(weighted, &data).unwrap();
    let model = Trainer::new(weighted).epochs(20).quiet().fit(&data).unwrap();
    let after = model.mean(weighted { weight: 2.0 }, &data).unwrap();
    let recon = after.part("recon").unwrap();
    assert!(recon < before.loss, "{after} after {before}");
    assert!((after.loss - 2.0 * recon).abs() < 1e-4 * after.loss, "{after}");
}

#[test]
fn double_precision_follows_single_precision() {
    let data = small();
    let single = Trainer::new(weighted).epochs(3).seed(5).quiet().fit(&data).unwrap();
    let double = Trainer::new(weighted).precision::<f64>().epochs(3).seed(5).quiet().fit(&data).unwrap();
    let (a, b) = (single.mean(weighted, &data).unwrap().loss, double.mean(weighted, &data).unwrap().loss);
    assert!((a - b).abs() < 1e-3 * b && a != b, "{a} and {b}");
}

#[test]
fn the_mean_does_not_depend_on_how_the_rows_are_cut() {
    // 1797 rows are evaluated in two pieces; the squared error computed from the results is the same.
    let (model, test) = (trained(), digits().test);
    let codes = model.run(encode, &test).unwrap();
    let back = model.run(decode, &codes).unwrap();
    let x = test.array::<f32>("x").unwrap();
    let squares = x.values().iter().zip(back.values()).map(|(x, y)| f64::from(x - y).powi(2));
    let expected = squares.sum::<f64>() / test.rows() as f64;
    let found = model.mean(weighted, &test).unwrap().loss;
    assert!((found - expected).abs() < 1e-4 * expected, "{found} and {expected}");
}

#[test]
fn inputs_are_found_by_name() {
    let x = small().array::<f32>("x").unwrap();
    let y: Vec<f32> = x.iter().flat_map(|row| [row[10], row[20], row[30], row[40]]).collect();
    let data = Data::new().with("y", &[4], y).unwrap().with("x", &[64], x.into_values()).unwrap();
    let model = Trainer::new(towards).epochs(200).quiet().fit(&data).unwrap();
    let loss = model.mean(towards, &data).unwrap().loss;
    assert!(loss < 0.1, "{loss}");
    let text = message(Trainer::new(towards).quiet().fit(&small()));
    assert!(text.contains("`y`") && text.contains("`x`"), "{text}");
}

#[test]
fn a_checkpoint_gives_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (model, test) = (trained(), digits().test);
    model.save(&path).unwrap();
    let loaded: Model = Model::load(&path).unwrap();
    assert_eq!(loaded.run(encode, &test).unwrap(), model.run(encode, &test).unwrap());
    assert_eq!(loaded.parameter("encode.dense0.weight").unwrap().shape(), [64, 4]);
    let resumed = Trainer::new(weighted).epochs(10).quiet().resume(loaded, &small()).unwrap();
    let (before, after) =
        (model.mean(weighted, &small()).unwrap(), resumed.mean(weighted, &small()).unwrap());
    assert!(after.loss < before.loss);
    let text = message(Model::<f32>::load(folder.path().join("missing.safetensors")));
    assert!(text.contains("missing.safetensors"), "{text}");
}

#[test]
fn two_networks_of_one_name_are_not_confused() {
    let model = trained();
    let text = message(model.mean(other::size, &small()));
    assert!(text.contains("encode") && text.contains("other"), "{text}");
    assert!(matches!(model.mean(other::size, &small()), Err(Error::Identity { .. })));
}

#[test]
fn inspecting_changes_nothing() {
    use diabolo::program::Root;
    let data = small();
    let fit = |quiet: Model| quiet.parameter("encode.dense0.weight").unwrap();
    let plain = fit(Trainer::new(weighted).epochs(1).quiet().fit(&data).unwrap());
    let looked = fit(Trainer::new(looked_into).epochs(1).quiet().fit(&data).unwrap());
    assert_eq!(plain, looked);
    let shown: Vec<&str> = looked_into().spec().unwrap().inspects.iter().map(|(name, _)| *name).collect();
    assert_eq!(shown, ["code", "recon"]);
}

#[test]
fn noise_follows_the_seed() {
    let model = trained();
    let draw = |seed: u64| model.clone().seed(seed).run(noise, &5usize).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_eq!(draw(1).shape(), [5, 3]);
    // Rows that are evaluated in pieces draw as if they were not.
    let long = model.run(noise, &1500usize).unwrap();
    assert_ne!(long.row(0).unwrap(), long.row(1024).unwrap());
}

#[test]
fn a_function_is_iterated() {
    let model = trained();
    let start = Array::new(&[3, 2], vec![8.0f32; 6]).unwrap();
    assert_eq!(model.iterate(halve, start, 3).unwrap().values(), [1.0; 6]);
}

#[test]
fn hyperparameters_and_rates_change_over_training() {
    let data = small();
    let mut training = Trainer::new(weighted).quiet().start(&data).unwrap();
    training.set("weight", 0.0).unwrap();
    assert_eq!(training.step().unwrap(), 0.0);
    let text = message(training.set("wieght", 1.0));
    assert!(text.contains("wieght") && text.contains("weight"), "{text}");
    // Annealed to nothing, and without a rate: nothing moves.
    let fit = |trainer: Trainer<weighted>| trainer.epochs(2).quiet().fit(&data).unwrap();
    let fresh = Model::<f32>::untrained(weighted, 0).unwrap().mean(weighted, &data).unwrap();
    let still = fit(Trainer::new(weighted).anneal("weight", |_| 0.0)).mean(weighted, &data).unwrap();
    assert_eq!(still, fresh);
    let rising =
        Trainer::new(weighted).schedule(Schedule::Linear { warmup: 1.0 }).batch(200).epochs(1).quiet();
    assert_eq!(rising.fit(&data).unwrap().mean(weighted, &data).unwrap(), fresh);
}

#[test]
fn clipping_bounds_the_gradient() {
    let data = small();
    let mut training = Trainer::new(weighted { weight: 100.0 }).clip_norm(0.5).quiet().start(&data).unwrap();
    training.step().unwrap();
    let norm = training.gradient().unwrap().iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    assert!((norm - 0.5).abs() < 1e-4, "{norm}");
}

#[test]
fn optimizers_differ_and_all_descend() {
    let data = small();
    let fresh = Model::<f32>::untrained(weighted, 0).unwrap().mean(weighted, &data).unwrap().loss;
    let sgd = Trainer::new(weighted).optimizer(Sgd { momentum: 0.9, ..Sgd::new(1e-3) });
    let losses = [
        sgd.epochs(5).quiet().fit(&data).unwrap().mean(weighted, &data).unwrap().loss,
        Trainer::new(weighted)
            .optimizer(AdamW::new(1e-3))
            .epochs(5)
            .quiet()
            .fit(&data)
            .unwrap()
            .mean(weighted, &data)
            .unwrap()
            .loss,
        Trainer::new(weighted)
            .optimizer(Adam::new(1e-3))
            .epochs(5)
            .quiet()
            .fit(&data)
            .unwrap()
            .mean(weighted, &data)
            .unwrap()
            .loss,
    ];
    assert!(losses.iter().all(|loss| *loss < fresh), "{losses:?} from {fresh}");
    assert!(losses[0] != losses[1] && losses[1] != losses[2]);
}

#[test]
fn adam_takes_the_step_of_the_paper() {
    // The first step of Adam is lr · g / (|g| + eps): every weight moves by the learning rate.
    let data = small();
    let mut training =
        Trainer::new(weighted).precision::<f64>().optimizer(Adam::new(0.01)).quiet().start(&data).unwrap();
    let before = training.model().unwrap().parameter("decode.dense0.weight").unwrap();
    training.step().unwrap();
    let after = training.model().unwrap().parameter("decode.dense0.weight").unwrap();
    let moved = before.values().iter().zip(after.values()).map(|(a, b)| (a - b).abs());
    // Pixels that are always 0 have no gradient.
    let (moved, still): (Vec<f64>, Vec<f64>) = moved.partition(|step| *step > 1e-9);
    assert!(moved.iter().all(|step| (step - 0.01).abs() < 1e-5) && moved.len() > 10 * still.len());
}

#[test]
fn mistakes_are_errors_that_name_the_thing() {
    let data = small();
    let wide = Data::new().with("x", &[65], vec![0.0f32; 650]).unwrap();
    let text = message(Trainer::new(weighted).quiet().fit(&wide));
    assert!(
        text.contains("`x`") && text.contains("64") && text.contains("65") && text.contains("training.rs"),
        "{text}"
    );
    assert!(message(Trainer::new(weighted).batch(0).quiet().fit(&data)).contains("batch"));
    assert!(message(Trainer::new(weighted).threads(0).quiet().fit(&data)).contains("threads"));
    assert!(message(Trainer::new(weighted).validation(1.5).quiet().fit(&data)).contains("1.5"));
    assert!(message(Trainer::new(weighted).anneal("beta", |t| t).quiet().fit(&data)).contains("`beta`"));
    let text = message(Trainer::new(explodes).quiet().fit(&data));
    assert!(text.contains("step 1") && text.contains("explodes"), "{text}");
    let text = message(trained().run(decode, &data));
    assert!(text.contains("`z`") && text.contains("`x`"), "{text}");
    assert!(message(trained().parameter("encode.weight")).contains("encode.dense0.weight"));
    let nan = Data::new().with("x", &[2], vec![0.0f32, 1.0, f32::NAN, 0.0]);
    assert!(message(nan).contains("row 1"));
    assert!(message(Data::new().with("x", &[2], Vec::<f32>::new())).contains("empty"));
}

#[test]
fn a_run_folder_has_a_line_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(folder.path(), "weighted").unwrap();
    Trainer::new(weighted).epochs(3).validation(0.1).record(&run).quiet().fit(&small()).unwrap();
    let lines = std::fs::read_to_string(run.path("metrics.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 3);
    assert!(
        lines.lines().all(|line| line.contains("\"recon\"") && line.contains("\"validation\"")),
        "{lines}"
    );
}
