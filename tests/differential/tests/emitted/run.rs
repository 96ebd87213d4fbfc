//! Runs an emitted program.
//!
//! In: a program, its graph, values. Out: all that it hands out; what it forgot to write is NaN. Never: a comparison.

use std::collections::BTreeMap;
use std::sync::Mutex;

use diabolo::program::Env;
use diabolo_compiler::graph::{Graph, Role};
use diabolo_compiler::interp::{Inputs, Values};
use diabolo_compiler::testing::Rng;
use diabolo_kernels::Float;

use super::{Emitted, Run};

/// What a run hands out.
pub struct Outputs<F> {
    /// Loss and metrics.
    pub metrics: Vec<F>,
    /// Gradients.
    pub grads: Vec<F>,
    /// States.
    pub states: Vec<F>,
    /// Results.
    pub results: Vec<F>,
    /// By the index of the `inspect` word.
    pub inspected: BTreeMap<usize, Vec<F>>,
}

/// Values for a graph: those given, inputs drawn anew for another batch, parameters where there are none.
pub fn inputs(graph: &Graph, given: &Inputs, batch: usize, seed: u64) -> Inputs {
    let mut rng = Rng(seed);
    let mut out = given.clone();
    out.symbols.insert("B".into(), batch);
    out.symbols.entry("T".into()).or_insert(5);
    let mut draw =
        |size: usize, low: f64, high: f64| (0..size).map(|_| rng.between(low, high)).collect::<Vec<f64>>();
    let count =
        |out: &Inputs, ty: &diabolo_compiler::graph::Type| out.size(&ty.elements()).expect("known symbols");
    let values = graph.inputs.iter().map(|input| {
        let values = draw(count(&out, &input.ty), 0.0, 1.0);
        // Positions, some of them beyond the tables.
        let place = |x: &f64| (x * 12.0).floor() + if *x > 0.9 { 4100.0 } else { 0.0 };
        if input.index { values.iter().map(place).collect() } else { values }
    });
    out.inputs = values.collect();
    if out.params.is_empty() {
        let spread = |n: usize| 1.0 / (n.max(1) as f64).sqrt();
        let fan =
            |ty: &diabolo_compiler::graph::Type| ty.features.first().and_then(|n| n.value()).unwrap_or(1);
        out.params = graph
            .params
            .iter()
            .map(|param| draw(count(&out, &param.ty), -spread(fan(&param.ty)), spread(fan(&param.ty))))
            .collect();
        out.hypers = graph.hypers.iter().map(|hyper| hyper.default.unwrap_or(0.5)).collect();
    }
    out
}

/// The numbers of elements of metrics, gradients, states and results.
pub fn sizes(graph: &Graph, values: &Values) -> [usize; 4] {
    let size = |pick: fn(&Role) -> bool| {
        let of = graph.outputs.iter().filter(|output| pick(&output.role));
        of.map(|output| values[output.node].data.len()).sum::<usize>()
    };
    [
        size(|role| matches!(role, Role::Loss | Role::Metric(_))),
        size(|role| matches!(role, Role::Gradient(_))),
        size(|role| matches!(role, Role::State(_))),
        size(|role| matches!(role, Role::Result(_))),
    ]
}

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
