//! What a tape names gets its place: for one shape, once, in one arena.
//!
//! In: a tape, a loaded text, places. Out: actions, with what each touches. Never: a pointer past the end of its space, a launch that
//! no device takes: both are errors before anything runs.

use super::arena::{Arena, Range};
use super::driver::{Call, Driver, Module, Placed, Value};
use super::error::{Error, Result};
use super::order::{Memory, Span, Touched};
use super::tape::{Argument, Command, Launch, Pointer, Product, Space, Tape};

/// What is launched for a product that no library takes, and where it may put parts of sums: a function of its shape alone.
pub type Plan<'p> = &'p dyn Fn(&Product, Pointer) -> Vec<Launch>;

/// Where the spaces of a program lie.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// See [`Space`].
    pub work: Range,
    /// See [`Space`].
    pub inputs: Range,
    /// The parameters of the program, by number.
    pub params: Vec<Range>,
    /// See [`Space`].
    pub hypers: Range,
    /// See [`Space`].
    pub gradients: Range,
    /// See [`Space`].
    pub states: Range,
    /// See [`Space`].
    pub outputs: Range,
    /// See [`Space`].
    pub metrics: Range,
    /// Six elements: a [`Clock`](super::Clock).
    pub clock: Range,
}

impl Places {
    fn range(&self, space: Space) -> Option<Range> {
        Some(match space {
            Space::Work => self.work,
            Space::Inputs => self.inputs,
            Space::Param(number) => *self.params.get(number)?,
            Space::Hypers => self.hypers,
            Space::Gradients => self.gradients,
            Space::States => self.states,
            Space::Outputs => self.outputs,
            Space::Metrics => self.metrics,
        })
    }

    fn find(&self, pointer: Pointer) -> Result<Range> {
        let lost = || Error::Program { what: format!("{pointer:?} is not on the device") };
        let range = self.range(pointer.space).ok_or_else(lost)?;
        range.part(pointer.start, range.elements.checked_sub(pointer.start).ok_or_else(lost)?)
    }
}

/// One thing to do, with every place known to lie in an arena.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub(super) kind: Kind,
    touched: Touched,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A kernel.
    Call(Call),
    /// A product, what computes it where no library does, and what these calls write beside its result.
    Product(Box<Placed>, Vec<Call>, Option<Span>),
    /// Shows a value.
    Inspect(usize, Range),
}

impl Action {
    /// A kernel whose addresses the caller has from an arena, with what it reads and writes there.
    ///
    /// # Errors
    /// Where a range is of another arena.
    pub(super) fn call(call: Call, arena: &Arena, reads: &[Range], writes: &[Range]) -> Result<Self> {
        let spans = |ranges: &[Range]| ranges.iter().map(|range| span(*range, arena)).collect::<Result<_>>();
        Ok(Action {
            kind: Kind::Call(call),
            touched: Touched { reads: spans(reads)?, writes: spans(writes)? },
        })
    }

    /// What it touches, if it launches something.
    ///
    /// # Errors
    /// Where the device fails.
    pub(super) fn launched(&self, device: &mut dyn Driver) -> Result<Option<Touched>> {
        Ok(match &self.kind {
            Kind::Product(placed, calls, parts) if !device.takes(placed)? => (!calls.is_empty()).then(|| {
                let mut touched = self.touched.clone();
                touched.writes.extend(*parts);
                touched
            }),
            Kind::Call(_) | Kind::Product(..) => Some(self.touched.clone()),
            Kind::Inspect(..) => None,
        })
    }
}

/// Gives everything that a tape names its place. What [`Space::Work`] has beyond the tape's own is scratch for products.
///
/// # Errors
/// Where a pointer leaves its space, or a launch is larger than a device takes: mistakes of a program.
pub fn actions(
    tape: &Tape,
    module: Module,
    places: &Places,
    arena: &Arena,
    plan: Plan<'_>,
) -> Result<Vec<Action>> {
    let call = |launch: &Launch| call(launch, module, places, arena);
    let start = tape.work;
    let scratch = Pointer { space: Space::Work, start };
    tape.commands
        .iter()
        .map(|command| match command {
            Command::Launch(launch) => {
                let touched = Touched::of_launch(launch, tape, &There(places, arena))?;
                Ok(Action { kind: Kind::Call(call(launch)?), touched })
            }
            Command::Product(product) => {
                let placed = placed(product, places, arena)?;
                let touched = Touched::of_product(product, &There(places, arena))?;
                let calls: Vec<Call> = plan(product, scratch).iter().map(call).collect::<Result<_>>()?;
                // One kernel writes to the result; where there are more, parts of sums as well.
                let parts = match calls.len() {
                    0 | 1 => None,
                    _ => Some(span(
                        places.work.part(start, places.work.elements.saturating_sub(start))?,
                        arena,
                    )?),
                };
                Ok(Action { kind: Kind::Product(Box::new(placed), calls, parts), touched })
            }
            Command::Inspect(index, at, elements) => {
                let kind = Kind::Inspect(*index, places.find(*at)?.part(0, *elements)?);
                Ok(Action { kind, touched: Touched::default() })
            }
        })
        .collect()
}

/// Blocks along x, y, z that every device takes.
const GRID: [u32; 3] = [i32::MAX as u32, 65_535, 65_535];

fn call(launch: &Launch, module: Module, places: &Places, arena: &Arena) -> Result<Call> {
    let Launch { kernel, blocks, threads, arguments } = launch;
    let fits = blocks.iter().zip(GRID).all(|(blocks, most)| (1..=most).contains(blocks));
    if !fits || !(32..=1024).contains(threads) || threads % 32 != 0 {
        let what = format!("`{kernel}` asks for {blocks:?} blocks of {threads} threads, which no device has");
        return Err(Error::Program { what });
    }
    let value = |argument: &Argument| {
        Ok(match *argument {
            Argument::Pointer(pointer) | Argument::Output(pointer) => {
                Value::Address(arena.address(places.find(pointer)?)?)
            }
            Argument::Size(size) => Value::Size(size as i64),
            Argument::Number(number) => Value::Number(number),
            Argument::Site(site) => Value::Site(site),
            Argument::Clock => Value::Clock(arena.address(places.clock)?),
        })
    };
    let arguments = arguments.iter().map(value).collect::<Result<_>>()?;
    Ok(Call { module, kernel, blocks: *blocks, threads: *threads, arguments })
}

fn span(range: Range, arena: &Arena) -> Result<Span> {
    Ok(Span::new(arena.address(range)?, range.elements))
}

fn placed(product: &Product, places: &Places, arena: &Arena) -> Result<Placed> {
    let place = |(pointer, elements)| arena.address(places.find(pointer)?.part(0, elements)?);
    let [a, b, c] = product.ends();
    Ok(Placed { product: product.clone(), a: place(a)?, b: place(b)?, c: place(c)? })
}

/// Places in an arena.
struct There<'a>(&'a Places, &'a Arena);

impl Memory for There<'_> {
    type Error = Error;

    fn elements(&self, space: Space) -> Result<usize> {
        Ok(self.0.find(Pointer::new(space))?.elements)
    }

    fn span(&self, pointer: Pointer, elements: usize) -> Result<Span> {
        span(self.0.find(pointer)?.part(0, elements)?, self.1)
    }

    fn clock(&self) -> Result<Span> {
        span(self.0.clock, self.1)
    }
}
