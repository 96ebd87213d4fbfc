//! What can go wrong on a device, as facts.
//!
//! In: what was asked for, and the status that came back. Out: one line that says what is missing or what failed.
//! Never: a text of the driver's, whose functions may be what fails.

use std::fmt;

#[cfg(feature = "cuda")]
use cudarc::driver::result::DriverError;

/// The result of everything that asks a device.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A library, or a function in it, is not there.
    Missing {
        /// What: "the CUDA driver".
        what: &'static str,
        /// Where it was looked for, or what of it is not there.
        reason: String,
    },
    /// There is no such device.
    NoDevice {
        /// How many there are, or what the driver says.
        reason: String,
    },
    /// A library is there, and too old.
    Old {
        /// What: "the CUDA driver".
        what: &'static str,
        /// The version there is.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A library answered with something other than success.
    Refused {
        /// Whose answer it is: "the CUDA driver".
        what: &'static str,
        /// The function.
        call: &'static str,
        /// Its status.
        code: i64,
    },
    /// Not enough memory on the device.
    Memory {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The device does not answer any more: nothing on it can be saved.
    Lost {
        /// The function that said so.
        call: &'static str,
        /// Its status.
        code: i64,
    },
    /// A text of kernels does not compile.
    Compile {
        /// What the compiler says.
        log: String,
    },
    /// A program cannot be played.
    Program {
        /// What is wrong with it.
        what: String,
    },
}

impl Error {
    /// The driver's status other than success.
    pub fn driver(call: &'static str, code: i64) -> Error {
        match code {
            LOST_FIRST..=LOST_LAST | 46 | 214 | 220 | 226 => Error::Lost { call, code },
            _ => Error::Refused { what: "the CUDA driver", call, code },
        }
    }
}

/// The status of a call of the driver's, by cudarc.
#[cfg(feature = "cuda")]
pub(super) fn code(error: &DriverError) -> i64 {
    i64::from(error.0 as u32)
}

/// What a call of the driver's has given.
#[cfg(feature = "cuda")]
pub(super) fn check<T>(call: &'static str, result: Result<T, DriverError>) -> Result<T> {
    result.map_err(|error| Error::driver(call, code(&error)))
}

/// Statuses after which a context is unusable: an illegal address, a failed launch, an assertion, and their like.
const LOST_FIRST: i64 = 700;
const LOST_LAST: i64 = 720;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Missing { what, reason } => write!(f, "{what} is missing: {reason}"),
            Error::NoDevice { reason } => write!(f, "no such CUDA device: {reason}"),
            Error::Old { what, found, remedy } => write!(f, "{what} is too old: {found}; {remedy}"),
            Error::Refused { what, call, code } => {
                write!(f, "{what} refused `{call}` with status {code}{}", meaning(what, *code))
            }
            Error::Memory { wanted, free } => {
                let [wanted, free] =
                    [wanted, free].map(|bytes| format!("{bytes} bytes ({})", readable(*bytes)));
                write!(f, "the device has not enough memory: {wanted} are wanted, {free} are free")
            }
            Error::Lost { call, code } => {
                write!(f, "the device is lost: `{call}` says {code}{}", meaning("the CUDA driver", *code))
            }
            Error::Compile { log } => write!(f, "a kernel does not compile: {}", log.trim()),
            Error::Program { what } => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for Error {}

/// `1.5 GiB`.
fn readable(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    format!("{value:.1} {}", units[unit])
}

/// The statuses that people meet, in words.
fn meaning(what: &str, code: i64) -> &'static str {
    match (what, code) {
        ("the CUDA driver", 2) => " (out of memory)",
        ("the CUDA driver", 3) => " (not initialised)",
        ("the CUDA driver", 100) => " (no device)",
        ("the CUDA driver", 101) => " (no such device)",
        ("the CUDA driver", 209) => " (no kernel for this architecture)",
        ("the CUDA driver", 222) => " (text of another version)",
        ("the CUDA driver", 500) => " (no function of that name)",
        ("the CUDA driver", 700) => " (illegal address)",
        ("the CUDA driver", 701) => " (a launch asks for too many resources)",
        ("the CUDA driver", 719) => " (a launch failed)",
        ("the CUDA driver", 802) => " (the system is not ready; is the fabric manager running?)",
        ("the CUDA driver", 803) => " (driver and kernel module differ; reboot)",
        ("the CUDA driver", 804) => " (this device takes no compatibility library)",
        ("the CUDA driver", 900..=909) => " (not while a graph is captured)",
        ("NVRTC", 2) => " (no such program)",
        ("NVRTC", 5) => " (an option it does not know)",
        ("NVRTC", 7) => " (its built-ins are missing)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_one_line() {
        let driver = "the CUDA driver";
        let cases = [
            (
                Error::Memory { wanted: 3 << 30, free: 1 << 20 },
                "the device has not enough memory: 3221225472 bytes (3.0 GiB) are wanted, 1048576 bytes (1.0 MiB) are free",
            ),
            (Error::driver("cuInit", 100), "the CUDA driver refused `cuInit` with status 100 (no device)"),
            (Error::driver("cuInit", -7), "the CUDA driver refused `cuInit` with status -7"),
            (
                Error::driver("cuGraphLaunch", 700),
                "the device is lost: `cuGraphLaunch` says 700 (illegal address)",
            ),
            (
                Error::Old { what: driver, found: "12.4".into(), remedy: "update it" },
                "the CUDA driver is too old: 12.4; update it",
            ),
        ];
        for (error, line) in cases {
            assert_eq!(error.to_string(), line);
        }
    }
}
