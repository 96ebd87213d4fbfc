//! What programs are run on, and what they have to hand out.
//!
//! In: a graph, its meaning, what a run left. Out: inputs; how many elements of each kind; the first difference. Never: a
//! tolerance without a scale.

use std::collections::{BTreeMap, HashMap};

use diabolo_compiler::graph::{Graph, NodeId, Role};
use diabolo_compiler::interp::{Inputs, Values};
use diabolo_compiler::testing::Rng;
use diabolo_kernels::Float;

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

/// Compares every output; the first difference.
///
/// # Errors
/// The element, and what it should be.
pub fn compare<F: Float>(
    graph: &Graph,
    values: &Values,
    out: &Outputs<F>,
    tolerance: f64,
) -> Result<(), String> {
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
