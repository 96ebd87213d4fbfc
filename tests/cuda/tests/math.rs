//! Element-wise functions: the bits of the CPU's, where its instruction sets fuse.
use std::collections::BTreeMap;

use diabolo_compiler::ops;
use diabolo_cuda_tests::{emulator, play, same, tape};
use diabolo_kernels::cuda::emulate::Memory;
use diabolo_kernels::cuda::{Argument, Launch, Pointer, Space};
use diabolo_kernels::{Body, Isa, dispatch, isa, math};

/// Kernels `name(to, from…)` for expressions of up to three arguments.
fn kernel(name: &str, arity: usize, expression: &str) -> String {
    let arguments: Vec<String> = (0..arity).map(|i| format!("const T *from{i}, ")).collect();
    let loads: Vec<String> = (0..arity).map(|i| format!("        const T x{i} = from{i}[i];\n")).collect();
    let expression = (0..arity)
        .fold(expression.to_string(), |text, i| text.replace(&format!("{{{i}}}"), &format!("x{i}")));
    format!(
        "extern \"C\" __global__ void {name}(T *to, {}long long count) {{\n    \
         for (long long i = grid_start(); i < count; i += grid_step()) {{\n{}        to[i] = {expression};\n    }}\n}}\n",
        arguments.concat(),
        loads.concat()
    )
}

fn launch(kernel: &'static str, arity: usize, count: usize, to: usize) -> Launch {
    let mut arguments = vec![Argument::Output(Pointer::new(Space::Outputs).at(to))];
    arguments.extend((0..arity).map(|i| Argument::Pointer(Pointer::new(Space::Inputs).at(i * count))));
    arguments.push(Argument::Size(count));
    Launch { kernel, blocks: [3, 1, 1], threads: 64, arguments }
}

fn memory(inputs: Vec<f32>, outputs: usize) -> Memory {
    Memory {
        spaces: BTreeMap::from([(Space::Inputs, inputs), (Space::Outputs, vec![7.0; outputs])]),
        ..Memory::default()
    }
}

/// Bits all over the range, and all near where functions change their way.
fn sample() -> Vec<f32> {
    let special = [
        0.0,
        f32::MIN_POSITIVE,
        1e-8,
        1e-4,
        0.5,
        0.693,
        0.9277,
        1.0,
        1.41,
        1.4616,
        2.0,
        2.5,
        4.0,
        9.0,
        10.0,
        17.0,
        20.0,
        88.72,
        104.0,
        1e9,
        f32::INFINITY,
    ];
    let near =
        special.iter().flat_map(|x: &f32| (0..300).map(|i| f32::from_bits(x.to_bits().wrapping_add(i))));
    let below =
        special.iter().flat_map(|x: &f32| (0..300).map(|i| f32::from_bits(x.to_bits().saturating_sub(i))));
    let all = (0..=u32::MAX / 59_999).map(|i| f32::from_bits(i * 59_999));
    let usual = (0..20_000).map(|i| (i as f32 - 10_000.0) * 0.003_7);
    near.clone()
        .chain(below.clone())
        .chain(near.map(|x| -x))
        .chain(below.map(|x| -x))
        .chain(all)
        .chain(usual)
        .collect()
}

struct Apply<'a, G>(&'a [f32], G);

trait Function: Copy {
    fn at<I: Isa>(self, x: [f32; 3]) -> f32;
}

impl<G: Function> Body for Apply<'_, G> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<f32> {
        let n = self.0.len() / 3;
        (0..n).map(|i| self.1.at::<I>([self.0[i], self.0[n + i], self.0[2 * n + i]])).collect()
    }
}

/// All functions: the kernel's name, how many arguments, and the CPU's results for three runs of values.
type Row = (&'static str, usize, fn(&[f32]) -> Vec<f32>);

macro_rules! functions {
    ($($name:ident ($($x:literal)*);)*) => {
        const FUNCTIONS: &[Row] = &[$((stringify!($name), [$($x),*].len(), |values| {
            #[derive(Clone, Copy)]
            struct This;
            impl Function for This {
                #[inline(always)]
                fn at<I: Isa>(self, x: [f32; 3]) -> f32 {
                    math::$name::<I, f32>($(x[$x]),*)
                }
            }
            dispatch(Apply(values, This))
        })),*];
    };
}

functions! {
    exp(0); expm1(0); log(0); log1p(0); tanh(0); sigmoid(0); softplus(0); erf(0); sin(0); cos(0);
    floor(0); round(0); sqrt(0); abs(0); sign(0);
    pow(0 1); min(0 1); max(0 1); lt(0 1); le(0 1); gt(0 1); ge(0 1); eq(0 1); ne(0 1);
    select(0 1 2);
    lgamma(0); digamma(0);
}

/// Three runs of values, in which every pair of special ones meets.
fn triples() -> Vec<f32> {
    let x = sample();
    let mut inputs = x.clone();
    for step in [7919, 104_729] {
        inputs.extend((0..x.len()).map(|i| x[i * step % x.len()]));
    }
    inputs
}

#[test]
fn functions_have_the_bits_of_the_cpu() {
    let text: String = FUNCTIONS
        .iter()
        .map(|(name, arity, _)| {
            let arguments = ["{0}", "{0}, {1}", "{0}, {1}, {2}"][arity - 1];
            kernel(&format!("apply_{name}"), *arity, &format!("math_{name}({arguments})"))
        })
        .collect();
    let inputs = triples();
    let count = inputs.len() / 3;
    let launches = FUNCTIONS.iter().enumerate().map(|(i, (name, arity, _))| {
        launch(Box::leak(format!("apply_{name}").into_boxed_str()), *arity, count, i * count)
    });
    let Some(emulator) = emulator(&[&text], true) else { return };
    let memory = play(&emulator, &tape(launches.collect()), &memory(inputs.clone(), FUNCTIONS.len() * count));
    let fused = isa() != diabolo_kernels::IsaKind::Portable;
    for ((name, arity, cpu), got) in FUNCTIONS.iter().zip(memory.spaces[&Space::Outputs].chunks(count)) {
        let want = cpu(&inputs);
        for i in 0..count {
            let (x, want, got) = (&inputs[i], want[i], got[i]);
            if matches!(*name, "lgamma" | "digamma") {
                gamma(name, *x, want, got);
            } else if fused {
                let y = &inputs[count + i];
                assert!(
                    same(&[want], &[got]),
                    "{name}({x:e}, {y:e}…) of {arity}: {got:e}, on the CPU {want:e}"
                );
            }
        }
    }
}

/// Functions of f64 on both sides, of different libraries: one unit in the last place above 0; below, of the terms that
/// cancel where the function passes 0.
fn gamma(name: &str, x: f32, want: f32, got: f32) {
    let unit = f64::from(f32::EPSILON) * f64::from(want.abs().max(f32::MIN_POSITIVE));
    let terms = if x < 0.0 || name == "digamma" { 1e-14 * (1.0 + f64::from(x.abs())) } else { 0.0 };
    let near = (f64::from(want) - f64::from(got)).abs() <= unit + terms;
    assert!(same(&[want], &[got]) || near, "{name}({x:e}) = {got:e}, on the CPU {want:e}");
}

#[test]
fn rows_mean_what_the_interpreter_says() {
    let rows: Vec<_> = ops::rows().collect();
    let text: String =
        rows.iter().map(|row| kernel(&format!("row_{}", row.name), row.arity, row.cuda)).collect();
    let Some(emulator) = emulator(&[&text], true) else { return };
    const COUNT: usize = 1000;
    for row in rows {
        let at = |i: usize, j: usize| {
            let (low, high) = row.domain[j];
            (low + (high - low) * ((i * [1, 37, 411][j]) % COUNT) as f64 / (COUNT - 1) as f64) as f32
        };
        let inputs: Vec<f32> = (0..row.arity).flat_map(|j| (0..COUNT).map(move |i| at(i, j))).collect();
        let name = Box::leak(format!("row_{}", row.name).into_boxed_str());
        let memory = play(&emulator, &tape(vec![launch(name, row.arity, COUNT, 0)]), &memory(inputs, COUNT));
        for (i, got) in memory.spaces[&Space::Outputs].iter().enumerate() {
            let x: Vec<f64> = (0..row.arity).map(|j| f64::from(at(i, j))).collect();
            let want = (row.eval)(&x);
            let bound = 4e-6 * want.abs().max(x.iter().fold(0.1, |most, x| x.abs().max(most)));
            assert!((want - f64::from(*got)).abs() <= bound, "{row:?}{x:?} = {got}, not {want}");
        }
    }
}
