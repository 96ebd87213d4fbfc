//! Emits every program into a file of `OUT_DIR`, and `OUT_DIR/programs.rs`: a module each, and tables of all.
//!
//! In: the zoo, the update rules and the random programs of every check; where the environment variable `DIABOLO_RANDOM`
//! lists random programs, those alone. Out: source files. Never: an end because of one random program that the compiler
//! refuses; the test reports it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use diabolo_compiler::emit::rust;
use diabolo_compiler::graph::Graph;
use diabolo_compiler::schedule::schedule;
use diabolo_compiler::testing;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use random::Spec;

#[path = "graphs.rs"]
mod graphs;
#[allow(dead_code)] // each of its readers needs a part
#[path = "random.rs"]
mod random;

fn main() {
    for file in ["build.rs", "graphs.rs", "programs", "random.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed={}", random::VARIABLE);
    let listed = std::env::var(random::VARIABLE).ok().filter(|list| !list.is_empty());
    let specs = match &listed {
        Some(list) => random::parse(list).expect("DIABOLO_RANDOM lists programs"),
        None => testing::SEEDS.chain(testing::FOUND).map(Spec::whole).collect(),
    };
    let mut all = random_programs(&specs);
    all.extend(match listed {
        Some(_) => quote! {
            pub(super) static ZOO: &[Emitted] = &[];
            pub(super) static RULES: &[EmittedRule] = &[];
        },
        None => [zoo(), rules()].into_iter().collect(),
    });
    write("programs", &all);
}

/// Writes tokens in lines, or each message of rustc would quote megabytes.
fn write(name: &str, items: &TokenStream) {
    let text = items.to_string().replace("; ", ";\n").replace("} ", "}\n").replace("{ ", "{\n");
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(folder.join(name).with_extension("rs"), text).expect("OUT_DIR can be written");
}

/// A program as a module in a file of its own, and its entry of the table.
fn emit(name: &str, graph: &Graph, krate: &TokenStream, single: bool) -> Result<[TokenStream; 2], String> {
    let plan = schedule(graph)?;
    let names = rust::Names::of(krate, "train", &plan);
    write(name, &rust::program(&names, &plan)?);
    let (symbols, module) = (&names.symbols, format_ident!("{name}"));
    let single = if single { quote!(Some(#module::train::<f32>)) } else { quote!(None) };
    Ok([
        quote!(mod #module { include!(concat!(env!("OUT_DIR"), "/", #name, ".rs")); }),
        quote! {
            Emitted {
                name: #name,
                symbols: &[#(#symbols),*],
                workspace: #module::train_workspace,
                single: #single,
                double: #module::train::<f64>,
            }
        },
    ])
}

/// The zoo for every instruction set, and once more in small tiles.
fn zoo() -> TokenStream {
    let (mut modules, mut table) = (TokenStream::new(), Vec::new());
    for name in graphs::ZOO.iter().copied() {
        let tiled = format!("{name}_tiled");
        for (name, krate, single) in
            [(name, quote!(crate::native), true), (&tiled, quote!(crate::portable), false)]
        {
            let [module, entry] = emit(name, &graphs::zoo(name.trim_end_matches("_tiled")), &krate, single)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            modules.extend(module);
            table.push(entry);
        }
    }
    quote! {
        #modules
        /// The programs of the zoo.
        pub(super) static ZOO: &[Emitted] = &[#(#table),*];
    }
}

/// Random programs: one copy of each is enough, instead of one for each instruction set, and half are for f64 alone.
fn random_programs(specs: &[Spec]) -> TokenStream {
    let (mut modules, mut table) = (TokenStream::new(), Vec::new());
    for spec in specs {
        let work =
            || emit(&spec.name(), &spec.graph().0, &quote!(crate::portable), spec.seed.is_multiple_of(2));
        let done =
            catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the compiler panicked".into()));
        let text = spec.to_string();
        table.push(match done {
            Ok([module, entry]) => {
                modules.extend(module);
                quote!((#text, Ok(#entry)))
            }
            Err(error) => quote!((#text, Err(#error))),
        });
    }
    quote! {
        #modules
        /// Random programs by their specification; or what the compiler said.
        pub(super) static RANDOM: &[(&str, Result<Emitted, &str>)] = &[#(#table),*];
    }
}

/// The update rules, each a struct of its hyperparameters as an attribute makes it.
fn rules() -> TokenStream {
    let mut modules = TokenStream::new();
    let mut table = TokenStream::new();
    for name in graphs::RULES.iter().copied() {
        let rule = graphs::rule(name);
        let meta = rust::Meta {
            krate: quote!(crate::native),
            name: format_ident!("{name}"),
            file: "zoo.rs".into(),
            line: 1,
        };
        let items = rust::optimizer(&meta, &rule).unwrap_or_else(|error| panic!("{name}: {error}"));
        let fields: Vec<_> = rule.graph.hypers.iter().map(|hyper| format_ident!("{}", hyper.name)).collect();
        let (module, label) = (&meta.name, name);
        modules.extend(quote! {
            mod #module {
                #[derive(Clone)]
                #[allow(non_camel_case_types)]
                pub(super) struct #module { #(#fields: f32),* }
                #items
            }
        });
        table.extend(quote! {
            EmittedRule {
                name: #label,
                moments: <#module::#module as crate::native::program::Optimizer>::MOMENTS,
                hypers: <#module::#module as crate::native::program::Optimizer>::HYPERS,
                update: <#module::#module as crate::native::program::Optimizer>::update::<f64>,
            },
        });
    }
    quote! {
        #modules
        /// All update rules.
        pub(super) static RULES: &[EmittedRule] = &[#table];
    }
}
