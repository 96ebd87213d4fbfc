//! Applies an optimizer to the parameters of a model.
//!
//! In: gradients in the order of a loss. Out: changed weights and moments. Never: a parameter that the loss
//! does not train.

use diabolo_kernels::{self as kernels, Buffer, Float};

use super::losses::BoundOptimizer;
use crate::error::{Error, Result};
use crate::program::{Spec, Update};

/// Weights that lie side by side in the model and in the gradients.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub weights: usize,
    pub grads: usize,
    pub len: usize,
}

/// An optimizer with its moments.
pub(super) struct Updates<F: Float> {
    pub runs: Vec<Run>,
    moments: Buffer<F>,
    current: Vec<F>,
    pub optimizer: BoundOptimizer<F>,
}

impl<F: Float> Updates<F> {
    /// For the parameters that a loss trains; `offsets` are their places in the model.
    pub fn new(optimizer: BoundOptimizer<F>, spec: &Spec, offsets: &[usize]) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut grads = 0;
        for &param in spec.trained {
            let len = spec.elements(&[param]);
            match runs.last_mut() {
                Some(run) if run.weights + run.len == offsets[param] => run.len += len,
                _ => runs.push(Run { weights: offsets[param], grads, len }),
            }
            grads += len;
        }
        Updates {
            runs,
            moments: Buffer::zeros(grads * optimizer.moments),
            current: vec![F::ZERO; optimizer.hypers.len()],
            optimizer,
        }
    }

    /// One step; `factor` scales the learning rate, `step` counts from 1.
    pub fn apply(&mut self, params: &mut [F], grads: &[F], factor: f64, step: u64) {
        self.scale(factor);
        let BoundOptimizer { moments, update, .. } = &self.optimizer;
        for run in &self.runs {
            update(Update {
                weights: &mut params[run.weights..][..run.len],
                grads: &grads[run.grads..][..run.len],
                moments: &mut self.moments[run.grads * moments..][..run.len * moments],
                hypers: &self.current,
                step,
            });
        }
    }

    /// The hyperparameters, with the learning rate scaled.
    pub fn scale(&mut self, factor: f64) -> &[F] {
        let BoundOptimizer { hypers, rate, .. } = &self.optimizer;
        for (i, (current, value)) in self.current.iter_mut().zip(hypers).enumerate() {
            *current = F::from_f64(if *rate == Some(i) { value * factor } else { *value });
        }
        &self.current
    }

    /// Whether a schedule of the learning rate would change anything.
    pub fn require_rate(&self) -> Result<()> {
        match self.optimizer.rate {
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
