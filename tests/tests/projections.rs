//! Projections: parameters that stay in a set, first and after every step.

use diabolo::data::{Data, digits};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::projection::{
    clip, non_negative, orthonormal_columns, orthonormal_rows, unit_columns, unit_rows,
};

#[network]
fn basis() -> Tensor<4, 64> {
    param(normal_init(1.0))
}

#[network]
fn tall() -> Tensor<64, 4> {
    param(normal_init(1.0))
}

#[loss(trains(basis))]
fn pca(x: Tensor<B, 64>) -> Tensor<B> {
    let z = einsum("bd,kd->bk", x, basis());
    squared_error(einsum("bk,kd->bd", z, basis()), x)
}

#[loss(trains(tall))]
fn transposed(x: Tensor<B, 64>) -> Tensor<B> {
    let z = einsum("bd,dk->bk", x, tall());
    squared_error(einsum("bk,dk->bd", z, tall()), x) + 0.0 * sum_squares(basis())
}

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 4> {
    dense(x, 4)
}

#[loss]
fn plain(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(einsum("bk,kd->bd", encode(x), basis()), x)
}

/// Row by row, by their largest element.
#[function]
fn by_largest(w: Tensor<B, 64>, bound: f32) -> Tensor<B, 64> {
    let largest = max(abs(w));
    w * unsqueeze(bound / max(largest, bound), 1)
}

/// The whole matrix.
#[function]
fn of_trace_one(w: Tensor<4, 64>) -> Tensor<4, 64> {
    w / sqrt(sum_squares(w))
}

#[function]
fn of_two(w: Tensor<4, 64>, v: Tensor<4, 64>) -> Tensor<4, 64> {
    w + v
}

#[function]
fn narrower(w: Tensor<4, 64>) -> Tensor<4, 32> {
    slice(w, axis = 2, start = 0, end = 32)
}

fn small() -> Data {
    digits().train.take(200).unwrap()
}

fn matrix(model: &Model, path: &str) -> Vec<f64> {
    model.parameter(path).unwrap().values().iter().map(|v| f64::from(*v)).collect()
}

/// Checks the first values and those after three steps.
fn always<L: diabolo::Losses>(trainer: Trainer<L>, path: &str, holds: impl Fn(&[f64]) -> bool) {
    let data = small();
    let mut training = trainer.batch(50).optimizer(Sgd::new(1e-4)).quiet().start(&data).unwrap();
    assert!(holds(&matrix(&training.model().unwrap(), path)), "at first");
    for step in 0..3 {
        let before = matrix(&training.model().unwrap(), path);
        training.step().unwrap();
        let after = matrix(&training.model().unwrap(), path);
        assert!(before != after && holds(&after), "after step {step}");
    }
}

fn squares(values: &[f64], start: usize, step: usize, count: usize) -> f64 {
    (0..count).map(|i| values[start + i * step].powi(2)).sum()
}

fn is_one(value: f64) -> bool {
    (value - 1.0).abs() < 1e-5
}

#[test]
fn the_sets_of_the_library() {
    let orthonormal = |w: &[f64], step: usize, between: usize| {
        (0..4).all(|a| {
            (0..4).all(|b| {
                let dot: f64 = (0..64).map(|i| w[a * between + i * step] * w[b * between + i * step]).sum();
                (dot - f64::from(u8::from(a == b))).abs() < 1e-5
            })
        })
    };
    always(Trainer::new(pca).project(basis, orthonormal_rows), "basis.weight", |w| orthonormal(w, 1, 64));
    always(Trainer::new(transposed).project(tall, orthonormal_columns), "tall.weight", |w| {
        orthonormal(w, 4, 1)
    });
    always(Trainer::new(pca).project(basis, unit_rows), "basis.weight", |w| {
        (0..4).all(|row| is_one(squares(w, 64 * row, 1, 64)))
    });
    always(Trainer::new(pca).project(basis, unit_columns), "basis.weight", |w| {
        (0..64).all(|column| is_one(squares(w, column, 64, 4)))
    });
    always(Trainer::new(pca).project(basis, clip(0.25)), "basis.weight", |w| {
        w.iter().all(|v| v.abs() <= 0.25) && w.iter().any(|v| v.abs() == 0.25)
    });
    always(Trainer::new(pca).project(basis, non_negative), "basis.weight", |w| {
        w.iter().all(|v| *v >= 0.0) && w.contains(&0.0)
    });
}

#[test]
fn ones_own_is_a_function_of_a_matrix_or_of_its_rows() {
    always(Trainer::new(pca).project(basis, by_largest { bound: 0.5 }), "basis.weight", |w| {
        w.chunks(64).all(|row| {
            let largest = row.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
            largest < 0.5 + 1e-6
        })
    });
    always(Trainer::new(pca).project(basis, of_trace_one), "basis.weight", |w| is_one(squares(w, 0, 1, 256)));
    // Several, in their order.
    let both = Trainer::new(pca).project(basis, non_negative).project(basis, of_trace_one);
    always(both, "basis.weight", |w| is_one(squares(w, 0, 1, 256)) && w.iter().all(|v| *v >= 0.0));
}

#[test]
fn double_precision_is_projected_in_double_precision() {
    let data = small();
    let trainer = Trainer::new(pca).project(basis, orthonormal_rows).project(basis, of_trace_one);
    let model = trainer.precision::<f64>().epochs(1).quiet().fit(&data).unwrap();
    let norm: f64 = model.parameter("basis.weight").unwrap().values().iter().map(|v| v * v).sum();
    assert!((norm - 1.0).abs() < 1e-14, "{norm}");
}

#[test]
fn a_network_is_all_of_its_parameters_and_a_path_is_one() {
    let data = small();
    let trainer = || Trainer::new(plain).epochs(2).quiet();
    let model = trainer().project(encode, clip(0.01)).fit(&data).unwrap();
    for path in ["encode.dense0.weight", "encode.dense0.bias"] {
        assert!(matrix(&model, path).iter().all(|v| v.abs() <= 0.0101), "{path}");
    }
    assert!(matrix(&model, "basis.weight").iter().any(|v| v.abs() > 0.5));
    let model = trainer().project("encode.dense0.weight", unit_columns).fit(&data).unwrap();
    let weight = matrix(&model, "encode.dense0.weight");
    assert!((0..4).all(|column| is_one(squares(&weight, column, 4, 64))));
}

/// The steps of another loss are not followed: there, nothing has moved.
#[test]
fn only_the_losses_that_train_it_are_followed() {
    let data = small();
    let trainer = Trainer::alternate((pca, transposed)).project(basis, orthonormal_rows).quiet();
    let mut training = trainer.optimizer(Sgd::new(1e-3)).start(&data).unwrap();
    training.step().unwrap();
    let mut model = training.model().unwrap();
    let before = matrix(&model, "basis.weight");
    training.step().unwrap();
    assert_eq!(matrix(&training.model().unwrap(), "basis.weight"), before);
    // A model whose values are anything is projected before the first step, too.
    let twos = diabolo::data::Array::new(&[4, 64], vec![2.0f32; 256]).unwrap();
    model.set_parameter("basis.weight", &twos).unwrap();
    let clipped = Trainer::new(transposed).project(basis, clip(1.0)).epochs(1).quiet();
    let model = clipped.resume(model, &data).unwrap();
    assert_eq!(matrix(&model, "basis.weight"), [1.0; 256]);
}

#[test]
fn mistakes_name_the_network_the_parameter_and_the_shapes() {
    let data = small();
    let message = |trainer: Trainer<plain>| match trainer.quiet().fit(&data) {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };
    for (trainer, wanted) in [
        (
            Trainer::new(plain).project(tall, unit_rows),
            "no network named `tall`; there are `encode`, `basis`",
        ),
        (Trainer::new(plain).project("encode.weight", unit_rows), "no parameter named `encode.weight`"),
        (
            Trainer::new(plain).project(encode, unit_rows),
            "unit_rows: `encode.dense0.bias` should be a matrix (a network with other parameters is projected by \
             their paths), but is [4]",
        ),
        (
            Trainer::new(plain).project("encode.dense0.weight", orthonormal_rows),
            "orthonormal_rows: `encode.dense0.weight` should be a matrix of no more rows than columns, but is [64, 4]",
        ),
        (
            Trainer::new(plain).project(basis, orthonormal_columns),
            "no more columns than rows, but is [4, 64]",
        ),
        (
            Trainer::new(plain).project("encode.dense0.weight", of_trace_one),
            "`encode.dense0.weight` should be [4, 64], which the function takes, but is [64, 4]",
        ),
        (Trainer::new(plain).project(basis, narrower), "should be [4, 32], which the function returns"),
        (Trainer::new(plain).project(basis, of_two), "`of_two`"),
        (Trainer::new(plain).project(basis, clip(-1.0)), "clip takes a bound of 0 or more, not -1"),
    ] {
        let text = message(trainer);
        assert!(text.contains(wanted), "misses \"{wanted}\":\n{text}");
    }
}
