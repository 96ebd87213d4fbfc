//! What stands in for the functions of a root that never came to be.
//!
//! In: nothing. Out: nothing: every function here panics, and none is ever called. Never: reached by a
//! program that compiles.
//!
//! The traits of an annotated function are implemented before linking, by calls of inherent functions that
//! linking adds. An inherent function wins over one of a trait, so these are found only where linking failed
//! and said so; without them, rustc would add an error for every function that is missing.

use crate::error::Result;
use crate::kernels::Float;
use crate::kernels::cuda::Program;
use crate::program::{Env, Identity, Spec};

/// Stand-ins for the inherent functions of an annotated function.
#[doc(hidden)]
pub trait Unlinked: Sized {
    #[doc(hidden)]
    fn __diabolo_identity(_: &[usize]) -> Identity {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_spec(&self) -> Result<&'static Spec> {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_hypers(&self) -> Vec<f64> {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_evaluate_workspace(&self) -> fn(&[usize]) -> usize {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_evaluate<F: Float>(&self) -> fn(Env<'_, F>) {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_evaluate_cuda(&self) -> Option<&'static Program> {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_train_cuda(&self) -> Option<&'static Program> {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_train_workspace(&self) -> fn(&[usize]) -> usize {
        never()
    }
    #[doc(hidden)]
    fn __diabolo_train<F: Float>(&self) -> fn(Env<'_, F>) {
        never()
    }
}

impl<T> Unlinked for T {}

fn never() -> ! {
    unreachable!("this program did not compile")
}
