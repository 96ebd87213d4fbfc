//! A linear autoencoder over the complex numbers.
//!
//! Loss: ‖x − ABx‖² over ℂ (Baldi and Lu 2012). Its minimum is Σ_{i>k} λᵢ of the Hermitian covariance Σ = E x x*. Here x are
//! closed curves of 16 points in the plane, and a global phase is a rotation of the plane: the autoencoder turns with it,
//! and no loss changes. What the pseudo-covariance E x xᵀ says is lost on it: a real autoencoder of twice as many numbers
//! does better, and does not turn. The classic mistake is a transpose for the adjoint.
//! Look at the loss beside theory and at `curve.png`: a curve, and what 4 complex numbers keep of it.

use common::{Defaults, Trial};
use diabolo::baseline::Pca;
use diabolo::nn::{complex_dense, complex_sum_squares};
use diabolo::prelude::*;
use diabolo::report::{Figures, curve};

#[encoder]
fn encode(x: (Tensor<B, 16>, Tensor<B, 16>)) -> (Tensor<B, 4>, Tensor<B, 4>) {
    complex_dense(x, 4)
}

#[decoder]
fn decode(z: (Tensor<B, 4>, Tensor<B, 4>)) -> (Tensor<B, 16>, Tensor<B, 16>) {
    complex_dense(z, 16)
}

#[function]
pub fn reconstruct(re: Tensor<B, 16>, im: Tensor<B, 16>) -> (Tensor<B, 16>, Tensor<B, 16>) {
    decode(encode((re, im)))
}

#[loss]
pub fn complex(re: Tensor<B, 16>, im: Tensor<B, 16>) -> Tensor<B> {
    let (p, q) = reconstruct(re, im);
    complex_sum_squares((p - re, q - im))
}

/// x times e^(i·angle): the curve, turned.
#[function]
pub fn turn(re: Tensor<B, 16>, im: Tensor<B, 16>, angle: f32) -> (Tensor<B, 16>, Tensor<B, 16>) {
    (cos(angle) * re - sin(angle) * im, sin(angle) * re + cos(angle) * im)
}

/// Curves Σ_m c_m e^(2πimt/16), m from −3 to 3, and a little noise. The imaginary parts of c are a third of the real ones:
/// a pseudo-covariance.
#[function]
fn curves() -> (Tensor<B, 16>, Tensor<B, 16>) {
    let (a, b): (Tensor<B, 7>, Tensor<B, 7>) = (normal(), normal());
    let (noise, more): (Tensor<B, 16>, Tensor<B, 16>) = (normal(), normal());
    let m = range(7) - 3.0;
    let size = exp(-0.5 * square(m - 0.8));
    let (re, im) = (size * a, size * b / 3.0);
    let angle = einsum("m,t->mt", m, range(16) * 0.39269908169872414); // 2π/16
    (
        einsum("bm,mt->bt", re, cos(angle)) - einsum("bm,mt->bt", im, sin(angle)) + 0.05 * noise,
        einsum("bm,mt->bt", re, sin(angle)) + einsum("bm,mt->bt", im, cos(angle)) + 0.05 * more,
    )
}

/// So many curves, centred, as columns `re` and `im`.
pub fn planted(rows: usize, seed: u64) -> diabolo::Result<Data> {
    let (re, im) = Model::<f64>::untrained(curves, seed)?.run(curves, &rows)?;
    let data = Data::from_array("re", re)?.with("im", &[16], im.into_values())?;
    data.center("re", &data.mean("re")?)?.center("im", &data.mean("im")?)
}

/// Σ_{i>k} λᵢ by real PCA: with x stands ix, so that every eigenvalue comes twice, each half as large.
fn left_out(data: &Data, k: usize, with_phases: bool) -> diabolo::Result<f64> {
    let (re, im) = (data.array::<f64>("re")?, data.array::<f64>("im")?);
    let mut rows: Vec<Vec<f64>> = re.iter().zip(im.iter()).map(|(re, im)| [re, im].concat()).collect();
    if with_phases {
        let turned = |row: &Vec<f64>| row[16..].iter().map(|v| -v).chain(row[..16].iter().copied()).collect();
        rows.extend(rows.iter().map(turned).collect::<Vec<_>>());
    }
    Ok(Pca::fit(&Data::from_rows("x", &rows)?, "x", 1)?.eigenvalues()[2 * k..].iter().sum())
}

/// The points of one curve, and the first again.
fn closed((re, im): &(Array<f32>, Array<f32>)) -> Vec<(f64, f64)> {
    let points = re.values().iter().zip(im.values()).map(|(x, y)| (f64::from(*x), f64::from(*y)));
    points.cycle().take(17).collect()
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("complex", Defaults { epochs: 300, batch: 64, lr: 5e-3 })?;
    let data = planted(if trial.flags.smoke { 256 } else { 2000 }, trial.flags.seed)?;
    let model = trial.fit(Trainer::new(complex).schedule(Schedule::Cosine { warmup: 0.02 }), &data)?;
    let loss = model.mean(complex, &data)?.loss;

    let (re, im) = model.run(turn { angle: 1.0 }, &data)?;
    let turned = Data::from_array("re", re)?.with("im", &[16], im.into_values())?;
    println!(
        "\nloss {loss:.6}; of the same curves turned by one radian {:.6}",
        model.mean(complex, &turned)?.loss
    );

    let one = data.take(1)?;
    let drawn = closed(&(one.array("re")?, one.array("im")?));
    let series = [("a curve", drawn), ("what is kept", closed(&model.run(reconstruct, &one)?))];
    curve(trial.run.path("curve.png"), "a closed curve by four complex numbers", ["re", "im"], &series)?;

    let figures = Figures::new("squared error per curve")
        .row("complex autoencoder, 4 complex numbers", loss)
        .row("eigenvalues left out, Hermitian covariance", left_out(&data, 4, true)?)
        .row("real PCA, 8 real numbers", left_out(&data, 4, false)?);
    trial.conclude(&figures)
}
