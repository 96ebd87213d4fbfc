//! Products of any axes, against a plain sum in f64.
use std::collections::BTreeMap;

use diabolo_cuda_tests::{emulator, play, tape};
use diabolo_kernels::cuda::driver::Precision;
use diabolo_kernels::cuda::emulate::{Emulator, Memory, rounded};
use diabolo_kernels::cuda::{Axis, Command, Pointer, Product, Space, Tape, product};
use diabolo_kernels::random::{self, Stream};

fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; n];
    random::normal(Stream { seed, step: 0, site: 0 }, 0, &mut values);
    values
}

fn axis(size: usize, a: usize, b: usize, c: usize) -> Axis {
    Axis { size, a, b, c }
}

/// Every position of an index: where it lies in a, b and c.
fn places(axes: &[Axis]) -> Vec<[usize; 3]> {
    axes.iter().fold(vec![[0; 3]], |all, axis| {
        let along = |at: &[usize; 3], i| [at[0] + i * axis.a, at[1] + i * axis.b, at[2] + i * axis.c];
        all.iter().flat_map(|at| (0..axis.size).map(move |i| along(at, i))).collect()
    })
}

fn product(outer: &[Axis], m: &[Axis], n: &[Axis], k: &[Axis]) -> Product {
    Product {
        outer: outer.to_vec(),
        m: m.to_vec(),
        n: n.to_vec(),
        k: k.to_vec(),
        a: Pointer::new(Space::Inputs),
        b: Pointer::new(Space::Hypers),
        c: Pointer::new(Space::Outputs),
        accumulate: false,
    }
}

fn matrix(m: usize, n: usize, k: usize) -> Product {
    product(&[], &[axis(m, k, 0, n)], &[axis(n, 0, 1, 1)], &[axis(k, 1, n, 0)])
}

fn check(emulator: &Emulator, of: &Product) -> Vec<&'static str> {
    check_in(emulator, of, Precision::Float32)
}

/// Computes a product both ways, writing and adding, and returns the kernels that it took.
fn check_in(emulator: &Emulator, of: &Product, precision: Precision) -> Vec<&'static str> {
    let (outer, m, n, k) = (places(&of.outer), places(&of.m), places(&of.n), places(&of.k));
    let reach = |which: usize, indices: [&[[usize; 3]]; 4]| -> usize {
        indices.iter().map(|all| all.iter().map(|at| at[which]).max().unwrap_or(0)).sum::<usize>() + 1
    };
    let (a, b) = (values(reach(0, [&outer, &m, &[], &k]), 1), values(reach(1, [&outer, &[], &n, &k]), 2));
    let [left, right] =
        [&a, &b].map(|of| of.iter().map(|x| f64::from(rounded(*x, precision))).collect::<Vec<f64>>());
    let start = values(reach(2, [&outer, &m, &n, &[]]), 3);
    for accumulate in [false, true] {
        let of = Product { accumulate, ..of.clone() };
        let tape = match precision {
            Precision::Float32 => Tape { commands: vec![Command::Product(of)], ..Tape::default() },
            _ => {
                let launches = product::plan_in(&of, Pointer::new(Space::Work), precision);
                Tape { work: product::scratch_in(&of, precision), ..tape(launches) }
            }
        };
        let spaces =
            [(Space::Inputs, a.clone()), (Space::Hypers, b.clone()), (Space::Outputs, start.clone())];
        let memory = Memory { spaces: BTreeMap::from(spaces), ..Memory::default() };
        let memory = play(emulator, &tape, &memory);
        let mut want: Vec<(f64, f64)> = start.iter().map(|x| (f64::from(*x), 0.0)).collect();
        for o in &outer {
            for i in &m {
                for j in &n {
                    let to = &mut want[o[2] + i[2] + j[2]];
                    let first = if accumulate { to.0 } else { 0.0 };
                    *to = (first, first.abs());
                    for p in &k {
                        let term = left[o[0] + i[0] + p[0]] * right[o[1] + j[1] + p[1]];
                        *to = (to.0 + term, to.1 + term.abs());
                    }
                }
            }
        }
        for (at, ((want, terms), got)) in want.iter().zip(&memory.spaces[&Space::Outputs]).enumerate() {
            let error = (want - f64::from(*got)).abs();
            assert!(error <= 1e-6 * terms, "place {at}: {got}, not {want} (accumulating: {accumulate})");
        }
    }
    let launches = product::plan_in(of, Pointer::new(Space::Work), precision);
    launches.iter().map(|launch| launch.kernel).collect()
}

#[test]
fn matrices_of_many_shapes() {
    let Some(emulator) = emulator(&[], true) else { return };
    for (m, n, k) in [
        (1, 1, 1),
        (1, 1, 700),
        (3, 5, 7),
        (33, 31, 65),
        (32, 32, 32),
        (64, 65, 33),
        (7, 300, 2),
        (1, 257, 40),
    ] {
        check(&emulator, &matrix(m, n, k));
        // Both factors transposed, and the result.
        check(&emulator, &product(&[], &[axis(m, 1, 0, 1)], &[axis(n, 0, k, m)], &[axis(k, m, 1, 0)]));
    }
}

#[test]
fn nothing_is_summed() {
    let Some(emulator) = emulator(&[], true) else { return };
    check(&emulator, &matrix(5, 6, 0));
    assert!(product::plan(&matrix(0, 5, 5), Pointer::new(Space::Work)).is_empty());
    assert!(
        product::plan(&Product { accumulate: true, ..matrix(5, 5, 0) }, Pointer::new(Space::Work)).is_empty()
    );
}

/// Each kernel, by shapes that choose it; without sanitizers, which take long here.
#[test]
fn every_kernel_is_chosen_and_right() {
    let Some(emulator) = emulator(&[], false) else { return };
    let mut used = Vec::new();
    for (m, n, k) in [(1000, 700, 40), (300, 260, 20), (784, 400, 128), (128, 20, 400), (50, 20, 6000)] {
        let kernels = check(&emulator, &matrix(m, n, k));
        println!("{m} × {n}, {k}: {kernels:?}");
        used.extend(kernels);
    }
    // Many tiles of the largest size, few values each.
    used.extend(check(
        &emulator,
        &product(
            &[axis(40, 0, 0, 256 * 256)],
            &[axis(256, 1, 0, 256)],
            &[axis(256, 0, 1, 1)],
            &[axis(5, 256, 256, 0)],
        ),
    ));
    for kernel in ["product_large", "product_middle", "product_small", "product_parts"] {
        assert!(used.contains(&kernel), "{kernel} is never chosen");
    }
}

#[test]
fn convolutions_are_products() {
    let Some(emulator) = emulator(&[], true) else { return };
    // 5 channels from 3 of 9 × 11, kernel 3 × 2, stride 2, over 4 samples: samples outside, or among the columns.
    let rows = [axis(5, 18, 0, 20)];
    let positions = [axis(4, 0, 22, 5), axis(5, 0, 2, 1)];
    let sums = [axis(3, 6, 99, 0), axis(3, 2, 11, 0), axis(2, 1, 1, 0)];
    check(&emulator, &product(&[axis(4, 0, 297, 100)], &rows, &positions, &sums));
    let columns = [&[axis(4, 0, 297, 100)][..], &positions].concat();
    check(&emulator, &product(&[], &rows, &columns, &sums));
    // Its weight gradient: samples and positions are summed.
    let kernel = [axis(3, 0, 99, 6), axis(3, 0, 11, 2), axis(2, 0, 1, 1)];
    let summed = [axis(4, 100, 297, 0), axis(4, 5, 22, 0), axis(5, 1, 2, 0)];
    check(&emulator, &product(&[], &[axis(5, 20, 0, 18)], &kernel, &summed));
}

#[test]
fn axes_of_any_number_and_order() {
    let Some(emulator) = emulator(&[], true) else { return };
    let mut state = 9_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut deepest = 0;
    for round in 0..40 {
        // Up to seven axes of an index: more than a kernel takes.
        let mut all: Vec<(usize, usize)> = Vec::new();
        for index in 0..4 {
            let count = if round % 8 == index { 5 + next(3) } else { next(4) };
            all.extend((0..count).map(|_| (index, if count > 4 { 2 } else { 1 + next(6) })));
        }
        // The places of each array in an order of its own, with gaps.
        let mut strides = vec![[0; 3]; all.len()];
        for which in 0..3 {
            let mut order: Vec<usize> = (0..all.len()).filter(|i| all[*i].0 != [2, 1, 3][which]).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, next(i + 1));
            }
            let mut stride = 1 + next(2);
            for i in order {
                strides[i][which] = stride;
                stride *= all[i].1;
                stride += if next(3) == 0 { next(3) } else { 0 };
            }
        }
        let axes = |index: usize| -> Vec<Axis> {
            let of = all.iter().zip(&strides).filter(|(axis, _)| axis.0 == index);
            of.map(|((_, size), [a, b, c])| axis(*size, *a, *b, *c)).collect()
        };
        let of = product(&axes(0), &axes(1), &axes(2), &axes(3));
        deepest = deepest.max(check(&emulator, &of).len());
    }
    assert!(deepest > 1, "no product needs several launches");
}

/// Factors of few bits, products and sums as exact as ever: the error stays that of float32.
#[test]
fn tensor_cores_multiply_rounded_factors() {
    let Some(emulator) = emulator(&[], true) else { return };
    for (precision, name) in [(Precision::Tf32, "tf32"), (Precision::Bf16, "bf16")] {
        let mut used = Vec::new();
        for (m, n, k) in [(64, 64, 32), (8, 8, 8), (70, 33, 45), (130, 129, 50), (20, 9, 700)] {
            used.extend(check_in(&emulator, &matrix(m, n, k), precision));
            let turned = product(&[], &[axis(m, 1, 0, 1)], &[axis(n, 0, k, m)], &[axis(k, m, 1, 0)]);
            used.extend(check_in(&emulator, &turned, precision));
        }
        let positions = [axis(4, 0, 297, 160), axis(4, 0, 22, 5), axis(5, 0, 2, 1)];
        let sums = [axis(3, 6, 99, 0), axis(3, 2, 11, 0), axis(2, 1, 1, 0)];
        used.extend(check_in(&emulator, &product(&[], &[axis(8, 18, 0, 20)], &positions, &sums), precision));
        // Too narrow for them.
        let narrow = product::plan_in(&matrix(64, 7, 30), Pointer::new(Space::Work), precision);
        assert_eq!(narrow[0].kernel, "product_small");
        assert!(used.iter().any(|kernel| **kernel == format!("product_{name}_small")), "{used:?}");
    }
}

#[test]
fn tensor_cores_multiply_large_tiles() {
    let Some(emulator) = emulator(&[], false) else { return };
    for (precision, name) in
        [(Precision::Tf32, "product_tf32_large"), (Precision::Bf16, "product_bf16_large")]
    {
        // A round of the nominal device.
        let of = product(
            &[axis(32, 0, 0, 256 * 256)],
            &[axis(256, 1, 0, 256)],
            &[axis(256, 0, 1, 1)],
            &[axis(10, 256, 256, 0)],
        );
        assert_eq!(check_in(&emulator, &of, precision), [name]);
    }
}

#[test]
fn plans_are_of_the_shape_alone() {
    let of = matrix(784, 400, 128);
    let (one, other) = (Pointer::new(Space::Work), Pointer::new(Space::Work).at(64));
    assert_eq!(product::plan(&of, one), product::plan(&of, one));
    let kernels =
        |at| product::plan(&of, at).iter().map(|launch| (launch.kernel, launch.blocks)).collect::<Vec<_>>();
    assert_eq!(kernels(one), kernels(other));
}
