//! Programs as CUDA: every one of the zoo and every random one is emitted, and nothing that it launches lies outside.
//!
//! In: the programs that `tests/differential` runs. Out: faults. Never: a kernel run; `tests/cuda` does that.

use diabolo_compiler::emit::{cuda, rust};
use diabolo_compiler::graph::Graph;
use diabolo_compiler::schedule::schedule;
use diabolo_compiler::testing;
use quote::quote;
use recorded::{Values, tape};

#[path = "../../../tests/differential/graphs.rs"]
mod graphs;
#[allow(dead_code)] // each of its readers needs a part
#[path = "../../../tests/differential/random.rs"]
mod random;
mod recorded;

/// The text of a program, and its tape for a batch.
fn check(name: &str, graph: &Graph, batch: usize, steps: usize) -> Result<(), String> {
    let plan = schedule(graph)?;
    let krate = quote!(diabolo);
    let names = rust::Names::of(&krate, name, &plan);
    let text = cuda::text(&names, &plan);
    let mut values: Values = names.symbols.iter().map(|symbol| (symbol.clone(), steps)).collect();
    values.insert("B".into(), batch);
    tape(&text, graph, &values).map(|_| ()).map_err(|error| format!("{name}, batch {batch}: {error}"))
}

fn report(mistakes: Vec<String>) {
    assert!(mistakes.is_empty(), "{} are wrong:\n{}", mistakes.len(), mistakes.join("\n"));
}

#[test]
fn the_zoo_touches_its_own_memory() {
    let all = graphs::ZOO.iter().flat_map(|name| {
        let graph = graphs::zoo(name);
        [3, 0, 1, 64, 130].into_iter().filter_map(move |batch| check(name, &graph, batch, 11).err())
    });
    report(all.collect());
}

#[test]
fn random_programs_touch_their_own_memory() {
    let mut mistakes = Vec::new();
    for seed in testing::SEEDS.chain(testing::FOUND) {
        let spec = random::Spec::whole(seed);
        let (graph, given) = spec.graph();
        let steps = given.symbols.get("T").copied().unwrap_or(5);
        for batch in [3, 0, 130] {
            mistakes.extend(check(&spec.name(), &graph, batch, steps).err());
        }
    }
    report(mistakes);
}
