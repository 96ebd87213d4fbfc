//! Emits the zoo's programs for a device into `OUT_DIR/programs.rs`, a module each, and a table of all; lists the examples and the
//! library's files with their texts in `OUT_DIR/examples.rs`.
//!
//! In: the graphs of `tests/differential`, two folders. Out: source files. Never: a kernel compiled.

use std::path::{Path, PathBuf};

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
    let (examples, library) = (texts("../../examples"), texts("../../runtime/src/nn"));
    let lists = quote! {
        /// The examples: names and texts.
        pub static EXAMPLES: &[(&str, &str)] = &[#(#examples),*];
        /// The files of the library.
        pub static LIBRARY: &[(&str, &str)] = &[#(#library),*];
    };
    std::fs::write(folder.join("examples.rs"), lists.to_string()).expect("OUT_DIR can be written");
}

/// The names and texts of the files of Rust in a folder, as pairs of Rust.
fn texts(folder: &str) -> Vec<proc_macro2::TokenStream> {
    println!("cargo::rerun-if-changed={folder}");
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&here).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "rs"));
    files.sort();
    let pair = |file: PathBuf| {
        let (name, path) = (file.file_stem().unwrap_or_default().to_string_lossy(), file.to_string_lossy());
        quote!((#name, include_str!(#path)))
    };
    files.into_iter().map(pair).collect()
}
