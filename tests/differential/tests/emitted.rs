//! Emitted Rust against the interpreter: f64 to 1e-10 and f32 to 1e-4 of Σ|terms|, for batches that leave
//! remainders, and the same bits on any number of threads.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use diabolo::program::{Env, Update};
use diabolo_compiler::graph::{Graph, NodeId, Role};
use diabolo_compiler::interp::{Inputs, Values, interpret};
use diabolo_compiler::lower::SlotKind;
use diabolo_compiler::testing::Rng;
use diabolo_kernels::Float;

#[path = "../graphs.rs"]
mod graphs;

/// What generated code sees: with every instruction set.
mod native {
    pub(crate) use diabolo::program;
    pub(crate) use diabolo_kernels as kernels;
}

/// The same, compiled once only, and in tiles of seven rows: small programs would fit in one.
mod portable {
    pub(crate) use diabolo::program;
    pub(crate) mod kernels {
        pub(crate) use diabolo_kernels::*;

        pub(crate) fn dispatch<B: Body>(body: B) -> B::Output {
            body.run::<Portable>()
        }

        #[derive(Clone, Copy)]
        pub(crate) struct Tiling {
            rows: usize,
            pub(crate) tile: usize,
            pub(crate) lanes: usize,
        }

        impl Tiling {
            pub(crate) fn plan(rows: usize, _: usize, _: usize, _: usize) -> Self {
                Tiling { rows, tile: 7.min(rows.max(1)), lanes: rows.div_ceil(7).clamp(1, 3) }
            }
        }

        pub(crate) fn stage<F: Float, const W: usize>(
            Tiling { rows, tile, lanes }: Tiling,
            scratch: &mut [F],
            acc: &mut [F],
            full: [(&mut [F], usize); W],
            body: impl Fn(Tile<'_, F, W>) + Sync,
        ) {
            let tiling = diabolo_kernels::Tiling { rows, tile, lanes };
            diabolo_kernels::stage(tiling, scratch, acc, full, body);
        }
    }
}

type Run<F> = fn(Env<'_, F>);

/// An emitted program.
struct Emitted {
    name: &'static str,
    symbols: &'static [&'static str],
    workspace: fn(&[usize]) -> usize,
    single: Option<Run<f32>>,
    double: Run<f64>,
}

/// An emitted update rule.
struct EmittedRule {
    name: &'static str,
    moments: usize,
    hypers: &'static [&'static str],
    update: fn(Update<'_, f64>),
}

#[allow(dead_code, clippy::all)]
mod programs {
    use super::{Emitted, EmittedRule};
    include!(concat!(env!("OUT_DIR"), "/programs.rs"));
    /// All of them.
    pub(super) fn all() -> &'static [Emitted] {
        PROGRAMS
    }
    /// All update rules.
    pub(super) fn rules() -> &'static [EmittedRule] {
        RULES
    }
}

/// What a run hands out.
struct Outputs<F> {
    metrics: Vec<F>,
    grads: Vec<F>,
    states: Vec<F>,
    results: Vec<F>,
    /// By the index of the `inspect` word.
    inspected: BTreeMap<usize, Vec<F>>,
}

const BATCHES: [usize; 5] = [3, 0, 1, 64, 130];

fn find(name: &str) -> &'static Emitted {
    programs::all().iter().find(|program| program.name == name).expect("the build script emitted it")
}

/// Values for a graph: those given, inputs drawn anew for another batch, parameters where there are none.
fn inputs(graph: &Graph, given: &Inputs, batch: usize, seed: u64) -> Inputs {
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
fn sizes(graph: &Graph, values: &Values) -> [usize; 4] {
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

fn run<F: Float>(emitted: &Emitted, run: Run<F>, sizes: [usize; 4], inputs: &Inputs) -> Outputs<F> {
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

fn check(name: &str, graph: &Graph, given: &Inputs, batch: usize, seed: u64) -> Result<(), String> {
    let inputs = inputs(graph, given, batch, seed);
    let values = interpret(graph, &inputs)?;
    let (emitted, sizes) = (find(name), sizes(graph, &values));
    let at = |what: &str, error: String| format!("{name}, batch {batch}, {what}: {error}");
    let double = run(emitted, emitted.double, sizes, &inputs);
    compare(graph, &values, &double, 1e-10).map_err(|error| at("f64", error))?;
    if let Some(single) = emitted.single {
        let out = run(emitted, single, sizes, &inputs);
        compare(graph, &values, &out, 1e-4).map_err(|error| at("f32", error))?;
    }
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| e.to_string())?;
        let again = pool.install(|| run(emitted, emitted.double, sizes, &inputs));
        if bits(&again) != bits(&double) {
            return Err(at("f64", format!("other bits on {threads} threads")));
        }
    }
    Ok(())
}

fn report(mistakes: Vec<String>) {
    assert!(mistakes.is_empty(), "{} differ:\n{}", mistakes.len(), mistakes.join("\n"));
}

#[test]
fn the_zoo_means_what_the_interpreter_says() {
    let mut mistakes = Vec::new();
    for name in graphs::ZOO {
        let graph = graphs::zoo(name);
        let symbols = HashMap::from([("T".to_owned(), 11)]);
        let given = Inputs { seed: 5, step: 2, symbols, ..Inputs::default() };
        for name in [(*name).to_owned(), format!("{name}_tiled")] {
            mistakes.extend(BATCHES.iter().filter_map(|batch| check(&name, &graph, &given, *batch, 9).err()));
        }
    }
    report(mistakes);
}

#[test]
fn random_programs_mean_what_the_interpreter_says() {
    let mut mistakes = Vec::new();
    for seed in 0..graphs::RANDOM {
        let (graph, given) = graphs::random(seed);
        let name = format!("random{seed}");
        mistakes.extend(BATCHES.iter().filter_map(|batch| check(&name, &graph, &given, *batch, seed).err()));
    }
    report(mistakes);
}

/// A batch in two pieces draws the numbers of the whole.
#[test]
fn the_first_row_counts_for_random_numbers() {
    let graph = graphs::zoo("vae");
    let given = Inputs { seed: 5, step: 2, first_row: 37, ..Inputs::default() };
    report(check("vae_tiled", &graph, &given, 33, 9).err().into_iter().collect());
}

#[test]
fn update_rules_mean_what_the_interpreter_says() {
    for EmittedRule { name, moments, hypers, update } in programs::rules() {
        let rule = graphs::rule(name);
        let mut rng = Rng(3);
        // More than a chunk, and a remainder.
        let count = 5000;
        let mut draw = |low: f64, high: f64| (0..count).map(|_| rng.between(low, high)).collect::<Vec<f64>>();
        let mut weights = draw(-1.0, 1.0);
        let grads = draw(-1.0, 1.0);
        let mut kept: Vec<Vec<f64>> = (0..*moments).map(|_| draw(0.0, 1.0)).collect();
        let values: Vec<f64> = rule.graph.hypers.iter().map(|hyper| hyper.default.unwrap_or(0.01)).collect();
        assert_eq!(rule.graph.hypers.iter().map(|hyper| hyper.name.as_str()).collect::<Vec<_>>(), *hypers);

        let mut rest = kept.iter();
        let inputs = rule.slots.iter().map(|slot| match slot.kind {
            SlotKind::Weight => weights.clone(),
            SlotKind::Gradient => grads.clone(),
            SlotKind::Moment => rest.next().expect("as many as the rule has").clone(),
            SlotKind::Step => vec![7.0],
        });
        let inputs = Inputs {
            inputs: inputs.collect(),
            hypers: values.clone(),
            symbols: [("N".to_owned(), count)].into(),
            ..Inputs::default()
        };
        let expected = interpret(&rule.graph, &inputs).expect("the rule can be interpreted");

        let mut flat = kept.concat();
        update(Update { weights: &mut weights, grads: &grads, moments: &mut flat, hypers: &values, step: 7 });
        kept = flat.chunks(count).map(<[f64]>::to_vec).collect();
        let found = std::iter::once(&weights).chain(&kept);
        for (output, found) in rule.graph.outputs.iter().zip(found) {
            let want = &expected[output.node];
            let far = want
                .data
                .iter()
                .zip(found)
                .zip(&want.scale)
                .position(|((a, b), s)| (a - b).abs() > 1e-12 * s);
            assert_eq!(far, None, "{name}: {:?}", output.role);
        }
    }
}
