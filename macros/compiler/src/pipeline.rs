//! The whole compiler on one screen.
//!
//! In: a linked item. Out: the items that make it a root. Never: a decision; each step has a room of its own.

use proc_macro2::{Ident, TokenStream};

use crate::error::{Errors, Result};
use crate::graph::Graph;
use crate::link::Linked;
use crate::lower::{self, Mode};
use crate::{autodiff, emit, passes, verify};

/// What the generated code must know of the place where it will stand.
#[derive(Clone, Debug)]
pub struct Context {
    /// The path of the crate `diabolo` there.
    pub krate: TokenStream,
    /// The struct that becomes a root.
    pub name: Ident,
    /// Whether it is a loss, to be differentiated.
    pub trains: bool,
}

/// Sees the graph after every step: the step's name and its result.
pub type Watch<'a> = &'a mut dyn FnMut(&str, &Graph);

/// tokens → ast → link (both before this) → **lower → autodiff → simplify → contract → emit**.
///
/// # Errors
/// Every mistake of the user that `lower` finds.
pub fn compile(linked: &Linked, context: &Context) -> Result<TokenStream> {
    let mut programs = Vec::new();
    for sizes in linked.programs() {
        let linked = Linked { sizes: sizes.clone(), ..linked.clone() };
        // A mistake of the first program is one of them all, most often; one of a later one is said with its sizes.
        let place = |errors| if programs.is_empty() { errors } else { with_sizes(errors, &sizes) };
        let evaluate = graph(&linked, Mode::Evaluate, false, &mut |_, _| ()).map_err(place)?;
        let train = match context.trains {
            true => Some(graph(&linked, Mode::Train, true, &mut |_, _| ()).map_err(place)?),
            false => None,
        };
        programs.push(emit::rust::Program { sizes, evaluate, train });
    }
    let meta = emit::rust::Meta::of(linked, context.krate.clone(), context.name.clone());
    emit::rust::root(&meta, &programs).map_err(|what| internal(linked, "emit", &what))
}

/// Says for which sizes a program is wrong.
fn with_sizes(errors: Errors, sizes: &[(String, usize)]) -> Errors {
    let sizes: Vec<String> = sizes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let note = |message| format!("{message}\nThis is for {}.", sizes.join(", "));
    Errors(errors.0.into_iter().map(|e| crate::error::Error { message: note(e.message), ..e }).collect())
}

/// The same for an update rule, which has one element-wise graph.
///
/// # Errors
/// As [`compile`].
pub fn compile_optimizer(linked: &Linked, context: &Context) -> Result<TokenStream> {
    let rule = lower::optimizer(linked)?;
    let meta = emit::rust::Meta::of(linked, context.krate.clone(), context.name.clone());
    emit::rust::optimizer(&meta, &rule).map_err(|what| internal(linked, "emit", &what))
}

/// The graph of a root in one mode, ready to be scheduled.
///
/// # Errors
/// As [`compile`].
pub fn graph(linked: &Linked, mode: Mode, gradients: bool, watch: Watch<'_>) -> Result<Graph> {
    let mut graph = lower::lower(linked, mode)?.graph;
    check(linked, "lower", &graph, watch)?;
    if gradients {
        autodiff::differentiate_loss(&mut graph);
        check(linked, "autodiff", &graph, watch)?;
    }
    for (name, pass) in passes::ALL {
        graph = pass(&graph);
        check(linked, name, &graph, watch)?;
    }
    Ok(graph)
}

fn check(linked: &Linked, pass: &str, graph: &Graph, watch: Watch<'_>) -> Result<()> {
    watch(pass, graph);
    verify::verify(graph, pass).map_err(|what| internal(linked, pass, &what))
}

/// A fault of the compiler itself: said at the item, never a panic.
fn internal(linked: &Linked, pass: &str, what: &str) -> Errors {
    let message = format!(
        "Diabolo could not compile `{}`: a fault of its own after the step `{pass}`, not of yours ({what}). \
         Please report it with this function.",
        linked.name()
    );
    Errors::from(crate::error::Error::new(linked.span(), message))
}
