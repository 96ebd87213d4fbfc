//! Applies an optimizer to the parameters of a model.
//!
//! In: gradients in the order of a loss. Out: changed weights and moments. Never: a parameter that the loss
//! does not train.

use std::marker::PhantomData;

use diabolo_kernels::{self as kernels, Float};

use crate::error::{Error, Result};
use crate::program::{Optimizer, Spec, Update};

/// Weights that lie side by side in the model and in the gradients.
struct Run {
    weights: usize,
    grads: usize,
    len: usize,
}

/// An optimizer with its moments.
pub(super) struct Updates<O, F> {
    runs: Vec<Run>,
    moments: Vec<F>,
    hypers: Vec<f64>,
    current: Vec<F>,
    rate: Option<usize>,
    optimizer: PhantomData<O>,
}

impl<O: Optimizer, F: Float> Updates<O, F> {
    /// For the parameters that a loss trains; `offsets` are their places in the model.
    pub fn new(optimizer: &O, spec: &Spec, offsets: &[usize]) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut grads = 0;
        for &param in spec.trained {
            let len = spec.params[param].shape.iter().product();
            match runs.last_mut() {
                Some(run) if run.weights + run.len == offsets[param] => run.len += len,
                _ => runs.push(Run { weights: offsets[param], grads, len }),
            }
            grads += len;
        }
        let hypers = optimizer.hypers();
        Updates {
            runs,
            moments: vec![F::ZERO; grads * O::MOMENTS],
            current: vec![F::ZERO; hypers.len()],
            hypers,
            rate: O::HYPERS.iter().position(|name| *name == "lr"),
            optimizer: PhantomData,
        }
    }

    /// One step; `factor` scales the learning rate, `step` counts from 1.
    pub fn apply(&mut self, params: &mut [F], grads: &[F], factor: f64, step: u64) {
        for (i, (current, value)) in self.current.iter_mut().zip(&self.hypers).enumerate() {
            *current = F::from_f64(if self.rate == Some(i) { value * factor } else { *value });
        }
        for run in &self.runs {
            O::update(Update {
                weights: &mut params[run.weights..][..run.len],
                grads: &grads[run.grads..][..run.len],
                moments: &mut self.moments[run.grads * O::MOMENTS..][..run.len * O::MOMENTS],
                hypers: &self.current,
                step,
            });
        }
    }

    /// Whether a schedule of the learning rate would change anything.
    pub fn require_rate(&self) -> Result<()> {
        match self.rate {
            Some(_) => Ok(()),
            None => Err(Error::config("a schedule needs an optimizer with a hyperparameter `lr`")),
        }
    }
}

/// Scales the gradients down to a Euclidean norm. Returns the norm before.
pub(super) fn clip<F: Float>(grads: &mut [F], norm: f64) -> f64 {
    let found = kernels::sum_squares(grads).to_f64().sqrt();
    if found > norm {
        let factor = F::from_f64(norm / found);
        grads.iter_mut().for_each(|g| *g *= factor);
    }
    found
}
