//! What a code is good for: telling the digits apart by four numbers.
//!
//! A multinomial logistic probe, −log softmax(zW + b)ₖ for the label k (Alain and Bengio 2016), is trained on the
//! standardised codes of an autoencoder that has never seen a label, and on PCA's codes of the same size. Look at the
//! accuracy on the test images, and at the two maps: each shows the two directions in which a code varies most.

use common::{Defaults, Study};
use diabolo::Minimum;
use diabolo::baseline::Pca;
use diabolo::nn::{cross_entropy, dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::{self, Figures};

#[encoder]
pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 4> {
    dense(relu(dense(x, 128)), 4)
}

#[decoder]
pub fn decode(z: Tensor<B, 4>) -> Tensor<B, 64> {
    dense(relu(dense(z, 128)), 64)
}

#[loss]
pub fn vanilla(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

/// The logits of the ten digits.
#[network]
pub fn classify(z: Tensor<B, 4>) -> Tensor<B, 10> {
    dense(z, 10)
}

#[loss]
pub fn probe(z: Tensor<B, 4>, label: Index<B>) -> Tensor<B> {
    cross_entropy(classify(z), label)
}

/// 1 where the most likely digit is the right one.
#[loss]
pub fn accuracy(z: Tensor<B, 4>, label: Index<B>) -> Tensor<B> {
    eq(number(argmax(classify(z))), number(label))
}

/// Codes by their mean and deviation on the training images, beside the labels.
pub fn standardised(seen: &Array<f64>, codes: &Array<f64>, of: &Data) -> diabolo::Result<Data> {
    let (rows, mut values) = (seen.rows() as f64, codes.values().to_vec());
    for k in 0..4 {
        let mean = seen.iter().map(|z| z[k]).sum::<f64>() / rows;
        let deviation = (seen.iter().map(|z| (z[k] - mean).powi(2)).sum::<f64>() / rows).sqrt();
        values.iter_mut().skip(k).step_by(4).for_each(|z| *z = (*z - mean) / deviation.max(1e-12));
    }
    Data::new().with("z", &[4], values)?.with("label", &[], of.array::<f64>("label")?.into_values())
}

/// The probe of largest likelihood.
pub fn fit(rows: &Data) -> diabolo::Result<(Model<f64>, Minimum)> {
    let limits = Lbfgs { gradient: 1e-5, ..Lbfgs::new() };
    Trainer::new(probe).precision::<f64>().quiet().full_batch(limits).fit(rows)
}

/// The share of the test images that a probe on the codes of the training images tells right.
pub fn told([train, test]: [&Data; 2], [seen, unseen]: [&Array<f64>; 2]) -> diabolo::Result<f64> {
    let (model, _) = fit(&standardised(seen, seen, train)?)?;
    Ok(model.mean(accuracy, &standardised(seen, unseen, test)?)?.loss)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("probe", Defaults { epochs: 300, batch: 64, lr: 2e-3 })?;
    let (train, test) = (&study.digits.train, &study.digits.test);
    let trainer = Trainer::new(vanilla).precision::<f64>().schedule(Schedule::Cosine { warmup: 0.0 });
    let model = study.trial.fit(trainer, train)?;
    let pca = study.pca(4)?;
    let mut figures = Figures::new("accuracy on the test images, from 4 numbers").higher_is_better();
    for (name, file, [seen, unseen]) in [
        ("autoencoder", "autoencoder.png", [model.run(encode, train)?, model.run(encode, test)?]),
        ("PCA", "pca.png", [pca.encode(train)?, pca.encode(test)?]),
    ] {
        figures = figures.row(name, told([train, test], [&seen, &unseen])?);
        let codes = Data::from_array("z", unseen)?;
        let plane = Pca::fit(&Data::from_array("z", seen)?, "z", 2)?.encode(&codes)?;
        let title = format!("{name}: the test images by their code");
        report::scatter(study.trial.run.path(file), &title, &plane, test.array::<f64>("label")?.values())?;
    }
    study.trial.conclude(&figures)
}
