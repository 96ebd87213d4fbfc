//! Emitted Rust against the interpreter: f64 to 1e-10 and f32 to 1e-4 of Σ|terms|, for batches that leave
//! remainders, and the same bits on any number of threads, on every instruction set of this machine.

mod compare;
mod run;

use std::collections::HashMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use compare::check;
use diabolo::program::{Env, Update};
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::lower::SlotKind;
use diabolo_compiler::testing::Rng;
use diabolo_kernels::{IsaKind, isa};
use random::Spec;

#[path = "../../graphs.rs"]
mod graphs;
#[path = "../../outputs.rs"]
mod outputs;
#[allow(dead_code)] // each of its readers needs a part
#[path = "../../random.rs"]
mod random;

/// What generated code sees: with every instruction set.
#[allow(unused_imports)] // only the zoo does
mod native {
    pub(crate) use diabolo::{__cuda, program};
    pub(crate) use diabolo_kernels as kernels;
}

/// The same, compiled once only, in tiles of seven rows, since small programs would fit in one, and with weights in panels for
/// any number of rows.
mod portable {
    pub(crate) use diabolo::program;
    pub(crate) mod kernels {
        pub(crate) use diabolo_kernels::*;

        pub(crate) fn dispatch<B: Body>(body: B) -> B::Output {
            body.run::<Portable>()
        }

        #[allow(dead_code)] // random programs are too small
        pub(crate) fn panels(rows: usize, k: usize, n: usize) -> usize {
            diabolo_kernels::panels(if rows > 0 { 1 << 20 } else { 0 }, k, n)
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

            /// Rows that lie side by side, where part of each group is left alone.
            pub(crate) fn of_height(self, most: usize) -> Self {
                assert!(self.tile <= most);
                self
            }
        }

        impl From<Tiling> for diabolo_kernels::Tiling {
            fn from(Tiling { rows, tile, lanes }: Tiling) -> Self {
                diabolo_kernels::Tiling { rows, tile, lanes }
            }
        }

        pub(crate) fn stage<F: Float, const W: usize>(
            tiling: Tiling,
            scratch: &mut [F],
            acc: &mut [F],
            full: [(&mut [F], usize); W],
            body: impl Fn(Tile<'_, F, W>) + Sync,
        ) {
            diabolo_kernels::stage(tiling.into(), scratch, acc, full, body);
        }

        #[allow(dead_code)] // random programs have none
        pub(crate) fn stage_turned<F: Float>(
            tiling: Tiling,
            scratch: &mut [F],
            to: &mut [F],
            width: usize,
            body: impl Fn(Tile<'_, F, 0>) + Sync,
        ) {
            diabolo_kernels::stage_turned(tiling.into(), scratch, to, width, body);
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

#[allow(unused, non_snake_case, clippy::all)]
mod programs {
    use super::{Emitted, EmittedRule};
    include!(concat!(env!("OUT_DIR"), "/programs.rs"));
}

const BATCHES: [usize; 5] = [3, 0, 1, 64, 130];

fn find(name: &str) -> &'static Emitted {
    programs::ZOO.iter().find(|program| program.name == name).expect("the build script emitted it")
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
            let check = |batch: &usize| check(find(&name), &graph, &given, *batch, 9).err();
            mistakes.extend(BATCHES.iter().filter_map(check));
        }
    }
    report(mistakes);
}

/// The tests of what is compiled for every instruction set, once more with each that is not the default. The choice is
/// global, so each has a process of its own.
#[test]
fn every_instruction_set_means_the_same() {
    const TESTS: [&str; 2] =
        ["the_zoo_means_what_the_interpreter_says", "update_rules_mean_what_the_interpreter_says"];
    let others = IsaKind::ALL.into_iter().filter(|kind| kind.available() && *kind != isa());
    for kind in others {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        let command = command.args(TESTS).args(["--exact", "--nocapture"]).env("DIABOLO_ISA", kind.name());
        let output = command.output().expect("this test can be started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {said}", kind.name());
        assert!(said.contains("2 passed"), "{}: {said}", kind.name());
    }
}

/// All batches of a random program; how many elements were compared, and the nodes of its graph.
fn random(spec: &str, emitted: &Result<Emitted, &str>) -> Result<(usize, usize), String> {
    let emitted = emitted.as_ref().map_err(|error| format!("not emitted: {error}"))?;
    let spec: Spec = spec.parse()?;
    let (graph, given) = spec.graph();
    let all = || {
        BATCHES
            .iter()
            .map(|batch| check(emitted, &graph, &given, *batch, spec.seed))
            .sum::<Result<usize, _>>()
    };
    let compared = catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(|_| Err("it panicked".into()))?;
    Ok((compared, graph.nodes.len()))
}

/// The programs of every check, or those that the environment variable of `random.rs` listed when this was compiled.
/// Where `DIABOLO_RANDOM_REPORT` names a file, it gets a line for each.
#[test]
fn random_programs_mean_what_the_interpreter_says() {
    let (mut mistakes, mut lines) = (Vec::new(), String::new());
    for (spec, emitted) in programs::RANDOM {
        let line = match random(spec, emitted) {
            Ok((compared, nodes)) => format!("{spec} agrees {compared} {nodes}"),
            Err(mistake) => {
                let line = format!("{spec} differs {}", mistake.replace('\n', " "));
                mistakes.push(line.clone());
                line
            }
        };
        writeln!(lines, "{line}").expect("memory");
    }
    if let Some(file) = std::env::var_os("DIABOLO_RANDOM_REPORT") {
        std::fs::write(file, lines).expect("the report can be written");
    }
    report(mistakes);
}

/// A batch in two pieces draws the numbers of the whole.
#[test]
fn the_first_row_counts_for_random_numbers() {
    let graph = graphs::zoo("vae");
    let given = Inputs { seed: 5, step: 2, first_row: 37, ..Inputs::default() };
    report(check(find("vae_tiled"), &graph, &given, 33, 9).err().into_iter().collect());
}

#[test]
fn update_rules_mean_what_the_interpreter_says() {
    for EmittedRule { name, moments, hypers, update } in programs::RULES {
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
