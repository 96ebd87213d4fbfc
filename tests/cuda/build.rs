//! Emits the zoo's programs for a device into `OUT_DIR/programs.rs`, a module each, and a table of all.
//!
//! In: the graphs of `tests/differential`. Out: a source file. Never: a kernel compiled.

use std::path::PathBuf;

use diabolo_compiler::emit::{cuda, rust};
use diabolo_compiler::schedule::schedule;
use quote::{format_ident, quote};

#[allow(dead_code)] // each of its readers needs a part
#[path = "../differential/graphs.rs"]
mod graphs;

fn main() {
    for file in ["build.rs", "../differential/graphs.rs", "../differential/programs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let krate = quote!(super::super);
    let programs = graphs::ZOO.iter().map(|name| {
        let plan = schedule(&graphs::zoo(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let names = rust::Names::of(&krate, "train", &plan);
        let (items, module) = (cuda::program(&names, &plan), format_ident!("{name}"));
        quote!(pub(super) mod #module { #items })
    });
    let programs: Vec<_> = programs.collect();
    let entries = graphs::ZOO.iter().map(|name| {
        let plan = schedule(&graphs::zoo(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (symbols, module) = (rust::Names::of(&krate, "train", &plan).symbols, format_ident!("{name}"));
        quote!((#name, &[#(#symbols),*], &programs::#module::TRAIN_CUDA))
    });
    let all = quote! {
        mod programs { #(#programs)* }
        pub(super) static ZOO: &[(&str, &[&str], &Program)] = &[#(#entries),*];
    };
    // A line each, or a message of rustc would quote megabytes.
    let text = all.to_string().replace(" pub (super) mod ", "\npub (super) mod ");
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(folder.join("programs.rs"), text).expect("OUT_DIR can be written");
}
