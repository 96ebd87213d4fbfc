//! Training on a device, from the trainer down: on the emulator the same curve as on the processor, on a fake one launch a
//! step, and every failure an error.

mod model;

use diabolo::data::Data;
use diabolo::device::{Device, Precision};
use diabolo::kernels::cuda::driver::{Driver, Shared};
use diabolo::kernels::cuda::emulate::{Emulated, Emulator, Error as Emulation, Memory, Order};
use diabolo::kernels::cuda::error::Error as DeviceError;
use diabolo::kernels::cuda::fake::Fake;
use diabolo::kernels::cuda::training;
use diabolo::kernels::cuda::{Argument, Axis, Clock, Pointer, Product, Recorder, Space};
use diabolo::prelude::*;
use diabolo::projection::clip;
use diabolo::{EpochReport, Error, Model, Schedule, Training};
use std::sync::{Arc, Mutex};

use diabolo_cuda_tests::play_on;
use model::{Denoise, MOMENTUM, Momentum, SOURCE, Shrink, WIDTH};

const LOSS: Denoise = Denoise { lambda: 0.01, kernels: true };
const ROWS: usize = 70;

fn data() -> Data {
    let values = (0..ROWS * WIDTH).map(|i| ((i * 37 % 101) as f32 / 50.0) - 1.0).collect();
    Data::new().with("x", &[WIDTH], values).unwrap()
}

/// The emulator, or a word that there is none.
fn emulated(order: Order) -> Option<Device> {
    match Emulated::new(&[SOURCE, MOMENTUM, training::SOURCE], true, order) {
        Ok(driver) => Some(Device::on(driver)),
        Err(Emulation::NoCompiler(reason)) => {
            eprintln!("skipped: no C++ compiler ({reason})");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

type One = Trainer<Denoise, Momentum>;

/// Batches of 16 of 70 rows: the last of an epoch has 6.
fn trainer() -> One {
    Trainer::new(LOSS_OF).optimizer(Momentum { lr: 0.05 }).batch(16).epochs(3).seed(11).quiet()
}

const LOSS_OF: fn() -> Denoise = || LOSS;

fn near(found: f64, expected: f64) {
    let bound = 1e-5 * expected.abs().max(1.0);
    assert!((found - expected).abs() <= bound, "{found}, not {expected}");
}

fn same(found: &Model, expected: &Model) {
    for path in ["scale.weight", "scale.count"] {
        let [found, expected] = [found, expected].map(|model| model.parameter(path).unwrap().into_values());
        found.iter().zip(&expected).for_each(|(a, b)| near(f64::from(*a), f64::from(*b)));
    }
}

/// What every epoch reports.
fn reports(trainer: One) -> (Model, Vec<EpochReport>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let to = all.clone();
    let model = trainer.on_epoch(move |report| to.lock().unwrap().push(report.clone())).fit(&data()).unwrap();
    let all = std::mem::take(&mut *all.lock().unwrap());
    (model, all)
}

#[test]
fn the_curve_is_the_processors() {
    for order in [Order::Ascending, Order::Descending] {
        let Some(device) = emulated(order) else { return };
        let full = || {
            trainer()
                .schedule(Schedule::Cosine { warmup: 0.2 })
                .anneal("lambda", |share| 0.1 * share)
                .clip_norm(0.3)
                .validation(0.2)
        };
        let (expected, there) = reports(full());
        let (found, here) = reports(full().device(device));
        same(&found, &expected);
        assert_eq!(here.len(), 3);
        for (found, expected) in here.iter().zip(&there) {
            assert_eq!(found.step, expected.step);
            let (found, expected) = (found.parts(), expected.parts());
            assert_eq!(found.len(), 3);
            for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                assert!(*expected != 0.0, "{name}");
                near(*found, *expected);
            }
        }
        assert_eq!(found.parameter("scale.count").unwrap().values(), [12.0]);
    }
}

/// Loss, gradient and model after every step.
fn stepwise(mut training: Training<'_>) -> Vec<(f64, Vec<f32>, Model)> {
    let step = |training: &mut Training<'_>| {
        let loss = training.step().unwrap();
        (loss, training.gradient().unwrap().into_owned(), training.model().unwrap())
    };
    (0..7).map(|_| step(&mut training)).collect()
}

#[test]
fn every_step_can_be_looked_at() {
    let Some(device) = emulated(Order::Ascending) else { return };
    let data = data();
    let expected = stepwise(trainer().start(&data).unwrap());
    let found = stepwise(trainer().device(device).start(&data).unwrap());
    for (found, expected) in found.iter().zip(&expected) {
        near(found.0, expected.0);
        assert_eq!(found.1.len(), WIDTH);
        found.1.iter().zip(&expected.1).for_each(|(a, b)| near(f64::from(*a), f64::from(*b)));
        same(&found.2, &expected.2);
    }
}

#[test]
fn losses_take_turns_and_parameters_stay_in_their_set() {
    let Some(device) = emulated(Order::Ascending) else { return };
    let trainer = || {
        let shrink: fn() -> Shrink = || Shrink;
        let losses = (LOSS_OF, shrink);
        Trainer::alternate(losses)
            .optimizers((Momentum { lr: 0.05 }, Momentum { lr: 0.01 }))
            .every((1, 2))
            .project("scale.weight", clip(0.4))
            .batch(16)
            .epochs(2)
            .quiet()
    };
    let expected = trainer().fit(&data()).unwrap();
    let found = trainer().device(device).fit(&data()).unwrap();
    same(&found, &expected);
    assert!(found.parameter("scale.weight").unwrap().values().contains(&0.4), "the projection does nothing");
}

#[test]
fn a_model_is_trained_further() {
    let Some(device) = emulated(Order::Ascending) else { return };
    let first = trainer().fit(&data()).unwrap();
    let expected = trainer().resume(first.clone(), &data()).unwrap();
    same(&trainer().device(device).resume(first, &data()).unwrap(), &expected);
}

#[test]
fn a_step_is_one_launch() {
    let fake = Fake::new(1 << 30);
    let data = data();
    let mut training = trainer().device(Device::on(fake.clone())).start(&data).unwrap();
    // The first step of an epoch shows values, and the order of rows is new.
    training.step().unwrap();
    let mut calls = Vec::new();
    for _ in 1..training.steps_per_epoch() {
        let before = fake.record().count();
        training.step().unwrap();
        calls.push(fake.record().calls[before..].to_vec());
    }
    assert_eq!(calls, vec![vec!["replay", "read"]; 4]);
    assert_eq!(fake.record().calls.iter().filter(|call| *call == "allocate").count(), 1);
    let graphs: Vec<Vec<String>> = fake.record().graphs.values().cloned().collect();
    let step = ["gather_rows", "gradient", "sums", "count", "momentum", "copy", "end_of_step"];
    assert_eq!(graphs, vec![step.map(|kernel| format!("launch {kernel}")).to_vec(); 2]);
    drop(training);
    assert_eq!(fake.record().alive(), 0);
}

#[test]
fn training_does_not_wait_for_metrics() {
    let fake = Fake::new(1 << 30);
    let rows = 5000;
    let data = Data::new().with("x", &[WIDTH], vec![0.5f32; rows * WIDTH]).unwrap();
    let training = trainer().device(Device::on(fake.clone())).batch(16).epochs(1).start(&data).unwrap();
    let before = fake.record().count();
    training.finish().unwrap();
    let record = fake.record();
    let steps = |calls: &[String]| calls.iter().filter(|call| *call == "replay").count();
    let between: Vec<usize> = record.calls[before..].split(|call| call == "read").map(steps).collect();
    // The first step shows values; then the metrics are full; then the epoch and training end.
    assert_eq!(between, [0, 255, 57, 0, 0]);
}

#[test]
fn every_failure_is_an_error_and_nothing_is_kept() {
    let run = |fake: &Fake| {
        let data = data();
        let trainer = trainer().validation(0.3).project("scale.weight", clip(0.4)).clip_norm(1.0);
        let mut training = trainer.device(Device::on(fake.clone())).start(&data)?;
        for _ in 0..6 {
            training.step()?;
        }
        training.gradient()?;
        training.model().map(drop)
    };
    let fake = Fake::new(1 << 30);
    run(&fake).unwrap();
    let calls = fake.record().count();
    assert!(calls > 50, "{calls}");
    let lost = DeviceError::Lost { call: "cuGraphLaunch", code: 719 };
    for at in 0..calls {
        let fake = Fake::new(1 << 30);
        fake.record().fails = Some((at, lost.clone()));
        match run(&fake) {
            Err(Error::Device(error)) => assert_eq!(error, lost, "call {at}"),
            other => panic!("call {at}: {other:?}"),
        }
        assert_eq!(fake.record().alive(), 0, "call {at}: something is kept");
    }
}

#[test]
fn a_model_says_what_its_device_does_not_do() {
    let fresh = || Model::<f32>::untrained(LOSS_OF, 3).unwrap();
    let said = |model: Model| {
        let error = model.mean(LOSS_OF, &data()).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    };
    let fake = Fake::new(1 << 30);
    fresh().device(Device::on(fake.clone())).mean(LOSS_OF, &data()).unwrap();
    assert_eq!(fake.record().alive(), 0);
    let calls = fake.record().count();
    assert!(calls > 10, "{calls}");
    let lost = DeviceError::Lost { call: "cuLaunchKernel", code: 719 };
    for at in 0..calls {
        let fake = Fake::new(1 << 30);
        fake.record().fails = Some((at, lost.clone()));
        match fresh().device(Device::on(fake.clone())).mean(LOSS_OF, &data()) {
            Err(Error::Device(error)) => assert_eq!(error, lost, "call {at}"),
            other => panic!("call {at}: {other:?}"),
        }
        assert_eq!(fake.record().alive(), 0, "call {at}: something is kept");
    }
    let error = said(fresh().device(Device::on(Fake::new(1000))));
    assert!(error.starts_with("the device has not enough memory: "), "{error}");
    assert!(error.ends_with(" are wanted, 1000 bytes (1000.0 B) are free"), "{error}");
    assert_eq!(
        said(fresh().device(Device::cpu().precision(Precision::Bf16))),
        "the processor computes in float32: TF32 and bfloat16 are a GPU's"
    );
    let double = Model::<f64>::untrained(LOSS_OF, 3).unwrap().device(Device::on(Fake::new(1 << 30)));
    assert_eq!(
        double.mean(LOSS_OF, &data()).unwrap_err().to_string(),
        "a device computes in f32: take a model of f32, or leave out `device`"
    );
    let without: fn() -> Denoise = || Denoise { kernels: false, ..LOSS };
    let error = fresh().device(Device::on(Fake::new(1 << 30))).mean(without, &data()).unwrap_err();
    assert!(error.to_string().starts_with("`denoise` has no kernels for a device"), "{error}");
}

fn line(trainer: One) -> String {
    let error = trainer.fit(&data()).map(drop).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn what_cannot_run_on_a_device_is_said_before_training() {
    let on = |memory| Device::on(Fake::new(memory));
    assert_eq!(
        line(trainer().device(on(1000))),
        "the device has not enough memory: 7424 bytes (7.2 KiB) are wanted, 1000 bytes (1000.0 B) are free"
    );
    let error =
        trainer().device(on(1 << 20)).precision::<f64>().fit(&data()).map(drop).unwrap_err().to_string();
    assert_eq!(error, "a device computes in f32: leave out the trainer's `precision`, or `device`");
    let without: fn() -> Denoise = || Denoise { kernels: false, ..LOSS };
    let bare = Trainer::new(without).optimizer(Momentum { lr: 0.1 }).quiet();
    assert_eq!(
        line(bare.device(on(1 << 20))),
        "`denoise` has no kernels for a device: build diabolo with its feature `cuda`"
    );
    assert_eq!(
        line(trainer().device(Device::cpu().precision(Precision::Tf32))),
        "the processor computes in float32: TF32 and bfloat16 are a GPU's"
    );
    let error =
        trainer().device(on(1 << 20)).full_batch(diabolo::Lbfgs::new()).fit(&data()).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "`device` follows steps and epochs, and full_batch has none: leave it out");
}

#[test]
fn a_device_can_be_used_again() {
    let Some(device) = emulated(Order::Ascending) else { return };
    let expected = trainer().fit(&data()).unwrap();
    for _ in 0..2 {
        same(&trainer().device(device.clone()).fit(&data()).unwrap(), &expected);
    }
    assert_eq!(device.to_string(), "the emulator (sm_0, C++)");
}

/// What the suite does on a GPU, on the emulator through the same calls.
#[test]
fn a_tape_through_a_driver_is_the_same_tape() {
    let source = "extern \"C\" __global__ void draw(T *to, const Clock *clock, long long count) {\n    for (long long i = \
                  grid_start(); i < count; i += grid_step()) {\n        to[i] = random_normal(clock, 3u, i);\n    }\n}\n";
    let emulator = match Emulator::new(&[source], false) {
        Err(Emulation::NoCompiler(reason)) => return eprintln!("skipped: no C++ compiler ({reason})"),
        emulator => emulator.unwrap(),
    };
    let mut recorder = Recorder::default();
    let drawn = Argument::Output(Pointer::new(Space::Inputs));
    recorder.launch("draw", [2, 1, 1], 32, &[drawn, Argument::Clock, Argument::Size(300)]);
    let axis = |a, b, c| vec![Axis { size: 10, a, b, c }];
    recorder.product(Product {
        outer: vec![],
        m: axis(10, 0, 10),
        n: axis(0, 1, 1),
        k: axis(1, 10, 0),
        a: Pointer::new(Space::Inputs),
        b: Pointer { space: Space::Inputs, start: 100 },
        c: Pointer::new(Space::Param(0)),
        accumulate: true,
    });
    recorder.inspect(4, Pointer { space: Space::Param(0), start: 5 }, 3);
    let tape = recorder.finish();
    let spaces =
        [(Space::Inputs, vec![0.0; 300]), (Space::Param(0), vec![1.0; 100]), (Space::Param(1), vec![2.0; 3])];
    let clock = Clock { seed: 5 << 33, step: 7, first_row: 0 };
    let before = Memory { spaces: spaces.into_iter().collect(), clock };
    let (mut expected, mut found) = (before.clone(), before.clone());
    let shown = emulator.play(0, &tape, &mut expected, Order::Ascending).unwrap();
    let driver = Shared::new(Emulated::new(&[source], false, Order::Ascending).unwrap());
    assert_eq!(play_on(&driver, source, &tape, &mut found).unwrap(), shown);
    assert_eq!(found, expected);
    assert_ne!(found, before);
}

/// A driver may be boxed, so that a program chooses one when it runs.
#[test]
fn drivers_are_objects() {
    fn takes(_: Box<dyn Driver>) {}
    takes(Box::new(Fake::new(1)));
}
