//! Runs an emitted program.
//!
//! In: a program, its graph, values. Out: all that it hands out; what it forgot to write is NaN. Never: a comparison.

use std::collections::BTreeMap;
use std::sync::Mutex;

use diabolo::program::Env;
use diabolo_compiler::interp::Inputs;
use diabolo_kernels::Float;

use super::outputs::Outputs;
use super::{Emitted, Run};

/// Runs it once.
pub fn run<F: Float>(emitted: &Emitted, run: Run<F>, sizes: [usize; 4], inputs: &Inputs) -> Outputs<F> {
    let dims: Vec<usize> = emitted.symbols.iter().map(|symbol| inputs.symbols[*symbol]).collect();
    let cast = |list: &[f64]| list.iter().map(|x| F::from_f64(*x)).collect::<Vec<F>>();
    let mut offsets = Vec::new();
    let mut end = 0;
    for param in &inputs.params {
        offsets.push(end);
        end += param.len();
    }
    // What a program forgets to write shows.
    let nan = |n: usize| vec![F::from_f64(f64::NAN); n];
    let mut out = Outputs {
        metrics: nan(sizes[0]),
        grads: nan(sizes[1]),
        states: nan(sizes[2]),
        results: nan(sizes[3]),
        inspected: BTreeMap::new(),
    };
    let inspected = Mutex::new(BTreeMap::new());
    let mut work = nan((emitted.workspace)(&dims));
    run(Env {
        dims: &dims,
        first_row: inputs.first_row,
        inputs: &cast(&inputs.inputs.concat()),
        params: &cast(&inputs.params.concat()),
        offsets: &offsets,
        hypers: &cast(&inputs.hypers),
        seed: inputs.seed,
        step: inputs.step,
        work: &mut work,
        grads: &mut out.grads,
        states: &mut out.states,
        outputs: &mut out.results,
        metrics: &mut out.metrics,
        inspect: &|index, data| {
            inspected.lock().expect("no one panicked").insert(index, data.to_vec());
        },
    });
    out.inspected = inspected.into_inner().expect("no one panicked");
    out
}
