//! One loss in training: its program, its optimizer, its own way through the data.
//!
//! In: a model's values and data. Out: the values after a step of this loss. Never: another loss's noise, moments
//! or order of rows; an allocation in a warm step.

use std::ops::Range;

use diabolo_kernels::cuda::Program;
use diabolo_kernels::{self as kernels, Float};

use super::losses::{BoundLoss, BoundOptimizer};
use super::order::shuffle;
use super::updates::{Updates, clip};
use super::{Schedule, Settings};
use crate::data::Data;
use crate::device::{Failure, OnDevice, Part, Step, without_kernels};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::store::Store;

/// One loss in training.
pub(super) struct Learner<F: Float> {
    pub session: Session<F>,
    pub evaluation: Session<F>,
    updates: Updates<F>,
    /// Consecutive steps in a round.
    pub every: usize,
    /// Steps taken.
    pub steps: u64,
    /// The seed of its noise and of its order of rows.
    seed: u64,
    order: Vec<usize>,
    draws: Vec<f64>,
    cursor: usize,
    pass: u64,
    /// Sums over the rows of this epoch, and their number.
    sums: Vec<f64>,
    rows: usize,
    /// Steps on a device whose metrics were not read: the number of each among all losses', and its rows.
    pending: Vec<(u64, usize)>,
    /// Its programs for a device.
    cuda: Option<[Program; 2]>,
    /// Hyperparameters of the loss and of the optimizer as a device has them.
    singles: [Vec<f32>; 2],
    /// Whether a step has work for several threads.
    shares: bool,
}

impl<F: Float> Learner<F> {
    /// The loss at position `index` of the trainer.
    pub fn new(
        index: usize,
        loss: BoundLoss<F>,
        optimizer: BoundOptimizer<F>,
        every: usize,
        settings: &Settings,
        store: &Store<F>,
        data: &Data,
    ) -> Result<Self> {
        let seed = stream(settings.seed, index);
        let mut session = Session::training(store, &loss, seed)?;
        let evaluation = Session::evaluation(store, &loss, settings.seed)?;
        let updates = Updates::new(optimizer, loss.spec, session.offsets());
        if settings.schedule != Schedule::Constant {
            updates.require_rate()?;
        }
        session.fit_shapes(data)?;
        match &settings.device.shared {
            None => session.resize(settings.batch.min(data.rows())),
            Some(_) => session.check_indices(data)?,
        }
        Ok(Learner {
            sums: vec![0.0; session.metrics.len()],
            session,
            evaluation,
            updates,
            every,
            steps: 0,
            seed,
            order: vec![0; data.rows()],
            draws: vec![0.0; data.rows()],
            cursor: usize::MAX,
            pass: 0,
            rows: 0,
            pending: Vec::new(),
            cuda: loss.cuda,
            singles: [Vec::new(), Vec::new()],
            shares: false,
        })
    }

    /// The loss and its optimizer, for a device.
    pub fn part(&self, settings: &Settings) -> Result<Part<'_>> {
        let spec = self.session.spec;
        let optimizer = &self.updates.optimizer;
        let [train, evaluate] = self.cuda.ok_or_else(|| without_kernels(&format!("`{}`", spec.name)))?;
        Ok(Part {
            spec,
            train,
            evaluate,
            update: optimizer
                .cuda
                .ok_or_else(|| without_kernels(&format!("the optimizer of `{}`", spec.name)))?,
            moments: optimizer.moments,
            rates: optimizer.hypers.len(),
            dims: &self.session.dims,
            offsets: self.session.offsets(),
            runs: self.updates.runs.iter().map(|run| [run.weights, run.grads, run.len]).collect(),
            seed: self.seed,
            evaluation_seed: settings.seed,
        })
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.session.spec.name
    }

    /// Sets a hyperparameter by its position.
    pub fn set(&mut self, at: usize, value: f64) {
        let value = F::from_f64(value);
        (self.session.hypers[at], self.evaluation.hypers[at]) = (value, value);
    }

    /// One step on the next batch of its pass over the data. Returns the loss before the update.
    /// `share` is the share of training that is done, `total` the number of the step among all losses'.
    pub fn step(
        &mut self,
        store: &mut Store<F>,
        data: &Data,
        settings: &Settings,
        share: f64,
        total: u64,
    ) -> Result<f64> {
        self.begin_pass();
        let rows = self.next_rows(settings);
        let (norm, factor, number) = (settings.clip_norm, settings.schedule.factor(share), self.steps + 1);
        let Learner { session, updates, order, sums, .. } = self;
        session.inspects = self.rows == 0;
        session.resize(rows.len());
        session.step = self.steps;
        kernels::together(&mut self.shares, || {
            session.gather(data, &order[rows.clone()])?;
            session.run(&store.values, 0);
            check_finite(session, total)?;
            for (sum, mean) in sums.iter_mut().zip(&session.metrics) {
                *sum += mean.to_f64() * rows.len() as f64;
            }
            if let Some(norm) = norm {
                clip(&mut session.grads, norm);
            }
            updates.apply(&mut store.values, &session.grads, factor, number);
            session.write_states(&mut store.values);
            Ok::<(), Error>(())
        })?;
        self.steps = number;
        self.rows += rows.len();
        self.cursor = rows.end;
        Ok(self.session.metrics[0].to_f64())
    }

    /// A new order of rows, where all rows were used. Returns whether it is one.
    fn begin_pass(&mut self) -> bool {
        let over = self.cursor >= self.order.len();
        if over {
            shuffle(&mut self.order, &mut self.draws, self.seed, self.pass);
            self.pass += 1;
            self.cursor = 0;
        }
        over
    }

    fn next_rows(&self, settings: &Settings) -> Range<usize> {
        self.cursor..(self.cursor + settings.batch).min(self.order.len())
    }

    /// As [`Learner::step`], on a device, where this is the loss at `index`: without waiting for the metrics, as long as
    /// those of the steps before can be kept.
    pub fn step_on(
        &mut self,
        device: &mut OnDevice,
        index: usize,
        settings: &Settings,
        share: f64,
        total: u64,
    ) -> Result<()> {
        if device.is_full(index) {
            self.settle(device, index)?;
        }
        if self.begin_pass() {
            device.order(index, &self.order).map_err(Failure::said)?;
        }
        let rows = self.next_rows(settings);
        let factor = settings.schedule.factor(share);
        single(&self.session.hypers, &mut self.singles[0]);
        single(self.updates.scale(factor), &mut self.singles[1]);
        let step = Step {
            rows: rows.len(),
            first: rows.start,
            steps: self.steps,
            hypers: &self.singles[0],
            rates: &self.singles[1],
            inspect: self.rows == 0 && self.pending.is_empty(),
        };
        device.step(index, &step).map_err(Failure::said)?;
        self.pending.push((total, rows.len()));
        self.steps += 1;
        self.cursor = rows.end;
        Ok(())
    }

    /// Waits for the steps on a device. Returns the loss of the last one before its update.
    pub fn settle(&mut self, device: &mut OnDevice, index: usize) -> Result<f64> {
        let values = device.metrics(index).map_err(Failure::said)?;
        let steps = values.chunks_exact(self.session.metrics.len());
        for ((total, rows), values) in self.pending.drain(..).zip(steps) {
            for (metric, value) in self.session.metrics.iter_mut().zip(values) {
                *metric = F::from_f64(f64::from(*value));
            }
            check_finite(&self.session, total)?;
            for (sum, mean) in self.sums.iter_mut().zip(&self.session.metrics) {
                *sum += mean.to_f64() * rows as f64;
            }
            self.rows += rows;
        }
        Ok(self.session.metrics[0].to_f64())
    }

    /// The hyperparameters of the loss as a device has them.
    pub fn hypers(&mut self) -> &[f32] {
        single(&self.session.hypers, &mut self.singles[0]);
        &self.singles[0]
    }

    /// Forgets the means of the epoch.
    pub fn begin_epoch(&mut self) {
        self.sums.fill(0.0);
        self.rows = 0;
    }

    /// The means over the rows of the epoch so far.
    pub fn means(&self) -> impl Iterator<Item = f64> {
        let rows = self.rows as f64;
        self.sums.iter().map(move |sum| sum / rows)
    }
}

/// Values in the precision of a device.
fn single<F: Float>(values: &[F], to: &mut Vec<f32>) {
    to.clear();
    to.extend(values.iter().map(|value| value.to_f64() as f32));
}

/// The seed of a loss: the trainer's for the first, so that it does what it does alone; others are mixed
/// (the finaliser of SplitMix64; Steele, Lea, Flood 2014).
fn stream(seed: u64, index: usize) -> u64 {
    if index == 0 {
        return seed;
    }
    let mut z = seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn check_finite<F: Float>(session: &Session<F>, step: u64) -> Result<()> {
    match session.metrics.iter().position(|value| !value.to_f64().is_finite()) {
        None => Ok(()),
        Some(at) => {
            let name = if at == 0 { session.spec.name } else { session.spec.metrics[at - 1] };
            let value = session.metrics[at].to_f64();
            Err(Error::Diverged { step, name: name.to_owned(), value })
        }
    }
}
