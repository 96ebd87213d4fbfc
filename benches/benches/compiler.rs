//! Criterion over the compiler: from the text of a program to the tokens that the macro hands to rustc.
//!
//! In: the programs of `benches/compile`. Out: criterion's report. Never: rustc; `compile_time` measures a whole build. Under
//! `cargo bench` the compiler is optimised, while cargo builds macros unoptimised: that is some ten times slower.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use diabolo_compiler::link;
use diabolo_compiler::pipeline::{self, Context};
use quote::{format_ident, quote};

fn expansion(criterion: &mut Criterion) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src/nn");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(library).expect("the library") {
        let path = entry.expect("a file of the library").path();
        texts.push((
            path.display().to_string(),
            std::fs::read_to_string(&path).expect("a file of the library"),
        ));
    }
    for (name, text, loss, layers) in [
        ("small", include_str!("../compile/small.rs"), "vanilla", 4),
        ("convolutional", include_str!("../compile/convolutional.rs"), "convolutional", 6),
        ("deep, 5 layers", include_str!("../compile/deep.rs"), "deep", 5),
        ("deep, 30 layers", include_str!("../compile/deep.rs"), "deep", 30),
    ] {
        let text = text.replace("LAYERS", &layers.to_string());
        let own = [("program.rs", text.as_str())];
        let files: Vec<(&str, &str)> =
            own.into_iter().chain(texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))).collect();
        let context = Context { krate: quote!(::diabolo), name: format_ident!("{loss}"), trains: true };
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let linked = link::from_source(&files, loss).expect("the program links");
                pipeline::compile(&linked, &context).expect("the program compiles")
            });
        });
    }
}

criterion_group!(benches, expansion);
criterion_main!(benches);
