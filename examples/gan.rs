//! Generative adversarial networks (Goodfellow et al. 2014): the discriminator as a meter, and modes that get lost.
//!
//! The discriminator maximises log D(x) + log(1 − D(y)) over real x and made y. At its best that is 2 JSD − 2 log 2, so
//! it measures the Jensen-Shannon divergence of the two distributions from samples alone; its logit is log p(x)/q(x).
//! Then a generator against it, on a ring of eight modes. One that takes ten steps a step of the discriminator runs
//! to wherever it is believed, all samples at once, and the modes are lost. Equal turns find most of them, and with a
//! penalty (‖∇‖ − 1)² on the discriminator's slope (Gulrajani et al. 2017, section 4; λ = 1) all eight. Look at the
//! pictures. The classic mistake is to swap the roles: each loss says whom it `trains`.

use clap::Args;
use common::{Defaults, Trial, non_negative};
use diabolo::Model;
use diabolo::data::{Array, Data};
use diabolo::nn::{dense, discriminator_loss, gradient_penalty, non_saturating_loss};
use diabolo::prelude::*;
use diabolo::report::{Figures, scatter};

/// The points of a picture.
const SHOWN: usize = 2000;

/// log D/(1 − D) of a number.
#[network]
pub fn log_odds(x: Tensor<B, 1>) -> Tensor<B> {
    squeeze(dense(tanh(dense(x, 16)), 1))
}

/// The discriminator between N(0, 1) and N(shift, 1); every step draws fresh samples.
#[loss]
pub fn meter(shift: f32) -> Tensor<B> {
    let x: Tensor<B, 1> = normal();
    let y: Tensor<B, 1> = normal();
    discriminator_loss(log_odds(x), log_odds(y + shift))
}

/// Eight normal modes of standard deviation 0.1 on a circle of radius 2.
#[function]
pub fn ring() -> Tensor<B, 2> {
    let turn: Tensor<B, 1> = uniform();
    let angle = floor(8.0 * turn) * 0.7853981633974483;
    2.0 * concat(cos(angle), sin(angle)) + 0.1 * normal()
}

#[network]
pub fn generate(z: Tensor<B, 8>) -> Tensor<B, 2> {
    dense(relu(dense(relu(dense(z, 64)), 64)), 2)
}

#[network]
pub fn judge(x: Tensor<B, 2>) -> Tensor<B> {
    squeeze(dense(relu(dense(relu(dense(x, 64)), 64)), 1))
}

#[function]
pub fn made() -> Tensor<B, 2> {
    let z: Tensor<B, 8> = normal();
    generate(z)
}

#[loss(trains(judge))]
pub fn discriminate(#[default(0.0)] penalty: f32) -> Tensor<B> {
    let (x, y) = (ring(), made());
    let cross_entropy = discriminator_loss(judge(x), judge(y));
    let steepness = gradient_penalty(judge, x, y);
    cross_entropy + penalty * steepness
}

#[loss(trains(generate))]
pub fn deceive() -> Tensor<B> {
    non_saturating_loss(judge(made()))
}

/// Modes with at least 3 % of the points within 3 standard deviations.
pub fn modes(points: &Array<f32>) -> usize {
    let near = |mode: usize, point: &[f32]| {
        let angle = mode as f32 * std::f32::consts::FRAC_PI_4;
        (point[0] - 2.0 * angle.cos()).hypot(point[1] - 2.0 * angle.sin()) < 0.3
    };
    let share = |mode| points.iter().filter(|point| near(mode, point)).count() as f64 / points.rows() as f64;
    (0..8).filter(|mode| share(*mode) >= 0.03).count()
}

#[derive(Args)]
struct Ring {
    /// Weight of the penalty on the discriminator's slope
    #[arg(long, default_value_t = 1.0, value_name = "WEIGHT", value_parser = non_negative)]
    penalty: f64,
}

fn main() -> diabolo::Result<()> {
    let (trial, Ring { penalty }) = Trial::begin_with("gan", Defaults { epochs: 40, batch: 256, lr: 1e-3 })?;
    let rows = Data::without_columns(if trial.flags.smoke { 256 } else { 25_600 });
    for shift in [0.0, 1.0] {
        let model = trial.fit(Trainer::new(meter { shift }), &rows)?;
        let value = -model.seed(1).mean(meter { shift }, &100_000usize)?.loss;
        println!(
            "\nN(0, 1) against N({shift}, 1): value {value:.4}, divergence {:.4}\n",
            (value / 2.0 + 2f64.ln()).max(0.0)
        );
    }

    let adam = Adam { b1: 0.5, ..Adam::new(trial.flags.lr as f32) };
    let real = Model::<f32>::untrained(ring, trial.flags.seed)?.run(ring, &SHOWN)?;
    let mut figures = Figures::new("modes found, of 8").higher_is_better();
    for (name, penalty, turns) in [
        ("ten steps of the generator", 0.0, (1, 10)),
        ("equal turns", 0.0, (1, 1)),
        ("with a penalty", penalty as f32, (1, 1)),
    ] {
        let losses = (discriminate { penalty }, deceive);
        let trainer = Trainer::alternate(losses).every(turns).optimizers((adam, adam));
        let model = trial.fit_with(trainer, &rows)?;
        let points = model.run(made, &SHOWN)?;
        let picture = trial.run.path(&format!("{}.png", name.replace(' ', "-")));
        let labels = [[0.0; SHOWN], [1.0; SHOWN]].concat();
        scatter(picture, &format!("{name} (1), on the ring (0)"), real.iter().chain(points.iter()), &labels)?;
        figures = figures.row(name, modes(&points) as f64);
    }
    trial.conclude(&figures)
}
