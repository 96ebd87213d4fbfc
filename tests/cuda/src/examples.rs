//! The programs of `examples/`, each with the library that it uses. In: the files, as the build found them. Out: graphs: of every
//! loss, with its gradients and as it is evaluated, and of every other function that runs by itself. Never: an example left out.
use diabolo_compiler::ast::{Item, Role};
use diabolo_compiler::expand::is_root;
use diabolo_compiler::graph::Graph;
use diabolo_compiler::link::{Linked, from_source};
use diabolo_compiler::lower::Mode;
use diabolo_compiler::parse::Attribute;
use diabolo_compiler::{error, pipeline};

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// A program of an example.
pub struct Example {
    /// `vae::beta_vae`, with its sizes where it lists some, and `evaluated` where a loss has no gradients.
    pub name: String,
    /// What it means.
    pub graph: Graph,
}

impl Example {
    /// What its kernels begin with: no other example's do.
    pub fn prefix(&self) -> String {
        self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    }
}

/// All programs of all examples, of all sizes that they list.
///
/// # Panics
/// Where one does not compile.
pub fn examples() -> Vec<Example> {
    EXAMPLES.iter().flat_map(|(file, text)| of_file(file, text)).collect()
}

fn of_file(file: &str, text: &str) -> Vec<Example> {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let functions = parsed.items.iter().filter_map(|item| match item {
        syn::Item::Fn(function) if function.attrs.iter().any(is_ours) => Some(function.sig.ident.to_string()),
        _ => None,
    });
    functions.flat_map(|name| of_function(file, text, &name)).collect()
}

fn is_ours(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| Attribute::named(&last.ident.to_string()).is_some())
}

fn of_function(file: &str, text: &str, function: &str) -> Vec<Example> {
    let name = format!("{file}::{function}");
    let files: Vec<(&str, &str)> = std::iter::once((file, text)).chain(LIBRARY.iter().copied()).collect();
    let linked = from_source(&files, function).unwrap_or_else(|errors| said(&name, &errors));
    let trains = match &linked.root().item {
        Item::Function(function) if is_root(function) => function.role == Role::Loss,
        _ => return Vec::new(),
    };
    let modes = if trains { &[Mode::Train, Mode::Evaluate][..] } else { &[Mode::Evaluate] };
    let of = |(sizes, mode): (Vec<(String, usize)>, Mode)| {
        let gradients = mode == Mode::Train;
        let how = if trains && !gradients { " evaluated" } else { "" };
        let name = sizes.iter().fold(name.clone(), |name, (letter, size)| format!("{name} {letter}={size}"));
        let linked = Linked { sizes, ..linked.clone() };
        let graph = pipeline::graph(&linked, mode, gradients, &mut |_, _| ())
            .unwrap_or_else(|errors| said(&name, &errors));
        Example { name: name + how, graph }
    };
    let programs = linked.programs().into_iter();
    programs.flat_map(|sizes| modes.iter().map(move |mode| (sizes.clone(), *mode))).map(of).collect()
}

fn said(name: &str, errors: &error::Errors) -> ! {
    let list: Vec<&str> = errors.0.iter().map(|error| error.message.as_str()).collect();
    panic!("{name}: {}", list.join("\n"))
}
