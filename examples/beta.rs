//! β-VAE: as β grows, the code gives up one unit after the other.
//!
//! Loss: ‖x − x̂‖²/2γ² + β KL(q(z|x) ‖ N(0, I)), γ² fixed (Higgins et al. 2017; the threshold: Lucas et al. 2019). With
//! linear networks, each unit of the code is one principal component: it is active exactly where λᵢ > βγ², its gain is
//! (1 − βγ²/λᵢ)₊, and it carries ½ log₊(λᵢ/βγ²) nats an image. Look at the chart: the units go out one by one, at the β
//! where theory says. The classic mistake is to learn γ² beside β: the code sees only their product, and γ² answers β.

use common::{Defaults, Study};
use diabolo::Result;
use diabolo::kernels::Float;
use diabolo::nn::{dense, kl_normal, kl_normal_each, squared_error};
use diabolo::prelude::*;
use diabolo::report::curve;

/// The means, and the log-variances, which are those of every image.
#[encoder]
pub fn encode(x: Tensor<B, 64>) -> (Tensor<B, 6>, Tensor<B, 6>) {
    let mean = dense(x, 6, bias = false);
    let logvar: Tensor<6> = param(zeros());
    (mean, expand_like(logvar, mean))
}

#[decoder]
pub fn decode(z: Tensor<B, 6>) -> Tensor<B, 64> {
    dense(z, 64, bias = false)
}

/// The loss, given the noise.
#[function]
pub fn objective(x: Tensor<B, 64>, noise: Tensor<B, 6>, beta: f32, variance: f32) -> (Tensor<B>, Tensor<B>) {
    let (mean, logvar) = encode(x);
    let image = decode(mean + exp(0.5 * logvar) * noise);
    (squared_error(image, x) / (2.0 * variance), beta * kl_normal(mean, logvar))
}

#[loss]
pub fn beta_vae(x: Tensor<B, 64>, #[default(1.0)] beta: f32, #[default(0.05)] variance: f32) -> Tensor<B> {
    let (recon, kl) = objective(x, normal(), beta, variance);
    recon + kl
}

/// What each unit says of an image: its KL, in nats.
#[function]
pub fn information(x: Tensor<B, 64>) -> Tensor<B, 6> {
    let (mean, logvar) = encode(x);
    kl_normal_each(mean, logvar)
}

#[function]
pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B, 64> {
    let (mean, _) = encode(x);
    decode(mean)
}

/// The means of the columns, the largest first.
pub fn falling<F: Float>(values: &Array<F>) -> Vec<f64> {
    let mean = |j: usize| values.iter().map(|row| row[j].to_f64()).sum::<f64>() / values.rows() as f64;
    let mut means: Vec<f64> = (0..values.shape()[1]).map(mean).collect();
    means.sort_by(|a, b| b.total_cmp(a));
    means
}

/// Units that say more than a hundredth of a nat.
fn active(nats: &[f64]) -> usize {
    nats.iter().filter(|nats| **nats > 0.01).count()
}

fn main() -> Result<()> {
    let study = Study::begin("beta", Defaults { epochs: 150, batch: 64, lr: 2e-2 })?;
    let flags = &study.trial.flags;
    let pca = study.pca(6)?;
    let train = study.digits.train.center("x", pca.mean())?;
    let names = ["component 1", "2", "3", "4", "5", "6", "1 − βγ²/λ₁"];
    let mut lines = names.map(|name| (name, Vec::new()));
    println!("\n   β   active units  λᵢ > βγ²   nats an image  ½ Σ log₊(λᵢ/βγ²)   largest gain  1 − βγ²/λ₁");
    for beta in 1..=15 {
        let trainer = Trainer::new(beta_vae { beta: beta as f32, variance: 0.05 })
            .optimizer(Adam::new(flags.lr as f32))
            .schedule(Schedule::Cosine { warmup: 0.0 });
        let model = trainer.epochs(flags.epochs).batch(flags.batch).seed(flags.seed).quiet().fit(&train)?;
        let nats = falling(&model.run(information, &train)?);
        let gains = study.gains(&model, reconstruct, &pca)?;
        let noise = 0.05 * f64::from(beta);
        let lambda = &pca.eigenvalues()[..6];
        let theory: Vec<f64> = lambda.iter().map(|lambda| 0.5 * (lambda / noise).ln().max(0.0)).collect();
        let first = (1.0 - noise / lambda[0]).max(0.0);
        println!(
            "{beta:4}   {:12}  {:8}   {:13.3}  {:16.3}   {:12.3}  {:10.3}",
            active(&nats),
            active(&theory),
            nats.iter().sum::<f64>(),
            theory.iter().sum::<f64>(),
            gains[0],
            first,
        );
        let points = gains.into_iter().chain([first]);
        lines.iter_mut().zip(points).for_each(|(line, gain)| line.1.push((f64::from(beta), gain)));
    }
    curve(study.trial.run.path("gains.png"), "Gains of six components", ["β", "gain"], &lines)?;
    println!("\nthe chart of the gains: {}", study.trial.run.folder().display());
    Ok(())
}
