//! The programs of the zoo: written by hand.
//!
//! In: nothing. Out: names and graphs, the same for the build script that emits them and for the test that
//! interprets them. Never: a pass left out; these are the graphs that users' programs become.

use diabolo_compiler::graph::Graph;
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::{Mode, OptimizerGraph, optimizer};
use diabolo_compiler::pipeline;

/// The losses of the zoo.
pub const ZOO: &[&str] = &[
    "vanilla",
    "narrow",
    "vae",
    "contractive",
    "deep_contractive",
    "wasserstein",
    "importance",
    "penalty",
    "watched",
    "recurrent",
    "sequence",
    "unfolded",
    "spectral",
    "flow",
    "steps",
    "exchange",
    "convolutional",
    "sequences",
    "pools",
    "sensitive",
    "templates",
    "quantised",
    "sparse",
    "labelled",
    "sliced",
    "vocabulary",
    "sparse_among_many",
    "wide",
    "waisted",
    "surveyed",
    "turned",
];

/// The update rules of the library, and one that is not in it.
#[allow(dead_code)] // the test asks the table instead
pub const RULES: &[&str] = &["sgd", "nesterov", "rmsprop", "adam", "adamw", "lion", "signum"];

const FILES: &[(&str, &str)] = &[
    ("zoo.rs", include_str!("programs/zoo.rs")),
    ("nn/convolution.rs", include_str!("../../runtime/src/nn/convolution.rs")),
    ("nn/densities.rs", include_str!("../../runtime/src/nn/densities.rs")),
    ("nn/errors.rs", include_str!("../../runtime/src/nn/errors.rs")),
    ("nn/kernels.rs", include_str!("../../runtime/src/nn/kernels.rs")),
    ("nn/layers.rs", include_str!("../../runtime/src/nn/layers.rs")),
    ("nn/recurrent.rs", include_str!("../../runtime/src/nn/recurrent.rs")),
    ("nn/optim.rs", include_str!("../../runtime/src/nn/optim.rs")),
];

/// A loss of the zoo, with its gradients.
pub fn zoo(name: &str) -> Graph {
    let said = |errors: diabolo_compiler::error::Errors| -> Graph {
        let list: Vec<&str> = errors.0.iter().map(|error| error.message.as_str()).collect();
        panic!("{name}: {}", list.join("\n"))
    };
    match from_source(FILES, name) {
        Err(errors) => said(errors),
        Ok(linked) => pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(said),
    }
}

/// An update rule.
pub fn rule(name: &str) -> OptimizerGraph {
    from_source(FILES, name).and_then(|linked| optimizer(&linked)).unwrap_or_else(|errors| {
        let list: Vec<&str> = errors.0.iter().map(|error| error.message.as_str()).collect();
        panic!("{name}: {}", list.join("\n"))
    })
}
