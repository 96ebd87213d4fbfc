//! Rows 8, 9 and 12: a dictionary, rectified units under a penalty, one atom out of ten.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | twice the threshold in the encoder | objective; gradient of the atoms | .8007 beside .7379; 3.1e-2 |
//! | a step up the slope, `+ seen` | planted; objective; gradient | no atom; 2.393; 1.6 |
//! | twice the error in the loss | objective; gradient | .9763; 3.1e-2 |
//! | no bound on the atoms | planted; objective | no atom; the longest 14.1 |
//! | λ² / 2 for λ | penalty halves; vanilla | 25.8 to 22.5 units; the slope of the biases |
//! | no bound on the strokes | penalty halves | strokes longer than 1 |
//! | no rectifier on the code | penalty halves | 16.2 to 16.1 units |
//! | the gradient not divided by the shares | one-hot | 2.6783, Lloyd's 2.5735 |
//! | the farthest point for the nearest | one-hot; rays | 11.77; 3.14 for .1875 |
//! | no amplitude | k-lines; rays | 9.07, left out 2.43 |
//! | the smallest amplitude | k-lines; rays | 4.555, left out 4.502; 1.56 |

use common as _;
use diabolo::data::{Data, digits};
use diabolo::prelude::*;
use diabolo::{Minimum, Model};
use diabolo_acceptance::algebra::{column, eigen, matrix, moments};
use diabolo_acceptance::slopes::{gradient, worst_slope};
use diabolo_acceptance::statistics::{normals, uniforms};
use faer::Mat;

#[allow(dead_code)]
#[path = "../../../examples/clusters.rs"]
mod clusters;
#[allow(dead_code)]
#[path = "../../../examples/dictionary.rs"]
mod dictionary;
#[allow(dead_code)]
#[path = "../../../examples/sparse.rs"]
mod sparse;

// Row 8.

/// The first thousand digits, centred: what the reference was computed on.
fn thousand() -> Data {
    let rows = digits().train.take(1000).unwrap();
    rows.center("x", &rows.mean("x").unwrap()).unwrap()
}

fn share_recovered(seed: u64) -> f64 {
    let world = Model::untrained(dictionary::planted, seed).unwrap();
    let rows = Data::from_array("x", world.run(dictionary::planted, &2000usize).unwrap()).unwrap();
    let trainer = dictionary::trainer(0.1, 2.0).epochs(60).batch(64).seed(seed).quiet();
    let learnt = trainer.fit(&rows).unwrap().parameter("atoms.weight").unwrap();
    let truth = world.run(dictionary::planted_atoms, &1usize).unwrap();
    dictionary::recovered(&truth, &learnt) as f64 / 96.0
}

/// Over 20 seeds, every atom was found.
#[test]
fn planted_atoms_are_found_again() {
    let share = share_recovered(7);
    assert!(share >= 0.95, "{share}");
}

#[test]
#[ignore = "a minute: the spread behind the test above"]
fn over_twenty_seeds_planted_atoms_are_found_again() {
    let shares: Vec<f64> = (0..20).map(share_recovered).collect();
    println!("{shares:.4?}");
    assert!(shares.iter().all(|share| *share >= 0.95));
}

/// Of `DictionaryLearning(n_components=96, alpha=0.2, fit_algorithm="cd", transform_algorithm="lasso_cd", max_iter=300,
/// tol=1e-9, random_state=0)` of scikit-learn 1.9.1 (numpy 2.4.6), fitted once to the first 1000 rows of optdigits.tra / 16
/// less their mean: then `sparse_encode(…, algorithm="lasso_cd", max_iter=10000)`, and ½‖x − aD‖² + λ‖a‖₁ per row.
const REFERENCE: f64 = 0.7379354;

#[test]
fn the_objective_is_that_of_scikit_learn() {
    let rows = thousand();
    let model = dictionary::trainer(0.2, 2.0).epochs(100).batch(64).seed(7).quiet().fit(&rows).unwrap();
    let atoms = matrix(&model.parameter("atoms.weight").unwrap());
    let longest = (0..96).map(|k| atoms.row(k).norm_l2()).fold(0.0, f64::max);
    assert!(longest < 1.0 + 1e-6, "{longest}");
    let objective = model.mean(dictionary::sparse_coding, &rows).unwrap().loss;
    assert!((objective / REFERENCE - 1.0).abs() < 0.01, "{objective}");
    // And its codes are solutions: coordinate descent on the same atoms finds nothing lower.
    let x = column(&rows, "x");
    let (gram, seen) = (&atoms * atoms.transpose(), &x * atoms.transpose());
    let mut solved = 0.0;
    for i in 0..100 {
        let mut a = [0.0f64; 96];
        for _ in 0..500 {
            for k in 0..96 {
                let slope =
                    seen[(i, k)] - (0..96).map(|j| gram[(k, j)] * a[j]).sum::<f64>() + gram[(k, k)] * a[k];
                a[k] = slope.signum() * (slope.abs() - 0.2).max(0.0) / gram[(k, k)];
            }
        }
        let rest = x.row(i) - faer::row::Row::from_fn(96, |k| a[k]) * &atoms;
        solved += (0.5 * rest.squared_norm_l2() + 0.2 * a.iter().map(|a| a.abs()).sum::<f64>()) / 100.0;
    }
    let ours = model.mean(dictionary::sparse_coding, &rows.take(100).unwrap()).unwrap().loss;
    assert!((ours / solved - 1.0).abs() < 1e-3, "{ours} {solved}");
}

#[test]
fn the_gradient_of_the_atoms_is_that_of_the_solved_problem() {
    // The differences see the code move, the gradient holds it: at a solution both are the same (Danskin 1967).
    let rows = thousand().take(20).unwrap();
    let model =
        dictionary::trainer(0.2, 2.0).precision::<f64>().epochs(20).batch(20).quiet().fit(&rows).unwrap();
    let worst = worst_slope(dictionary::sparse_coding, &model, &rows, 24, 1e-2);
    assert!(worst < 1e-2, "{worst:e}");
}

// Row 9.

/// Active units per test image at λ = 0, and once λ = 0.2 is on with and without the bound.
fn active_units(seed: u64) -> [f64; 3] {
    let digits = digits();
    let settings = |trainer: Trainer<sparse::sparse>| {
        trainer.optimizer(Adam::new(2e-3)).epochs(100).batch(64).seed(seed).quiet()
    };
    let plain =
        Trainer::new(sparse::vanilla).optimizer(Adam::new(2e-3)).epochs(100).batch(64).seed(seed).quiet();
    let plain = plain.project(sparse::strokes, sparse::bounded).fit(&digits.train).unwrap();
    let bounded = settings(Trainer::new(sparse::sparse)).project(sparse::strokes, sparse::bounded);
    let bounded = bounded.resume(plain.clone(), &digits.train).unwrap();
    let strokes = matrix(&bounded.parameter("strokes.weight").unwrap());
    assert!((0..32).all(|k| strokes.row(k).norm_l2() < 1.0 + 1e-6));
    let unbounded = settings(Trainer::new(sparse::sparse)).resume(plain.clone(), &digits.train).unwrap();
    [plain, bounded, unbounded].map(|model| model.mean(sparse::active, &digits.test).unwrap().loss)
}

/// Over 20 seeds: × .360 to × .413 under the bound, × .837 to × .867 without.
#[test]
fn the_penalty_halves_the_active_units_under_the_bound_and_hardly_moves_them_without() {
    let [free, bounded, unbounded] = active_units(7);
    assert!(bounded <= 0.5 * free, "{free} to {bounded}");
    assert!(unbounded >= 0.8 * free, "{free} to {unbounded}");
}

#[test]
#[ignore = "half a minute: the spread behind the test above"]
fn over_twenty_seeds_the_penalty_needs_its_bound() {
    for seed in 0..20 {
        let [free, bounded, unbounded] = active_units(seed);
        println!(
            "seed {seed:2}: {free:.2}, bounded × {:.3}, unbounded × {:.3}",
            bounded / free,
            unbounded / free
        );
    }
}

#[test]
fn without_a_weight_it_is_the_vanilla_autoencoder() {
    let data = digits().train.take(50).unwrap();
    let model = Model::<f64>::untrained(sparse::sparse, 1).unwrap();
    let plain = model.mean(sparse::vanilla, &data).unwrap().loss;
    let free = model.mean(sparse::sparse { lambda: 0.0 }, &data).unwrap().loss;
    assert!((free / plain - 1.0).abs() < 1e-14, "{free} {plain}");
    let slopes = gradient(sparse::vanilla, &model, &data);
    for (one, other) in gradient(sparse::sparse { lambda: 0.0 }, &model, &data).iter().zip(&slopes) {
        assert!(
            one.0 == other.0 && one.1.iter().zip(&other.1).all(|(a, b)| (a - b).abs() < 1e-14),
            "{}",
            one.0
        );
    }
    // With one, only the encoder feels it: its bias by λ times the share of the rows that switch a unit on.
    let codes = model.run(sparse::encode, &data).unwrap();
    for (one, other) in gradient(sparse::sparse { lambda: 0.2 }, &model, &data).iter().zip(&slopes) {
        for (k, (a, b)) in one.1.iter().zip(&other.1).enumerate() {
            let expected = match one.0.as_str() {
                "encode.dense0.bias" => 0.2 * codes.iter().filter(|h| h[k] > 0.0).count() as f64 / 50.0,
                "encode.dense0.weight" => continue,
                _ => 0.0,
            };
            assert!((a - b - expected).abs() < 1e-7, "{} {k}: {a} {b} {expected}", one.0);
        }
    }
}

#[test]
fn without_the_bound_the_penalty_is_vacuous() {
    // A rectified unit is homogeneous: W/c, b/c and cW̃ draw what W, b and W̃ did, at 1/c of the penalty.
    let data = digits().train.take(50).unwrap();
    let mut model = Model::<f64>::untrained(sparse::sparse, 1).unwrap();
    let before = model.mean(sparse::sparse, &data).unwrap();
    for (path, factor) in
        [("encode.dense0.weight", 1e-3), ("encode.dense0.bias", 1e-3), ("strokes.weight", 1e3)]
    {
        let value = model.parameter(path).unwrap();
        let scaled = value.values().iter().map(|v| factor * v).collect();
        model.set_parameter(path, &Array::new(value.shape(), scaled).unwrap()).unwrap();
    }
    let after = model.mean(sparse::sparse, &data).unwrap();
    let (error, size) = (after.part("error").unwrap(), after.part("size").unwrap());
    assert!((error / before.part("error").unwrap() - 1.0).abs() < 1e-12, "{before} {after}");
    assert!((1e3 * size / before.part("size").unwrap() - 1.0).abs() < 1e-12, "{before} {after}");
}

// Row 12.

/// Squared distances to the points, the nearest first of equals, and the sums by point: k-means without the language.
fn nearest(x: &Mat<f64>, points: &Mat<f64>) -> (f64, Mat<f64>) {
    let mut sums: Mat<f64> = Mat::zeros(points.nrows(), points.ncols());
    let (mut inertia, mut counts) = (0.0, vec![0.0; points.nrows()]);
    for i in 0..x.nrows() {
        let squares: Vec<f64> =
            (0..points.nrows()).map(|k| (x.row(i) - points.row(k)).squared_norm_l2()).collect();
        let k = (0..squares.len()).min_by(|a, b| squares[*a].total_cmp(&squares[*b])).unwrap();
        inertia += squares[k] / x.nrows() as f64;
        counts[k] += 1.0;
        (0..x.ncols()).for_each(|d| sums[(k, d)] += x[(i, d)]);
    }
    let means = Mat::from_fn(points.nrows(), points.ncols(), |k, d| sums[(k, d)] / counts[k]);
    (inertia, means)
}

fn first_points(train: &Data) -> Model<f64> {
    clusters::start(Model::untrained(clusters::k_means, 0).unwrap(), "points.weight", train).unwrap()
}

fn points(model: &Model<f64>) -> Mat<f64> {
    matrix(&model.parameter("points.weight").unwrap())
}

#[test]
fn a_one_hot_code_is_k_means() {
    let train = digits().train;
    let x = column(&train, "x");
    let first = first_points(&train);
    let mut reference = points(&first);
    for _ in 0..200 {
        reference = nearest(&x, &reference).1;
    }
    let lloyd = nearest(&x, &reference).0;
    let model = clusters::by_gradients(first.clone(), 100, &train).unwrap();
    let inertia = model.mean(clusters::k_means, &train).unwrap().loss;
    assert!((inertia / lloyd - 1.0).abs() < 1e-4, "{inertia}, and {lloyd} of Lloyd's");
    // L-BFGS takes other ways, to other minima; they are minima of k-means too.
    let minimum = Trainer::new(clusters::k_means).precision::<f64>().quiet().full_batch(Lbfgs::new());
    let (other, _) = minimum.resume(first, &train).unwrap();
    for model in [model, other] {
        let (before, means) = nearest(&x, &points(&model));
        let gain = before - nearest(&x, &means).0;
        assert!((before - model.mean(clusters::k_means, &train).unwrap().loss).abs() < 1e-12);
        assert!(gain.abs() < 1e-6, "{gain:e}");
    }
}

fn fit_lines(start: Model<f64>, data: &Data) -> (Model<f64>, Minimum) {
    Trainer::new(clusters::k_lines)
        .precision::<f64>()
        .quiet()
        .full_batch(Lbfgs::new())
        .resume(start, data)
        .unwrap()
}

#[test]
fn a_code_with_an_amplitude_is_k_lines() {
    let train = digits().train;
    let first =
        clusters::start(Model::untrained(clusters::k_lines, 0).unwrap(), "lines.atoms", &train).unwrap();
    let (model, end) = fit_lines(first, &train);
    // Each line is the first principal direction, about 0, of the rows it is nearest to: the error is what is left out.
    let (x, codes) = (column(&train, "x"), model.run(clusters::along, &train).unwrap());
    let mut left = 0.0;
    for k in 0..10 {
        let rows: Vec<usize> = (0..x.nrows()).filter(|i| codes.row(*i).unwrap()[k] != 0.0).collect();
        let own = Mat::from_fn(rows.len(), 64, |i, d| x[(rows[i], d)]);
        let (values, _) = eigen(moments(own.as_ref(), own.as_ref()).as_ref());
        left += values[1..].iter().sum::<f64>() * rows.len() as f64 / x.nrows() as f64;
    }
    assert!((end.loss / left - 1.0).abs() < 1e-6, "{} and {left}", end.loss);
}

#[test]
fn rays_are_lines_and_no_points() {
    // Ten directions, each at lengths from 1/2 to 2: ten lines leave nothing, ten points much.
    let (direction, length) = (normals(10 * 64, 3), uniforms(2000, 4));
    let ray = |i: usize| &direction[64 * (i % 10)..][..64];
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let point = |at: usize| (0.5 + 1.5 * length[at / 64]) * ray(at / 64)[at % 64] / norm(ray(at / 64));
    let data = Data::new().with("x", &[64], (0..2000 * 64).map(point).collect::<Vec<f64>>()).unwrap();
    // Rows 0 to 9 are one of each ray, not quite along it.
    let begin = |mut model: Model<f64>, atoms: &str| {
        let rows = data.take(10).unwrap().array::<f64>("x").unwrap().into_values();
        let shaken = rows.iter().zip(normals(640, 5)).map(|(v, z)| v + 0.02 * z).collect();
        model.set_parameter(atoms, &Array::new(&[10, 64], shaken).unwrap()).unwrap();
        model
    };
    let (_, lines) = fit_lines(begin(Model::untrained(clusters::k_lines, 0).unwrap(), "lines.atoms"), &data);
    assert!(lines.loss < 1e-12, "{lines}");
    let start = begin(Model::untrained(clusters::k_means, 0).unwrap(), "points.weight");
    let points =
        clusters::by_gradients(start, 50, &data).unwrap().mean(clusters::k_means, &data).unwrap().loss;
    // The variance of a uniform length over 3/2: (3/2)² / 12.
    assert!((points / 0.1875 - 1.0).abs() < 0.1, "{points}");
}
