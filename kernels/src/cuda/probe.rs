//! What there is of CUDA on this machine.
//!
//! In: nothing but the system's libraries. Out: the driver's version and the number of devices, or one line that says
//! what is missing. Never: a panic, whatever the driver answers; a call through cudarc, which panics where the driver
//! or one of its functions is missing: it is only called after a look here.

use std::ffi::{OsString, c_int};
use std::fmt;

use super::error::{Error, Result};
use super::library::Library;

/// The first driver API that is enough, as `cuDriverGetVersion` counts: 13.0.
const NEEDED: c_int = 13_000;

/// A version as CUDA counts: 13.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Before the point.
    pub major: i32,
    /// After it.
    pub minor: i32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A driver that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The newest CUDA that it understands.
    pub version: Version,
    /// Its devices, one at least.
    pub devices: usize,
}

/// What the player calls of the driver. All of it is looked for once: cudarc would panic at the first that is missing.
pub(super) const FUNCTIONS: &[&str] = &[
    "cuCtxSetCurrent",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRelease_v2",
    "cuDevicePrimaryCtxRetain",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuLaunchKernel",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemGetInfo_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuStreamBeginCapture_v2",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamEndCapture",
    "cuStreamGetCaptureInfo_v3",
    "cuStreamSynchronize",
    "cuStreamUpdateCaptureDependencies_v2",
];

const DRIVER: &str = "the CUDA driver";

/// Asks the system's driver.
///
/// # Errors
/// One line that says what is missing: the driver, a function in it, a version, a device.
pub fn driver() -> Result<Found> {
    driver_in(&names())
}

/// The names that cudarc will try, in its order, so that both find the same library.
fn names() -> Vec<OsString> {
    let names = ["cuda", "nvcuda"].into_iter().flat_map(cudarc::get_lib_name_candidates);
    names.map(OsString::from).collect()
}

/// Asks the first of these libraries that can be loaded.
fn driver_in(names: &[OsString]) -> Result<Found> {
    let library = Library::first(DRIVER, names).map_err(|_| Error::Missing {
        what: DRIVER,
        reason: "no libcuda.so.1 (nvcuda.dll) can be loaded; it comes with the NVIDIA driver".to_owned(),
    })?;
    // SAFETY: the types are those of cuda.h, with the status as the `int` that it is in C, so that no answer is wrong.
    let (version, init, count) = unsafe {
        let version: unsafe extern "C" fn(*mut c_int) -> c_int = library.function("cuDriverGetVersion")?;
        let init: unsafe extern "C" fn(u32) -> c_int = library.function("cuInit")?;
        let count: unsafe extern "C" fn(*mut c_int) -> c_int = library.function("cuDeviceGetCount")?;
        (version, init, count)
    };
    let mut number: c_int = 0;
    // SAFETY: the pointer is to a c_int that outlives the call.
    check("cuDriverGetVersion", unsafe { version(&mut number) })?;
    let version = Version { major: number / 1000, minor: number % 1000 / 10 };
    if number < NEEDED {
        return Err(Error::Old {
            what: DRIVER,
            found: format!("it is for CUDA {version}"),
            remedy: "13.0 or newer is needed, which comes with driver 580",
        });
    }
    // SAFETY: no pointer, and 0 is the only value that it takes.
    match unsafe { init(0) } {
        100 => return Err(none("the driver is there, and finds no device")),
        status => check("cuInit", status)?,
    }
    let mut devices: c_int = 0;
    // SAFETY: as above.
    check("cuDeviceGetCount", unsafe { count(&mut devices) })?;
    if devices < 1 {
        return Err(none(&format!("the driver counts {devices} devices")));
    }
    match FUNCTIONS.iter().find(|name| !library.has(name)) {
        Some(name) => Err(Error::Missing { what: DRIVER, reason: format!("it has no `{name}`") }),
        None => Ok(Found { version, devices: devices as usize }),
    }
}

fn none(reason: &str) -> Error {
    Error::NoDevice { reason: reason.to_owned() }
}

fn check(call: &'static str, status: c_int) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(Error::driver(call, i64::from(status))) }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
