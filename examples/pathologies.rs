//! Three silent failures of an autoencoder, and the figure that tells each.
//!
//! Mean output: the code is drowned in noise, and every answer is the mean image; it explains none of the variance,
//! 1 − ‖x − x̂‖² / ‖x − x̄‖². Weight sharing: from equal first weights, units stay equal for ever (Rumelhart et al. 1986),
//! and the code has fewer dimensions than numbers. Unseen data: digits that were never trained on are rebuilt badly, which
//! also finds them: a model of one digit tells it from the nine others by the error (AUROC: Hanley and McNeil 1982).
//! Look at what is detected, and at the two pictures. The training loss alone falls in every case.

use std::fmt;

use common::{Defaults, Flags, Study};
use diabolo::baseline::{Pca, mean_image_error};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    dense(relu(dense(x, 128)), 8)
}

#[decoder]
pub fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128)), 64)
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(encode(x))
}

/// ‖x − x̂‖², image by image.
#[function]
pub fn errors(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(reconstruct(x), x)
}

/// The share of an image that is lost: errors of faint and of bold digits compare.
#[function]
pub fn lost(x: Tensor<B, 64>) -> Tensor<B> {
    errors(x) / max(sum_squares(x), 1e-6)
}

#[loss]
pub fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
    errors(x)
}

/// A code under noise of variance 1 that is not allowed to stand out from it.
#[loss]
pub fn drowned(x: Tensor<B, 64>, #[default(100.0)] weight: f32) -> Tensor<B> {
    let z = encode(x);
    squared_error(decode(z + normal_like(z)), x) + weight * sum_squares(z)
}

/// Units that start alike, and have nothing to tell them apart by.
#[encoder]
pub fn alike_encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    let h = relu(dense(x, 128, bias = false, init = constant(0.02)));
    dense(h, 8, bias = false, init = constant(0.02))
}

#[decoder]
pub fn alike_decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128, bias = false, init = constant(0.02))), 64, init = constant(0.02))
}

#[function]
pub fn alike_reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    alike_decode(alike_encode(x))
}

#[function]
pub fn alike_errors(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(alike_reconstruct(x), x)
}

#[loss]
pub fn alike(x: Tensor<B, 64>) -> Tensor<B> {
    alike_errors(x)
}

/// The figures that tell the failures.
#[derive(Clone, Copy, Debug)]
pub struct Diagnosis {
    /// The share of the variance of the images that the reconstructions explain.
    pub explained: f64,
    /// The numbers of the code.
    pub width: usize,
    /// The dimensions of the code: eigenvalues of its covariance above a millionth of the largest.
    pub dimensions: usize,
    /// The share of the images whose error is above that of 99 in 100 training images.
    pub beyond: f64,
}

impl Diagnosis {
    /// From the codes, and from the errors of training images and of others.
    pub fn of(
        codes: &Array<f32>,
        trained: &Array<f32>,
        others: &Array<f32>,
        mean_image: f64,
    ) -> diabolo::Result<Diagnosis> {
        let width = codes.values().len() / codes.rows();
        let covariance = Pca::fit(&Data::from_array("z", codes.clone())?, "z", width)?;
        let largest = covariance.eigenvalues()[0];
        let mut sorted = trained.values().to_vec();
        sorted.sort_by(f32::total_cmp);
        let bound = sorted[sorted.len() * 99 / 100];
        Ok(Diagnosis {
            explained: 1.0 - others.mean() / mean_image,
            width,
            dimensions: covariance.eigenvalues().iter().filter(|value| **value > 1e-6 * largest).count(),
            beyond: others.values().iter().filter(|error| **error > bound).count() as f64
                / others.rows() as f64,
        })
    }

    /// What is wrong.
    pub fn detected(&self) -> Vec<&'static str> {
        let signs = [
            (self.explained < 0.1, "mean output"),
            (self.dimensions < self.width, "weight sharing"),
            (self.beyond > 0.2, "unseen data"),
        ];
        signs.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name).collect()
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnosis { explained, width, dimensions, beyond } = self;
        let found = if self.detected().is_empty() { "nothing".into() } else { self.detected().join(", ") };
        let (explained, beyond) = (100.0 * explained, 100.0 * beyond);
        write!(
            f,
            "{explained:5.1} % explained, {dimensions} of {width} dimensions, {beyond:4.1} % beyond: {found} detected"
        )
    }
}

/// The probability that a score of the one kind is above one of the other; of equals, half.
pub fn auroc(normal: &[f32], strange: &[f32]) -> f64 {
    let mut all: Vec<(f32, bool)> =
        normal.iter().map(|s| (*s, false)).chain(strange.iter().map(|s| (*s, true))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut pairs) = (0.0, 0.0);
    for equals in all.chunk_by(|a, b| a.0 == b.0) {
        let strange = equals.iter().filter(|(_, strange)| *strange).count() as f64;
        let normal = equals.len() as f64 - strange;
        pairs += strange * (below + 0.5 * normal);
        below += normal;
    }
    pairs / (normal.len() * strange.len()) as f64
}

/// How well the share that a model of one digit loses tells that digit from all others, for each digit.
pub fn one_class(
    trainer: impl Fn() -> Trainer<vanilla>,
    train: &Data,
    test: &Data,
) -> diabolo::Result<Vec<f64>> {
    let tells = |digit: u8| {
        let is = |label: &[f64]| label[0] == f64::from(digit);
        let model = trainer().fit(&train.select_where("label", is)?)?;
        let own = model.run(lost, &test.select_where("label", is)?)?;
        let others = model.run(lost, &test.select_where("label", |label| !is(label))?)?;
        Ok(auroc(own.values(), others.values()))
    };
    (0..10).map(tells).collect()
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("pathologies", Defaults { epochs: 100, batch: 64, lr: 2e-3 })?;
    let Flags { epochs, batch, lr, seed, .. } = study.trial.flags;
    let known = |label: &[f64]| label[0] < 8.0;
    let train = &study.digits.train.select_where("label", known)?;
    let test = &study.digits.test.select_where("label", known)?;
    let unseen = &study.digits.test.select_where("label", |label| !known(label))?;
    let plain = study.trial.fit(Trainer::new(vanilla), train)?;
    let drowned = study.trial.fit(Trainer::new(drowned), train)?;
    let equals = study.trial.fit(Trainer::new(alike), train)?;

    let mean = |data| mean_image_error(train, data, "x");
    let of = |model: &Model, data| {
        Diagnosis::of(
            &model.run(encode, data)?,
            &model.run(errors, train)?,
            &model.run(errors, data)?,
            mean(data)?,
        )
    };
    let (codes, trained, others) =
        (equals.run(alike_encode, test)?, equals.run(alike_errors, train)?, equals.run(alike_errors, test)?);
    println!();
    for (name, diagnosis) in [
        ("as it should be", of(&plain, test)?),
        ("a drowned code", of(&drowned, test)?),
        ("equal first weights", Diagnosis::of(&codes, &trained, &others, mean(test)?)?),
        ("digits never seen", of(&plain, unseen)?),
    ] {
        println!("{name:20} {diagnosis}");
    }

    let pictured = test.take(24)?;
    let answers = [
        plain.run(reconstruct, &pictured)?,
        drowned.run(reconstruct, &pictured)?,
        equals.run(alike_reconstruct, &pictured)?,
    ];
    let inputs = pictured.array::<f32>("x")?;
    let strips: Vec<Vec<&[f32]>> =
        [&inputs].into_iter().chain(&answers).map(|images| images.iter().collect()).collect();
    report::strips(study.trial.run.path("answers.png"), &strips, study.digits.shape)?;
    let strange = unseen.take(24)?;
    let (inputs, outputs) = (strange.array::<f32>("x")?, plain.run(reconstruct, &strange)?);
    report::reconstructions(study.trial.run.path("unseen.png"), &inputs, &outputs, study.digits.shape)?;

    let trainer = || {
        Trainer::new(vanilla).optimizer(Adam::new(lr as f32)).epochs(epochs).batch(batch).seed(seed).quiet()
    };
    let told = one_class(trainer, &study.digits.train, &study.digits.test)?;
    let figures =
        Figures::new("AUROC: a model of one digit, which is it, and which another").higher_is_better();
    let figures = told
        .iter()
        .enumerate()
        .fold(figures, |figures, (digit, area)| figures.row(&digit.to_string(), *area));
    study.trial.conclude(&figures.row("mean", told.iter().sum::<f64>() / 10.0))
}
