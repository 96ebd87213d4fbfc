//! Models as users write them, trained on the emulator (and on a GPU, where there is one) and on the processor: the same
//! noise, the same order of rows, the same curve of the loss over a hundred steps, within [`CURVE`].

use std::sync::{Arc, Mutex};

use diabolo::data::{Array, Data};
use diabolo::device::Precision;
use diabolo::kernels::cuda::emulate::{Emulated, Error as Emulation, Order};
use diabolo::kernels::cuda::fake::Fake;
use diabolo::kernels::cuda::training;
use diabolo::nn::{
    adam, adamw, batch_norm, bce_with_logits, conv, dense, dropout, gru, kl_normal, lion, nesterov, rmsprop,
    sgd, squared_error,
};
use diabolo::prelude::*;
use diabolo::program::{Loss, Root};
use diabolo::{Device, EpochReport, IntoLosses, Losses, Optimizers, Training};
use diabolo_cuda_tests::gpu;

/// Losses agree relative to their size: rounding differs in the order of sums, and training makes it grow.
const CURVE: f64 = 1e-3;
/// Before training has made it grow.
const FIRST: f64 = 1e-5;
const STEPS: usize = 100;

#[encoder]
fn encode(x: Tensor<B, 64>) -> (Tensor<B, 6>, Tensor<B, 6>) {
    let h = relu(dense(x, 32));
    (dense(h, 6), dense(h, 6))
}

#[decoder]
fn decode(z: Tensor<B, 6>) -> Tensor<B, 64> {
    dense(tanh(dense(z, 32)), 64)
}

/// Noise, two parts, a hyperparameter.
#[loss]
fn variational(x: Tensor<B, 64>, #[default(0.5)] beta: f32) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);
    let kl = kl_normal(mean, logvar);
    recon + beta * kl
}

#[encoder]
fn squash(x: Tensor<B, 64>) -> Tensor<B, 12> {
    sigmoid(dense(x, 12))
}

#[decoder]
fn unsquash(z: Tensor<B, 12>) -> Tensor<B, 64> {
    dense(z, 64)
}

/// A derivative inside of the loss.
#[loss]
fn contractive(x: Tensor<B, 64>, #[default(0.05)] lambda: f32) -> Tensor<B> {
    squared_error(unsquash(squash(x)), x) + lambda * sum_squares(jacobian(squash, x))
}

#[encoder]
fn picture(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let image: Tensor<B, 1, 8, 8> = reshape(x);
    let h = relu(batch_norm(conv(image, channels = 4, kernel = 3, stride = 2, padding = 1)));
    dense(dropout(flatten(h), 0.2), 8)
}

#[decoder]
fn draw(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 24)), 64)
}

/// Windows, statistics of the batch with their states, dropout.
#[loss]
fn convolutional(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(draw(picture(x)), x)
}

#[encoder]
fn sparse_code(x: Tensor<B, 64>) -> Tensor<B, 96> {
    top_k(relu(dense(x, 96)), 6)
}

#[decoder]
fn from_sparse(z: Tensor<B, 96>) -> Tensor<B, 64> {
    dense(z, 64)
}

/// Selection, and sums that follow an index.
#[loss]
fn sparse(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(from_sparse(sparse_code(x)), x)
}

#[encoder]
fn read(x: Tensor<B, 64>) -> Tensor<B, 10> {
    let rows: Tensor<B, 8, 8> = reshape(x);
    last(gru(rows, 10))
}

#[decoder]
fn write_rows(z: Tensor<B, 10>) -> Tensor<B, 64> {
    dense(z, 64)
}

/// A loop over steps.
#[loss]
fn recurrent(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(write_rows(read(x)), x)
}

#[network]
fn critic(z: Tensor<B, 6>) -> Tensor<B> {
    squeeze(dense(relu(dense(z, 16)), 1))
}

#[loss(trains(critic))]
fn discriminate(x: Tensor<B, 64>) -> Tensor<B> {
    let (mean, _logvar) = encode(x);
    softplus(-critic(normal_like(mean))) + softplus(critic(mean))
}

/// The digits that training sees; 300 of them, so that an epoch is short.
fn digits() -> Data {
    let all = diabolo::data::digits().train;
    let values = all.array::<f32>("x").unwrap().into_values();
    Data::new().with("x", &[64], values[..300 * 64].to_vec()).unwrap()
}

/// The texts that a loss needs.
fn texts(loss: &impl Loss) -> Vec<&'static str> {
    let programs = [loss.train_cuda(), loss.evaluate_cuda()];
    programs.map(|program| program.expect("it is built with the feature `cuda`").source).to_vec()
}

/// The emulator, or a word that there is none.
fn emulated(sources: Vec<&'static str>) -> Option<Device> {
    emulator(sources, Order::Ascending).map(Device::on)
}

fn emulator(mut sources: Vec<&'static str>, order: Order) -> Option<Emulated> {
    let updates = [
        adam::update_cuda(),
        adamw::update_cuda(),
        lion::update_cuda(),
        sgd::update_cuda(),
        nesterov::update_cuda(),
    ];
    sources
        .extend(updates.into_iter().chain([rmsprop::update_cuda()]).flatten().map(|program| program.source));
    sources.push(training::SOURCE);
    match Emulated::new(&sources, false, order) {
        Ok(driver) => Some(driver),
        Err(Emulation::NoCompiler(reason)) => {
            eprintln!("skipped: no C++ compiler ({reason})");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn curve<L: Losses, O: Optimizers<L>>(trainer: Trainer<L, O>) -> (Vec<f64>, Model) {
    let data = digits();
    let mut training: Training<'_> = trainer.batch(64).epochs(20).seed(3).quiet().start(&data).unwrap();
    let losses = (0..STEPS).map(|_| training.step().unwrap()).collect();
    (losses, training.model().unwrap())
}

/// Trains both ways and compares losses, and the parameters at the end.
fn compare<L: Losses, O: Optimizers<L>>(texts: Vec<&'static str>, trainer: impl Fn() -> Trainer<L, O>) {
    let (expected, there) = curve(trainer());
    let gpu = gpu().map(|driver| Device::shared(driver.clone()));
    for device in emulated(texts).into_iter().chain(gpu) {
        let (found, here) = curve(trainer().device(device));
        agree((&found, &here), (&expected, &there));
    }
}

fn agree((found, here): (&[f64], &Model), (expected, there): (&[f64], &Model)) {
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        let bound = if step < 3 { FIRST } else { CURVE } * expected.abs();
        assert!((found - expected).abs() <= bound, "step {step}: {found}, not {expected}");
    }
    assert!(expected[STEPS - 1] < 0.9 * expected[0], "nothing is learned: {expected:?}");
    for (path, _) in there.parameters() {
        let [found, expected] = [here, there].map(|model| model.parameter(path).unwrap().into_values());
        let difference: f64 = found.iter().zip(&expected).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let size: f64 = expected.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert!(difference <= 1e-4 * size + 1e-8, "{path}: {difference} of {size}");
    }
}

fn of<L: Loss>(loss: L) -> (Vec<&'static str>, L) {
    (texts(&loss), loss)
}

macro_rules! trains {
    ($name:ident, $loss:expr, $optimizer:expr) => {
        #[test]
        fn $name() {
            let (texts, _) = of($loss);
            compare(texts, || Trainer::new(|| $loss).optimizer($optimizer));
        }
    };
}
trains!(a_variational_autoencoder, variational { beta: 0.5 }, Adam::new(1e-3));
trains!(a_contractive_autoencoder, contractive { lambda: 0.05 }, RmsProp::new(1e-3));
// The gradient of a bias before batch_norm is nothing but rounding, which an adaptive rate would make as large as any other.
trains!(a_convolutional_autoencoder, convolutional {}, Sgd { momentum: 0.9, ..Sgd::new(1e-3) });
trains!(a_sparse_autoencoder, sparse {}, AdamW::new(1e-3));
trains!(a_recurrent_autoencoder, recurrent {}, Nesterov::new(1e-3));

/// A library gets what kernels of ours would compute: the same factors, column-major and, in bfloat16, copied.
#[test]
fn a_library_computes_the_products() {
    let trainer = || Trainer::new(variational).optimizer(Adam::new(1e-3));
    let texts = || texts(&variational { beta: 0.5 });
    let (processor, model) = curve(trainer());
    for order in [Order::Ascending, Order::Descending] {
        let with = |library: bool, precision| {
            let driver = emulator(texts(), order)?;
            let driver = if library { driver.with_library(8) } else { driver };
            Some(curve(trainer().device(Device::on(driver).precision(precision))))
        };
        let Some((plain, other)) = with(true, Precision::Float32) else { return };
        agree((&plain, &other), (&processor, &model));
        let Some((copied, _)) = with(true, Precision::Bf16) else { return };
        let Some((rounded, _)) = with(false, Precision::Bf16) else { return };
        // A sum in another order may round to another bfloat16, which is 1/256 off; between float32 and bfloat16 all of them are.
        let off = |step: usize, other: &[f64]| (copied[step] / other[step] - 1.0).abs();
        let worst = (0..STEPS).map(|step| off(step, &rounded)).fold(0.0, f64::max);
        let between = (0..STEPS).map(|step| off(step, &plain)).fold(0.0, f64::max);
        assert!(worst <= CURVE, "{worst}");
        assert!(between > 2.0 * worst, "{between} and {worst}");
    }
}

#[test]
fn an_adversary() {
    let losses = || (variational { beta: 0.1 }, discriminate {});
    let all = [texts(&losses().0), texts(&losses().1)].concat();
    compare(all, || {
        let first: fn() -> variational = || variational { beta: 0.1 };
        let second: fn() -> discriminate = || discriminate {};
        trainer_of((first, second)).optimizers((Adam::new(1e-3), Lion::new(1e-4))).every((2, 1))
    });
}

fn trainer_of<I: IntoLosses>(losses: I) -> Trainer<I::Losses> {
    Trainer::alternate(losses)
}

/// A sample and its code, by row; and a value that has no rows.
#[function]
fn sampled(x: Tensor<B, 64>) -> (Tensor<B, 64>, Tensor<B, 6>, Tensor<6>) {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    (sigmoid(decode(z)), z, square(range(6)))
}

/// A step with fresh numbers.
#[function]
fn walk(z: Tensor<B, 6>) -> Tensor<B, 6> {
    0.9 * z + 0.3 * normal_like(z)
}

/// Two pieces, the second of which draws the numbers of its own rows; a loss with its parts; turns with numbers of their own.
#[test]
fn a_model_runs_on_a_device_as_on_the_processor() {
    let all = diabolo::data::digits().train.array::<f32>("x").unwrap().into_values();
    let rows = 4096 + 300;
    let values = all.iter().cycle().take(rows * 64).copied().collect();
    let data = Data::new().with("x", &[64], values).unwrap();
    let model: Model = Model::untrained(variational, 7).unwrap().seed(5);
    let (x, z, still) = model.run(sampled, &data).unwrap();
    let means = model.mean(variational, &data).unwrap();
    let walked = model.iterate(walk, z.clone(), 3).unwrap();
    let programs = [Root::evaluate_cuda(&sampled {}), Root::evaluate_cuda(&walk {})];
    let mut texts = texts(&variational { beta: 0.5 });
    texts.extend(programs.map(|program| program.expect("it is built with the feature `cuda`").source));
    let near = |found: &Array<f32>, expected: &Array<f32>| {
        assert_eq!(found.shape(), expected.shape());
        for (e, (a, b)) in found.values().iter().zip(expected.values()).enumerate() {
            assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "element {e}: {a}, not {b}");
        }
    };
    let gpu = gpu().map(|driver| Device::shared(driver.clone()));
    for device in emulated(texts).into_iter().chain(gpu) {
        let model = model.clone().device(device);
        let found = model.run(sampled, &data).unwrap();
        near(&found.0, &x);
        near(&found.1, &z);
        near(&found.2, &still);
        let found = model.mean(variational, &data).unwrap();
        assert_eq!(found.parts.len(), 2);
        for ((name, found), (_, expected)) in found.parts.iter().zip(&means.parts) {
            assert!((found - expected).abs() <= FIRST * expected.abs(), "{name}: {found}, not {expected}");
        }
        assert!((found.loss - means.loss).abs() <= FIRST * means.loss.abs());
        near(&model.iterate(walk, z.clone(), 3).unwrap(), &walked);
    }
}

/// The gradients of weights stand beside the way back through the layers, not in it.
#[test]
fn a_step_waits_for_less_than_it_launches() {
    let fake = Fake::new(1 << 30);
    fake.record().takes = true; // each product is one launch
    let trainer = Trainer::new(variational).batch(64).quiet().device(Device::on(fake.clone()));
    let data = digits();
    let training = trainer.start(&data).unwrap();
    let waits = fake.record().waits.clone();
    let mut depth: Vec<usize> = Vec::new();
    for before in &waits {
        depth.push(1 + before.iter().map(|step| depth[*step]).max().unwrap_or(0));
    }
    assert_eq!((waits.len(), depth.last(), depth.iter().max()), (29, Some(&19), Some(&19)), "{waits:?}");
    drop(training);
}

/// Evaluated in pieces of 1024 rows, the second of which draws the numbers of its own rows.
#[test]
fn validation_draws_the_same_noise() {
    let Some(device) = emulated(texts(&variational { beta: 0.5 })) else { return };
    let data = diabolo::data::digits().train;
    assert!(data.rows() as f64 * 0.4 > 1100.0, "one piece");
    let validation = |device: Device| {
        let found = Arc::new(Mutex::new(Vec::new()));
        let to = found.clone();
        let trainer = Trainer::new(variational).batch(512).epochs(1).validation(0.4).quiet().device(device);
        let listener = move |report: &EpochReport| {
            to.lock().unwrap().extend(report.losses[0].validation.as_ref().map(|means| means.loss));
        };
        trainer.on_epoch(listener).fit(&data).unwrap();
        let found = found.lock().unwrap().clone();
        found[0]
    };
    let (found, expected) = (validation(device), validation(Device::cpu()));
    assert!((found - expected).abs() <= FIRST * expected, "{found}, not {expected}");
}
