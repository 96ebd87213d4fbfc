//! Sparse dictionary learning: every digit as a sum of few atoms out of many.
//!
//! Loss: ½‖x − aD‖² + λ‖a‖₁ with atoms ‖dⱼ‖ ≤ 1 (Olshausen and Field 1996; Mairal et al. 2009). The encoder has no weights
//! of its own: it solves for a, by soft thresholding with momentum (Beck and Teboulle 2009), and at a solution the
//! derivative by D holds a fixed. Look at the planted atoms that are found again, and at the picture of the atoms.
//!
//! Two classic mistakes: without the bound the atoms grow, a shrinks, and the penalty is vacuous; and Adam's steps, each
//! element scaled by itself, end where no bounded gradient step would, 1 % above: hence plain gradients with momentum.

use common::{Defaults, Study};
use diabolo::baseline::{Pca, mean_image_error};
use diabolo::nn::{l1, squared_error};
use diabolo::prelude::*;
use diabolo::report::Figures;

#[network]
pub fn atoms() -> Tensor<96, 64> {
    param(normal_init(0.125))
}

#[encoder]
pub fn encode(x: Tensor<B, 64>, lambda: f32) -> Tensor<B, 96> {
    let gram = einsum("kd,jd->kj", atoms(), atoms());
    let seen = einsum("bd,kd->bk", x, atoms());
    let step = 1.0 / max(sum(abs(gram), axis = 2)); // no eigenvalue is above the largest sum of a row
    let (mut a, mut ahead): (Tensor<B, 96>, Tensor<B, 96>) = (zeros(), zeros());
    for turn in 0..100 {
        let slope = einsum("bk,kj->bj", ahead, gram) - seen;
        let next = soft_threshold(ahead - step * slope, step * lambda);
        ahead = next + turn / (turn + 3.0) * (next - a);
        a = next;
    }
    stop_gradient(a)
}

#[decoder]
pub fn decode(a: Tensor<B, 96>) -> Tensor<B, 64> {
    einsum("bk,kd->bd", a, atoms())
}

#[loss]
pub fn sparse_coding(x: Tensor<B, 64>, #[default(0.2)] lambda: f32) -> Tensor<B> {
    let a = encode(x, lambda);
    let error = 0.5 * squared_error(decode(a), x);
    let size = l1(a);
    error + lambda * size
}

/// The number of atoms of a row.
#[loss]
pub fn active(x: Tensor<B, 64>, #[default(0.2)] lambda: f32) -> Tensor<B> {
    sum(ne(encode(x, lambda), 0.0))
}

/// Each atom moved onto the unit ball.
#[function]
pub fn bounded(atom: Tensor<B, 64>) -> Tensor<B, 64> {
    atom / unsqueeze(max(sqrt(sum_squares(atom)), 1.0), 1)
}

/// The atoms that rows are planted from.
#[network]
pub fn truth() -> Tensor<96, 64> {
    let atoms: Tensor<96, 64> = param(normal_init(1.0));
    atoms / unsqueeze(sqrt(sum(square(atoms), axis = 2)), 2)
}

/// The atoms themselves, as a result.
#[function]
pub fn planted_atoms() -> Tensor<96, 64> {
    truth()
}

/// Rows of about four planted atoms each, and a little noise.
#[function]
pub fn planted() -> Tensor<B, 64> {
    let share: Tensor<B, 96> = constant(0.04);
    let size = normal_like(share);
    let a = bernoulli(share) * (sign(size) + 0.3 * size);
    einsum("bk,kd->bd", a, truth()) + 0.02 * normal()
}

/// Gradient steps with momentum, each followed by the bound.
pub fn trainer(lambda: f32, lr: f32) -> Trainer<sparse_coding, Sgd> {
    Trainer::new(sparse_coding { lambda })
        .optimizer(Sgd { momentum: 0.9, ..Sgd::new(lr) })
        .schedule(Schedule::Cosine { warmup: 0.0 })
        .project(atoms, bounded)
}

/// How many atoms of the truth have a learnt one at a cosine above 0.99 or below −0.99.
pub fn recovered(truth: &Array<f32>, learnt: &Array<f32>) -> usize {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let cosine = |a: &[f32], b: &[f32]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    truth.iter().filter(|atom| learnt.iter().any(|found| cosine(atom, found).abs() > 0.99)).count()
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("dictionary", Defaults { epochs: 100, batch: 64, lr: 2.0 })?;
    let (trial, lr) = (&study.trial, study.trial.flags.lr as f32);

    let world = Model::untrained(planted, trial.flags.seed)?;
    let rows = Data::from_array("x", world.run(planted, &if trial.flags.smoke { 256 } else { 2000 })?)?;
    let model = trial.fit_with(trainer(0.1, lr), &rows)?;
    let found = recovered(&world.run(planted_atoms, &1)?, &model.parameter("atoms.weight")?);
    println!("\nplanted: {found} of 96 atoms found again, at a cosine above 0.99\n");

    let images = study.digits.train.take(study.digits.train.rows().min(1000))?;
    let mean = images.mean("x")?;
    let (train, test) = (images.center("x", &mean)?, study.digits.test.center("x", &mean)?);
    let model = trial.fit_with(trainer(0.2, lr), &train)?;
    println!("\ndigits, of the {} trained on: {}", train.rows(), model.mean(sparse_coding, &train)?);
    println!("digits, of the test images: {}", model.mean(sparse_coding, &test)?);
    study.weights("atoms", &model.parameter("atoms.weight")?)?;
    let atoms_a_digit = model.mean(active, &test)?.loss;
    let pca = atoms_a_digit.round().max(1.0) as usize;
    let error = 2.0 * model.mean(sparse_coding, &test)?.part("error").unwrap_or(f64::NAN);
    trial.conclude(
        &Figures::new("squared error per test image")
            .row(&format!("{atoms_a_digit:.1} atoms of 96"), error)
            .row(&format!("PCA, {pca} components"), Pca::fit(&train, "x", pca)?.squared_error(&test)?)
            .row("mean image", mean_image_error(&train, &test, "x")?),
    )
}
