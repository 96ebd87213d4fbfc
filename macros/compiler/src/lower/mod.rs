//! From linked items to a graph: names resolved, shapes unified, calls inlined, derivatives taken.
//!
//! In: `Linked` and a mode. Out: `Lowered`, or every mistake found, each at the operation in the root's own
//! text. Never: a guessed size; an internal name in a message; a panic on what a user wrote.
//!
//! The functions of a program are run on *values that are not there yet*: a tensor is a node of the graph, and
//! everything else (numbers, flags, functions, tuples) is known now. So generics, loops over constants and
//! functions as arguments need no machinery of their own. What makes it a type system is unification: every
//! declared type is matched against the value (`types`), and what a match cannot know yet becomes an unknown
//! (`sizes`) or a placeholder (`pending`) that a later match fixes.
//!
//! | file | what it knows |
//! | - | - |
//! | `root` | arguments and results of the whole program |
//! | `expr`, `statement`, `repeat`, `scope`, `value` | expressions, statements, `for`, names, what they stand for |
//! | `call`, `arguments`, `inline`, `coerce` | calls: who takes what, the body entered, values against declared types |
//! | `backward` | derivatives by hand |
//! | `networks` | who owns which parameter, and what it is called |
//! | `types`, `declared`, `sizes`, `pending` | unification |
//! | `broadcast`, `numbers` | operators on tensors and on what is known now |
//! | `index` | where positions stand in the place of numbers, and numbers in the place of positions |
//! | `turns`, `trial` | loops over steps, whose types are found by trying |
//! | `words/` | the words of the language, one entry each |
//! | `optimizer` | update rules: a graph of their own |

mod arguments;
mod backward;
mod broadcast;
mod call;
mod coerce;
mod declared;
mod expr;
mod index;
mod inline;
mod networks;
mod numbers;
mod optimizer;
mod pending;
mod repeat;
mod root;
mod scope;
mod sizes;
mod statement;
mod trial;
mod turns;
mod types;
mod value;
mod words;
pub(crate) mod written;

pub use optimizer::{OptimizerGraph, Slot, SlotKind, optimizer};
pub use root::is_template;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proc_macro2::Span;

use crate::ast::{Expr, Item};
use crate::error::{Error, Errors, Result};
use crate::graph::{Graph, NodeId, Origin};
use crate::link::{Linked, LinkedItem};
use networks::Networks;
use pending::Placeholder;
use scope::Frame;
use sizes::Sizes;
use value::Value;

/// What the program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A training step: `training()` is true.
    Train,
    /// `run` and `mean`: `training()` is false.
    Evaluate,
}

/// A root as a graph, not yet differentiated.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The program.
    pub graph: Graph,
    /// Whether the other mode would give another graph.
    pub depends_on_mode: bool,
}

/// Lowers a linked root.
///
/// # Errors
/// Every mistake in the root and in what it calls, each once.
pub fn lower(linked: &Linked, mode: Mode) -> Result<Lowered> {
    let lowered = lower_in(linked, mode)?;
    if lowered.depends_on_mode {
        let other = if mode == Mode::Train { Mode::Evaluate } else { Mode::Train };
        // The other mode's own mistakes are said where it is compiled.
        if let Ok(other) = lower_in(linked, other)
            && let Some((network, path)) = networks::differing(&lowered.graph, &other.graph)
        {
            let message = format!(
                "`{network}` has other parameters while it trains than when it runs (`{path}`), so their names would \
                 not mean the same: call what makes them outside of `if training()`, and choose between the values"
            );
            return Err(Error::new(linked.span(), message).into());
        }
    }
    Ok(lowered)
}

fn lower_in(linked: &Linked, mode: Mode) -> Result<Lowered> {
    let mut lowerer = Lowerer::new(linked, mode);
    lowerer.root();
    let depends_on_mode = lowerer.asked_mode;
    lowerer.errors.finish(Lowered { graph: lowerer.graph, depends_on_mode })
}

/// Expressions that one program may unroll to: some thousand layers, and about a second of work.
const BUDGET: usize = 100_000;
/// Calls, closures and expressions inside each other.
const DEPTH: usize = 200;

/// One root being lowered.
struct Lowerer<'a> {
    linked: &'a Linked,
    mode: Mode,
    /// Whether anything asked for the mode.
    asked_mode: bool,
    graph: Graph,
    errors: Errors,
    sizes: Sizes,
    /// The first node whose type may have an unknown in it.
    open_from: usize,
    pending: Vec<Placeholder>,
    /// Innermost last; never empty while lowering.
    frames: Vec<Frame<'a>>,
    networks: Networks,
    constants: BTreeMap<&'a str, Option<Value<'a>>>,
    /// The named parts of the loss.
    metrics: Vec<(String, NodeId)>,
    /// What inner losses are called in the names of their parts.
    inner_losses: BTreeMap<String, usize>,
    /// Where a value got its shape, in words.
    shaped_by: BTreeMap<NodeId, Rc<str>>,
    /// The word that is being differentiated under, if any: `grad` or `jacobian`.
    derivative: Option<&'static str>,
    /// States that were given a new value.
    updated: BTreeSet<usize>,
    /// Where in the root an update was refused already: a layer has several states, and one mistake is one error.
    refused_updates: BTreeSet<String>,
    /// Networks that were called.
    called: BTreeSet<&'a str>,
    steps: usize,
    depth: usize,
    /// How many steps of loops are around.
    in_step: usize,
    /// The turns of the `for` loop around that is not unrolled.
    long_loop: Option<i64>,
}

/// A place in the text: where the caret goes, and the line in the item's own file.
#[derive(Clone, Copy)]
struct At {
    span: Span,
    line: usize,
}

impl From<&Expr> for At {
    fn from(expr: &Expr) -> Self {
        At { span: expr.span, line: expr.line }
    }
}

impl<'a> Lowerer<'a> {
    fn new(linked: &'a Linked, mode: Mode) -> Self {
        Lowerer {
            linked,
            mode,
            asked_mode: false,
            graph: Graph::default(),
            errors: Errors::default(),
            sizes: Sizes::default(),
            open_from: usize::MAX,
            pending: Vec::new(),
            frames: Vec::new(),
            networks: Networks::default(),
            constants: BTreeMap::new(),
            metrics: Vec::new(),
            inner_losses: BTreeMap::new(),
            shaped_by: BTreeMap::new(),
            derivative: None,
            updated: BTreeSet::new(),
            refused_updates: BTreeSet::new(),
            called: BTreeSet::new(),
            steps: 0,
            depth: 0,
            in_step: 0,
            long_loop: None,
        }
    }

    /// Notes a mistake. Inside an inlined function the caret goes to the call in the root.
    fn report(&mut self, at: impl Into<At>, message: impl Into<String>) {
        let error = self.locate(at.into(), message.into());
        self.errors.push(error);
    }

    /// Notes a mistake and gives nothing: the value of what went wrong.
    fn fail<T>(&mut self, at: impl Into<At>, message: impl Into<String>) -> Option<T> {
        self.report(at, message);
        None
    }

    fn locate(&self, at: At, mut message: String) -> Error {
        match self.frames.last() {
            Some(frame) if frame.item.id != self.linked.root => {
                let line = if at.line == 0 { frame.item.place.line } else { at.line };
                let (name, file) = (&frame.item.item.name().text, &frame.item.place.file);
                message.push_str(&format!("\nThis is inside `{name}`, {file}:{line}."));
                Error::new(frame.anchor, message)
            }
            _ => Error::new(at.span, message),
        }
    }

    /// Where a call from here stands in the root's own text.
    fn anchor(&self, at: At) -> Span {
        match self.frames.last() {
            Some(frame) if frame.item.id != self.linked.root => frame.anchor,
            _ => at.span,
        }
    }

    /// Nodes made from now on come from here.
    fn mark(&mut self, at: At, label: &str) {
        let Some(frame) = self.frames.last() else { return };
        let line = if at.line == 0 { frame.item.place.line } else { at.line };
        let file = match &self.graph.origin.file {
            file if **file == *frame.item.place.file => file.clone(),
            _ => frame.item.place.file.as_str().into(),
        };
        self.graph.origin = Rc::new(Origin { file, line, label: label.into() });
    }

    /// Puts what is known of unknown sizes into the graph.
    fn patch(&mut self) {
        let (sizes, mut still_open) = (&self.sizes, usize::MAX);
        for (index, node) in self.graph.nodes.iter_mut().enumerate().skip(self.open_from) {
            for size in node.ty.rows.iter_mut().chain(&mut node.ty.features) {
                *size = sizes.resolve(size);
                if sizes.is_open(size) {
                    still_open = still_open.min(index);
                }
            }
            if sizes.patch(&mut node.kind) {
                still_open = still_open.min(index);
            }
        }
        self.open_from = still_open;
    }

    /// The value of a `#[constant]`; none where it is a mistake, which is reported once.
    fn constant(&mut self, item: &'a LinkedItem) -> Option<Value<'a>> {
        if let Some(value) = self.constants.get(item.id.as_str()) {
            return value.clone();
        }
        let Item::Constant { name, is_size, value } = &item.item else { return None };
        // Nothing while it is being looked for: a constant that means itself ends here.
        self.constants.insert(&item.id, None);
        let anchor = self.anchor(At { span: name.span, line: 0 });
        self.frames.push(Frame::new(item, anchor));
        let found = match self.eval(value, &Default::default()) {
            Value::Number(n, true) if *is_size && n >= 0.0 => Some(Value::Number(n, true)),
            Value::Number(n, _) if !is_size => Some(Value::Number(n, false)),
            Value::Poison => None,
            other => {
                let wanted = if *is_size { "a size: an integer of 0 or more" } else { "a number" };
                self.fail(value, format!("`{}` is {}, and should be {wanted}", name.text, other.kind()))
            }
        };
        self.frames.pop();
        self.constants.insert(&item.id, found.clone());
        found
    }
}

#[cfg(test)]
mod tests;
