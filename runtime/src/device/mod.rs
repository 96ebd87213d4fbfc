//! Where programs run: on the processor, or on a GPU.
//!
//! In: a choice. Out: a device that is there, or one line that says what is missing. Never: another device than the one
//! asked for; a precision that was not named.

mod evaluation;
mod runner;
mod training;

pub(crate) use evaluation::{Batch, Evaluation};
pub(crate) use training::{OnDevice, Part, Step};

use std::any::TypeId;
use std::fmt;

use diabolo_kernels::Float;
use diabolo_kernels::cuda::driver::Shared;
pub use diabolo_kernels::cuda::driver::{Driver, Precision};

use crate::error::{Error, Result};

/// What goes wrong in these rooms: the device's errors, and the runtime's. [`Error`] itself is made of no other type: who
/// writes a closure with `?` would have to say which it is.
pub(crate) struct Failure(Error);

impl Failure {
    /// As the rest of the crate says it.
    pub fn said(self) -> Error {
        self.0
    }
}

impl From<diabolo_kernels::cuda::Error> for Failure {
    fn from(error: diabolo_kernels::cuda::Error) -> Self {
        Failure(Error::Device(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure(error)
    }
}

/// A program that was built without kernels.
pub(crate) fn without_kernels(what: &str) -> Error {
    Error::config(format!("{what} has no kernels for a device: build diabolo with its feature `cuda`"))
}

/// Values as a device has them.
fn singles<F: Float>(values: &[F]) -> Vec<f32> {
    values.iter().map(|value| value.to_f64() as f32).collect()
}

/// Where programs run, for [`Trainer::device`](crate::Trainer::device) and [`Model::device`](crate::Model::device).
///
/// ```no_run
/// use diabolo::device::{Device, Precision};
///
/// # fn main() -> diabolo::Result<()> {
/// let device = Device::cuda(0)?.precision(Precision::Tf32);
/// println!("training on {device}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Device {
    /// None is the processor.
    pub(crate) shared: Option<Shared>,
    pub(crate) precision: Precision,
}

impl Device {
    /// The processor, with all threads of the trainer. It is what a trainer uses that was told nothing.
    pub fn cpu() -> Device {
        Device { shared: None, precision: Precision::Float32 }
    }

    /// A GPU of NVIDIA's by its number, from 0.
    ///
    /// It needs the NVIDIA driver (580 or newer) and NVRTC 13, by which kernels are compiled: a part of CUDA 13, or
    /// `pip install nvidia-cuda-nvrtc==13.0.88`; `DIABOLO_NVRTC` may hold its path. Wide products are computed by cuBLASLt
    /// where it is there. Compiled kernels are kept in the user's cache, or in `DIABOLO_CACHE`.
    ///
    /// # Errors
    /// [`Error::Device`]: one line that says what is missing.
    #[cfg(feature = "cuda")]
    pub fn cuda(index: usize) -> Result<Device> {
        diabolo_kernels::cuda::gpu::Gpu::open(index).map(Device::on).map_err(Error::Device)
    }

    /// A GPU of NVIDIA's by its number, from 0.
    ///
    /// # Errors
    /// Always: this build is without the feature `cuda`.
    #[cfg(not(feature = "cuda"))]
    pub fn cuda(_index: usize) -> Result<Device> {
        Err(Error::config("this build of diabolo is without its feature `cuda`"))
    }

    /// A device of one's own.
    #[doc(hidden)]
    pub fn on(driver: impl Driver + 'static) -> Device {
        Device { shared: Some(Shared::new(driver)), precision: Precision::Float32 }
    }

    /// One that others use as well.
    #[doc(hidden)]
    pub fn shared(driver: Shared) -> Device {
        Device { shared: Some(driver), precision: Precision::Float32 }
    }

    /// The driver and the precision of products; none where it is the processor. `remedy` is for who computes in f64.
    pub(crate) fn computes<F: Float>(&self, remedy: &str) -> Result<Option<(&Shared, Precision)>> {
        match (&self.shared, self.precision) {
            (None, Precision::Float32) => Ok(None),
            (None, _) => {
                Err(Error::config("the processor computes in float32: TF32 and bfloat16 are a GPU's"))
            }
            (Some(_), _) if TypeId::of::<F>() != TypeId::of::<f32>() => {
                Err(Error::config(format!("a device computes in f32: {remedy}")))
            }
            (Some(shared), precision) => Ok(Some((shared, precision))),
        }
    }

    /// How exactly products are computed. Float32 unless named here; on the processor nothing else is known.
    pub fn precision(mut self, precision: Precision) -> Device {
        self.precision = precision;
        self
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shared {
            None => write!(f, "the processor ({})", diabolo_kernels::isa_name())?,
            Some(shared) => write!(f, "{}", shared.lock().description())?,
        }
        match self.precision {
            Precision::Float32 => Ok(()),
            Precision::Tf32 => write!(f, ", products in TF32"),
            Precision::Bf16 => write!(f, ", products in bfloat16"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_there_or_a_line_says_what_is_missing() {
        match Device::cuda(0) {
            Ok(device) => assert!(device.to_string().contains("sm_"), "{device}"),
            Err(error) => {
                eprintln!("skipped: no CUDA device ({error})");
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
            }
        }
        assert!(Device::cuda(1_000_000).is_err());
        assert!(Device::cpu().to_string().starts_with("the processor ("));
        let device = Device::cpu().precision(Precision::Bf16).to_string();
        assert!(device.ends_with("), products in bfloat16"), "{device}");
    }
}
