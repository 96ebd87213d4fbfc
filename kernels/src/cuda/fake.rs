//! A device that does nothing, for tests: it writes down what it is asked, and fails when told to.
//!
//! In: calls of [`Driver`]. Out: a list of them, memory that holds what was copied into it. Never: a kernel that runs; a
//! call that a real driver would refuse: an address outside of memory, a capture inside a capture, a graph that is gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::driver::{Address, Call, Description, Driver, Graph, Module, Placed, Value};
use super::error::{Error, Result};

/// What a fake knows of what was done with it; shared with the test that made it.
#[derive(Debug, Default)]
pub struct Record {
    /// The calls, in order: `launch gather_rows`, `read`, and so on.
    pub calls: Vec<String>,
    /// The kernels of each graph.
    pub graphs: BTreeMap<usize, Vec<String>>,
    /// What the steps of the last graph wait for.
    pub waits: Vec<Vec<usize>>,
    /// The call that fails, counted from 0, and how.
    pub fails: Option<(usize, Error)>,
    /// Whether every product is taken by a library.
    pub takes: bool,
    /// See [`Driver::copied_from`].
    pub copied_from: Option<usize>,
    /// Whether the library takes whole layers.
    pub layers: bool,
    /// Bytes that there are.
    pub memory: u64,
    allocations: BTreeMap<Address, Vec<u8>>,
    modules: BTreeMap<usize, String>,
    next: usize,
    capture: Option<Vec<String>>,
}

impl Record {
    /// What was not given back.
    pub fn alive(&self) -> usize {
        self.allocations.len() + self.modules.len() + self.graphs.len()
    }

    /// Calls so far.
    pub fn count(&self) -> usize {
        self.calls.len()
    }

    fn call(&mut self, what: impl Into<String>) -> Result<()> {
        let number = self.calls.len();
        self.calls.push(what.into());
        match &self.fails {
            Some((at, error)) if *at == number => Err(error.clone()),
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn inside(&mut self, address: Address, len: usize) -> Result<&mut [u8]> {
        let outside = || Error::Program { what: format!("{len} bytes at {address:#x} are nobody's") };
        let (start, bytes) = self.allocations.range_mut(..=address).next_back().ok_or_else(outside)?;
        let start = (address - start) as usize;
        bytes.get_mut(start..start.saturating_add(len)).ok_or_else(outside)
    }

    fn does(&mut self, what: String, addresses: &[Address]) -> Result<()> {
        for &address in addresses {
            // The first byte past a range without elements is no mistake.
            self.inside(address, 0)?;
        }
        self.call(what.clone())?;
        if let Some(capture) = &mut self.capture {
            capture.push(what);
        }
        Ok(())
    }

    fn not_captured(&self, what: &str) -> Result<()> {
        match self.capture {
            Some(_) => Err(Error::Program { what: format!("`{what}` while a graph is captured") }),
            None => Ok(()),
        }
    }
}

/// The device.
#[derive(Clone, Debug, Default)]
pub struct Fake(Arc<Mutex<Record>>);

impl Fake {
    /// One with so many bytes of memory.
    pub fn new(memory: u64) -> Self {
        Fake(Arc::new(Mutex::new(Record { memory, ..Record::default() })))
    }

    /// What was done with it.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver for Fake {
    fn description(&self) -> Description {
        Description { name: "a fake".into(), architecture: "sm_0".into(), driver: "nothing".into() }
    }

    fn free(&mut self) -> Result<u64> {
        let mut record = self.record();
        record.call("free")?;
        let used: usize = record.allocations.values().map(Vec::len).sum();
        Ok(record.memory.saturating_sub(used as u64))
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address> {
        let mut record = self.record();
        record.not_captured("allocate")?;
        record.call("allocate")?;
        // Far apart, so that what runs past the end of one is in none.
        let address = (record.number() as u64) << 40;
        record.allocations.insert(address, vec![0; bytes]);
        Ok(address)
    }

    fn release(&mut self, address: Address) {
        assert!(self.record().allocations.remove(&address).is_some(), "{address:#x} is given back twice");
    }

    unsafe fn write(&mut self, to: Address, bytes: &[u8]) -> Result<()> {
        let mut record = self.record();
        record.not_captured("write")?;
        record.call("write")?;
        record.inside(to, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    unsafe fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<()> {
        let mut record = self.record();
        record.not_captured("read")?;
        record.call("read")?;
        bytes.copy_from_slice(record.inside(from, bytes.len())?);
        Ok(())
    }

    fn load(&mut self, text: &str) -> Result<Module> {
        let mut record = self.record();
        record.not_captured("load")?;
        record.call("load")?;
        let number = record.number();
        record.modules.insert(number, text.to_owned());
        Ok(Module(number))
    }

    fn unload(&mut self, module: Module) {
        assert!(self.record().modules.remove(&module.0).is_some(), "{module:?} is unloaded twice");
    }

    fn begin(&mut self) -> Result<()> {
        let mut record = self.record();
        record.not_captured("begin")?;
        record.call("begin")?;
        record.capture = Some(Vec::new());
        record.waits.clear();
        Ok(())
    }

    fn follow(&mut self, steps: &[usize]) -> Result<()> {
        let mut record = self.record();
        record.call("follow")?;
        let step = record.waits.len();
        let known = steps.iter().all(|other| *other < step) && (step == 0 || !steps.is_empty());
        if record.capture.is_none() || !known {
            return Err(Error::Program { what: format!("step {step} cannot follow {steps:?}") });
        }
        record.waits.push(steps.to_vec());
        Ok(())
    }

    fn end(&mut self) -> Result<Graph> {
        let mut record = self.record();
        let Some(captured) = record.capture.take() else {
            return Err(Error::Program { what: "no graph is captured".to_owned() });
        };
        record.call("end")?;
        let number = record.number();
        record.graphs.insert(number, captured);
        Ok(Graph(number))
    }

    unsafe fn replay(&mut self, graph: Graph) -> Result<()> {
        let mut record = self.record();
        if !record.graphs.contains_key(&graph.0) {
            return Err(Error::Program { what: format!("{graph:?} is gone") });
        }
        record.call("replay")
    }

    fn discard(&mut self, graph: Graph) {
        assert!(self.record().graphs.remove(&graph.0).is_some(), "{graph:?} is discarded twice");
    }

    fn prepare(&mut self, call: &Call) -> Result<()> {
        let mut record = self.record();
        record.not_captured("prepare")?;
        record.call(format!("prepare {}", call.kernel))?;
        let text = record.modules.get(&call.module.0);
        match text.is_some_and(|text| text.contains(&format!(" {}(", call.kernel))) {
            true => Ok(()),
            false => Err(Error::Program { what: format!("no kernel `{}`", call.kernel) }),
        }
    }

    unsafe fn launch(&mut self, call: &Call) -> Result<()> {
        let addresses: Vec<Address> = call.arguments.iter().filter_map(address).collect();
        self.record().does(format!("launch {}", call.kernel), &addresses)
    }

    fn takes(&mut self, product: &Placed) -> Result<bool> {
        let record = self.record();
        let copied = !product.copied || record.copied_from.is_some();
        Ok(record.takes && copied && (product.finish.is_none() || record.layers))
    }

    unsafe fn multiply(&mut self, product: &Placed) -> Result<()> {
        let what = if product.finish.is_some() { "multiply a layer" } else { "multiply" };
        let bias = product.finish.map_or(product.a, |finish| finish.bias);
        self.record().does(what.to_owned(), &[product.a, product.b, product.c, bias])
    }

    fn copied_from(&self) -> Option<usize> {
        self.record().copied_from
    }
}

fn address(value: &Value) -> Option<Address> {
    match value {
        Value::Address(address) | Value::Clock(address) => Some(*address),
        _ => None,
    }
}
