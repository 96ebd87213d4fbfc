//! Compares an emitted program with the interpreter.
//!
//! In: a program, its graph, a batch. Out: how many elements agreed, or the first that does not. Never: a tolerance
//! without a scale.

use std::collections::HashMap;

use diabolo_compiler::graph::{Graph, NodeId, Role};
use diabolo_compiler::interp::{Inputs, Values, interpret};
use diabolo_kernels::Float;

use super::Emitted;
use super::run::{Outputs, inputs, run, sizes};

/// Compares every output; the first difference.
fn compare<F: Float>(graph: &Graph, values: &Values, out: &Outputs<F>, tolerance: f64) -> Result<(), String> {
    let mut starts: HashMap<&str, usize> = HashMap::new();
    // Gradients lie in the order of their parameters, the others in their own.
    let mut outputs: Vec<(&Role, NodeId)> =
        graph.outputs.iter().map(|output| (&output.role, output.node)).collect();
    outputs.sort_by_key(|(role, _)| match role {
        Role::Gradient(index) | Role::State(index) | Role::Result(index) => *index,
        _ => 0,
    });
    for (role, node) in outputs {
        let (list, data) = match role {
            Role::Loss | Role::Metric(_) => ("metrics", &out.metrics),
            Role::Gradient(_) => ("grads", &out.grads),
            Role::State(_) => ("states", &out.states),
            Role::Result(_) => ("results", &out.results),
            Role::Inspect(_) => {
                let index = starts.entry("inspected").or_insert(0);
                *index += 1;
                let data = out.inspected.get(&(*index - 1)).ok_or("nothing was inspected")?;
                starts.insert("this", 0);
                ("this", data)
            }
        };
        let expected = &values[node];
        let start = starts.entry(list).or_insert(0);
        let found = data.get(*start..*start + expected.data.len()).ok_or("too few elements")?;
        *start += found.len();
        for (e, (want, got)) in expected.data.iter().zip(found).enumerate() {
            let got = got.to_f64();
            let error = (want - got).abs() / (expected.scale[e] + f64::MIN_POSITIVE);
            let same = want == &got || want.is_nan() && got.is_nan() || error <= tolerance;
            if !same {
                return Err(format!(
                    "{role:?}[{e}] is {got} instead of {want} (scale {:e})",
                    expected.scale[e]
                ));
            }
        }
    }
    Ok(())
}

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
