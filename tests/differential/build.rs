//! Emits every program into `OUT_DIR/programs.rs`: a module each, and a table of all.

use std::path::Path;

use diabolo_compiler::emit::rust;
use diabolo_compiler::schedule::schedule;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

#[path = "graphs.rs"]
mod graphs;

fn main() {
    let mut modules = TokenStream::new();
    let mut table = TokenStream::new();
    let zoo =
        graphs::ZOO.iter().map(|name| ((*name).to_owned(), graphs::zoo(name), quote!(crate::native), true));
    let tiled = graphs::ZOO
        .iter()
        .map(|name| (format!("{name}_tiled"), graphs::zoo(name), quote!(crate::portable), false));
    // One copy of a random program is enough, instead of one for each instruction set.
    let random = (0..graphs::RANDOM).map(|seed| {
        (format!("random{seed}"), graphs::random(seed).0, quote!(crate::portable), graphs::in_f32(seed))
    });
    for (name, graph, krate, single) in zoo.chain(tiled).chain(random) {
        let plan = schedule(&graph).unwrap_or_else(|error| panic!("{name}: {error}"));
        let names = rust::Names::of(&krate, "train", &plan);
        let items = rust::program(&names, &plan).unwrap_or_else(|error| panic!("{name}: {error}"));
        let symbols = &names.symbols;
        let module = format_ident!("{name}");
        modules.extend(quote! {
            #[allow(
                unused_variables, unused_mut, unused_parens, unused_imports, unused_doc_comments, non_snake_case, dead_code,
                clippy::all
            )]
            mod #module { #items }
        });
        let single = if single { quote!(Some(#module::train::<f32>)) } else { quote!(None) };
        table.extend(quote! {
            Emitted {
                name: #name,
                symbols: &[#(#symbols),*],
                workspace: #module::train_workspace,
                single: #single,
                double: #module::train::<f64>,
            },
        });
    }
    modules.extend(quote! {
        /// All programs.
        static PROGRAMS: &[Emitted] = &[#table];
    });
    modules.extend(rules());
    // Lines, or each message of rustc would quote megabytes.
    let text = modules.to_string().replace("; ", ";\n").replace("} ", "}\n").replace("{ ", "{\n");
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&folder).join("programs.rs"), text).expect("OUT_DIR can be written");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=graphs.rs");
    println!("cargo::rerun-if-changed=programs");
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
        static RULES: &[EmittedRule] = &[#table];
    }
}
