//! The text of one kernel.
//!
//! In: a body over a space, and who walks over which axes. Out: parameters and statements in CUDA C, and what the kernel
//! is given. Never: a size that the text could be free of; what differs between equal layers is an argument.
mod address;
mod places;
mod statements;
mod text;
mod turned;
mod walks;

use std::collections::BTreeSet;

use super::memory::Scope;
use super::recording::{Argument, Place, Reach, Space, Sum, Walk};
use crate::graph::Reduction;
use crate::schedule::{Access, Follow, Op, Source};
use crate::size::Size;
pub(super) use text::{bare, float};
pub(super) use turned::Turned;

/// Who walks over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A thread an element.
    Each,
    /// The same by tiles, because it reads along another axis than it writes; see [`Turned`].
    Turned,
    /// Sums by many threads.
    Sums(Walk),
    /// A thread a place: it walks over the dropped axes in order, and joins what memory holds.
    Owners,
    /// A block some of the places that an index says: it looks at all indices in order, and each of its threads joins
    /// values to places of its own.
    Places,
}

/// A kernel to be written.
pub(super) struct Draft {
    /// The extents.
    pub space: Vec<Size>,
    /// The operations; those that sum have strides of 0 along what they drop.
    pub ops: Vec<Op>,
    /// Who walks over what.
    pub shape: Shape,
    /// The axes that results keep, outermost first; all of them, where each thread has an element of its own.
    pub kept: Vec<usize>,
    /// The others.
    pub dropped: Vec<usize>,
    /// Whether results lie one after the other in all that is summed.
    pub even: bool,
}

/// A kernel without its name.
pub(super) struct Kernel {
    /// The threads of a block, where that is more than the compiler is sure to have registers for, and how many such blocks a processor
    /// is to have at once.
    pub bounds: &'static str,
    /// `float *a, …`.
    pub parameters: String,
    /// The statements.
    pub body: String,
}

/// A kernel, and what it is given.
pub(super) struct Written {
    /// The text.
    pub kernel: Kernel,
    /// Where its sums go.
    pub sums: Vec<Sum>,
    /// The other arguments.
    pub arguments: Vec<Argument>,
}

/// Memory that a kernel sees.
struct Memory {
    source: Source,
    offset: Size,
    name: String,
    reach: Vec<Reach>,
    written: bool,
    /// Of a sum, its operation: such memory comes first.
    sum: Option<usize>,
}

struct Writer<'a> {
    scope: &'a Scope<'a>,
    draft: &'a Draft,
    memory: Vec<Memory>,
    symbols: BTreeSet<String>,
    sites: Vec<(usize, u32)>,
    /// The axes whose positions the text names.
    named: BTreeSet<usize>,
}

/// Writes a kernel.
pub(super) fn write(scope: &Scope<'_>, draft: &Draft) -> Written {
    let sites = draft.ops.iter().enumerate().filter_map(|(at, op)| match op {
        Op::Random { site, .. } => Some((at, *site)),
        _ => None,
    });
    let mut writer = Writer {
        scope,
        draft,
        memory: memory(draft),
        symbols: BTreeSet::new(),
        sites: sites.collect(),
        named: BTreeSet::new(),
    };
    let body = writer.body();
    let bounds = match draft.shape {
        Shape::Sums(Walk::Columns(_)) => "__launch_bounds__(512, 2) ",
        _ => "",
    };
    writer.finish(bounds, body)
}

/// What a kernel sees: where its sums go first, then the rest in the order of the operations.
fn memory(draft: &Draft) -> Vec<Memory> {
    let mut all: Vec<Memory> = Vec::new();
    let sums = matches!(draft.shape, Shape::Sums(_));
    let mut see = |access: &Access, follow: Option<&Follow>, written: bool, sum: Option<usize>| {
        let mut reach: Reach = draft.space.iter().cloned().zip(access.strides.iter().cloned()).collect();
        reach.extend(follow.map(|follow| (follow.bound.clone(), follow.step.clone())));
        let place = &access.place;
        let same = |m: &&mut Memory| {
            m.source == place.source && m.offset == place.offset && m.sum.is_none() && sum.is_none()
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                known.reach.push(reach);
                known.written |= written;
            }
            None => all.push(Memory {
                source: place.source,
                offset: place.offset.clone(),
                name: String::new(),
                reach: vec![reach],
                written,
                sum,
            }),
        }
    };
    for (at, op) in draft.ops.iter().enumerate() {
        if let Op::Reduce { into, follow: None, .. } = op
            && sums
        {
            see(into, None, true, Some(at));
        }
    }
    for op in &draft.ops {
        match op {
            Op::Load(access) => see(access, None, false, None),
            Op::Choose(access, follow) => see(access, Some(follow), false, None),
            Op::Store(access, _) => see(access, None, true, None),
            Op::Reduce { into, follow, .. } if !sums => see(into, follow.as_ref(), true, None),
            _ => {}
        }
    }
    let (mut read, mut written) = (0.., 0..);
    for this in &mut all {
        let (what, number) = if this.written { ("out", &mut written) } else { ("in", &mut read) };
        let number: usize = number.next().unwrap_or_default();
        this.name = format!("{what}{number}");
    }
    all
}
impl Writer<'_> {
    fn body(&mut self) -> String {
        match self.draft.shape {
            Shape::Each => self.each(),
            Shape::Turned => self.turned(),
            Shape::Sums(Walk::Elements) => self.elements(),
            Shape::Sums(Walk::Threads) => self.threads(),
            Shape::Sums(Walk::Warps) => self.warps(),
            Shape::Sums(Walk::Blocks) => self.blocks(),
            Shape::Sums(Walk::Columns(columns)) => self.columns(columns),
            Shape::Owners => self.owners(),
            Shape::Places => self.places(),
        }
    }

    /// Whether what is written at one place is never seen at the other, in whatever launch.
    fn are_apart(&self, one: &Memory, other: &Memory) -> bool {
        let [place, theirs] = [one, other].map(|m| self.scope.place(m.source));
        // A slot of scratch is that of several values, of which one may be made in the place of another.
        let shared = matches!(place.space, Space::Work(_));
        !(one.written || other.written)
            || place.space != theirs.space
            || !shared && place.start != theirs.start
    }

    /// Whether nothing else is seen through a pointer: then loads need not wait for the stores before them, and many are under way at once.
    fn is_alone(&self, number: usize) -> bool {
        let this = &self.memory[number];
        let others = self.memory.iter().enumerate().filter(|(other, _)| *other != number);
        others.into_iter().all(|(_, other)| self.are_apart(this, other))
    }

    fn finish(self, bounds: &'static str, body: String) -> Written {
        let parameter = |(number, m): (usize, &Memory)| {
            let alone = if self.is_alone(number) { "__restrict__ " } else { "" };
            format!("{}T *{alone}{}", if m.written { "" } else { "const " }, m.name)
        };
        let mut parameters: Vec<String> = self.memory.iter().enumerate().map(parameter).collect();
        let Writer { scope, draft, memory, symbols, sites, .. } = self;
        let place = |m: &Memory| -> Place { scope.place(m.source).at(&m.offset) };
        let mut sums = Vec::new();
        let mut arguments = Vec::new();
        for this in &memory {
            match this.sum.map(|at| &draft.ops[at]) {
                Some(Op::Reduce { reduction, into, .. }) => sums.push(Sum {
                    into: place(this),
                    reach: this.reach.first().cloned().unwrap_or_default(),
                    largest: *reduction == Reduction::Max,
                    whole: draft.is_whole(&into.strides),
                }),
                _ => arguments.push(Argument::Pointer(place(this), this.reach.clone(), this.written)),
            }
        }
        // `B` first, then the others by name.
        let mut names: Vec<&String> = symbols.iter().collect();
        names.sort_by_key(|name| (*name != crate::size::BATCH, scope.symbol(name)));
        for name in names {
            parameters.push(format!("long long {}", scope.symbol(name)));
            arguments.push(Argument::Size(Size::symbol(name)));
        }
        for (at, site) in &sites {
            parameters.push(format!("unsigned int site{at}"));
            arguments.push(Argument::Site(*site));
        }
        if !sites.is_empty() {
            parameters.push("const Clock *__restrict__ clock".to_owned());
            arguments.push(Argument::Clock);
        }
        let kernel = Kernel { bounds, parameters: parameters.join(", "), body };
        Written { kernel, sums, arguments }
    }
}

impl Draft {
    /// Whether a sum with these strides drops all axes, where others keep some.
    pub fn is_whole(&self, strides: &[Size]) -> bool {
        let dropped = strides.iter().all(|stride| *stride == Size::default());
        dropped && (!self.kept.is_empty() || matches!(self.shape, Shape::Sums(Walk::Elements)))
    }
}
