//! Rows 5 and 6: the critical points of linear networks, and how their minima are connected.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | half the height | `every_index_set…`, `turning_one_out…`, three more | 9.6 % of tr Σyy off; a curvature of 11.17 for 22.34 |
//! | gradient for the Hessian product | `turning_one_out…`, `all_critical_points…` | 3e-15 for 22.34; no way down from a saddle |
//! | encoder mixed with the decoder | `every_index_set…`, four more | a gradient of 51 |
//! | tanh in the middle | `a_deep_network…`, `minima_are_connected…` | 27.607 for 18.105 |
//! | one unit in the middle | `a_deep_network…` | 40.692 for 18.105 |
//! | layers that add to their input | `three_layers…` | a loss at 0 that is not tr Σyy |

use common as _;
use diabolo::data::Array;
use diabolo::prelude::*;
use diabolo_acceptance::algebra::{array, eigen, matrix, moments, pseudo_inverse};
use diabolo_acceptance::statistics::normals;
use faer::Mat;
use faer::linalg::solvers::DenseSolveCore;

#[allow(dead_code)]
#[path = "../../../examples/landscape.rs"]
mod landscape;

/// Numbers of x, of y.
const D: usize = 5;

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let values = normals(rows * columns, seed);
    Mat::from_fn(rows, columns, |i, j| values[i * columns + j])
}

/// A regression, and what theory needs of it.
struct Problem {
    x: Array<f64>,
    y: Array<f64>,
    /// tr Σyy.
    total: f64,
    /// λ and U of ΣyxΣxx⁺Σxy.
    lambda: Vec<f64>,
    u: Mat<f64>,
    /// ΣyxΣxx⁺.
    best: Mat<f64>,
    model: Model<f64>,
}

impl Problem {
    fn new(x: Mat<f64>, y: Mat<f64>) -> Problem {
        let (xx, yx, yy) = (
            moments(x.as_ref(), x.as_ref()),
            moments(y.as_ref(), x.as_ref()),
            moments(y.as_ref(), y.as_ref()),
        );
        let best = &yx * pseudo_inverse(xx.as_ref(), 1e-10);
        let (lambda, u) = eigen((&best * yx.transpose()).as_ref());
        // Every function of the landscape takes its weights as an argument: a model without parameters.
        let model = Model::untrained(landscape::height::<2>, 0).unwrap();
        let total = (0..D).map(|i| yy[(i, i)]).sum();
        Problem { x: array(x.as_ref()), y: array(y.as_ref()), total, lambda, u, best, model }
    }

    /// y = x, of covariance with no structure.
    fn autoencoder() -> Problem {
        let x = random(40, D, 1) * random(D, D, 2);
        Problem::new(x.clone(), x)
    }

    /// y is half said by x. With `dependent`, the last number of x is the first one again: Σxx is singular.
    fn regression(dependent: bool) -> Problem {
        let mut x = random(40, D, 3) * random(D, D, 4);
        if dependent {
            (0..40).for_each(|i| x[(i, D - 1)] = x[(i, 0)]);
        }
        let y = &x * random(D, D, 5) + random(40, D, 6);
        Problem::new(x, y)
    }

    /// y is a function of rank two of x: the network needs no more units.
    fn of_rank_two() -> Problem {
        let x = random(40, D, 7);
        let y = &x * random(D, 2, 8) * random(2, D, 9);
        Problem::new(x, y)
    }

    /// A = U_I C, B = C⁻¹U_IᵀΣyxΣxx⁺.
    fn critical(&self, kept: &[usize], c: &Mat<f64>) -> Point {
        let u = Mat::from_fn(D, kept.len(), |i, j| self.u[(i, kept[j])]);
        Point { a: &u * c, b: c.partial_piv_lu().inverse() * u.transpose() * &self.best }
    }

    fn height(&self, point: &Point) -> f64 {
        let at = [("w", &point.array()), ("x", &self.x), ("y", &self.y)];
        match point.a.ncols() {
            2 => self.model.run(landscape::height::<2>, &at).unwrap().mean(),
            _ => self.model.run(landscape::height::<3>, &at).unwrap().mean(),
        }
    }

    fn slope(&self, point: &Point) -> f64 {
        let at = [("w", &point.array()), ("x", &self.x), ("y", &self.y)];
        let slope = self.model.run(landscape::slope { K: point.a.ncols() }, &at).unwrap();
        slope.values().iter().fold(0.0, |most, v| most.max(v.abs()))
    }

    /// The Hessian times a direction.
    fn bend(&self, point: &Point, v: &Point) -> Array<f64> {
        let at = [("w", &point.array()), ("v", &v.array()), ("x", &self.x), ("y", &self.y)];
        self.model.run(landscape::bend { K: point.a.ncols() }, &at).unwrap()
    }

    /// The Hessian, column by column.
    fn hessian(&self, point: &Point) -> Mat<f64> {
        let (k, n) = (point.a.ncols(), 2 * D * point.a.ncols());
        let columns: Vec<Array<f64>> = (0..n)
            .map(|at| {
                let unit = |i: usize| if i == at { 1.0 } else { 0.0 };
                let a = Mat::from_fn(D, k, |i, j| unit(i * k + j));
                let b = Mat::from_fn(k, D, |i, j| unit(D * k + j * k + i));
                self.bend(point, &Point { a, b })
            })
            .collect();
        Mat::from_fn(n, n, |i, j| columns[j].values()[i])
    }

    /// The loss at the end of training, were k numbers enough of it.
    fn least(&self, k: usize) -> f64 {
        self.total - self.lambda[..k].iter().sum::<f64>()
    }
}

/// A decoder and an encoder, or a direction in which they move.
#[derive(Clone)]
struct Point {
    a: Mat<f64>,
    b: Mat<f64>,
}

impl Point {
    /// As the example has it: A, then Bᵀ.
    fn array(&self) -> Array<f64> {
        let bt = self.b.transpose().to_owned();
        let values = [array(self.a.as_ref()).into_values(), array(bt.as_ref()).into_values()].concat();
        Array::new(&[2, D, self.a.ncols()], values).unwrap()
    }

    /// (AC, C⁻¹B).
    fn carried(&self, c: &Mat<f64>) -> Point {
        Point { a: &self.a * c, b: c.partial_piv_lu().inverse() * &self.b }
    }

    fn between(&self, to: &Point, t: f64) -> Point {
        let mix = |from: &Mat<f64>, to: &Mat<f64>| from * faer::Scale(1.0 - t) + to * faer::Scale(t);
        Point { a: mix(&self.a, &to.a), b: mix(&self.b, &to.b) }
    }
}

/// All sets of k of so many, in order.
fn subsets(n: usize, k: usize) -> Vec<Vec<usize>> {
    let sets = (0..1usize << n).map(|bits| (0..n).filter(|i| bits >> i & 1 == 1).collect::<Vec<_>>());
    sets.filter(|set| set.len() == k).collect()
}

/// A way from I to a matrix of positive determinant, through invertible ones: its triangular factor along a line, its
/// rotation through the planes that make it.
struct Way {
    turns: Vec<(usize, usize, f64)>,
    triangle: Mat<f64>,
}

impl Way {
    fn to(c: &Mat<f64>) -> Way {
        assert!(c.determinant() > 0.0);
        let n = c.nrows();
        let mut triangle = c.clone();
        let mut turns = Vec::new();
        for j in 0..n {
            for i in j + 1..n {
                // Turns row i onto row j, so that element (i, j) vanishes and (j, j) is positive.
                let angle = triangle[(i, j)].atan2(triangle[(j, j)]);
                turn(&mut triangle, j, i, -angle);
                turns.push((j, i, angle));
            }
        }
        Way { turns, triangle }
    }

    fn at(&self, t: f64) -> Mat<f64> {
        let n = self.triangle.nrows();
        let mut c = Mat::<f64>::identity(n, n) * faer::Scale(1.0 - t) + &self.triangle * faer::Scale(t);
        for (i, j, angle) in self.turns.iter().rev() {
            turn(&mut c, *i, *j, t * angle);
        }
        c
    }
}

/// Turns rows i and j.
fn turn(c: &mut Mat<f64>, i: usize, j: usize, angle: f64) {
    let (cos, sin) = (angle.cos(), angle.sin());
    for column in 0..c.ncols() {
        let (above, below) = (c[(i, column)], c[(j, column)]);
        c[(i, column)] = cos * above - sin * below;
        c[(j, column)] = sin * above + cos * below;
    }
}

fn largest(a: &Mat<f64>) -> f64 {
    a.norm_max()
}

/// The lowest and the highest value over a way from 0 to 1.
fn range(of: impl Fn(f64) -> f64) -> (f64, f64) {
    let values = (0..=100).map(|step| of(f64::from(step) / 100.0));
    values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
}

#[test]
fn every_index_set_is_a_critical_point_with_the_loss_of_theory() {
    for problem in [Problem::autoencoder(), Problem::regression(false), Problem::regression(true)] {
        for k in [2, 3] {
            let sets = subsets(D, k);
            assert_eq!(sets.len(), 10);
            for (seed, kept) in sets.iter().enumerate() {
                let point = problem.critical(kept, &random(k, k, 10 + seed as u64));
                let slope = problem.slope(&point);
                assert!(slope < 1e-8, "{kept:?}: gradient {slope:e}");
                let theory = problem.total - kept.iter().map(|i| problem.lambda[*i]).sum::<f64>();
                let off = (problem.height(&point) - theory).abs() / problem.total;
                assert!(off < 1e-12, "{kept:?}: {off:e}");
            }
        }
    }
}

#[test]
fn turning_one_out_for_another_has_the_curvature_of_theory() {
    let problem = Problem::autoencoder();
    for kept in subsets(D, 2) {
        let point = problem.critical(&kept, &Mat::identity(2, 2));
        for (place, j) in kept.iter().enumerate() {
            for l in (0..D).filter(|l| !kept.contains(l)) {
                let a = Mat::from_fn(D, 2, |i, at| if at == place { problem.u[(i, l)] } else { 0.0 });
                let v = Point { b: a.transpose().to_owned(), a };
                let bend = problem.bend(&point, &v);
                let found: f64 = v.array().values().iter().zip(bend.values()).map(|(v, b)| v * b).sum();
                let theory = -2.0 * (problem.lambda[l] - problem.lambda[*j]);
                assert!(
                    (found - theory).abs() < 1e-10 * problem.total,
                    "{kept:?}, {j} to {l}: {found}, not {theory}"
                );
            }
        }
    }
}

#[test]
fn all_critical_points_but_the_minima_are_strict_saddles() {
    for problem in [Problem::autoencoder(), Problem::regression(false)] {
        for kept in subsets(D, 2) {
            let point = problem.critical(&kept, &random(2, 2, 77));
            let least = *eigen(problem.hessian(&point).as_ref()).0.last().unwrap();
            if kept == [0, 1] {
                assert!(least > -1e-9 * problem.total, "the minimum has a curvature of {least:e}");
            } else {
                assert!(least < -1e-3, "{kept:?} has no way down: {least:e}");
            }
        }
    }
}

/// Four layers with two units in the middle, trained from a seed: the loss, and the decoder and encoder around those two.
fn trained(problem: &Problem, seed: u64) -> (f64, Point) {
    let data = Data::from_array("x", problem.x.clone()).unwrap();
    let data = data.with("y", &[D], problem.y.values().to_vec()).unwrap();
    let trainer = Trainer::new(landscape::kawaguchi).precision::<f64>().seed(seed).quiet();
    let (model, end) =
        trainer.full_batch(Lbfgs { iterations: 5000, change: 1e-15, ..Lbfgs::new() }).fit(&data).unwrap();
    let weight = |layer: usize| matrix(&model.parameter(&format!("deep.dense{layer}.weight")).unwrap());
    // Rows there, columns here.
    let encoder = weight(0) * weight(1);
    let decoder = weight(2) * weight(3);
    (end.loss, Point { a: decoder.transpose().to_owned(), b: encoder.transpose().to_owned() })
}

#[test]
fn a_deep_network_reaches_one_loss_from_twenty_seeds() {
    let problem = Problem::regression(false);
    let least = problem.least(2);
    for seed in 0..20 {
        let (loss, _) = trained(&problem, seed);
        assert!((loss - least).abs() < 1e-6, "seed {seed}: {loss}, and {least} is the least");
    }
}

#[test]
fn minima_are_connected_where_the_determinant_is_positive_and_else_apart_by_a_pass() {
    let problem = Problem::regression(false);
    let (least, pass) = (problem.least(2), problem.lambda[1] - problem.lambda[2]);
    let (_, first) = trained(&problem, 0);
    let mut signs = [0, 0];
    for seed in 1..12 {
        let (_, second) = trained(&problem, seed);
        // A₂ = A₁C.
        let c = pseudo_inverse(first.a.as_ref(), 1e-10) * &second.a;
        signs[usize::from(c.determinant() > 0.0)] += 1;
        if c.determinant() > 0.0 {
            let way = Way::to(&c);
            let end = first.carried(&way.at(1.0));
            assert!(largest(&(&end.a - &second.a)) < 1e-4 && largest(&(&end.b - &second.b)) < 1e-4);
            let (low, high) = range(|t| problem.height(&first.carried(&way.at(t))));
            assert!(high - low < 1e-10 * problem.total && (low - least).abs() < 1e-6, "{low} to {high}");
        } else {
            let (_, high) = range(|t| problem.height(&first.between(&second, t)));
            assert!(high > least + pass, "{high} is below the pass at {}", least + pass);
        }
    }
    assert!(signs[0] > 0 && signs[1] > 0, "{signs:?}");
}

#[test]
fn no_way_between_the_two_components_is_lower_than_the_pass() {
    let problem = Problem::regression(false);
    let (least, pass) = (problem.least(2), problem.lambda[1] - problem.lambda[2]);
    // Somewhere on it, det UᵀA = 0 for U = [u₁ u₂]: then A has a column orthogonal to both. The best B for it is known.
    for seed in 0..200 {
        let away = random(D, 1, 1000 + seed);
        let u = problem.u.get(.., ..2);
        let away = &away - u * (u.transpose() * &away);
        let any = random(D, 1, 2000 + seed);
        let a = Mat::from_fn(D, 2, |i, j| if j == 0 { away[(i, 0)] } else { any[(i, 0)] });
        let b = pseudo_inverse(a.as_ref(), 1e-10) * &problem.best;
        let height = problem.height(&Point { a, b });
        assert!(height > least + pass - 1e-9, "{height} is below the pass at {}", least + pass);
    }
    // And the pass is as low as that: u₂ turns through u₃ to −u₂.
    let over = |t: f64| {
        let angle = std::f64::consts::PI * t;
        let a = Mat::from_fn(D, 2, |i, j| match j {
            0 => problem.u[(i, 0)],
            _ => angle.cos() * problem.u[(i, 1)] + angle.sin() * problem.u[(i, 2)],
        });
        problem.height(&Point { b: a.transpose() * &problem.best, a })
    };
    let (low, high) = range(over);
    assert!((low - least).abs() < 1e-9 && (high - least - pass).abs() < 1e-9, "{low} to {high}");
}

/// At width k + 1 a network of rank k has a unit to spare, which can turn any of the others around.
#[test]
fn one_more_unit_than_needed_connects_all_minima() {
    let problem = Problem::of_rank_two();
    let least = problem.least(2);
    assert!(problem.lambda[2] < 1e-12 && problem.lambda[1] > 0.1);
    let lowest = &problem.critical(&[0, 1], &Mat::identity(2, 2));
    // ([A a] G, G⁻¹ [B; 0]): any A of rank two with any third column, any G.
    let minimum = |seed: u64, mirrored: bool| {
        let mut d = random(2, 2, seed);
        if (d.determinant() < 0.0) != mirrored {
            (0..2).for_each(|i| d[(i, 1)] = -d[(i, 1)]);
        }
        (d, random(D, 1, seed + 1), random(3, 3, seed + 2))
    };
    let spare = |ab: &Point, third: &Mat<f64>, t: f64| Point {
        a: Mat::from_fn(D, 3, |i, j| if j < 2 { ab.a[(i, j)] } else { t * third[(i, 0)] }),
        b: Mat::from_fn(3, D, |i, j| if i < 2 { ab.b[(i, j)] } else { 0.0 }),
    };
    for mirrored in [false, true] {
        let (from, to) = (minimum(20, false), minimum(30, mirrored));
        for (d, third, g) in [&from, &to] {
            // To the one without a third column: G to I, or to the mirror of the spare unit, which is not used; then a to 0.
            let ab = lowest.carried(d);
            let flip = Mat::from_fn(3, 3, |i, j| match (i == j, i) {
                (true, 2) => g.determinant().signum(),
                (same, _) => f64::from(u8::from(same)),
            });
            let way = Way::to(&(&flip * g));
            let start = spare(&ab, third, 1.0).carried(&flip);
            let (low, high) = range(|t| problem.height(&start.carried(&way.at(t))));
            assert!(high - least < 1e-9 && least - low < 1e-9, "C: {low} to {high}");
            let end = start.carried(&way.at(1.0));
            assert!(largest(&(end.a - spare(&ab, third, 1.0).carried(g).a)) < 1e-10);
            let (low, high) = range(|t| problem.height(&spare(&ab, third, t).carried(&flip)));
            assert!(high - least < 1e-9 && least - low < 1e-9, "the spare column: {low} to {high}");
        }
        // From one A to the other by D, whose sign the spare unit takes.
        let d = from.0.partial_piv_lu().inverse() * &to.0;
        assert_eq!(d.determinant() < 0.0, mirrored);
        let wide = Mat::from_fn(3, 3, |i, j| match (i < 2 && j < 2, i == j) {
            (true, _) => d[(i, j)],
            (false, true) => d.determinant().signum(),
            _ => 0.0,
        });
        let start = spare(&lowest.carried(&from.0), &from.1, 0.0);
        let way = Way::to(&wide);
        let (low, high) = range(|t| problem.height(&start.carried(&way.at(t))));
        assert!(high - least < 1e-9 && least - low < 1e-9, "between: {low} to {high}");
        let end = start.carried(&way.at(1.0));
        let there = spare(&lowest.carried(&to.0), &to.1, 0.0);
        assert!(largest(&(end.a - there.a)) < 1e-9 && largest(&(end.b - there.b)) < 1e-9);
    }
    // At width two, mirror images of the same network are apart by λ₂ − λ₃.
    let mirror = lowest.carried(&faer::mat![[1.0, 0.0], [0.0, -1.0]]);
    let (_, high) = range(|t| problem.height(&lowest.between(&mirror, t)));
    assert!(high > least + 0.999 * (problem.lambda[1] - problem.lambda[2]), "{high}");
}

#[test]
fn three_layers_have_a_flat_saddle_at_zero() {
    let problem = Problem::regression(false);
    let at = |w: &Array<f64>, v: &Array<f64>| {
        let inputs = [("w", w), ("v", v), ("x", &problem.x), ("y", &problem.y)];
        problem.model.run(landscape::chain { L: w.shape()[0] }, &inputs).unwrap()
    };
    let layers = |l: usize, values: Vec<f64>| Array::new(&[l, D, D], values).unwrap();
    let zero = |l: usize| layers(l, vec![0.0; l * D * D]);
    let most = |a: &Array<f64>| a.values().iter().fold(0.0f64, |most, v| most.max(v.abs()));
    let (height, slope, _) = at(&zero(3), &zero(3));
    assert!((height.mean() - problem.total).abs() < 1e-12 * problem.total && most(&slope) == 0.0);
    for seed in 0..5 {
        let (_, _, bend) = at(&zero(3), &layers(3, normals(3 * D * D, seed)));
        assert_eq!(most(&bend), 0.0);
    }
    // No minimum: along I, I, (ΣyxΣxx⁺)ᵀ the loss falls with the third power.
    let identity = array(Mat::<f64>::identity(D, D).as_ref()).into_values();
    let best = array(problem.best.transpose().to_owned().as_ref()).into_values();
    let down = [identity.clone(), identity.clone(), best.clone()].concat();
    let small =
        |t: f64| at(&layers(3, down.iter().map(|v| t * v).collect()), &zero(3)).0.mean() - problem.total;
    assert!(small(1e-2) < 0.0);
    let ratio = small(2e-2) / small(1e-2);
    assert!((ratio - 8.0).abs() < 0.01, "{ratio}");

    // Two layers have a way down that the Hessian sees: −4 tr(ΣyxΣxx⁺Σxy) along I, (ΣyxΣxx⁺)ᵀ.
    let v = layers(2, [identity, best].concat());
    let (_, slope, bend) = at(&zero(2), &v);
    let curvature: f64 = v.values().iter().zip(bend.values()).map(|(v, b)| v * b).sum();
    let theory = -4.0 * problem.lambda.iter().sum::<f64>();
    assert!(most(&slope) == 0.0 && (curvature / theory - 1.0).abs() < 1e-12, "{curvature}, not {theory}");
}
