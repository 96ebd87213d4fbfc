//! The emulator as a device. In: the texts of all programs, before it starts. Out: a [`Driver`] whose kernels run on the CPU, and
//! whose library, where it is to have one, is a plain sum. Never: a text that it was not started with: the process is compiled once.
use std::collections::HashMap;

use super::process::Address as Place;
use super::{Emulator, Machine, Order, Value as Given, library};
use crate::cuda::driver::{Address, Call, Description, Driver, Graph, Module, Placed, Value};
use crate::cuda::error::{Error, Result};
use crate::cuda::order::against;
use crate::cuda::prelude;

/// Memory that it says it has.
const MEMORY: u64 = 1 << 32;

/// A device that is a process of this machine.
#[derive(Debug)]
pub struct Emulated {
    emulator: Emulator,
    machine: Machine,
    /// The texts of the programs, which stand behind what they need of the prelude.
    programs: Vec<String>,
    places: HashMap<Address, Place>,
    graphs: Vec<Option<Vec<Work>>>,
    capture: Option<Vec<Step>>,
    /// See [`Emulated::with_library`].
    library: Option<usize>,
}

/// Something that is captured.
#[derive(Clone, Debug)]
enum Work {
    Launch(Call),
    Multiply(Placed),
}

/// What follows some steps of a graph: their numbers, its work.
#[derive(Debug)]
struct Step(Vec<usize>, Vec<Work>);

/// The work of steps, in an order that shows what should have waited.
fn played(mut steps: Vec<Step>) -> Vec<Work> {
    let waits: Vec<Vec<usize>> = steps.iter_mut().map(|step| std::mem::take(&mut step.0)).collect();
    against(&waits).into_iter().flat_map(|next| std::mem::take(&mut steps[next].1)).collect()
}

impl Emulated {
    /// A device for these programs.
    ///
    /// # Errors
    /// Without a C++ compiler, and where it refuses a text.
    pub fn new(programs: &[&str], sanitize: bool, order: Order) -> Result<Emulated, super::Error> {
        let emulator = Emulator::new(programs, sanitize)?;
        let machine = emulator.start(order)?;
        let programs = programs.iter().map(|source| (*source).to_owned()).collect();
        Ok(Emulated {
            emulator,
            machine,
            programs,
            places: HashMap::new(),
            graphs: Vec::new(),
            capture: None,
            library: None,
        })
    }

    /// With a library for all plain products, which takes copies of factors from so many rows, columns and terms on.
    #[must_use]
    pub fn with_library(self, copied_from: usize) -> Emulated {
        Emulated { library: Some(copied_from), ..self }
    }

    /// Captures it, or does it.
    fn take(&mut self, work: Work) -> Result<()> {
        let Some(capture) = &mut self.capture else { return self.run(&work) };
        let outside = || Error::Program { what: "a launch that is captured in no step".to_owned() };
        capture.last_mut().ok_or_else(outside)?.1.push(work);
        Ok(())
    }

    fn run(&mut self, work: &Work) -> Result<()> {
        match work {
            Work::Launch(call) => self.call(call),
            Work::Multiply(placed) => library::multiply(&mut self.machine, placed).map_err(failed),
        }
    }

    fn call(&mut self, call: &Call) -> Result<()> {
        let unknown = || Error::Program { what: format!("no kernel `{}`", call.kernel) };
        let kernel = self.emulator.kernel(call.module.0, call.kernel).ok_or_else(unknown)?;
        let given = call.arguments.iter().map(|value| match *value {
            Value::Address(address) => Given::Pointer(Place::of(address)),
            Value::Size(size) => Given::Size(size as usize),
            Value::Number(number) => Given::Number(number),
            Value::Site(site) => Given::Site(site),
            Value::Clock(address) => Given::Clock(Place::of(address)),
        });
        let given: Vec<Given> = given.collect();
        let done = self.machine.launch(kernel, call.blocks, call.threads, &given);
        done.map_err(|error| Error::Program { what: format!("{}: {error}", call.kernel) })
    }
}

fn failed(error: super::Error) -> Error {
    Error::Program { what: error.to_string() }
}

impl Driver for Emulated {
    fn description(&self) -> Description {
        let name = "the emulator".to_owned();
        Description { name, architecture: "sm_0".to_owned(), driver: "C++".to_owned() }
    }

    fn free(&mut self) -> Result<u64> {
        Ok(MEMORY)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address> {
        let place = self.machine.allocate(bytes).map_err(failed)?;
        self.places.insert(place.number(), place);
        Ok(place.number())
    }

    fn release(&mut self, address: Address) {
        if let Some(place) = self.places.remove(&address) {
            let _ = self.machine.free(place);
        }
    }

    unsafe fn write(&mut self, to: Address, bytes: &[u8]) -> Result<()> {
        self.machine.write(Place::of(to), bytes).map_err(failed)
    }

    unsafe fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<()> {
        self.machine.read(Place::of(from), bytes).map_err(failed)
    }

    fn load(&mut self, text: &str) -> Result<Module> {
        // One program may end as another does.
        let own = text.strip_prefix(prelude::FUNCTIONS).unwrap_or_default();
        let known = self.programs.iter().enumerate().filter(|(_, source)| own.ends_with(source.as_str()));
        known
            .max_by_key(|(_, source)| source.len())
            .map(|(number, _)| Module(number))
            .ok_or_else(|| Error::Program { what: "a text the emulator was not made with".to_owned() })
    }

    fn unload(&mut self, _module: Module) {}

    fn begin(&mut self) -> Result<()> {
        self.capture = Some(Vec::new());
        Ok(())
    }

    fn follow(&mut self, steps: &[usize]) -> Result<()> {
        let capture = self.capture.as_mut();
        let capture = capture.ok_or_else(|| Error::Program { what: "no graph is captured".to_owned() })?;
        capture.push(Step(steps.to_vec(), Vec::new()));
        Ok(())
    }

    fn end(&mut self) -> Result<Graph> {
        self.graphs.push(self.capture.take().map(played));
        Ok(Graph(self.graphs.len() - 1))
    }

    unsafe fn replay(&mut self, graph: Graph) -> Result<()> {
        let all = self.graphs.get_mut(graph.0).and_then(Option::take);
        let all = all.ok_or_else(|| Error::Program { what: "a graph that is gone".to_owned() })?;
        let done = all.iter().try_for_each(|work| self.run(work));
        self.graphs[graph.0] = Some(all);
        done
    }

    fn discard(&mut self, graph: Graph) {
        self.graphs[graph.0] = None;
    }

    fn prepare(&mut self, call: &Call) -> Result<()> {
        let known = self.emulator.kernel(call.module.0, call.kernel);
        known.map(drop).ok_or_else(|| Error::Program { what: format!("no kernel `{}`", call.kernel) })
    }

    unsafe fn launch(&mut self, call: &Call) -> Result<()> {
        self.take(Work::Launch(call.clone()))
    }

    fn takes(&mut self, product: &Placed) -> Result<bool> {
        Ok(self.library.is_some() && library::takes(product))
    }

    unsafe fn multiply(&mut self, product: &Placed) -> Result<()> {
        self.take(Work::Multiply(product.clone()))
    }

    fn copied_from(&self) -> Option<usize> {
        self.library
    }
}
