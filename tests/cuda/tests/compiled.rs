//! Kernels through the compiler of CUDA: nothing spills, and as many blocks share a processor as the plans count on.
use diabolo_compiler::emit::cuda;
use diabolo_compiler::emit::rust::Names;
use diabolo_compiler::graph::Graph;
use diabolo_compiler::ops;
use diabolo_compiler::schedule::schedule;
use diabolo_cuda_tests::examples::examples;
use diabolo_cuda_tests::nvrtc::{ARCHITECTURES, compile};
use diabolo_kernels::cuda::emulate::distinct;
use diabolo_kernels::cuda::prelude;
use quote::quote;

#[allow(dead_code)] // each of its readers needs a part
#[path = "../../differential/graphs.rs"]
mod graphs;

/// Registers and shared memory of a processor, of sm_80 and sm_90.
const REGISTERS: usize = 65_536;
const SHARED: usize = 160 << 10;

#[test]
fn kernels_of_the_prelude_compile_and_do_not_spill() {
    let Some(compiled) = compile(&prelude::KERNELS.concat()) else { return };
    for (architecture, kernels) in ARCHITECTURES.iter().zip(compiled) {
        for (kernel, usage) in &kernels {
            println!("{architecture} {kernel}: {usage:?}");
            assert_eq!((usage.spilled, usage.stack), (0, 0), "{kernel} on {architecture}");
            // Tensor cores where TF32 or bfloat16 is named, and nowhere else.
            let named = kernel.contains("tf32") || kernel.contains("bf16");
            assert_eq!(usage.tensor >= 16, named, "{kernel} on {architecture}: {usage:?}");
            assert_eq!(usage.tensor > 0, named, "{kernel} on {architecture}: {usage:?}");
        }
        // Threads of a block, and blocks that share a processor.
        for (kernel, threads, together) in [
            ("top_k", 1024, 2),
            ("product_large", 256, 2),
            ("product_middle", 256, 3),
            ("product_small", 256, 4),
            ("product_tf32_large", 256, 1),
            ("product_tf32_small", 128, 3),
            ("product_bf16_large", 256, 1),
            ("product_bf16_small", 128, 3),
            ("product_parts", 256, 4),
            ("sum_parts", 256, 6),
        ] {
            let usage = kernels.get(kernel).unwrap_or_else(|| panic!("no {kernel}"));
            let fits = (usage.registers.next_multiple_of(8) * threads * together <= REGISTERS)
                && (usage.shared + 1024) * together <= SHARED;
            assert!(
                fits,
                "{together} blocks of {kernel} do not fit into a processor of {architecture}: {usage:?}"
            );
        }
    }
}

#[test]
fn every_row_compiles_and_does_not_spill() {
    let mut text = String::new();
    for row in ops::rows() {
        let expression = (0..row.arity)
            .fold(row.cuda.to_owned(), |text, i| text.replace(&format!("{{{i}}}"), &format!("x{i}")));
        let loads: String =
            (0..row.arity).map(|i| format!("    const T x{i} = from[{i} * count + i];\n")).collect();
        text += &format!(
            "extern \"C\" __global__ void row_{}(T *to, const T *from, long long count) {{\n    \
             const long long i = grid_start();\n{loads}    to[i] = {expression};\n}}\n",
            row.name
        );
    }
    let Some(compiled) = compile(&text) else { return };
    for (architecture, kernels) in ARCHITECTURES.iter().zip(compiled) {
        assert_eq!(kernels.len(), ops::rows().count());
        for (kernel, usage) in kernels {
            println!("{architecture} {kernel}: {usage:?}");
            assert_eq!(usage.spilled, 0, "{kernel} on {architecture}");
            assert!(usage.registers <= 64, "{kernel} on {architecture}: {usage:?}");
        }
    }
}

/// The programs of the zoo, which are fused as far as users' are.
#[test]
fn fused_kernels_do_not_spill() {
    spill(graphs::ZOO.iter().map(|name| ((*name).to_owned(), graphs::zoo(name))));
}

/// Those of every example: each loss with its gradients and as it is evaluated, and every other function there that runs by itself.
#[test]
fn kernels_of_the_examples_do_not_spill() {
    spill(examples().into_iter().map(|example| (example.prefix(), example.graph)));
}

/// Compiles programs as one text, in which equal kernels stand once; names begin with that of the program.
fn spill(programs: impl Iterator<Item = (String, Graph)>) {
    let texts = programs.map(|(name, graph)| {
        let plan = schedule(&graph).unwrap_or_else(|error| panic!("{name}: {error}"));
        let krate = quote!(crate);
        cuda::text(&Names::of(&krate, &name, &plan), &plan).source
    });
    let text = distinct(&texts.collect::<Vec<_>>());
    let Some(compiled) = compile(&text) else { return };
    let (mut most, mut spilled) = ((0, String::new()), Vec::new());
    for (architecture, kernels) in ARCHITECTURES.iter().zip(compiled) {
        assert_eq!(kernels.len(), text.matches("__global__").count());
        for (kernel, usage) in kernels {
            let which = format!("{kernel} on {architecture}");
            if usage.spilled > 0 {
                spilled.push(format!("{which}: {usage:?}"));
            }
            most = most.max((usage.registers, which));
        }
    }
    println!("{} kernels; the most registers: {most:?}", text.matches("__global__").count());
    assert!(spilled.is_empty(), "{spilled:#?}");
}

/// What a generated kernel does with random numbers, sums and indices.
#[test]
fn functions_of_the_prelude_compile_and_do_not_spill() {
    let text = r#"
extern "C" __global__ void each(T *to, const T *from, long long count, unsigned int site, const Clock *clock) {
    const long long i = grid_start();
    const T sum = block_sum(i < count ? from[i] : T(0)), most = block_max(i < count ? from[i] : T(0));
    if (i < count) {
        const unsigned long long number = clock->first_row + i;
        const T noise = random_normal(clock, site, number) + random_uniform(clock, site + 1, number);
        to[i] = sum + most + noise + from[place(noise, count)];
    }
}
"#;
    let Some(compiled) = compile(text) else { return };
    for kernels in compiled {
        assert_eq!(kernels["each"].spilled, 0);
    }
}

#[test]
fn kernels_of_a_training_step_compile_and_do_not_spill() {
    let Some(compiled) = compile(diabolo_kernels::cuda::training::SOURCE) else { return };
    for (architecture, kernels) in ARCHITECTURES.iter().zip(compiled) {
        assert_eq!(kernels.len(), 4);
        for (kernel, usage) in kernels {
            println!("{architecture} {kernel}: {usage:?}");
            assert_eq!((usage.spilled, usage.stack), (0, 0), "{kernel} on {architecture}");
        }
    }
}
