//! Functions with sizes: one network for each, one program for each value that is listed, chosen at run time.

#![forbid(unsafe_code)]
#![deny(warnings, unused, dead_code, missing_docs)]

use diabolo::data::Data;
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;

/// Makes a code of `K` numbers.
#[encoder]
pub fn encode<#[values(2, 4)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B, K> {
    dense(tanh(dense(x, { 2 * K })), K)
}

#[decoder]
fn decode<const K: usize>(z: Tensor<B, K>) -> Tensor<B, 64> {
    dense(z, 64)
}

#[loss]
fn vanilla<#[values(4, 2, 8)] const K: usize>(x: Tensor<B, 64>, #[default(1.0)] weight: f32) -> Tensor<B> {
    weight * squared_error(decode(encode::<K>(x)), x)
}

#[loss]
fn both(x: Tensor<B, 64>) -> Tensor<B> {
    let narrow: Tensor<B, 2> = encode(x);
    vanilla::<4>(x) + squared_error(decode(narrow), x)
}

#[function]
fn grid<#[values(1, 2)] const H: usize, #[values(3, 5)] const W: usize>(
    x: Tensor<B, W>,
) -> Tensor<B, { H * W }> {
    let rows: Tensor<B, H, W> = unsqueeze(x, 1) + zeros();
    flatten(rows)
}

fn digits() -> Data {
    diabolo::data::digits().test
}

#[test]
fn a_network_at_two_sizes_is_two_networks() {
    let names = |root: &'static diabolo::program::Spec| -> Vec<_> {
        root.params.iter().map(|p| (p.path, p.shape.to_vec())).collect()
    };
    let of_both = names(both().spec().unwrap());
    assert!(of_both.contains(&("encode<4>.dense1.weight", vec![8, 4])));
    assert!(of_both.contains(&("encode<2>.dense1.weight", vec![4, 2])));
    assert!(of_both.contains(&("decode<2>.dense0.weight", vec![2, 64])));
    assert_eq!(of_both.len(), 12);
    assert_eq!(names(vanilla::<4>().spec().unwrap()), names(vanilla { K: 4, weight: 0.5 }.spec().unwrap()));
    assert_eq!(vanilla::<8>().spec().unwrap().name, "vanilla<8>");

    // Two programs agree on who `encode<4>` is, and the one lacks nothing that the other made.
    let data = digits();
    let model = Trainer::new(both).epochs(1).quiet().fit(&data).unwrap();
    assert_eq!(model.run(encode::<2>, &data).unwrap().shape()[1..], [2]);
    assert_eq!(model.run(encode::<4>, &data).unwrap().shape()[1..], [4]);
    let narrow = model.mean(vanilla::<2>, &data).unwrap().loss;
    let wide = model.mean(vanilla::<4>, &data).unwrap().loss;
    assert!((model.mean(both, &data).unwrap().loss - narrow - wide).abs() < 1e-3 * (narrow + wide));
    let missing = model.mean(vanilla::<8>, &data).unwrap_err().to_string();
    assert!(missing.starts_with("no parameter named `encode<8>.dense0.weight`"), "{missing}");
}

#[test]
fn a_sweep_chooses_the_program_at_run_time() {
    let data = digits();
    let mut losses = Vec::new();
    for k in [2, 4, 8] {
        let model = Trainer::new(vanilla { K: k, weight: 1.0 }).epochs(2).seed(3).quiet().fit(&data).unwrap();
        assert_eq!(model.parameter(&format!("encode<{k}>.dense1.bias")).unwrap().shape(), [k]);
        losses.push(model.mean(vanilla { K: k, ..vanilla::<2>() }, &data).unwrap().loss);
    }
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
}

#[test]
fn the_same_from_a_generic_function_of_rust() {
    fn weights<const K: usize>() -> usize {
        diabolo::Model::<f32>::untrained(vanilla::<K>, 1).unwrap().weights()
    }
    assert!(weights::<2>() < weights::<8>());
}

#[test]
fn sizes_that_were_not_compiled_are_an_error_that_lists_those_that_were() {
    let text = "`vanilla` is compiled for K = 2, 4, 8, not for K = 3; `#[values(…)]` lists the sizes";
    let wrong = || vanilla { K: 3, weight: 1.0 };
    assert_eq!(Trainer::new(wrong()).quiet().fit(&digits()).err().unwrap().to_string(), text);
    assert_eq!(diabolo::Model::<f32>::untrained(wrong(), 1).err().unwrap().to_string(), text);
    assert_eq!(Trainer::new(wrong()).plan(), "");
    assert_eq!(Trainer::new(wrong()).name().unwrap_err().to_string(), text);
}

#[test]
fn several_sizes_multiply() {
    let model = diabolo::Model::<f32>::untrained(both, 1).unwrap();
    for (h, w) in [(1, 3), (1, 5), (2, 3), (2, 5)] {
        let row = diabolo::data::Array::new(&[1, w], (0..w).map(|i| i as f32).collect()).unwrap();
        let found = model.run(grid { H: h, W: w }, &row).unwrap();
        assert_eq!(found.values(), row.values().repeat(h));
    }
    let row = diabolo::data::Array::new(&[1, 3], vec![0.0; 3]).unwrap();
    let wrong = model.run(grid { H: 3, W: 3 }, &row).unwrap_err().to_string();
    assert!(wrong.contains("compiled for H = 1, 2 and W = 3, 5, not for H = 3 and W = 3"), "{wrong}");
}
