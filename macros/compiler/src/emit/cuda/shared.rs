//! The kernels of a program, one text for all that are equal.
//!
//! In: kernels whose names come from positions alone. Out: the name of each, and in the end the text. Never: a look at
//! what memory a kernel is launched with.

use std::collections::BTreeMap;

use super::super::rust::listed;
use super::kernel::Kernel;
use crate::graph::Reduction;
use crate::schedule::Op;

/// The kernels so far.
pub(super) struct Kernels {
    prefix: String,
    list: Vec<Shared>,
    /// By the text.
    numbers: BTreeMap<String, usize>,
    /// How many have each name.
    names: BTreeMap<String, usize>,
}

struct Shared {
    name: String,
    kernel: Kernel,
    /// What each caller computes.
    callers: Vec<Vec<String>>,
}

impl Kernels {
    /// None yet; their names begin with a prefix.
    pub fn new(prefix: &str) -> Self {
        Kernels {
            prefix: prefix.to_owned(),
            list: Vec::new(),
            numbers: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// The name of a kernel, made of words where it is new, for a caller that computes these of the user's words.
    pub fn share(&mut self, kernel: Kernel, words: &str, caller: Vec<String>) -> String {
        let text = format!("{}({}) {}", kernel.bounds, kernel.parameters, kernel.body);
        let next = self.list.len();
        let number = *self.numbers.entry(text).or_insert(next);
        if let Some(known) = self.list.get_mut(number) {
            known.callers.push(caller);
            return known.name.clone();
        }
        let base = format!("{}_{words}", self.prefix);
        let count = self.names.entry(base.clone()).or_insert(0);
        *count += 1;
        // A name with a number cannot be another's words: those are letters.
        let name = if *count == 1 { base } else { format!("{base}_{count}") };
        self.list.push(Shared { name: name.clone(), kernel, callers: vec![caller] });
        name
    }

    /// The text.
    pub fn source(&self) -> String {
        self.list.iter().map(Shared::source).collect::<Vec<_>>().join("\n")
    }
}

impl Shared {
    fn source(&self) -> String {
        let Shared { name, kernel: Kernel { bounds, parameters, body }, .. } = self;
        let comment = match self.comment() {
            said if said.is_empty() => said,
            said => format!("// {said}\n"),
        };
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        format!("{comment}extern \"C\" __global__ void {bounds}{name}({parameters}) {{\n{body}}}\n")
    }

    /// The words of the first caller, and how many others there are.
    fn comment(&self) -> String {
        let (first, others) = self.callers.split_first().map_or((&[][..], &[][..]), |(a, b)| (&a[..], b));
        let said = listed(first);
        let mut new: Vec<String> = Vec::new();
        for word in others.iter().flatten() {
            if !first.contains(word) && !new.contains(word) {
                new.push(word.clone());
            }
        }
        let text = match (others.len(), new.is_empty()) {
            (0, _) => said,
            (count, true) => format!("{said}; launched {} more", times(count)),
            (count, false) => format!("{said}; launched {} more: {}", times(count), listed(&new)),
        };
        // A user's word may span lines; a comment here must not, nor end in what continues it.
        text.replace(['\n', '\r'], " ").trim_end_matches('\\').to_owned()
    }
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// What a kernel computes, as a part of its name.
pub(super) fn words(ops: &[Op]) -> String {
    let words = ops.iter().filter_map(|op| match op {
        Op::Map(row, _) => Some(row.name),
        Op::Reduce { follow: Some(_), .. } => Some("scatter"),
        Op::Reduce { reduction: Reduction::Sum, .. } => Some("sum"),
        Op::Reduce { reduction: Reduction::Max, .. } => Some("max"),
        Op::Random { .. } => Some("noise"),
        Op::Choose(..) => Some("gather"),
        _ => None,
    });
    let words: Vec<&str> = words.take(4).collect();
    let reads = ops.iter().any(|op| matches!(op, Op::Load(_)));
    match (words.is_empty(), reads) {
        (false, _) => words.join("_"),
        (true, true) => "copy".to_owned(),
        (true, false) => "fill".to_owned(),
    }
}
