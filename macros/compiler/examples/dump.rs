//! Prints an annotated function at any step of the compiler, without rustc.
//!
//! ```text
//! cargo run -p diabolo-compiler --example dump -- examples/vae.rs --with runtime/src/nn/layers.rs beta_vae --stage contract
//! ```
//!
//! In: files with annotated items, and a name. Out: the step's text. The first file's items hide those of the
//! same name in the others. `--stage rust` prints formatted code, `--stage cuda` kernels and what
//! is launched, `--stage tokens` what the macro hands to rustc.

use std::process::ExitCode;

use diabolo_compiler::emit::{
    self,
    rust::{Names, host},
};
use diabolo_compiler::lower::Mode;
use diabolo_compiler::pipeline::{self, Context};
use diabolo_compiler::{error, link, print, schedule};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

const USAGE: &str = "usage: dump FILE [--with FILE]… FUNCTION \
                     [--stage ast|linked|lower|autodiff|simplify|contract|schedule|rust|cuda|tokens] [--mode train|evaluate]";

/// What to print.
struct Request {
    files: Vec<String>,
    function: String,
    stage: String,
    mode: Mode,
}

fn main() -> ExitCode {
    match Request::read(std::env::args().skip(1)).and_then(|request| request.text()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

impl Request {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut names, mut with) = (Vec::new(), Vec::new());
        let (mut stage, mut mode) = ("contract".to_owned(), Mode::Train);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| USAGE.to_owned());
            match word.as_str() {
                "--with" => with.push(value()?),
                "--stage" => stage = value()?,
                "--mode" => mode = if value()? == "train" { Mode::Train } else { Mode::Evaluate },
                _ => names.push(word),
            }
        }
        let [file, function] = <[String; 2]>::try_from(names).map_err(|_| USAGE.to_owned())?;
        let files = std::iter::once(file).chain(with).collect();
        Ok(Request { files, function, stage, mode })
    }

    fn text(&self) -> Result<String, String> {
        let read = |file: &String| std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"));
        let texts = self.files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let files: Vec<_> =
            self.files.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        let linked = link::from_source(&files, &self.function).map_err(said)?;
        match self.stage.as_str() {
            "ast" => Ok(format!("{:#?}", linked.root().item)),
            "linked" => Ok(listed(&linked)),
            "tokens" => Ok(self.tokens(&linked)?.to_string()),
            "rust" => {
                let file = syn::parse2(host(self.tokens(&linked)?)).map_err(|e| format!("not Rust: {e}"))?;
                Ok(prettyplease::unparse(&file))
            }
            "schedule" => {
                let plan = schedule::schedule(&self.graph(&linked)?.1)?;
                Ok(schedule::print::print(&plan))
            }
            "cuda" => {
                let plan = schedule::schedule(&self.graph(&linked)?.1)?;
                let krate = quote!(::diabolo);
                let names = Names::of(&krate, &self.function, &plan);
                let file =
                    syn::parse2(emit::cuda::program(&names, &plan)).map_err(|e| format!("not Rust: {e}"))?;
                let source = emit::cuda::text(&names, &plan).source;
                // The text stands for itself, not as a literal once more.
                let record = prettyplease::unparse(&file);
                let record = record.split("/// What the program does").next().unwrap_or_default();
                Ok(format!("{source}\n{record}"))
            }
            stage => {
                let (steps, _) = self.graph(&linked)?;
                let text = steps.into_iter().find(|(name, _)| name == stage).map(|(_, text)| text);
                text.ok_or_else(|| format!("there is no step `{stage}` here\n{USAGE}"))
            }
        }
    }

    /// The graph after every step, and the last one.
    fn graph(
        &self,
        linked: &link::Linked,
    ) -> Result<(Vec<(String, String)>, diabolo_compiler::graph::Graph), String> {
        let mut steps = Vec::new();
        let gradients = self.trains(linked) && self.mode == Mode::Train;
        let graph = pipeline::graph(linked, self.mode, gradients, &mut |name, graph| {
            steps.push((name.to_owned(), print::print_live(graph)));
        });
        Ok((steps, graph.map_err(said)?))
    }

    fn trains(&self, linked: &link::Linked) -> bool {
        use diabolo_compiler::ast::{Item, Role};
        matches!(&linked.root().item, Item::Function(function) if function.role == Role::Loss)
    }

    fn tokens(&self, linked: &link::Linked) -> Result<TokenStream, String> {
        let name = format_ident!("{}", self.function);
        let context = Context { krate: quote!(::diabolo), name, trains: self.trains(linked) };
        pipeline::compile(linked, &context).map_err(said)
    }
}

fn said(errors: error::Errors) -> String {
    let line =
        |e: &error::Error| format!("{}:{}: {}", e.span.start().line, e.span.start().column + 1, e.message);
    errors.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Every item that the root reaches, and what it names.
fn listed(linked: &link::Linked) -> String {
    let line = |item: &link::LinkedItem| {
        let callees: Vec<_> = item.callees.iter().map(|c| c.path.as_str()).collect();
        format!("{} ({}): {}", item.item.name().text, item.place, callees.join(", "))
    };
    linked.items.values().map(line).collect::<Vec<_>>().join("\n")
}
