//! The sparsest code, one atom out of ten: k-means, and with an amplitude k-lines.
//!
//! Loss: ‖x − aD‖². Where a is the one-hot code of the nearest atom, it is the inertia of k-means (Lloyd 1982; by
//! gradients: Bottou and Bengio 1995). Where a keeps its amplitude, a = ⟨x, dⱼ⟩ for the one atom that it is largest for
//! (TopK₁), an atom is not a point but a line through the origin: k-lines. The classic mistake takes one for the other.
//! Look at the inertia beside that of Lloyd's own algorithm from the same start, at what one more of his steps would
//! gain, and at the atoms of both.

use common::{Defaults, Study};
use diabolo::nn::{pairwise_squares, squared_error};
use diabolo::prelude::*;
use diabolo::report::Figures;

#[network]
pub fn points() -> Tensor<10, 64> {
    param(normal_init(1.0))
}

#[encoder]
pub fn nearest(x: Tensor<B, 64>) -> Tensor<B, 10> {
    one_hot(argmin(pairwise_squares(x, points())), 10)
}

#[loss]
pub fn k_means(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(einsum("bk,kd->bd", nearest(x), points()), x)
}

/// The same loss; of its gradient, each point's part is divided by the share of the rows that are nearest to the point.
/// Half of that is the way to their mean: a step of ½ along it is Lloyd's.
#[loss]
pub fn k_means_by_shares(x: Tensor<B, 64>) -> Tensor<B> {
    let code = nearest(x);
    squared_error(einsum("bk,kd->bd", code, by_shares(points(), batch_mean(code))), x)
}

#[function(backward = divided)]
fn by_shares(points: Tensor<10, 64>, share: Tensor<10>) -> Tensor<10, 64> {
    points
}

#[function]
fn divided(
    points: Tensor<10, 64>,
    share: Tensor<10>,
    adjoint: Tensor<10, 64>,
) -> (Tensor<10, 64>, Tensor<10>) {
    (adjoint / unsqueeze(max(share, 1e-12), 2), zeros())
}

/// Directions, whatever the length of the atoms.
#[network]
pub fn lines() -> Tensor<10, 64> {
    let atoms: Tensor<10, 64> = param(normal_init(1.0));
    atoms / unsqueeze(sqrt(sum(square(atoms), axis = 2)), 2)
}

#[encoder]
pub fn along(x: Tensor<B, 64>) -> Tensor<B, 10> {
    let amplitude = einsum("bd,kd->bk", x, lines());
    amplitude * one_hot(argmax(abs(amplitude)), 10)
}

#[loss]
pub fn k_lines(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(einsum("bk,kd->bd", along(x), lines()), x)
}

/// One step of Lloyd's algorithm: each point becomes the mean of the rows that are nearest to it.
#[function]
pub fn lloyd(x: Tensor<B, 64>) -> Tensor<10, 64> {
    let code = nearest(x);
    let share = max(batch_mean(code), 1e-12); // a point without rows moves to 0
    batch_mean(einsum("bk,bd->bkd", code, x)) / unsqueeze(share, 2)
}

/// A model in whose place of atoms ten rows stand, evenly spread over the data.
pub fn start(mut model: Model<f64>, atoms: &str, data: &Data) -> diabolo::Result<Model<f64>> {
    let rows: Vec<usize> = (0..10).map(|k| k * data.rows() / 10).collect();
    model.set_parameter(atoms, &data.select(&rows)?.array("x")?)?;
    Ok(model)
}

/// All rows at once, in steps of ½ along the gradient by shares.
pub fn by_gradients(from: Model<f64>, steps: usize, data: &Data) -> diabolo::Result<Model<f64>> {
    let trainer = Trainer::new(k_means_by_shares).precision::<f64>().optimizer(Sgd::new(0.5));
    trainer.batch(data.rows()).epochs(steps).quiet().resume(from, data)
}

fn main() -> diabolo::Result<()> {
    let study = Study::begin("clusters", Defaults { epochs: 100, ..Defaults::default() })?;
    let (train, test) = (&study.digits.train, &study.digits.test);
    let steps = study.trial.flags.epochs;
    let minimise = || Lbfgs { change: 1e-12, ..Lbfgs::new() };

    let first = start(Model::untrained(k_means, 0)?, "points.weight", train)?;
    let mut lloyds = first.clone();
    for _ in 0..steps {
        let means = lloyds.run(lloyd, train)?;
        lloyds.set_parameter("points.weight", &means)?;
    }
    let ours = by_gradients(first.clone(), steps, train)?;
    let (quasi_newton, _) =
        Trainer::new(k_means).precision().quiet().full_batch(minimise()).resume(first, train)?;
    let first = start(Model::untrained(k_lines, 0)?, "lines.atoms", train)?;
    let (lines, _) = Trainer::new(k_lines).precision().quiet().full_batch(minimise()).resume(first, train)?;

    let mut inertia = Figures::new("squared error per training image");
    for (name, model) in
        [("k-means, Lloyd", &lloyds), ("k-means, gradients", &ours), ("k-means, L-BFGS", &quasi_newton)]
    {
        let (before, mut further) = (model.mean(k_means, train)?.loss, model.clone());
        further.set_parameter("points.weight", &model.run(lloyd, train)?)?;
        println!(
            "{name}: {before:.9}; one more step of Lloyd's gains {:.1e}",
            before - further.mean(k_means, train)?.loss
        );
        inertia = inertia.row(name, before);
    }
    println!("\n{}", inertia.row("k-lines, L-BFGS", lines.mean(k_lines, train)?.loss));
    study.weights("points", &ours.parameter("points.weight")?)?;
    study.weights("lines", &lines.parameter("lines.atoms")?)?;
    study.conclude(
        &[("k-means", ours.mean(k_means, test)?.loss), ("k-lines", lines.mean(k_lines, test)?.loss)],
        1,
    )
}
