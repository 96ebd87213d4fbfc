//! Convolutions as a user meets them: lengths that a run knows, a length that is too short, and the same bits for every
//! number of threads.

use diabolo::data::{Array, Data, digits};
use diabolo::nn::{conv, conv_transpose, conv1d, max_pool, squared_error};
use diabolo::prelude::*;

#[network]
fn slopes(x: Tensor<B, 2, T>) -> Tensor<B, 3, { T - 2 }> {
    conv1d(x, channels = 3, kernel = 3)
}

#[network]
fn pairs(x: Tensor<B, 1, T>) -> Tensor<B, 2, { T - 2 }> {
    conv1d(x, channels = 2, kernel = 4, padding = 2, dilation = 2)
}

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 24, 2, 2> {
    let h = max_pool(
        relu(conv(reshape(x, 1, 8, 8), channels = 12, kernel = 3, padding = 1)),
        kernel = 2,
        stride = 2,
    );
    tanh(conv(h, channels = 24, kernel = (3, 2), stride = 2, padding = (1, 0)))
}

#[decoder]
fn decode(z: Tensor<B, 24, 2, 2>) -> Tensor<B, 64> {
    flatten(conv_transpose(z, channels = 1, kernel = 4, stride = 4))
}

#[loss]
fn objective(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

fn sequences(length: usize) -> Data {
    Data::new().with("x", &[2, length], vec![1.0_f32; 10 * length]).expect("five rows")
}

#[test]
fn a_length_is_what_the_data_has() {
    let model: Model = Model::untrained(slopes, 7).expect("a model");
    for length in [3, 4, 9] {
        let y: Array<f32> = model.run(slopes, &sequences(length)).expect("a kernel fits");
        assert_eq!(y.shape(), [5, 3, length - 2]);
        // Of ones, every place has the same sum.
        let row = &y.values()[..length - 2];
        assert!(row.iter().all(|value| (value - row[0]).abs() < 1e-6), "{row:?}");
    }
    let short =
        model.run(slopes, &sequences(2)).expect_err("two elements, and a kernel of three").to_string();
    assert!(short.contains("`T` should be 3 or more, so that a kernel fits, but is 2"), "{short}");
    assert!(short.contains("slopes"), "{short}");
}

#[test]
fn padding_and_dilation_count_towards_the_length() {
    // 2 + T + 2 elements hold four that are two apart: 7, from T = 3 on.
    let model: Model = Model::untrained(pairs, 7).expect("a model");
    let one =
        |length: usize| Data::new().with("x", &[1, length], vec![0.5_f32; 2 * length]).expect("two rows");
    assert_eq!(model.run(pairs, &one(3)).expect("a kernel fits").shape(), [2, 2, 1]);
    assert!(model.run(pairs, &one(2)).is_err());
}

/// All parameters after two epochs whose last batch has one row.
fn train(threads: usize) -> Vec<u32> {
    let data = digits().train.take(641).expect("641 rows");
    let trainer = Trainer::new(objective).batch(128).epochs(2).seed(3).threads(threads).quiet();
    let model = trainer.fit(&data).expect("trains");
    let paths: Vec<String> = model.parameters().map(|(path, _)| path.to_owned()).collect();
    let values =
        paths.iter().flat_map(|path| model.parameter(path).expect("its own parameter").into_values());
    values.map(f32::to_bits).collect()
}

#[test]
fn one_two_and_four_threads_agree_to_the_bit() {
    let one = train(1);
    assert!(one.iter().any(|bits| *bits != 0));
    assert!(one == train(2), "two threads");
    assert!(one == train(4), "four threads");
}
