//! Several losses in turn: who is stepped when, on what, and what each one changes.

use std::sync::{Arc, Mutex};

use diabolo::data::{Array, Data, digits};
use diabolo::nn::{dense, gradient_penalty, squared_error};
use diabolo::prelude::*;
use diabolo::program::Root;
use diabolo::projection::clip;
use diabolo::report::Run;
use diabolo::{Error, Losses, Optimizers};

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 4> {
    tanh(dense(x, 4))
}

#[decoder]
fn decode(z: Tensor<B, 4>) -> Tensor<B, 64> {
    dense(z, 64)
}

#[network]
fn critic(z: Tensor<B, 4>) -> Tensor<B> {
    squeeze(dense(relu(dense(z, 8)), 1))
}

/// The mean of 1 tells how many rows were seen; noise makes its streams visible.
#[loss(trains(encode, decode))]
fn reconstruct(x: Tensor<B, 64>, #[default(1.0)] weight: f32) -> Tensor<B> {
    let recon = squared_error(decode(encode(x)), x);
    let noise: Tensor<B> = normal();
    weight * recon + 0.0 * noise
}

#[loss(trains(critic))]
fn discriminate(x: Tensor<B, 64>, #[default(0.5)] gp: f32) -> Tensor<B> {
    let prior: Tensor<B, 4> = normal();
    let real = softplus(-critic(prior));
    let noise: Tensor<B> = normal();
    real + softplus(critic(encode(x))) + gp * square(critic(prior)) + 0.0 * noise
}

#[loss(trains(encode))]
fn deceive(x: Tensor<B, 64>) -> Tensor<B> {
    softplus(-critic(encode(x)))
}

fn small() -> Data {
    digits().train.take(200).unwrap()
}

fn values<F: diabolo::kernels::Float>(model: &Model<F>) -> Vec<(String, Vec<u64>)> {
    let bits = |path: &str| {
        let array = model.parameter(path).unwrap();
        array.values().iter().map(|v| v.to_f64().to_bits()).collect()
    };
    model.parameters().map(|(path, _)| (path.to_owned(), bits(path))).collect()
}

/// The networks whose parameters differ between two models.
fn changed(before: &Model, after: &Model) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for ((path, a), (_, b)) in values(before).into_iter().zip(values(after)) {
        let name = path.split('.').next().unwrap_or_default().to_owned();
        if a != b && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[test]
fn one_loss_in_turn_is_one_loss_alone() {
    let data = small();
    let alone = Trainer::new(reconstruct).clip_norm(5.0).validation(0.1).epochs(3).batch(64).seed(3).quiet();
    let turn =
        Trainer::alternate((reconstruct,)).clip_norm(5.0).validation(0.1).epochs(3).batch(64).seed(3).quiet();
    let schedule = Schedule::Cosine { warmup: 0.2 };
    let alone = alone.schedule(schedule).anneal("weight", |t| 0.5 + t).fit(&data).unwrap();
    let turn = turn.schedule(schedule).anneal("weight", |t| 0.5 + t).fit(&data).unwrap();
    assert_eq!(values(&alone), values(&turn));
}

#[test]
fn every_counts_and_each_step_changes_its_own_networks() {
    let data = small();
    let mut training = Trainer::alternate((reconstruct, discriminate, deceive))
        .optimizers((Adam::new(1e-3), Sgd::new(1e-2), Lion::new(1e-4)))
        .every((1, 5, 2))
        .batch(64)
        .quiet()
        .start(&data)
        .unwrap();
    assert_eq!(training.steps_per_epoch(), 4 * 8);
    let mut names = Vec::new();
    for _ in 0..16 {
        let (name, before) = (training.next_loss(), training.model().unwrap());
        training.step().unwrap();
        names.push(name);
        let expected: &[&str] = match name {
            "reconstruct" => &["encode", "decode"],
            "discriminate" => &["critic"],
            _ => &["encode"],
        };
        let mut found = changed(&before, &training.model().unwrap());
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(found, expected, "{name}");
    }
    let round =
        ["reconstruct", "discriminate", "discriminate", "discriminate", "discriminate", "discriminate"];
    let round = [&round[..], &["deceive", "deceive"]].concat();
    assert_eq!(names, [round.clone(), round].concat());
}

/// What a loss saw, in order.
#[loss(trains(scale))]
fn first(x: Tensor<B, 1>) -> Tensor<B> {
    let seen = squeeze(x);
    seen + 0.0 * squeeze(x * scale())
}

#[loss(trains(scale))]
fn second(x: Tensor<B, 1>) -> Tensor<B> {
    let seen = squeeze(x);
    let drawn: Tensor<B> = normal();
    seen + 0.0 * squeeze(x * scale()) + 0.0 * drawn
}

#[loss(trains(scale))]
fn drawing(x: Tensor<B, 1>) -> Tensor<B> {
    let drawn: Tensor<B> = normal();
    drawn + 0.0 * squeeze(x * scale())
}

#[loss(trains(scale))]
fn drawing_too(x: Tensor<B, 1>) -> Tensor<B> {
    let drawn: Tensor<B> = normal();
    drawn + 0.0 * squeeze(x * scale())
}

#[network]
fn scale() -> Tensor<1> {
    param(ones())
}

#[test]
fn each_loss_sees_every_row_as_often_as_it_says() {
    let rows: Vec<f64> = (0..10).map(|i| f64::from(1u16 << i)).collect();
    let data = Data::new().with("x", &[1], rows).unwrap();
    // Batches of one row: the loss is the row, and sums of powers of two tell which were seen.
    let mut training = Trainer::alternate((first, second))
        .precision::<f64>()
        .every((1, 3))
        .batch(1)
        .quiet()
        .start(&data)
        .unwrap();
    for _ in 0..2 {
        let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
        for _ in 0..training.steps_per_epoch() {
            let name = training.next_loss();
            let seen = training.step().unwrap();
            if name == "first" { firsts.push(seen) } else { seconds.push(seen) }
        }
        assert_eq!((firsts.len(), seconds.len()), (10, 30));
        assert_eq!(firsts.iter().sum::<f64>(), 1023.0);
        // Three passes, each in an order of its own, and not that of the other loss.
        let passes: Vec<&[f64]> = seconds.chunks(10).collect();
        assert!(passes.iter().all(|pass| pass.iter().sum::<f64>() == 1023.0));
        assert!(passes[0] != passes[1] && passes[0] != firsts.as_slice());
    }
}

#[test]
fn each_loss_has_noise_of_its_own() {
    let data = Data::new().with("x", &[1], vec![0.0f32; 8]).unwrap();
    let mut training = Trainer::alternate((drawing, drawing_too)).batch(8).quiet().start(&data).unwrap();
    let drawn: Vec<f64> = (0..6).map(|_| training.step().unwrap()).collect();
    for (i, a) in drawn.iter().enumerate() {
        assert!(drawn[..i].iter().all(|b| a != b), "{drawn:?}");
    }
    // The first loss draws what it draws alone.
    let mut alone = Trainer::new(drawing).batch(8).quiet().start(&data).unwrap();
    assert_eq!(alone.step().unwrap(), drawn[0]);
    assert_eq!(alone.step().unwrap(), drawn[2]);
}

#[test]
fn parts_are_named_by_their_loss() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::create(folder.path(), "adversarial").unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&seen);
    let model = Trainer::alternate((reconstruct, discriminate, deceive))
        .optimizers((Adam::new(1e-3), Adam::new(2e-4), Adam::new(2e-4)))
        .every((1, 2, 1))
        .epochs(3)
        .validation(0.2)
        .record(&run)
        .on_epoch(move |report| reports.lock().unwrap().push(report.clone()))
        .quiet()
        .fit(&small())
        .unwrap();
    let reports = seen.lock().unwrap();
    let names: Vec<String> = reports[0].parts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "reconstruct",
            "reconstruct.recon",
            "reconstruct.noise",
            "reconstruct.validation",
            "discriminate",
            "discriminate.real",
            "discriminate.noise",
            "discriminate.validation",
            "deceive",
            "deceive.validation",
        ]
    );
    assert_eq!(reports.len(), 3);
    // 160 rows are two batches; so two rounds of four steps.
    assert_eq!(reports.iter().map(|report| report.step).collect::<Vec<_>>(), [8, 16, 24]);
    let lines = std::fs::read_to_string(run.path("metrics.jsonl")).unwrap();
    assert!(lines.lines().count() == 3 && lines.contains("\"discriminate.real\""), "{lines}");
    let means = model.mean(reconstruct, &small()).unwrap();
    assert!(means.loss.is_finite() && means.part("recon").is_some());
}

#[test]
fn settings_follow_each_loss() {
    let data = small();
    let trainer =
        || Trainer::alternate((reconstruct, discriminate)).every((1, 3)).epochs(2).batch(50).quiet();
    let mut training = trainer().start(&data).unwrap();
    training.set("reconstruct.weight", 0.0).unwrap();
    assert_eq!(training.step().unwrap(), 0.0);
    let text = training.set("gp", 1.0).unwrap_err().to_string();
    assert!(text.contains("`discriminate.gp`") && text.contains("`reconstruct.weight`"), "{text}");
    // Each loss goes from 0 to the end of training by its own steps.
    let shares = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&shares);
    let gp = move |share: f64| {
        noted.lock().unwrap().push(share);
        share
    };
    trainer().anneal("discriminate.gp", gp).fit(&data).unwrap();
    let shares = shares.lock().unwrap();
    assert_eq!(shares.len(), 2 * 4 * 3);
    assert!(
        shares.iter().enumerate().all(|(i, share)| (share - i as f64 / 24.0).abs() < 1e-12),
        "{shares:?}"
    );
    // Without a rate nothing moves, in either loss.
    let still = Model::<f32>::untrained(reconstruct, 0).unwrap();
    let rising = trainer().batch(200).epochs(1).every((1, 1)).schedule(Schedule::Linear { warmup: 1.0 });
    assert_eq!(changed(&still, &rising.fit(&data).unwrap()), Vec::<String>::new());
    let mut clipped = trainer().clip_norm(1e-3).start(&data).unwrap();
    for _ in 0..4 {
        clipped.step().unwrap();
        let norm = clipped.gradient().unwrap().iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        assert!(norm < 1.001e-3, "{norm}");
    }
}

#[test]
fn training_goes_on_from_a_model() {
    let data = small();
    let trainer = || Trainer::alternate((reconstruct, discriminate, deceive)).epochs(5).quiet();
    let first = trainer().fit(&data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    first.save(&path).unwrap();
    let resumed = trainer().resume(Model::load(&path).unwrap(), &data).unwrap();
    let (before, after) =
        (first.mean(reconstruct, &data).unwrap(), resumed.mean(reconstruct, &data).unwrap());
    assert!(after.loss < before.loss, "{after} after {before}");
}

#[test]
fn what_no_loss_trains_is_said() {
    let data = small();
    let adversaries = Trainer::alternate((discriminate, deceive)).quiet().start(&data).unwrap();
    assert!(adversaries.untrained().is_empty(), "{:?}", adversaries.untrained());
    let alone = Trainer::new(discriminate).quiet().start(&data).unwrap();
    assert_eq!(alone.untrained(), ["encode.dense0.weight", "encode.dense0.bias"]);
}

#[test]
fn mistakes_are_errors_that_name_the_loss() {
    let data = small();
    let message = |result: diabolo::Result<Model>| match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };
    let text = message(Trainer::alternate((reconstruct, reconstruct)).quiet().fit(&data));
    assert!(text.contains("`reconstruct` stands twice"), "{text}");
    let text = message(Trainer::alternate((reconstruct, deceive)).every((1, 0)).quiet().fit(&data));
    assert!(text.contains("every") && text.contains("`deceive`"), "{text}");
    let text = message(Trainer::alternate((reconstruct, first)).quiet().fit(&data));
    assert!(text.contains("`x`") && text.contains("first"), "{text}");
    let wrong = Trainer::alternate((reconstruct, deceive)).anneal("deceive.gp", |t| t).quiet().fit(&data);
    assert!(matches!(wrong, Err(Error::Unknown { .. })));
}

/// Six of them, and one optimizer for all.
#[test]
fn up_to_eight_losses() {
    fn fits<L: Losses, O: Optimizers<L>>(_: &Trainer<L, O>) {}
    let six = Trainer::alternate((reconstruct, discriminate, deceive, six::a, six::b, six::c));
    fits(&six);
    let model = six.optimizer(Sgd::new(1e-3)).epochs(1).quiet().fit(&small()).unwrap();
    assert!(model.mean(six::c, &small()).unwrap().loss.is_finite());
}

mod six {
    use super::encode;
    use diabolo::prelude::*;

    #[loss]
    pub fn a(x: Tensor<B, 64>) -> Tensor<B> {
        sum_squares(encode(x))
    }

    #[loss]
    pub fn b(x: Tensor<B, 64>) -> Tensor<B> {
        sum(encode(x))
    }

    #[loss]
    pub fn c(x: Tensor<B, 64>) -> Tensor<B> {
        -sum(encode(x))
    }
}

/// A critic between N(2, 1) and the noise of a generator that shifts N(0, 1).
#[network]
fn potential(x: Tensor<B, 1>) -> Tensor<B> {
    squeeze(dense(relu(dense(x, 16)), 1))
}

#[network]
fn shift() -> Tensor<1> {
    param(zeros())
}

#[function]
fn generate() -> Tensor<B, 1> {
    let z: Tensor<B, 1> = normal();
    z + shift()
}

#[loss(trains(potential))]
fn critic_loss(x: Tensor<B, 1>, #[default(10.0)] gp: f32) -> Tensor<B> {
    let z: Tensor<B, 1> = normal_like(x);
    let made = z + shift();
    let distance = potential(x) - potential(made);
    gp * gradient_penalty(potential, x, made) - distance
}

/// Its slope is bounded by clipping, so that it can turn: a two-sided penalty would hold it.
#[loss(trains(potential))]
fn clipped_critic(x: Tensor<B, 1>) -> Tensor<B> {
    potential(normal_like(x) + shift()) - potential(x)
}

#[loss(trains(shift))]
fn generator_loss(x: Tensor<B, 1>) -> Tensor<B> {
    let z: Tensor<B, 1> = normal_like(x);
    -potential(z + shift())
}

fn normal_data(mean: f32) -> Data {
    let draws = Model::<f32>::untrained(standard, 5).unwrap().run(standard, &512usize).unwrap();
    let shifted = draws.values().iter().map(|v| v + mean).collect::<Vec<_>>();
    Data::new().with("x", &[1], shifted).unwrap()
}

#[function]
fn standard() -> Tensor<B, 1> {
    normal()
}

#[test]
fn a_wasserstein_critic_has_the_right_sign_and_scale() {
    let data = normal_data(2.0);
    let model = Trainer::new(critic_loss)
        .optimizer(Adam::new(5e-3))
        .batch(128)
        .epochs(100)
        .quiet()
        .fit(&data)
        .unwrap();
    // The distance of N(2, 1) and N(0, 1) is 2.
    let distance = model.mean(critic_loss, &data).unwrap().part("distance").unwrap();
    assert!((1.6..2.4).contains(&distance), "{distance}");
}

#[test]
fn a_tiny_adversary_finds_the_mean() {
    let data = normal_data(2.0);
    let model = Trainer::alternate((clipped_critic, generator_loss))
        .optimizers((RmsProp::new(5e-3), Sgd::new(0.2)))
        .every((5, 1))
        .project(potential, clip(0.2))
        .batch(128)
        .epochs(100)
        .quiet()
        .fit(&data)
        .unwrap();
    let found = model.parameter("shift.weight").unwrap().values()[0];
    assert!((found - 2.0).abs() < 0.15, "{found}");
}

/// Steps of Langevin's walk on the score of N(0, 1).
#[function]
fn walk(x: Tensor<B, 1>, step: f32) -> Tensor<B, 1> {
    x - step * x + sqrt(2.0 * step) * normal_like(x)
}

#[test]
fn an_iterated_function_draws_anew_at_every_turn() {
    let model = Model::<f32>::untrained(standard, 1).unwrap();
    let start = || Array::new(&[400, 1], vec![5.0f32; 400]).unwrap();
    let end = model.iterate(walk { step: 0.1 }, start(), 200).unwrap();
    let (n, sum): (f64, f64) = (400.0, end.values().iter().map(|v| f64::from(*v)).sum());
    let mean = sum / n;
    let variance = end.values().iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    // Of the walk with a finite step: 1 / (1 - step / 2). The same noise at every turn would give 2 / step.
    assert!(mean.abs() < 0.2 && (variance - 1.0 / 0.95).abs() < 0.3, "{mean} {variance}");
    let one = model.iterate(walk { step: 0.1 }, start(), 1).unwrap();
    assert_ne!(one, end);
    assert_eq!(walk { step: 0.1 }.spec().unwrap().name, "walk");
}
