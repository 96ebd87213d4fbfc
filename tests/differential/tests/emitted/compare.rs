//! Compares an emitted program with the interpreter.
//!
//! In: a program, its graph, a batch. Out: how many elements agreed, or the first that does not. Never: a tolerance
//! without a scale.

use diabolo_compiler::graph::Graph;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_kernels::Float;

use super::Emitted;
use super::outputs::{Outputs, compare, inputs, sizes};
use super::run::run;

fn bits<F: Float>(out: &Outputs<F>) -> Vec<u64> {
    let lists = [&out.metrics, &out.grads, &out.states, &out.results];
    lists.into_iter().flatten().map(|x| x.to_f64().to_bits()).collect()
}

/// Runs a program on a batch in both precisions and on several numbers of threads; how many elements were compared.
///
/// # Errors
/// The first element that differs, with the batch and the precision.
pub fn check(
    emitted: &Emitted,
    graph: &Graph,
    given: &Inputs,
    batch: usize,
    seed: u64,
) -> Result<usize, String> {
    let name = emitted.name;
    let inputs = inputs(graph, given, batch, seed);
    let values = interpret(graph, &inputs)?;
    let sizes = sizes(graph, &values);
    let at = |what: &str, error: String| format!("{name}, batch {batch}, {what}: {error}");
    let double = run(emitted, emitted.double, sizes, &inputs);
    let mut compared: usize = sizes.iter().sum();
    compare(graph, &values, &double, 1e-10).map_err(|error| at("f64", error))?;
    if let Some(single) = emitted.single {
        let out = run(emitted, single, sizes, &inputs);
        compared *= 2;
        compare(graph, &values, &out, 1e-4).map_err(|error| at("f32", error))?;
    }
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| e.to_string())?;
        let again = pool.install(|| run(emitted, emitted.double, sizes, &inputs));
        if bits(&again) != bits(&double) {
            return Err(at("f64", format!("other bits on {threads} threads")));
        }
    }
    Ok(compared)
}
