//! Emitted CUDA against the interpreter, to 1e-4 of Σ|terms|, for batches that leave remainders; and the emitted function
//! against what it should record.
//!
//! In: the zoo, every example, random programs. Out: the first element of each that differs, on the processor where there is
//! a C++ compiler, and on a GPU where there is one. Never: a failure where either is missing.

use std::collections::HashMap;

use diabolo_compiler::interp::Inputs;
use diabolo_compiler::testing;
use diabolo_cuda_tests::examples::{Example, examples};
use diabolo_kernels::cuda::Recorder;
use played::{Program, mistakes, report};
use random::Spec;
use recorded::{Values, tape};

#[allow(dead_code)] // each of its readers needs a part
#[path = "../../../differential/graphs.rs"]
mod graphs;
#[path = "../../../differential/outputs.rs"]
mod outputs;
mod played;
#[allow(dead_code)]
#[path = "../../../differential/random.rs"]
mod random;
#[path = "../../../../macros/compiler/tests/recorded/mod.rs"]
mod recorded;

/// What a build script emitted.
#[allow(unused, clippy::all)]
mod emitted {
    pub(crate) use diabolo_kernels as kernels;
    use diabolo_kernels::cuda::Program;
    include!(concat!(env!("OUT_DIR"), "/programs.rs"));
}

/// A program of the zoo.
fn of_zoo(name: &str) -> Program {
    let symbols = HashMap::from([("T".to_owned(), 11)]);
    let given = Inputs { seed: 5, step: 2, symbols, ..Inputs::default() };
    Program::new((name.to_owned(), "train"), graphs::zoo(name), given, 9)
}

fn zoo() -> Vec<Program> {
    graphs::ZOO.iter().map(|name| of_zoo(name)).collect()
}

/// A random program.
fn of_spec(spec: &Spec) -> Program {
    let (graph, given) = spec.graph();
    Program::new((spec.name(), "train"), graph, given, spec.seed)
}

/// A program of an example.
fn of_example(example: Example) -> Program {
    let given = Inputs { seed: 5, step: 2, ..Inputs::default() };
    let prefix = example.prefix();
    Program::new((example.name, &prefix), example.graph, given, 9)
}

#[test]
fn the_zoo_means_what_the_interpreter_says() {
    report(mistakes(&zoo(), &[3, 0, 130], false));
}

#[test]
fn the_zoo_stays_in_its_memory() {
    report(mistakes(&zoo(), &[3, 33], true));
}

/// Every loss of every example, with its gradients and as it is evaluated, and every other function there that runs by itself; under
/// the sanitizers alone, in both orders of threads. (That shared memory is NaN before it is written, which they hide, the zoo shows.)
#[test]
fn the_examples_mean_what_the_interpreter_says() {
    let programs: Vec<Program> = examples().into_iter().map(of_example).collect();
    report(mistakes(&programs, &[3, 17], true));
}

#[test]
fn random_programs_mean_what_the_interpreter_says() {
    let listed = std::env::var(random::VARIABLE).ok().filter(|list| !list.is_empty());
    let specs: Vec<Spec> = match listed {
        Some(list) => random::parse(&list).expect("DIABOLO_RANDOM lists programs"),
        // One of five: the C++ compiler takes its time.
        None => testing::SEEDS.step_by(5).chain(testing::FOUND).map(Spec::whole).collect(),
    };
    let programs: Vec<Program> = specs.iter().map(of_spec).collect();
    report(mistakes(&programs, &[3, 0, 130], false));
}

#[test]
fn the_emitted_function_records_what_it_should() {
    for (program, (name, symbols, emitted)) in zoo().iter().zip(emitted::ZOO) {
        assert_eq!((program.name.as_str(), program.symbols.len()), (*name, symbols.len()));
        assert_eq!(program.text.source, emitted.source, "{name}");
        for (batch, steps) in [(130, 11), (3, 1), (0, 4)] {
            let value = |symbol: &String| if symbol == "B" { batch } else { steps };
            let values: Values =
                program.symbols.iter().map(|symbol| (symbol.clone(), value(symbol))).collect();
            let dims: Vec<usize> = program.symbols.iter().map(value).collect();
            let expected = tape(&program.text, &program.graph, &values)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(Recorder::record(emitted, &dims) == expected, "{name}, batch {batch}");
        }
    }
}

/// A batch in two pieces draws the numbers of the whole.
#[test]
fn the_first_row_counts_for_random_numbers() {
    let mut program = of_zoo("vae");
    program.given.first_row = 37;
    report(mistakes(&[program], &[33], false));
}
