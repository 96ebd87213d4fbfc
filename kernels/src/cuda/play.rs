//! Tapes on a device: what a tape names gets its place, once for a shape, and is captured as one graph.
//!
//! In: a tape, a loaded text, places. Out: actions; actions that were done, or a graph of them. Never: a pointer past the end
//! of its space, a launch that no device takes: both are errors before anything runs.

use std::sync::Arc;

use super::arena::{Arena, Range};
use super::driver::{Call, Driver, Graph, Module, Placed, Shared, Value};
use super::error::{Error, Result};
use super::tape::{Argument, Axis, Command, Launch, Pointer, Product, Space, Tape};

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
pub struct Action(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Call(Call),
    /// A product, and what computes it where no library does.
    Product(Box<Placed>, Vec<Call>),
    Inspect(usize, Range),
}

impl Action {
    /// A kernel whose addresses the caller has from an arena.
    pub(super) fn call(call: Call) -> Self {
        Action(Kind::Call(call))
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
    let scratch = Pointer { space: Space::Work, start: tape.work };
    tape.commands
        .iter()
        .map(|command| match command {
            Command::Launch(launch) => Ok(Action(Kind::Call(call(launch)?))),
            Command::Product(product) => {
                let placed = placed(product, places, arena)?;
                let calls = plan(product, scratch).iter().map(call).collect::<Result<_>>()?;
                Ok(Action(Kind::Product(Box::new(placed), calls)))
            }
            Command::Inspect(index, at, elements) => {
                Ok(Action(Kind::Inspect(*index, places.find(*at)?.part(0, *elements)?)))
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
            Argument::Pointer(pointer) => Value::Address(arena.address(places.find(pointer)?)?),
            Argument::Size(size) => Value::Size(size as i64),
            Argument::Number(number) => Value::Number(number),
            Argument::Site(site) => Value::Site(site),
            Argument::Clock => Value::Clock(arena.address(places.clock)?),
        })
    };
    let arguments = arguments.iter().map(value).collect::<Result<_>>()?;
    Ok(Call { module, kernel, blocks: *blocks, threads: *threads, arguments })
}

/// Elements from the first that a factor or the result touches to the last, both counted.
fn extent(groups: [&[Axis]; 3], stride: fn(&Axis) -> usize) -> usize {
    let axes = || groups.into_iter().flatten();
    if axes().any(|axis| axis.size == 0) {
        return 0;
    }
    axes().map(|axis| (axis.size - 1).saturating_mul(stride(axis))).fold(1, usize::saturating_add)
}

fn placed(product: &Product, places: &Places, arena: &Arena) -> Result<Placed> {
    let Product { outer, m, n, k, .. } = product;
    let place = |pointer: Pointer, elements: usize| arena.address(places.find(pointer)?.part(0, elements)?);
    Ok(Placed {
        a: place(product.a, extent([outer, m, k], |axis| axis.a))?,
        b: place(product.b, extent([outer, n, k], |axis| axis.b))?,
        c: place(product.c, extent([outer, m, n], |axis| axis.c))?,
        product: product.clone(),
    })
}

/// Looks for all that an action needs, because little is allowed while a graph is captured.
fn prepare(device: &mut dyn Driver, action: &Action) -> Result<()> {
    match &action.0 {
        Kind::Call(call) => device.prepare(call),
        Kind::Product(placed, calls) => match device.takes(placed)? {
            true => Ok(()),
            false => calls.iter().try_for_each(|call| device.prepare(call)),
        },
        Kind::Inspect(..) => Ok(()),
    }
}

/// Does one action; what is inspected is for who may wait.
fn act(device: &mut dyn Driver, action: &Action) -> Result<()> {
    // SAFETY: `actions` has placed every pointer inside its range, and ranges inside their arena, which the caller keeps;
    // that kernels stay inside what they are given is what the emulator's tests are for.
    unsafe {
        match &action.0 {
            Kind::Call(call) => device.launch(call),
            Kind::Product(placed, calls) => match device.takes(placed)? {
                true => device.multiply(placed),
                false => calls.iter().try_for_each(|call| device.launch(call)),
            },
            Kind::Inspect(..) => Ok(()),
        }
    }
}

/// Does actions one after the other and shows what they inspect. `modules` are those of their kernels.
///
/// # Errors
/// Where the device fails.
pub fn play(
    arena: &Arena,
    modules: &[&Loaded],
    actions: &[Action],
    mut inspect: impl FnMut(usize, &[f32]),
) -> Result<()> {
    check(modules.iter().map(|module| module.module), actions)?;
    for action in actions {
        let mut device = arena.driver().lock();
        prepare(device.as_mut(), action)?;
        act(device.as_mut(), action)?;
        drop(device);
        if let Kind::Inspect(index, range) = &action.0 {
            let mut values = vec![0.0; range.elements];
            arena.read(*range, &mut values)?;
            inspect(*index, &values);
        }
    }
    Ok(())
}

/// Whether every kernel is of a module that is kept.
fn check(modules: impl Iterator<Item = Module> + Clone, actions: &[Action]) -> Result<()> {
    let kept = |call: &Call| modules.clone().any(|module| module == call.module);
    let unknown = actions.iter().find_map(|action| match &action.0 {
        Kind::Call(call) => (!kept(call)).then_some(call),
        Kind::Product(_, calls) => calls.iter().find(|call| !kept(call)),
        Kind::Inspect(..) => None,
    });
    match unknown {
        Some(call) => Err(Error::Program { what: format!("the module of `{}` is not at hand", call.kernel) }),
        None => Ok(()),
    }
}

/// Actions as one graph, with all that they need.
#[derive(Debug)]
pub struct Captured {
    graph: Graph,
    arena: Arc<Arena>,
    _modules: Vec<Arc<Loaded>>,
}

impl Captured {
    /// Captures actions; what they inspect is left out. `modules` are those of their kernels.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn new(arena: &Arc<Arena>, modules: &[Arc<Loaded>], actions: &[Action]) -> Result<Self> {
        check(modules.iter().map(|module| module.module), actions)?;
        let mut device = arena.driver().lock();
        actions.iter().try_for_each(|action| prepare(device.as_mut(), action))?;
        device.begin()?;
        let done = actions.iter().try_for_each(|action| act(device.as_mut(), action));
        let graph = device.end();
        drop(device);
        match (done, graph) {
            (Err(error), Ok(graph)) => {
                arena.driver().lock().discard(graph);
                Err(error)
            }
            (Err(error), Err(_)) => Err(error),
            (Ok(()), graph) => {
                Ok(Captured { graph: graph?, arena: arena.clone(), _modules: modules.to_vec() })
            }
        }
    }

    /// Does them all.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn run(&self) -> Result<()> {
        // SAFETY: it keeps the arena and the modules, and was captured of actions whose places lie in that arena.
        unsafe { self.arena.driver().lock().replay(self.graph) }
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.arena.driver().lock().discard(self.graph);
    }
}

/// A text that is loaded.
#[derive(Debug)]
pub struct Loaded {
    driver: Shared,
    module: Module,
}

impl Loaded {
    /// Compiles and loads a text.
    ///
    /// # Errors
    /// Where it does not compile, or the device refuses it.
    pub fn new(driver: &Shared, text: &str) -> Result<Self> {
        let module = driver.lock().load(text)?;
        Ok(Loaded { driver: driver.clone(), module })
    }

    /// Its number.
    pub fn module(&self) -> Module {
        self.module
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.driver.lock().unload(self.module);
    }
}

#[cfg(test)]
#[path = "play_tests.rs"]
mod tests;
