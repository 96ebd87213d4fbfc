//! The landscape of linear networks: every critical point is known, and every minimum is global.
//!
//! Loss ‖y − ABx‖². Its critical points are A = U_I C, B = C⁻¹U_IᵀΣyxΣxx⁺ for any index set I and any invertible C, with
//! the loss tr Σyy − Σ_I λᵢ (Baldi and Hornik 1989): all but the first k indices are saddles, for turning uⱼ towards u_l has
//! the curvature −2(λ_l − λⱼ). Deeper networks have no other minima (Kawaguchi 2016), but flat saddles: at 0, three layers
//! have no Hessian at all. Minima are connected as far as C is: by det C > 0, or by one spare unit.
//! Look at the table of critical points, and at `paths.png`: three ways from one minimum to another.

use std::f64::consts::PI;

use common::{Defaults, Trial};
use diabolo::data::Array;
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::report::{Figures, curve};

/// The decoder A and the transposed encoder Bᵀ: the landscape is a function of them.
#[function]
fn error(w: Tensor<2, D, K>, x: Tensor<B, D>, y: Tensor<B, D>) -> Tensor<B> {
    let decoder: Tensor<D, K> = squeeze(slice(w, axis = 1, start = 0, end = 1));
    let encoder: Tensor<D, K> = squeeze(slice(w, axis = 1, start = 1, end = 2));
    let code = einsum("bd,dk->bk", x, encoder);
    squared_error(einsum("bk,dk->bd", code, decoder), y)
}

/// The loss at w.
#[function]
pub fn height<#[values(2, 3)] const K: usize>(
    w: Tensor<2, 5, K>,
    x: Tensor<B, 5>,
    y: Tensor<B, 5>,
) -> Scalar {
    batch_mean(error(w, x, y))
}

/// Its gradient.
#[function]
pub fn slope<#[values(2, 3)] const K: usize>(
    w: Tensor<2, 5, K>,
    x: Tensor<B, 5>,
    y: Tensor<B, 5>,
) -> Tensor<2, 5, K> {
    grad(|w| height(w, x, y), w)
}

/// Its Hessian times v.
#[function]
pub fn bend<#[values(2, 3)] const K: usize>(
    w: Tensor<2, 5, K>,
    v: Tensor<2, 5, K>,
    x: Tensor<B, 5>,
    y: Tensor<B, 5>,
) -> Tensor<2, 5, K> {
    hvp(|w| height(w, x, y), w, v)
}

/// The loss of L square layers, one after the other.
#[function]
fn layers<const L: usize>(w: Tensor<L, 5, 5>, x: Tensor<B, 5>, y: Tensor<B, 5>) -> Scalar {
    let mut h = x;
    for layer in 0..L {
        let weight: Tensor<5, 5> = squeeze(slice(w, axis = 1, start = layer, end = layer + 1));
        h = einsum("bi,io->bo", h, weight);
    }
    batch_mean(squared_error(h, y))
}

/// It, its gradient, and its Hessian times v.
#[function]
pub fn chain<#[values(2, 3)] const L: usize>(
    w: Tensor<L, 5, 5>,
    v: Tensor<L, 5, 5>,
    x: Tensor<B, 5>,
    y: Tensor<B, 5>,
) -> (Scalar, Tensor<L, 5, 5>, Tensor<L, 5, 5>) {
    let height = |w| layers::<L>(w, x, y);
    (height(w), grad(height, w), hvp(height, w, v))
}

/// Four layers, two units in the middle.
#[network]
fn deep(x: Tensor<B, 5>) -> Tensor<B, 5> {
    let narrow = dense(dense(x, 4, bias = false), 2, bias = false);
    dense(dense(narrow, 4, bias = false), 5, bias = false)
}

#[loss]
pub fn kawaguchi(x: Tensor<B, 5>, y: Tensor<B, 5>) -> Tensor<B> {
    squared_error(deep(x), y)
}

/// The eigenvalues of the planted covariance.
const LAMBDA: [f64; 5] = [5.0, 4.0, 2.5, 1.5, 1.0];

/// Ten rows ±√(5λᵢ) eᵢ, whose mean is exactly 0 and whose covariance is exactly diag(λ).
fn planted() -> diabolo::Result<Array<f64>> {
    let row = |i: usize, sign: f64| axis(i).map(|v| v * sign * (5.0 * LAMBDA[i]).sqrt());
    Array::new(&[10, 5], (0..5).flat_map(|i| [row(i, 1.0), row(i, -1.0)]).flatten().collect())
}

fn axis(i: usize) -> [f64; 5] {
    std::array::from_fn(|at| f64::from(u8::from(at == i)))
}

/// cos(angle) eᵢ + sin(angle) eⱼ.
fn turned(i: usize, j: usize, angle: f64) -> [f64; 5] {
    std::array::from_fn(|at| angle.cos() * axis(i)[at] + angle.sin() * axis(j)[at])
}

/// The point A = Bᵀ with these two columns.
fn tied(columns: [[f64; 5]; 2]) -> diabolo::Result<Array<f64>> {
    let matrix = || (0..5).flat_map(|row| columns.map(|column| column[row]));
    Array::new(&[2, 5, 2], matrix().chain(matrix()).collect())
}

fn largest(values: &Array<f64>) -> f64 {
    values.values().iter().fold(0.0, |most, v| most.max(v.abs()))
}

/// The table of Baldi and Hornik; the weights are arguments, so that the model has no parameters.
fn critical_points(model: &Model<f64>, x: &Array<f64>) -> diabolo::Result<()> {
    println!("critical points of ‖x − ABx‖², eigenvalues {LAMBDA:?}");
    println!("  kept     loss  Σ left out  |gradient|   curvature of a turn  theory");
    for (i, j) in (0..5).flat_map(|i| (i + 1..5).map(move |j| (i, j))) {
        let w = tied([axis(i), axis(j)])?;
        let at = [("w", &w), ("x", x), ("y", x)];
        let (loss, slope) = (model.run(height::<2>, &at)?.mean(), model.run(slope::<2>, &at)?);
        let left: f64 = (0..5).filter(|l| ![i, j].contains(l)).map(|l| LAMBDA[l]).sum();
        // The best that is left out takes the place of the worst that is kept.
        let best = (0..3).find(|l| ![i, j].contains(l)).unwrap_or(j);
        let v = tied([[0.0; 5], axis(best)])?;
        let bend = model.run(bend::<2>, &[("w", &w), ("v", &v), ("x", x), ("y", x)])?;
        let curvature: f64 = v.values().iter().zip(bend.values()).map(|(v, b)| v * b).sum();
        let theory = -2.0 * (LAMBDA[best] - LAMBDA[j]);
        let (i, j, l, slope) = (i + 1, j + 1, best + 1, largest(&slope));
        println!(
            "  {i} {j}  {loss:9.6}  {left:10.1}  {slope:10.1e}   {j} to {l}: {curvature:12.6}  {theory:6.1}"
        );
    }
    Ok(())
}

/// Flat for three layers, not for two.
fn saddle_at_zero(model: &Model<f64>, x: &Array<f64>) -> diabolo::Result<()> {
    for l in [2, 3] {
        let zero = Array::new(&[l, 5, 5], vec![0.0; l * 25])?;
        let v = Array::new(&[l, 5, 5], axis(0).repeat(5 * l))?;
        let (_, slope, bend) = model.run(chain { L: l }, &[("w", &zero), ("v", &v), ("x", x), ("y", x)])?;
        println!("{l} layers at 0: |gradient| {:.1}, |Hessian · v| {:.1}", largest(&slope), largest(&bend));
    }
    Ok(())
}

/// Where a deep network ends from each seed.
fn ends(x: &Array<f64>, seeds: u64) -> diabolo::Result<Vec<f64>> {
    let data = Data::from_array("x", x.clone())?.with("y", &[5], x.values().to_vec())?;
    let end = |seed| {
        let trainer = Trainer::new(kawaguchi).precision::<f64>().seed(seed).quiet();
        Ok(trainer.full_batch(Lbfgs::new()).fit(&data)?.1.loss)
    };
    (0..seeds).map(end).collect()
}

/// A way from A = [e₁ e₂], from 0 to 1.
type Way = fn(f64) -> [[f64; 5]; 2];

/// Two of them end in −A, one in the mirror image [e₁ −e₂], which has det C = −1.
const WAYS: [(&str, Way); 3] = [
    ("straight to −A", |t| [axis(0), axis(1)].map(|column| column.map(|v| (1.0 - 2.0 * t) * v))),
    ("around: C turns, det C = 1", |t| [turned(0, 1, PI * t), turned(1, 0, -PI * t)]),
    ("over the lowest pass to the mirror image, det C = −1", |t| [axis(0), turned(1, 2, PI * t)]),
];

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("landscape", Defaults::default())?;
    let x = planted()?;
    let model = Model::<f64>::untrained(height::<2>, 0)?;
    critical_points(&model, &x)?;
    saddle_at_zero(&model, &x)?;
    let ends = ends(&x, if trial.flags.smoke { 2 } else { 20 })?;
    let (low, high) =
        (ends.iter().copied().fold(f64::MAX, f64::min), ends.iter().copied().fold(0.0, f64::max));
    println!("4 layers, {} seeds: losses from {low:.9} to {high:.9}", ends.len());

    let mut series = Vec::new();
    let mut figures = Figures::new("highest loss on the way between two minima");
    for (name, way) in WAYS {
        let loss = |t: f64| {
            let height = model.run(height::<2>, &[("w", &tied(way(t))?), ("x", &x), ("y", &x)])?;
            Ok((t, height.mean()))
        };
        let points =
            (0..=100).map(|step| loss(f64::from(step) / 100.0)).collect::<diabolo::Result<Vec<_>>>()?;
        figures = figures.row(name, points.iter().fold(0.0, |most: f64, point| most.max(point.1)));
        series.push((name, points));
    }
    figures =
        figures.row("theory of the pass: the minimum + λ₂ − λ₃", LAMBDA[1..].iter().sum::<f64>() - LAMBDA[2]);
    curve(trial.run.path("paths.png"), "three ways between minima", ["way", "loss"], &series)?;
    trial.conclude(&figures)
}
