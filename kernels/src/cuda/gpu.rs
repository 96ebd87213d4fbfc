//! A GPU of NVIDIA's through cudarc.
//!
//! In: calls of [`Driver`]. Out: the same, on one stream of the device's primary context. Never: a call before the driver was
//! looked at, a text of the driver's in an error, an event: cudarc's layer that tracks them is not used, so that a
//! capture sees nothing but our own launches.

use std::collections::HashMap;
use std::ffi::{CString, c_char, c_void};

use cudarc::driver::result;
use cudarc::driver::sys;

use super::blas::{Blas, COPIED_FROM};
use super::cache::Cache;
use super::capture::Capture;
use super::driver::{Address, Call, Description, Driver, Graph, Module, Placed, Value};
use super::error::{Error, Result, check, code};
use super::nvrtc::Nvrtc;
use super::probe;

/// An open device.
pub struct Gpu {
    device: sys::CUdevice,
    context: sys::CUcontext,
    stream: sys::CUstream,
    description: Description,
    nvrtc: &'static Nvrtc,
    cache: Cache,
    blas: Option<Blas>,
    modules: Vec<Option<sys::CUmodule>>,
    functions: HashMap<(Module, &'static str), sys::CUfunction>,
    graphs: Vec<Option<(sys::CUgraph, sys::CUgraphExec)>>,
    capture: Capture,
}

// SAFETY: the driver's handles may be used from any thread to which the context is bound, which `bind` does before each
// call; nothing of it is shared, for that there is `Shared`.
unsafe impl Send for Gpu {}

impl Gpu {
    /// The device of that number, counted from 0.
    ///
    /// # Errors
    /// One line that says what is missing: the driver, the device, NVRTC, a version.
    pub fn open(index: usize) -> Result<Gpu> {
        let found = probe::driver()?;
        let nvrtc = Nvrtc::find()?;
        if index >= found.devices {
            let devices =
                if found.devices == 1 { "1 device".to_owned() } else { format!("{} devices", found.devices) };
            return Err(Error::NoDevice { reason: format!("number {index} of {devices}, counted from 0") });
        }
        use sys::CUdevice_attribute::{
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR as MINOR,
        };
        // The probe has initialised the driver and seen that it has all of these functions.
        let device = check("cuDeviceGet", result::device::get(index as i32))?;
        // SAFETY: `device` is one that the driver has given.
        let attribute =
            |which| check("cuDeviceGetAttribute", unsafe { result::device::get_attribute(device, which) });
        let (major, minor) = (attribute(MAJOR)?, attribute(MINOR)?);
        let description = Description {
            name: name(device)?,
            architecture: format!("sm_{major}{minor}"),
            driver: format!("CUDA {}", found.version),
        };
        // SAFETY: as above. `Drop` releases it.
        let context = check("cuDevicePrimaryCtxRetain", unsafe { result::primary_ctx::retain(device) })?;
        let mut gpu = Gpu {
            device,
            context,
            stream: std::ptr::null_mut(),
            description,
            nvrtc,
            cache: Cache::of_user(),
            blas: None,
            modules: Vec::new(),
            functions: HashMap::new(),
            graphs: Vec::new(),
            capture: Capture::default(),
        };
        gpu.bind()?;
        gpu.stream =
            check("cuStreamCreate", result::stream::create(result::stream::StreamKind::NonBlocking))?;
        gpu.blas = Blas::open();
        Ok(gpu)
    }

    /// Whether products go to cuBLASLt; where it is missing, kernels of ours compute them.
    pub fn has_blas(&self) -> bool {
        self.blas.is_some()
    }

    /// Makes the context that of this thread.
    fn bind(&self) -> Result<()> {
        // SAFETY: the context is retained until `Drop`.
        check("cuCtxSetCurrent", unsafe { result::ctx::set_current(self.context) })
    }

    fn wait(&self) -> Result<()> {
        // SAFETY: the stream lives until `Drop`.
        check("cuStreamSynchronize", unsafe { result::stream::synchronize(self.stream) })
    }

    fn function(&mut self, call: &Call) -> Result<sys::CUfunction> {
        let Call { module, kernel, .. } = *call;
        if let Some(function) = self.functions.get(&(module, kernel)) {
            return Ok(*function);
        }
        let unknown = || Error::Program { what: format!("no kernel `{kernel}` in a text that is loaded") };
        let handle = self.modules.get(module.0).copied().flatten().ok_or_else(unknown)?;
        let name = CString::new(kernel).map_err(|_| unknown())?;
        self.bind()?;
        // SAFETY: the module is loaded.
        let function = unsafe { result::module::get_function(handle, name) };
        let function = match function {
            Err(error) if code(&error) == 500 => return Err(unknown()),
            function => check("cuModuleGetFunction", function)?,
        };
        self.functions.insert((module, kernel), function);
        Ok(function)
    }
}

fn name(device: sys::CUdevice) -> Result<String> {
    let mut bytes = [0u8; 256];
    // SAFETY: there is room for as many bytes as are announced. cudarc's own function panics without a final zero.
    let status = unsafe { sys::cuDeviceGetName(bytes.as_mut_ptr().cast::<c_char>(), 255, device) };
    check("cuDeviceGetName", status.result())?;
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[..len]).into_owned())
}

impl Driver for Gpu {
    fn description(&self) -> Description {
        self.description.clone()
    }

    fn free(&mut self) -> Result<u64> {
        self.bind()?;
        Ok(check("cuMemGetInfo", result::mem_get_info())?.0 as u64)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address> {
        self.bind()?;
        // SAFETY: what it holds means nothing until it is written.
        match unsafe { result::malloc_sync(bytes) } {
            Err(error) if code(&error) == 2 => {
                Err(Error::Memory { wanted: bytes as u64, free: self.free().unwrap_or(0) })
            }
            address => check("cuMemAlloc", address),
        }
    }

    fn release(&mut self, address: Address) {
        if self.bind().is_ok() {
            // Launches that still use it come first.
            let _ = self.wait();
            // SAFETY: it was allocated here, and is given back once.
            let _ = unsafe { result::free_sync(address) };
        }
    }

    unsafe fn write(&mut self, to: Address, bytes: &[u8]) -> Result<()> {
        self.bind()?;
        // SAFETY: the caller's promise. From pageable memory the driver has taken the bytes when it returns.
        check("cuMemcpyHtoDAsync", unsafe { result::memcpy_htod_async(to, bytes, self.stream) })
    }

    unsafe fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<()> {
        self.bind()?;
        // SAFETY: the caller's promise; the bytes are not looked at before the stream is done.
        let begun =
            check("cuMemcpyDtoHAsync", unsafe { result::memcpy_dtoh_async(bytes, from, self.stream) });
        // In any case: nothing may write into `bytes` after this has returned.
        let done = self.wait();
        begun.and(done)
    }

    fn load(&mut self, text: &str) -> Result<Module> {
        let cubin = self.cache.cubin(self.nvrtc, text, &self.description.architecture, &[])?;
        self.bind()?;
        // SAFETY: an ELF file of NVRTC's, whole by its checksum where it comes from the disk.
        let module = unsafe { result::module::load_data(cubin.as_ptr().cast::<c_void>()) };
        self.modules.push(Some(check("cuModuleLoadData", module)?));
        Ok(Module(self.modules.len() - 1))
    }

    fn unload(&mut self, module: Module) {
        self.functions.retain(|(of, _), _| *of != module);
        if let Some(handle) = self.modules.get_mut(module.0).and_then(Option::take)
            && self.bind().is_ok()
        {
            let _ = self.wait();
            // SAFETY: it was loaded here, and is taken out of the list.
            let _ = unsafe { result::module::unload(handle) };
        }
    }

    fn begin(&mut self) -> Result<()> {
        self.bind()?;
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream lives.
        check("cuStreamBeginCapture", unsafe { result::stream::begin_capture(self.stream, mode) })
    }

    fn follow(&mut self, steps: &[usize]) -> Result<()> {
        self.bind()?;
        self.capture.follow(self.stream, steps)
    }

    fn end(&mut self) -> Result<Graph> {
        self.bind()?;
        self.capture = Capture::default();
        // SAFETY: the stream lives.
        let graph = check("cuStreamEndCapture", unsafe { result::stream::end_capture(self.stream) })?;
        if graph.is_null() {
            return Err(Error::Program { what: "a capture was broken off".to_owned() });
        }
        // SAFETY: the graph is the one just captured.
        match unsafe { result::graph::instantiate(graph, sys::CUgraphInstantiate_flags(0)) } {
            Ok(executable) => {
                self.graphs.push(Some((graph, executable)));
                Ok(Graph(self.graphs.len() - 1))
            }
            Err(error) => {
                // SAFETY: nothing else has it.
                let _ = unsafe { result::graph::destroy(graph) };
                check("cuGraphInstantiate", Err(error))
            }
        }
    }

    unsafe fn replay(&mut self, graph: Graph) -> Result<()> {
        let Some((_, executable)) = self.graphs.get(graph.0).copied().flatten() else {
            return Err(Error::Program { what: "a graph that was discarded".to_owned() });
        };
        self.bind()?;
        // SAFETY: the graph is in the list, so it lives; its memory is the caller's promise.
        check("cuGraphLaunch", unsafe { result::graph::launch(executable, self.stream) })
    }

    fn discard(&mut self, graph: Graph) {
        if let Some((graph, executable)) = self.graphs.get_mut(graph.0).and_then(Option::take)
            && self.bind().is_ok()
        {
            let _ = self.wait();
            // SAFETY: both were made here, and are taken out of the list.
            unsafe {
                let _ = result::graph::exec_destroy(executable);
                let _ = result::graph::destroy(graph);
            }
        }
    }

    fn prepare(&mut self, call: &Call) -> Result<()> {
        self.function(call).map(drop)
    }

    unsafe fn launch(&mut self, call: &Call) -> Result<()> {
        let function = self.function(call)?;
        self.bind()?;
        // A parameter is handed over as a pointer to its value, of 4 or 8 bytes: the lower ones come first.
        let values: Vec<u64> = call.arguments.iter().map(bits).collect();
        let mut pointers: Vec<*mut c_void> =
            values.iter().map(|value| std::ptr::from_ref(value).cast_mut().cast()).collect();
        let [x, y, z] = call.blocks;
        // SAFETY: the caller's promise about the arguments; the driver copies them before it returns.
        let launched = unsafe {
            result::launch_kernel(function, (x, y, z), (call.threads, 1, 1), 0, self.stream, &mut pointers)
        };
        check("cuLaunchKernel", launched)
    }

    fn takes(&mut self, product: &Placed) -> Result<bool> {
        self.bind()?;
        self.blas.as_mut().map_or(Ok(false), |blas| blas.takes(product))
    }

    unsafe fn multiply(&mut self, product: &Placed) -> Result<()> {
        self.bind()?;
        let none = || Error::Program { what: "a product without a library".to_owned() };
        let blas = self.blas.as_mut().ok_or_else(none)?;
        let scratch = blas.scratch(product)?;
        self.capture.before(self.stream, scratch)?;
        // SAFETY: the caller's promise; `before` lets it wait for who has the same scratch.
        unsafe { blas.multiply(product, self.stream, scratch)? };
        self.capture.behind(self.stream, scratch)
    }

    fn copied_from(&self) -> Option<usize> {
        self.has_blas().then_some(COPIED_FROM)
    }
}

/// The bytes of an argument, on a machine whose lower bytes come first, as all that CUDA runs on.
fn bits(value: &Value) -> u64 {
    match *value {
        Value::Address(address) | Value::Clock(address) => address,
        Value::Size(size) => size as u64,
        Value::Number(number) => u64::from(number.to_bits()),
        Value::Site(site) => u64::from(site),
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        if self.bind().is_ok() {
            let _ = self.wait();
            (0..self.graphs.len()).for_each(|graph| self.discard(Graph(graph)));
            (0..self.modules.len()).for_each(|module| self.unload(Module(module)));
            self.blas = None;
            if !self.stream.is_null() {
                // SAFETY: created here, and nothing is left that uses it.
                let _ = unsafe { result::stream::destroy(self.stream) };
            }
        }
        // SAFETY: retained once in `open`.
        let _ = unsafe { result::primary_ctx::release(self.device) };
    }
}

#[cfg(test)]
#[path = "gpu_tests.rs"]
mod tests;
