//! Programs on the emulator, and on a GPU where there is one, against the interpreter.
//!
//! In: graphs. Out: the first element of each that differs. Never: a failure where there is no GPU, or no C++ compiler.

use std::collections::BTreeMap;
use std::fmt::Write;

use diabolo_compiler::emit::cuda::{self, Text};
use diabolo_compiler::emit::rust::Names;
use diabolo_compiler::graph::Graph;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::schedule::schedule;
use diabolo_cuda_tests::{emulator, gpu, play_on};
use diabolo_kernels::cuda::emulate::{Emulator, Machine, Memory, Order};
use diabolo_kernels::cuda::{Clock, Space, Tape};
use quote::quote;

use super::outputs::{Outputs, compare, inputs, sizes};
use super::recorded::{Values, tape};

/// A program to be played.
pub struct Program {
    pub name: String,
    pub graph: Graph,
    pub given: Inputs,
    seed: u64,
    pub symbols: Vec<String>,
    pub text: Text,
}

impl Program {
    /// A program of that name, whose kernels begin with a prefix; its parameters and inputs are drawn from the seed where none
    /// are given.
    pub fn new((name, prefix): (String, &str), graph: Graph, given: Inputs, seed: u64) -> Self {
        let plan = schedule(&graph).unwrap_or_else(|error| panic!("{name}: {error}"));
        let krate = quote!(crate);
        let names = Names::of(&krate, prefix, &plan);
        let text = cuda::text(&names, &plan);
        Program { name, graph, given, seed, symbols: names.symbols, text }
    }

    /// Plays a batch; how many elements were compared.
    fn check(
        &self,
        emulated: Option<(&Emulator, &mut [Machine; 2])>,
        number: usize,
        batch: usize,
    ) -> Result<usize, String> {
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
        if let Some((emulator, machines)) = emulated {
            let (memory, shown) = emulate(emulator, machines, number, &tape, &before).map_err(at)?;
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

/// Values that were asked for while it ran, by their numbers.
type Shown = Vec<(usize, Vec<f32>)>;

/// What a program leaves in memory, and shows, on the processor: in both orders of threads, and only where it may write.
fn emulate(
    emulator: &Emulator,
    machines: &mut [Machine; 2],
    number: usize,
    tape: &Tape,
    before: &Memory,
) -> Result<(Memory, Shown), String> {
    let play = |machine| {
        let mut memory = before.clone();
        let shown =
            emulator.play_in(machine, number, tape, &mut memory).map_err(|error| error.to_string())?;
        Ok::<_, String>((memory, shown))
    };
    let [ascending, descending] = machines;
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| play(descending));
        (play(ascending), second.join())
    });
    let ((memory, shown), (again, _)) = (first?, second.map_err(|_| "a panic".to_owned())??);
    for (space, values) in &memory.spaces {
        if !diabolo_cuda_tests::same(values, &again.spaces[space]) {
            return Err(format!("{space:?} depends on the order of threads or of launches"));
        }
        let is_written = matches!(space, Space::Metrics | Space::Gradients | Space::States | Space::Outputs);
        if !is_written && !diabolo_cuda_tests::same(values, &before.spaces[space]) {
            return Err(format!("{space:?} was written to"));
        }
    }
    Ok((memory, shown))
}

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
pub fn mistakes(programs: &[Program], batches: &[usize], sanitize: bool) -> Vec<String> {
    let sources: Vec<&str> = programs.iter().map(|program| program.text.source.as_str()).collect();
    let emulator = emulator(&sources, sanitize);
    if emulator.is_none() && gpu().is_none() {
        return Vec::new();
    }
    let start = || {
        let emulator = emulator.as_ref()?;
        Some([Order::Ascending, Order::Descending].map(|order| emulator.start(order).expect("a process")))
    };
    let (mut found, mut machines) = (Vec::new(), start());
    for (number, program) in programs.iter().enumerate() {
        for batch in batches {
            let emulated = emulator.as_ref().zip(machines.as_mut());
            if let Err(error) = program.check(emulated, number, *batch) {
                found.push(error);
                machines = start(); // a kernel may have ended them
            }
        }
    }
    found
}

/// Fails where anything was found.
pub fn report(mistakes: Vec<String>) {
    let mut text = String::new();
    mistakes.iter().for_each(|mistake| writeln!(text, "{mistake}").expect("memory"));
    assert!(mistakes.is_empty(), "{} differ:\n{text}", mistakes.len());
}
