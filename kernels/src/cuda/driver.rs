//! What a player needs of a device.
//!
//! In: bytes, texts of kernels, launches. Out: memory that has changed, in the order of the calls. Never: a shape, a tape.
//!
//! There are three: a GPU through cudarc (`gpu`), the emulator that runs kernels on the CPU for tests, and a fake that
//! writes down what it is asked and fails when told to.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::Result;
use super::tape::Product;

/// A place in the memory of a device, in bytes.
pub type Address = u64;

/// A text of kernels that was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Module(pub usize);

/// Launches that were captured, to run again as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Graph(pub usize);

/// An argument of a kernel as it is handed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Any pointer.
    Address(Address),
    /// `long long`.
    Size(i64),
    /// `float`.
    Number(f32),
    /// `unsigned int`.
    Site(u32),
    /// `const Clock *`.
    Clock(Address),
}

/// A kernel with all that it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Where it is.
    pub module: Module,
    /// Its name.
    pub kernel: &'static str,
    /// Blocks along x, y, z.
    pub blocks: [u32; 3],
    /// Threads of a block.
    pub threads: u32,
    /// In the order of its parameters.
    pub arguments: Vec<Value>,
}

/// A product whose factors and result have places.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// What is multiplied with what; its pointers are to be ignored.
    pub product: Product,
    /// The first element of the left factor.
    pub a: Address,
    /// Of the right factor.
    pub b: Address,
    /// Of the result.
    pub c: Address,
    /// How exactly it is computed.
    pub precision: Precision,
    /// Whether both factors lie as bfloat16, two in four bytes, and not as float32.
    pub copied: bool,
    /// What is made of each result before it is written.
    pub finish: Option<Finish>,
}

/// The end of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finish {
    /// A value for each column of the result, which is added.
    pub bias: Address,
    /// Whether what is below 0 becomes 0 then; NaN may become 0 as well.
    pub relu: bool,
}

/// How exactly products are computed; everything else is float32. Where it is not float32, NaN may end at a `relu` behind a product,
/// which the library computes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Float32 throughout.
    #[default]
    Float32,
    /// Factors rounded to 10 bits of mantissa, sums in float32: NVIDIA's TF32.
    Tf32,
    /// Factors rounded to bfloat16 (7 bits of mantissa), sums in float32; parameters stay float32.
    Bf16,
}

/// How a device computes products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Products {
    /// The precision that was named.
    pub precision: Precision,
    /// See [`Driver::copied_from`].
    pub copied_from: Option<usize>,
}

impl Products {
    /// Those of a device, in a precision.
    pub fn on(device: &Shared, precision: Precision) -> Self {
        Products { precision, copied_from: device.lock().copied_from() }
    }
}

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `NVIDIA H200`.
    pub name: String,
    /// `sm_90`.
    pub architecture: String,
    /// What runs it: `CUDA 13.0`.
    pub driver: String,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.architecture, self.driver)
    }
}

/// A device. Calls take effect in their order; those that return nothing may return before the device has begun.
pub trait Driver: Send {
    /// Who it is.
    fn description(&self) -> Description;

    /// Bytes that can be allocated.
    ///
    /// # Errors
    /// As all that follow: where the device refuses, or is lost.
    fn free(&mut self) -> Result<u64>;

    /// Memory at a multiple of 256 bytes; its contents mean nothing.
    ///
    /// # Errors
    /// [`Error::Memory`](super::Error::Memory) where there is not so much.
    fn allocate(&mut self, bytes: usize) -> Result<Address>;

    /// Gives memory back. What goes wrong here has nobody to tell.
    fn release(&mut self, address: Address);

    /// Copies to the device; `bytes` may change once this has returned.
    ///
    /// # Safety
    /// `to` and as many bytes from there lie inside one allocation that was not given back.
    ///
    /// # Errors
    /// See [`Driver::free`].
    unsafe fn write(&mut self, to: Address, bytes: &[u8]) -> Result<()>;

    /// Copies from the device, and waits for all that came before.
    ///
    /// # Safety
    /// As [`Driver::write`].
    ///
    /// # Errors
    /// See [`Driver::free`]; also whatever went wrong in what came before.
    unsafe fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<()>;

    /// Compiles and loads a text.
    ///
    /// # Errors
    /// [`Error::Compile`](super::Error::Compile), and where there is no compiler.
    fn load(&mut self, text: &str) -> Result<Module>;

    /// Forgets a text.
    fn unload(&mut self, module: Module);

    /// Begins to capture: what is launched until [`Driver::end`] is remembered and not done.
    ///
    /// # Errors
    /// See [`Driver::free`].
    fn begin(&mut self) -> Result<()>;

    /// While a graph is captured: what is launched until the next call of this, or the end, is one step. Its launches follow each
    /// other; the first waits for these earlier steps, counted from 0, and for no others. At least one, but for the first step.
    ///
    /// # Errors
    /// Where no graph is captured; see [`Driver::free`].
    fn follow(&mut self, steps: &[usize]) -> Result<()>;

    /// Ends a capture; called once after each [`Driver::begin`] that succeeded, whatever happened between.
    ///
    /// # Errors
    /// See [`Driver::free`].
    fn end(&mut self) -> Result<Graph>;

    /// Does what was captured.
    ///
    /// # Safety
    /// The memory that its calls name was not given back, their modules were not unloaded.
    ///
    /// # Errors
    /// See [`Driver::free`].
    unsafe fn replay(&mut self, graph: Graph) -> Result<()>;

    /// Forgets a graph.
    fn discard(&mut self, graph: Graph);

    /// Launches a kernel.
    ///
    /// # Safety
    /// The module is loaded; the arguments are those of the kernel, and what it reads and writes lies inside allocations.
    ///
    /// # Errors
    /// Where there is no such kernel; see [`Driver::free`].
    unsafe fn launch(&mut self, call: &Call) -> Result<()>;

    /// Looks for a kernel, so that its launch has nothing to look for.
    ///
    /// # Errors
    /// Where there is no such kernel.
    fn prepare(&mut self, call: &Call) -> Result<()>;

    /// Whether a library computes this product: then [`Driver::multiply`] does, else kernels have to.
    ///
    /// # Errors
    /// See [`Driver::free`].
    fn takes(&mut self, product: &Placed) -> Result<bool>;

    /// Multiplies by a library that takes the product.
    ///
    /// # Safety
    /// Factors and result lie inside allocations.
    ///
    /// # Errors
    /// See [`Driver::free`].
    unsafe fn multiply(&mut self, product: &Placed) -> Result<()>;

    /// How many rows, columns and terms a product has at least whose factors are better copied as bfloat16 for the library, where
    /// that is the precision; none without a library.
    fn copied_from(&self) -> Option<usize>;
}

/// A device that several players may use, one call at a time.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Box<dyn Driver>>>);

impl Shared {
    /// Shares a device.
    pub fn new(driver: impl Driver + 'static) -> Self {
        Shared(Arc::new(Mutex::new(Box::new(driver))))
    }

    /// The device, for calls that belong together.
    pub fn lock(&self) -> MutexGuard<'_, Box<dyn Driver>> {
        // A thread that panicked in a call has left nothing half done on this side of the driver.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.lock().description())
    }
}
