//! Real programs with random changes, through the whole compiler.
//!
//! In: the examples and the library of this repository. Out: cases. Never: rustc.

use std::path::Path;

use diabolo_compiler::pipeline::{self, Context};
use diabolo_compiler::testing::Rng;
use diabolo_compiler::{ast, link};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use crate::mutate;
use crate::worker::Case;

/// The programs that are changed.
pub struct Corpus {
    /// Name, text, and the annotated functions of each example.
    programs: Vec<Program>,
    /// The library: name and text.
    library: Vec<(String, String)>,
}

struct Program {
    name: String,
    text: String,
    roots: Vec<String>,
}

impl Corpus {
    /// Reads the examples, the workloads of the benches, and the library.
    pub fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut programs = Vec::new();
        for (name, text) in texts(&root.join("examples")).into_iter().chain(texts(&root.join("benches/src")))
        {
            let roots = roots(&text);
            if !roots.is_empty() {
                programs.push(Program { name, text, roots });
            }
        }
        Corpus { programs, library: texts(&root.join("runtime/src/nn")) }
    }
}

/// The Rust files of a folder, by name.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            name.ends_with(".rs").then(|| Some((name, std::fs::read_to_string(&path).ok()?)))?
        })
        .collect();
    found.sort();
    found
}

/// The names of annotated functions.
fn roots(text: &str) -> Vec<String> {
    let Ok(file) = syn::parse_file(text) else { return Vec::new() };
    let of = |item: &syn::Item| match item {
        syn::Item::Fn(function) => {
            let marked = function.attrs.iter().any(|a| {
                ["loss", "encoder", "decoder", "network", "function"]
                    .iter()
                    .any(|name| a.path().is_ident(name))
            });
            marked.then(|| function.sig.ident.to_string())
        }
        _ => None,
    };
    file.items.iter().filter_map(of).collect()
}

/// One case: a few changes in the program, at times in the library too, then one of its functions.
pub fn case(corpus: &Corpus, rng: &mut Rng) -> Case {
    let program = rng.pick(&corpus.programs);
    let root = rng.pick(&program.roots).clone();
    let count = 1 + rng.below(4);
    let text = changed(rng, &program.text, count);
    let mut files = vec![(program.name.clone(), text.clone())];
    let touched = rng.chance(0.3).then(|| rng.below(corpus.library.len()));
    for (at, (name, library)) in corpus.library.iter().enumerate() {
        let text = if touched == Some(at) { changed(rng, library, 1) } else { library.clone() };
        files.push((name.clone(), text));
    }
    let input = format!("// root: {root}\n{text}").into_bytes();
    Case { input, run: Box::new(move || compile(&files, &root)) }
}

/// The program with that many changes of tokens.
fn changed(rng: &mut Rng, text: &str, count: usize) -> String {
    match syn::parse_file(text) {
        Ok(file) => mutate::tokens(rng, file.into_token_stream(), count).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Whether the program is accepted; what it is accepted as must go through every later step.
fn compile(files: &[(String, String)], root: &str) -> bool {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let Ok(linked) = link::from_source(&files, root) else { return false };
    if linked.programs().is_empty() {
        return false; // a function of sizes that are not listed: the macro makes no root of it
    }
    let trains = matches!(&linked.root().item, ast::Item::Function(f) if f.role == ast::Role::Loss);
    let context = Context { krate: quote!(::diabolo), name: format_ident!("root"), trains };
    match pipeline::compile(&linked, &context) {
        Ok(tokens) => {
            assert!(syn::parse2::<syn::File>(tokens).is_ok(), "what was emitted is not Rust");
            true
        }
        Err(errors) => {
            let fault = errors.0.iter().find(|e| e.message.contains("a fault of its own"));
            assert!(fault.is_none(), "{}", fault.map_or("", |e| &e.message));
            // An error must be sayable, and say something.
            let said: TokenStream = errors.to_compile_errors();
            assert!(!said.is_empty(), "an error without words");
            false
        }
    }
}
