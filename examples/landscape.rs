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

/// Ten rows ±√(5λᵢ) eᵢ, whose mean is exactly 0 and whose covariance is exactly diag(λ).
fn planted(lambda: [f64; 5]) -> diabolo::Result<Array<f64>> {
    let row =
        |i: usize, sign: f64| (0..5).map(move |j| if i == j { sign * (5.0 * lambda[i]).sqrt() } else { 0.0 });
    Array::new(&[10, 5], (0..5).flat_map(|i| row(i, 1.0).chain(row(i, -1.0))).collect())
}

/// The point A = Bᵀ with these two columns.
fn tied(columns: [[f64; 5]; 2]) -> diabolo::Result<Array<f64>> {
    let matrix = || (0..5).flat_map(|row| [columns[0][row], columns[1][row]]);
    Array::new(&[2, 5, 2], matrix().chain(matrix()).collect())
}

/// cos(angle) eᵢ + sin(angle) eⱼ, i ≠ j.
fn turned(i: usize, j: usize, angle: f64) -> [f64; 5] {
    std::array::from_fn(|at| {
        if at == i {
            angle.cos()
        } else if at == j {
            angle.sin()
        } else {
            0.0
        }
    })
}

fn axis(i: usize) -> [f64; 5] {
    std::array::from_fn(|at| f64::from(u8::from(at == i)))
}

fn main() -> diabolo::Result<()> {
    let trial = Trial::begin("landscape", Defaults::default())?;
    let lambda = [5.0, 4.0, 2.5, 1.5, 1.0];
    let total: f64 = lambda.iter().sum();
    let x = planted(lambda)?;
    let model = Model::<f64>::untrained(height::<2>, 0)?; // no parameters: the weights are arguments
    let loss = |w: &Array<f64>| -> diabolo::Result<f64> {
        Ok(model.run(height::<2>, &[("w", w), ("x", &x), ("y", &x)])?.mean())
    };

    println!("critical points of ‖x − ABx‖², eigenvalues {lambda:?}");
    println!("  kept   loss   theory   |gradient|   least curvature of turning one out   theory");
    for (i, j) in (0..5).flat_map(|i| (i + 1..5).map(move |j| (i, j))) {
        let w = tied([axis(i), axis(j)])?;
        let slope = model.run(slope::<2>, &[("w", &w), ("x", &x), ("y", &x)])?;
        let size = slope.values().iter().fold(0.0f64, |most, v| most.max(v.abs()));
        // The best that is left out takes the place of the worst that is kept.
        let best = (0..5).find(|l| *l != i && *l != j).unwrap_or(j);
        let v = tied([[0.0; 5], axis(best)])?;
        let bend = model.run(bend::<2>, &[("w", &w), ("v", &v), ("x", &x), ("y", &x)])?;
        let curvature: f64 = v.values().iter().zip(bend.values()).map(|(v, b)| v * b).sum();
        println!(
            "  {} {}  {:6.3}  {:7.3}   {size:10.1e}   {curvature:34.6}   {:6.3}",
            i + 1,
            j + 1,
            loss(&w)?,
            total - lambda[i] - lambda[j],
            -2.0 * (lambda[best] - lambda[j])
        );
    }

    println!();
    for l in [2, 3] {
        let zero = Array::new(&[l, 5, 5], vec![0.0; l * 25])?;
        let v = Array::new(&[l, 5, 5], axis(0).repeat(5 * l))?;
        let at = [("w", &zero), ("v", &v), ("x", &x), ("y", &x)];
        let (_, slope, bend) = model.run(chain { L: l }, &at)?;
        let size = |a: &Array<f64>| a.values().iter().fold(0.0f64, |most, v| most.max(v.abs()));
        println!("{l} layers at 0: |gradient| {:.1}, |Hessian · v| {:.1}", size(&slope), size(&bend));
    }
    let data = Data::from_array("x", x.clone())?.with("y", &[5], x.values().to_vec())?;
    let seeds = if trial.flags.smoke { 2 } else { 20 };
    let reached = (0..seeds)
        .map(|seed| {
            let trainer = Trainer::new(kawaguchi).precision::<f64>().seed(seed).quiet();
            Ok(trainer.full_batch(Lbfgs::new()).fit(&data)?.1.loss)
        })
        .collect::<diabolo::Result<Vec<f64>>>()?;
    let ends =
        reached.iter().fold([f64::MAX, f64::MIN], |[low, high], loss| [low.min(*loss), high.max(*loss)]);
    println!("4 layers, {seeds} seeds: losses from {:.9} to {:.9}", ends[0], ends[1]);

    // From A = [e₁ e₂] to −A, and to its mirror image [e₁ −e₂], which has det C = −1.
    let ways: [(&str, fn(f64) -> [[f64; 5]; 2]); 3] = [
        ("straight to −A", |t| {
            [axis(0).map(|v| v * (1.0 - 2.0 * t)), axis(1).map(|v| v * (1.0 - 2.0 * t))]
        }),
        ("around: C turns, det C = 1", |t| [turned(0, 1, PI * t), turned(1, 0, -PI * t)]),
        ("over the lowest pass to the mirror image, det C = −1", |t| [axis(0), turned(1, 2, PI * t)]),
    ];
    let mut series = Vec::new();
    let mut figures = Figures::new("highest loss on the way between two minima");
    for (name, way) in ways {
        let points = (0..=100)
            .map(|step| Ok((f64::from(step) / 100.0, loss(&tied(way(f64::from(step) / 100.0))?)?)))
            .collect::<diabolo::Result<Vec<_>>>()?;
        figures = figures.row(name, points.iter().fold(0.0, |most: f64, point| most.max(point.1)));
        series.push((name, points));
    }
    figures = figures.row("theory of the pass: the minimum + λ₂ − λ₃", total - lambda[0] - lambda[2]);
    curve(trial.run.path("paths.png"), "three ways between minima", ["way", "loss"], &series)?;
    trial.conclude(&figures)
}
