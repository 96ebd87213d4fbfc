//! What a tape names gets its place: for one shape, once, in one arena.
//!
//! In: a tape, a loaded text, places. Out: actions, with what each touches and who computes its products (`products`). Never: a pointer
//! past the end of its space, a launch that no device takes: both are errors before anything runs.

mod products;

use super::arena::{Arena, Range};
use super::copies::Copies;
use super::driver::{Call, Module, Placed, Precision, Value};
use super::error::{Error, Result};
use super::order::{Memory, Span, Touched};
use super::tape::{Argument, Command, Launch, Pointer, Space, Tape};
use products::Products;

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
    /// As many elements as the program's [`Copies`] need.
    pub copies: Range,
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
    /// Kernels, one after the other.
    Calls(Vec<Call>),
    /// A product by the library.
    Multiply(Box<Placed>),
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
            kind: Kind::Calls(vec![call]),
            touched: Touched { reads: spans(reads)?, writes: spans(writes)? },
        })
    }

    /// What it touches, if it launches something.
    pub(super) fn launched(&self) -> Option<&Touched> {
        match &self.kind {
            Kind::Calls(calls) => (!calls.is_empty()).then_some(&self.touched),
            Kind::Multiply(_) => Some(&self.touched),
            Kind::Inspect(..) => None,
        }
    }
}

/// Gives everything that a tape names its place. What [`Space::Work`] has beyond the tape's own is scratch for products, which are
/// computed in this precision: by the device's library where it takes them, with `copies` of their factors where it takes these.
///
/// # Errors
/// Where a pointer leaves its space, or a launch is larger than a device takes: mistakes of a program. Where the device fails.
pub fn actions(
    tape: &Tape,
    module: Module,
    places: &Places,
    arena: &Arena,
    (precision, copies): (Precision, &Copies),
) -> Result<Vec<Action>> {
    let mut products = Products::new(tape, module, (places, arena), (precision, copies));
    let mut all = Vec::with_capacity(tape.commands.len());
    let mut commands = tape.commands.iter().enumerate();
    while let Some((number, command)) = commands.next() {
        match command {
            Command::Launch(launch) => {
                let touched = Touched::of_launch(launch, tape, &There(places, arena))?;
                let kind = Kind::Calls(vec![call(launch, module, places, arena)?]);
                all.push(Action { kind, touched });
            }
            Command::Product(product) => {
                if products.add(number, product, &mut all)? {
                    // The launch behind it is done.
                    commands.next();
                }
            }
            Command::Inspect(index, at, elements) => {
                let kind = Kind::Inspect(*index, places.find(*at)?.part(0, *elements)?);
                all.push(Action { kind, touched: Touched::default() });
            }
        }
    }
    Ok(all)
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
