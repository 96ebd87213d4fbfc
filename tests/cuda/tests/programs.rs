//! Emitted CUDA against the interpreter, to 1e-4 of Σ|terms|, for batches that leave remainders; and the emitted function
//! against what it should record.
//!
//! In: the zoo and random programs. Out: the first element of each that differs, on the processor where there is a C++
//! compiler, and on a GPU where there is one. Never: a failure where either is missing.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use diabolo_compiler::emit::cuda::{self, Text};
use diabolo_compiler::emit::rust::Names;
use diabolo_compiler::graph::Graph;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::schedule::schedule;
use diabolo_compiler::testing;
use diabolo_cuda_tests::{emulator, gpu, play_on};
use diabolo_kernels::cuda::emulate::{Emulator, Memory, Order};
use diabolo_kernels::cuda::{Clock, Recorder, Space, Tape};
use outputs::{Outputs, compare, inputs, sizes};
use quote::quote;
use random::Spec;
use recorded::{Values, tape};

#[allow(dead_code)] // each of its readers needs a part
#[path = "../../differential/graphs.rs"]
mod graphs;
#[path = "../../differential/outputs.rs"]
mod outputs;
#[allow(dead_code)]
#[path = "../../differential/random.rs"]
mod random;
#[path = "../../../macros/compiler/tests/recorded/mod.rs"]
mod recorded;

/// What a build script emitted.
#[allow(unused, clippy::all)]
mod emitted {
    pub(crate) use diabolo_kernels as kernels;
    use diabolo_kernels::cuda::Program;
    include!(concat!(env!("OUT_DIR"), "/programs.rs"));
}

/// A program to be played.
struct Program {
    name: String,
    graph: Graph,
    given: Inputs,
    seed: u64,
    symbols: Vec<String>,
    text: Text,
}

impl Program {
    fn new(name: String, graph: Graph, given: Inputs, seed: u64) -> Self {
        let plan = schedule(&graph).unwrap_or_else(|error| panic!("{name}: {error}"));
        let krate = quote!(crate);
        let names = Names::of(&krate, "train", &plan);
        let text = cuda::text(&names, &plan);
        Program { name, graph, given, seed, symbols: names.symbols, text }
    }

    fn zoo(name: &str) -> Self {
        let symbols = HashMap::from([("T".to_owned(), 11)]);
        let given = Inputs { seed: 5, step: 2, symbols, ..Inputs::default() };
        Program::new(name.to_owned(), graphs::zoo(name), given, 9)
    }

    fn random(spec: &Spec) -> Self {
        let (graph, given) = spec.graph();
        Program::new(spec.name(), graph, given, spec.seed)
    }

    /// Plays a batch; how many elements were compared.
    fn check(&self, emulator: Option<&Emulator>, number: usize, batch: usize) -> Result<usize, String> {
        let at = |error: String| format!("{}, batch {batch}: {error}", self.name);
        let inputs = inputs(&self.graph, &self.given, batch, self.seed);
        let values = interpret(&self.graph, &inputs)?;
        let sizes = sizes(&self.graph, &values);
        let symbols: Values = self.symbols.iter().map(|name| (name.clone(), inputs.symbols[name])).collect();
        let tape = tape(&self.text, &self.graph, &symbols).map_err(at)?;
        let cast = |list: &[f64]| list.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        let params = inputs.params.iter().enumerate().map(|(i, values)| (Space::Param(i), cast(values)));
        // What a program forgets to write shows.
        let nan = |n: usize| vec![f32::NAN; n];
        let given = [
            (Space::Inputs, cast(&inputs.inputs.concat())),
            (Space::Hypers, cast(&inputs.hypers)),
            (Space::Metrics, nan(sizes[0])),
            (Space::Gradients, nan(sizes[1])),
            (Space::States, nan(sizes[2])),
            (Space::Outputs, nan(sizes[3])),
        ];
        let before = Memory {
            spaces: params.chain(given).collect(),
            clock: Clock { seed: inputs.seed, step: inputs.step, first_row: inputs.first_row as u64 },
        };
        let agrees = |memory, shown| compare(&self.graph, &values, &outputs_of(memory, shown), 1e-4);
        if let Some(emulator) = emulator {
            let (memory, shown) = emulated(emulator, number, &tape, &before).map_err(at)?;
            agrees(memory, shown).map_err(at)?;
        }
        if let Some(driver) = gpu() {
            let on_gpu = |error: String| at(format!("on the GPU: {error}"));
            let mut memory = before;
            let shown =
                play_on(driver, &self.text.source, &tape, &mut memory).map_err(|e| on_gpu(e.to_string()))?;
            agrees(memory, shown).map_err(on_gpu)?;
        }
        Ok(sizes.iter().sum())
    }
}

/// What a program leaves in memory, and shows, on the processor: in both orders of threads, and only where it may write.
fn emulated(
    emulator: &Emulator,
    number: usize,
    tape: &Tape,
    before: &Memory,
) -> Result<(Memory, Shown), String> {
    let play = |order| {
        let mut memory = before.clone();
        let shown = emulator.play(number, tape, &mut memory, order).map_err(|error| error.to_string())?;
        Ok::<_, String>((memory, shown))
    };
    let ((memory, shown), (again, _)) = (play(Order::Ascending)?, play(Order::Descending)?);
    for (space, values) in &memory.spaces {
        if !diabolo_cuda_tests::same(values, &again.spaces[space]) {
            return Err(format!("{space:?} depends on the order of threads"));
        }
        let is_written = matches!(space, Space::Metrics | Space::Gradients | Space::States | Space::Outputs);
        if !is_written && !diabolo_cuda_tests::same(values, &before.spaces[space]) {
            return Err(format!("{space:?} was written to"));
        }
    }
    Ok((memory, shown))
}

/// Values that were asked for while it ran, by their numbers.
type Shown = Vec<(usize, Vec<f32>)>;

/// What a program has left in memory.
fn outputs_of(mut memory: Memory, shown: Shown) -> Outputs<f32> {
    let mut take = |space| memory.spaces.remove(&space).unwrap_or_default();
    Outputs {
        metrics: take(Space::Metrics),
        grads: take(Space::Gradients),
        states: take(Space::States),
        results: take(Space::Outputs),
        inspected: shown.into_iter().collect::<BTreeMap<_, _>>(),
    }
}

/// All batches of programs, compiled as one file; what differs.
fn mistakes(programs: &[Program], batches: &[usize], sanitize: bool) -> Vec<String> {
    let sources: Vec<&str> = programs.iter().map(|program| program.text.source.as_str()).collect();
    let emulator = emulator(&sources, sanitize);
    if emulator.is_none() && gpu().is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, program) in programs.iter().enumerate() {
        found.extend(
            batches.iter().filter_map(|batch| program.check(emulator.as_ref(), number, *batch).err()),
        );
    }
    found
}

fn report(mistakes: Vec<String>) {
    let mut text = String::new();
    mistakes.iter().for_each(|mistake| writeln!(text, "{mistake}").expect("memory"));
    assert!(mistakes.is_empty(), "{} differ:\n{text}", mistakes.len());
}

fn zoo() -> Vec<Program> {
    graphs::ZOO.iter().map(|name| Program::zoo(name)).collect()
}

#[test]
fn the_zoo_means_what_the_interpreter_says() {
    report(mistakes(&zoo(), &[3, 0, 130], false));
}

#[test]
fn the_zoo_stays_in_its_memory() {
    report(mistakes(&zoo(), &[3, 33], true));
}

#[test]
fn random_programs_mean_what_the_interpreter_says() {
    let listed = std::env::var(random::VARIABLE).ok().filter(|list| !list.is_empty());
    let specs: Vec<Spec> = match listed {
        Some(list) => random::parse(&list).expect("DIABOLO_RANDOM lists programs"),
        // One of five: the C++ compiler takes its time.
        None => testing::SEEDS.step_by(5).chain(testing::FOUND).map(Spec::whole).collect(),
    };
    let programs: Vec<Program> = specs.iter().map(Program::random).collect();
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
    let mut program = Program::zoo("vae");
    program.given.first_row = 37;
    report(mistakes(&[program], &[33], false));
}
