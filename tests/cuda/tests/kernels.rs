//! The kernels and device functions that every program may use: sums over threads, plain values, the first of many.
use std::collections::BTreeMap;

use diabolo_cuda_tests::{emulator, play, same, tape};
use diabolo_kernels::cuda::emulate::{Emulator, Memory};
use diabolo_kernels::cuda::{Argument, Launch, Pointer, Program, Recorder, Space};
use diabolo_kernels::random::{self, Stream};
use diabolo_kernels::{block, top_k, triangular_factors};

fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; n];
    random::normal(Stream { seed, step: 0, site: 0 }, 0, &mut values);
    values
}

fn outputs(at: usize) -> Argument {
    Argument::Output(Pointer::new(Space::Outputs).at(at))
}

fn inputs() -> Argument {
    Argument::Pointer(Pointer::new(Space::Inputs))
}

fn run(emulator: &Emulator, launches: Vec<Launch>, inputs: Vec<f32>, outputs: Vec<f32>) -> Vec<f32> {
    let spaces = BTreeMap::from([(Space::Inputs, inputs), (Space::Outputs, outputs)]);
    let memory = play(emulator, &tape(launches), &Memory { spaces, ..Memory::default() });
    memory.spaces[&Space::Outputs].clone()
}

const REDUCE: &str = r#"
extern "C" __global__ void reduce(T *to, const T *from, long long n) {
    const long long i = grid_start();
    const T value = i < n ? from[i] : T(0);
    // Twice, one after the other: what the first leaves must not disturb the second.
    const T sum = block_sum(value), again = block_sum(T(2) * value);
    const T known = i < n ? value : __uint_as_float(0xff800000u);
    const T most = block_max(known), twice = block_max(T(2) * known);
    to += 6 * i;
    to[0] = sum;
    to[1] = most;
    to[2] = again;
    to[3] = warp_sum(value);
    to[4] = warp_max(value);
    to[5] = twice;
}
extern "C" __global__ void places(T *to, const T *from, long long n, long long bound) {
    for (long long i = grid_start(); i < n; i += grid_step()) {
        to[i] = (T)place(from[i], bound);
    }
}
"#;

#[test]
fn sums_over_threads_are_those_of_their_values() {
    let Some(emulator) = emulator(&[REDUCE], true) else { return };
    for threads in (32..=1024).step_by(96).chain([64, 128, 256, 512]) {
        for special in [None, Some(f32::NAN), Some(f32::INFINITY), Some(0.5)] {
            let n = 2 * threads - 5;
            let mut from = values(n, 3);
            match special {
                Some(special) => from[n / 3] = special,
                // No value above 0, so that nothing else may take part.
                None => from.iter_mut().for_each(|x| *x = -x.abs()),
            }
            let arguments = vec![outputs(0), inputs(), Argument::Size(n)];
            let launch = Launch { kernel: "reduce", blocks: [2, 1, 1], threads: threads as u32, arguments };
            let got = run(&emulator, vec![launch], from.clone(), vec![0.0; 12 * threads]);
            let padded = |i: usize, none: f32| from.get(i).copied().unwrap_or(none);
            for i in 0..2 * threads {
                let got = &got[6 * i..6 * i + 6];
                let first = i / threads * threads;
                // Warps first, then the warps: each by halves.
                let halves =
                    |values: Vec<f32>| block::sum(&block::load::<f32, 32>(&values, 0, values.len()), 32);
                let warp = |first: usize| halves((first..first + 32).map(|i| padded(i, 0.0)).collect());
                let sums: Vec<f32> = (0..threads / 32).map(|w| warp(first + 32 * w)).collect();
                let most = |first: usize, len: usize, none: f32| {
                    let all: Vec<f32> = (first..first + len).map(|i| padded(i, none)).collect();
                    all.chunks(32)
                        .map(|c| block::max(&block::load::<f32, 32>(c, 0, 32), 32))
                        .fold(f32::NEG_INFINITY, |a, b| block::max(&[a, b], 2))
                };
                let sum = halves(sums);
                let lanes = i / 32 * 32;
                let all = most(first, threads, f32::NEG_INFINITY);
                let want = [sum, all, 2.0 * sum, warp(lanes), most(lanes, 32, 0.0), 2.0 * all];
                assert!(same(&want, got), "thread {i} of blocks of {threads}: {got:?}, not {want:?}");
            }
        }
    }
}

#[test]
fn indices_mean_the_places_of_the_cpu() {
    let Some(emulator) = emulator(&[REDUCE], true) else { return };
    let from = [
        0.0,
        -0.0,
        0.4,
        0.99,
        1.0,
        1.5,
        6.0,
        7.0,
        8.0,
        1e9,
        3e18,
        5e18,
        1e30,
        -1.0,
        -1e30,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ];
    for bound in [0, 1, 2, 7, 8, 100_000] {
        let arguments = vec![outputs(0), inputs(), Argument::Size(from.len()), Argument::Size(bound)];
        let launch = Launch { kernel: "places", blocks: [1, 1, 1], threads: 32, arguments };
        let got = run(&emulator, vec![launch], from.to_vec(), vec![0.0; from.len()]);
        let want: Vec<f32> = from.iter().map(|x| block::place(*x, bound) as f32).collect();
        assert_eq!(got, want, "places among {bound}");
    }
}

#[test]
fn values_are_filled_copied_and_summed() {
    let Some(emulator) = emulator(&[], true) else { return };
    let (count, parts, stride) = (1000, 7, 1100);
    let mut from = values(parts * stride, 1);
    from[3 * stride + 17] = f32::NAN;
    let plain = |kernel, arguments| Launch { kernel, blocks: [2, 1, 1], threads: 128, arguments };
    let size = Argument::Size;
    let mut launches = vec![
        plain("fill", vec![outputs(0), size(count), Argument::Number(2.5)]),
        plain("copy", vec![outputs(count), inputs(), size(count)]),
    ];
    for (i, (kernel, accumulate)) in
        [("sum_parts", 0), ("sum_parts", 1), ("max_parts", 0), ("max_parts", 1)].into_iter().enumerate()
    {
        let arguments = vec![
            outputs((2 + i) * count),
            inputs(),
            size(count),
            size(parts),
            size(stride),
            size(accumulate),
        ];
        launches.push(plain(kernel, arguments));
    }
    let got = run(&emulator, launches, from.clone(), vec![0.5; 6 * count]);
    let part = |i: usize, p: usize| from[p * stride + i];
    for i in 0..count {
        let sum = |first: f32| (0..parts).fold(first, |sum, p| sum + part(i, p));
        let most = |first: f32| (0..parts).fold(first, |most, p| block::max(&[most, part(i, p)], 2));
        let want = [2.5, from[i], sum(0.0), sum(0.5), most(f32::NEG_INFINITY), most(0.5)];
        let got: Vec<f32> = (0..6).map(|which| got[which * count + i]).collect();
        assert!(same(&want, &got), "value {i}: {got:?}, not {want:?}");
    }
}

/// The first `k` of each run, in both directions and for each `k`, by the kernel and by the CPU.
fn check_top_k(emulator: &Emulator, from: &[f32], n: usize, ks: &[usize], threads: u32, blocks: u32) {
    let outer = from.len().checked_div(n).unwrap_or(3);
    let cases = ks.iter().flat_map(|k| [(*k, false), (*k, true)]);
    let (mut launches, mut want) = (Vec::new(), Vec::new());
    for (k, largest) in cases.clone() {
        let arguments = [outer, n, k, usize::from(largest)].map(Argument::Size);
        let arguments = [vec![outputs(want.len()), inputs()], arguments.to_vec()].concat();
        launches.push(Launch { kernel: "top_k", blocks: [blocks, 1, 1], threads, arguments });
        let mut first = vec![-1.0; outer * k];
        top_k(&mut first, from, n, k, largest);
        want.extend(first);
    }
    let got = run(emulator, launches, from.to_vec(), vec![-1.0; want.len()]);
    let mut start = 0;
    for (k, largest) in cases {
        let here = start..start + outer * k;
        assert!(want[here.clone()] == got[here], "{k} of {n}, largest {largest}, threads {threads}");
        start += outer * k;
    }
}

#[test]
fn the_first_of_many_are_those_of_the_cpu() {
    let Some(emulator) = emulator(&[], true) else { return };
    let nans = [f32::NAN, -f32::NAN, f32::from_bits(0x7fc0_0001), f32::from_bits(0xffc0_0001)];
    let special =
        [nans[0], nans[1], nans[2], nans[3], 0.0, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, 1e-45, -1e-45];
    for n in [1, 2, 5, 63, 64, 65, 200, 1000, 1024, 1025, 5000] {
        let runs = 3;
        let any = values(runs * n, 1);
        let ties: Vec<f32> = any.iter().map(|x| (2.0 * x).round()).collect();
        let ends: Vec<f32> =
            any.iter().map(|x| special[(x.to_bits() >> 5) as usize % special.len()]).collect();
        let narrow: Vec<f32> = any.iter().map(|x| 1.0 + 1e-6 * x).collect();
        for from in [any, ties, ends, narrow, vec![f32::NAN; runs * n], vec![-0.0; runs * n]] {
            let ks: Vec<usize> =
                [1, 2, n / 2, n - 1, n].into_iter().filter(|k| (1..=n).contains(k)).collect();
            check_top_k(&emulator, &from, n, &ks, if n < 100 { 32 } else { 256 }, 2);
        }
    }
    check_top_k(&emulator, &[], 0, &[2], 64, 3);
}

#[test]
fn the_first_of_very_many_are_those_of_the_cpu() {
    let Some(emulator) = emulator(&[], false) else { return };
    let n = 131_072;
    let any = values(n, 2);
    let sparse: Vec<f32> = any.iter().map(|x| x.max(1.0) - 1.0).collect();
    let equal: Vec<f32> = any.iter().map(|x| if *x > 2.0 { 1.0 } else { 0.0 }).collect();
    for (from, ks) in
        [(any, &[64, 4096, 10_000, 131_072][..]), (sparse, &[64, 5000, 50_000]), (equal, &[64, 6000])]
    {
        check_top_k(&emulator, &from, n, ks, 1024, 1);
    }
}

/// The factors of matrices on the device, and the CPU's: the same algorithm in f64, sums in another order.
fn check_factors(emulator: &Emulator, from: &[f32], sizes: [usize; 3], strides: [usize; 3]) {
    let [count, m, n] = sizes;
    // What `schedule::Factor::memory` gives it.
    let room = count * n * n + 2 * (n + 128) * (n + 16) + 2;
    let mut want = vec![f32::NAN; room];
    triangular_factors(&mut want, from, sizes, strides);
    let program = Program {
        source: "",
        record: |dims, to| {
            let [memory, from] = [Space::Outputs, Space::Inputs].map(Pointer::new);
            to.factor([memory, from], [dims[0], dims[1], dims[2]], [dims[3], dims[4], dims[5]]);
        },
    };
    let tape = Recorder::record(&program, &[sizes, strides].concat());
    let spaces = BTreeMap::from([(Space::Inputs, from.to_vec()), (Space::Outputs, vec![f32::NAN; room])]);
    let memory = play(emulator, &tape, &Memory { spaces, ..Memory::default() });
    let got = &memory.spaces[&Space::Outputs];
    for c in 0..count {
        for j in 0..n {
            let norm: f64 = (0..m)
                .map(|i| f64::from(from[c * strides[0] + i * strides[1] + j * strides[2]]).powi(2))
                .sum();
            for i in 0..n {
                let (got, want) = (got[(c * n + i) * n + j], want[(c * n + i) * n + j]);
                let same = got == want
                    || got.is_nan() && want.is_nan()
                    || f64::from((got - want).abs()) <= 2e-7 * norm.sqrt();
                assert!(same, "{sizes:?}, {c}: ({i}, {j}) is {got}, not {want}");
            }
        }
    }
}

#[test]
fn triangular_factors_are_those_of_the_cpu() {
    let Some(emulator) = emulator(&[], true) else { return };
    for [count, m, n] in [[1, 1, 1], [1, 5, 1], [2, 33, 9], [3, 7, 12], [1, 129, 40], [1, 0, 3], [2, 3, 0]] {
        let from = values(count * m * n, 7);
        check_factors(&emulator, &from, [count, m, n], [m * n, n, 1]);
        check_factors(&emulator, &from, [count, m, n], [m * n, 1, m]);
    }
    let (m, n) = (60, 6);
    let mut from = values(m * n, 8);
    for row in from.chunks_exact_mut(n) {
        // Nearly collinear, collinear, and nothing.
        row[1] = row[0] * (1.0 + 1e-3 * row[1]);
        row[3] = row[2];
        row[4] = 0.0;
    }
    check_factors(&emulator, &from, [1, m, n], [0, n, 1]);
    for strange in [f32::NAN, f32::INFINITY] {
        let mut from = from.clone();
        from[5 * n + 2] = strange;
        check_factors(&emulator, &from, [1, m, n], [0, n, 1]);
    }
}

/// Every kind of number; as many values as fit into a turn of the threads, fewer, and more.
#[test]
fn values_become_bfloat16_to_nearest() {
    let Some(emulator) = emulator(&[], true) else { return };
    let bits = [
        0x7fc0_0000u32,
        0x7f80_0001,
        0xffff_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7f7f_ffff,
        0,
        0x8000_0000,
        1,
        0x807f_ffff,
        // Halfway, down to an even one and up to an even one; a little less and more.
        0x3f80_8000,
        0x3f81_8000,
        0x3f80_7fff,
        0x3f80_8001,
        0xbf81_7fff,
    ];
    let special = bits.map(f32::from_bits);
    let nearest = |x: f32| {
        let bits = x.to_bits();
        if x.is_nan() { 0x7fff } else { (bits + 0x7fff + (bits >> 16 & 1)) >> 16 }
    };
    for count in [1, 2, 3, 62, 63, 64, 255, 256, 257, 600, 1025] {
        let from: Vec<f32> = special.into_iter().chain(values(count, 9)).take(count).collect();
        let arguments = vec![outputs(0), inputs(), Argument::Size(count)];
        let launch = Launch { kernel: "to_bfloat16", blocks: [2, 1, 1], threads: 32, arguments };
        let got = run(&emulator, vec![launch], from.clone(), vec![7.0; count.div_ceil(2)]);
        let half = |i: usize| from.get(i).map_or(0, |x| nearest(*x));
        for (i, word) in got.iter().enumerate() {
            let want = half(2 * i) | half(2 * i + 1) << 16;
            assert_eq!(word.to_bits(), want, "word {i} of {count} values");
        }
    }
}
