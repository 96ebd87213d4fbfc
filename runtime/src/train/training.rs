//! The training loop, a step at a time.
//!
//! In: losses, data, settings. Out: a model, reports. Never: an allocation in a warm step.
//!
//! An epoch has as many rounds as the data has batches. In a round each loss, in the order of the trainer,
//! takes its `every` steps. Each loss goes through the data on its own, in an order of its own: every step has a
//! fresh batch, and in an epoch a loss sees every row exactly `every` times. One loss alone is the case of one
//! step a round.

use std::borrow::Cow;

use diabolo_kernels::Float;

use super::checks::{check, untrained};
use super::learner::Learner;
use super::losses::{Losses, Optimizers};
use super::report::{EpochReport, LossReport};
use super::{Anneal, Settings};
use crate::data::Data;
use crate::device::{Failure, OnDevice};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::projection::Projector;
use crate::report::Progress;
use crate::session::{evaluate_means, means};
use crate::store::Store;

/// Training under way.
pub struct Training<'d, F: Float = f32> {
    learners: Vec<Learner<F>>,
    projectors: Vec<Projector<F>>,
    /// What changes over training: the loss, its hyperparameter, the value.
    anneal: Vec<(usize, usize, Anneal)>,
    store: Store<F>,
    settings: Settings,
    data: Cow<'d, Data>,
    held_out: Option<Data>,
    untrained: Vec<String>,
    /// Whether the model was new.
    fresh: bool,
    /// The loss whose turn it is, the steps that it has taken in this round, the rounds of this epoch.
    turn: usize,
    taken: usize,
    round: usize,
    /// The loss of the last step.
    last: usize,
    /// Where steps are taken, if not here: its parameters are then newer than the store's.
    device: Option<OnDevice>,
    epoch: usize,
    step: u64,
}

impl<'d, F: Float> Training<'d, F> {
    pub(super) fn new<L: Losses, O: Optimizers<L>>(
        losses: &L,
        optimizers: &O,
        mut settings: Settings,
        model: Option<Model<F>>,
        data: &'d Data,
    ) -> Result<Self> {
        let bound = losses.bind::<F>()?;
        check(&settings, data, bound.iter().map(|loss| loss.spec.name))?;
        let fresh = model.is_none();
        let mut store = model.map(|model| model.store).unwrap_or_default();
        for loss in &bound {
            store.initialise(loss.spec, settings.seed)?;
        }
        let (data, held_out) = match settings.validation {
            0.0 => (Cow::Borrowed(data), None),
            share => {
                let (rest, held_out) = data.split(share, settings.seed)?;
                (Cow::Owned(rest), Some(held_out))
            }
        };
        let specs: Vec<_> = bound.iter().map(|loss| loss.spec).collect();
        let mut projectors = Vec::with_capacity(settings.projections.len());
        for (target, projection) in std::mem::take(&mut settings.projections) {
            let mut projector = Projector::new(&target, projection, &specs, &store)?;
            projector.apply(&mut store.values);
            projectors.push(projector);
        }
        let optimizers = optimizers.bind::<F>(bound.len());
        let mut learners = Vec::with_capacity(bound.len());
        for (index, (loss, optimizer)) in bound.into_iter().zip(optimizers).enumerate() {
            let every = settings.every.get(index).copied().unwrap_or(1);
            learners.push(Learner::new(index, loss, optimizer, every, &settings, &store, data.as_ref())?);
        }
        let mut training = Training {
            untrained: untrained(&learners),
            learners,
            projectors,
            anneal: Vec::new(),
            store,
            settings,
            data,
            held_out,
            fresh,
            turn: 0,
            taken: 0,
            round: 0,
            last: 0,
            device: None,
            epoch: 0,
            step: 0,
        };
        training.device = training.on_device()?;
        for anneal in std::mem::take(&mut training.settings.anneal) {
            let (loss, hyper) = training.hyper(&anneal.0)?;
            training.anneal.push((loss, hyper, anneal));
        }
        Ok(training)
    }

    /// Brings everything to the device, where there is one.
    fn on_device(&self) -> Result<Option<OnDevice>> {
        let remedy = "leave out the trainer's `precision`, or `device`";
        let Some(driver) = self.settings.device.computes::<F>(remedy)? else { return Ok(None) };
        let parts =
            self.learners.iter().map(|learner| learner.part(&self.settings)).collect::<Result<Vec<_>>>()?;
        let steps = (self.settings.batch, self.settings.clip_norm);
        let held_out = self.held_out.as_ref();
        OnDevice::new(driver, &parts, &self.store.values, &self.data, held_out, steps)
            .map(Some)
            .map_err(Failure::said)
    }

    /// Rounds of one epoch: the batches of the data.
    fn rounds(&self) -> usize {
        self.data.rows().div_ceil(self.settings.batch)
    }

    /// Steps of one epoch, of all losses together.
    pub fn steps_per_epoch(&self) -> usize {
        self.rounds() * self.learners.iter().map(|learner| learner.every).sum::<usize>()
    }

    /// The name of the loss that the next step is of.
    pub fn next_loss(&self) -> &'static str {
        self.learners[self.turn].name()
    }

    /// The parameters that the losses use and none of them trains: they keep the values that they have.
    pub fn untrained(&self) -> &[String] {
        &self.untrained
    }

    /// The share of training that is done by one loss.
    fn share(&self, learner: usize) -> f64 {
        let learner = &self.learners[learner];
        let steps = (self.settings.epochs * self.rounds() * learner.every).max(1);
        (learner.steps as f64 / steps as f64).min(1.0)
    }

    /// Sets a hyperparameter for the steps that follow: `"weight"` of one loss alone, `"discriminate.gp"` where
    /// there are several.
    ///
    /// # Errors
    /// [`Error::Unknown`] where there is none of that name.
    pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
        let (loss, hyper) = self.hyper(name)?;
        self.learners[loss].set(hyper, value);
        Ok(())
    }

    /// The loss and the position of a hyperparameter.
    fn hyper(&self, name: &str) -> Result<(usize, usize)> {
        let several = self.learners.len() > 1;
        let mut known = Vec::new();
        for (at, learner) in self.learners.iter().enumerate() {
            for (position, hyper) in learner.session.spec.hypers.iter().enumerate() {
                let full = match several {
                    true => format!("{}.{}", learner.name(), hyper.name),
                    false => hyper.name.to_owned(),
                };
                if full == name {
                    return Ok((at, position));
                }
                known.push(full);
            }
        }
        Err(Error::Unknown { kind: "hyperparameter", name: name.to_owned(), known })
    }

    /// Whether all rounds of the epoch are done.
    fn epoch_is_over(&self) -> bool {
        self.round >= self.rounds()
    }

    fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.round = 0;
        self.learners.iter_mut().for_each(Learner::begin_epoch);
    }

    /// One step of the loss whose turn it is, on its next batch. Returns that loss before the update.
    ///
    /// # Errors
    /// [`Error::Diverged`] where the loss or a named part is no longer finite.
    pub fn step(&mut self) -> Result<f64> {
        let loss = self.advance()?;
        match &mut self.device {
            Some(device) => self.learners[self.last].settle(device, self.last),
            None => Ok(loss),
        }
    }

    /// A step; on a device it is begun, and the loss unknown.
    fn advance(&mut self) -> Result<f64> {
        if self.epoch_is_over() {
            self.begin_epoch();
        }
        let turn = self.turn;
        let share = self.share(turn);
        for (loss, hyper, (_, value)) in &self.anneal {
            if *loss == turn {
                self.learners[turn].set(*hyper, value(share));
            }
        }
        self.step += 1;
        let learner = &mut self.learners[turn];
        let loss = match &mut self.device {
            None => learner.step(&mut self.store, self.data.as_ref(), &self.settings, share, self.step)?,
            Some(device) => {
                learner.step_on(device, turn, &self.settings, share, self.step)?;
                f64::NAN
            }
        };
        for projector in self.projectors.iter_mut().filter(|projector| projector.follows[turn]) {
            let values = &mut self.store.values;
            if let Some(device) = &self.device {
                for (start, len) in projector.places() {
                    device.read_part(start, &mut values[start..start + len]).map_err(Failure::said)?;
                }
            }
            projector.apply(values);
            if let Some(device) = &self.device {
                for (start, len) in projector.places() {
                    device.write_part(start, &values[start..start + len]).map_err(Failure::said)?;
                }
            }
        }
        (self.last, self.taken) = (turn, self.taken + 1);
        if self.taken == self.learners[turn].every {
            (self.taken, self.turn) = (0, turn + 1);
        }
        if self.turn == self.learners.len() {
            (self.turn, self.round) = (0, self.round + 1);
        }
        Ok(loss)
    }

    /// The gradient of the last step, all parameters that its loss trains one after the other.
    ///
    /// # Errors
    /// Where it lies on a device that fails.
    pub fn gradient(&self) -> Result<Cow<'_, [F]>> {
        match &self.device {
            None => Ok(Cow::Borrowed(&self.learners[self.last].session.grads)),
            Some(device) => Ok(Cow::Owned(device.gradients(self.last).map_err(Failure::said)?)),
        }
    }

    /// The model as it is now.
    ///
    /// # Errors
    /// Where it lies on a device that fails.
    pub fn model(&self) -> Result<Model<F>> {
        let mut store = self.store.clone();
        if let Some(device) = &self.device {
            device.read(&mut store.values).map_err(Failure::said)?;
        }
        Ok(Model::of(store, self.settings.seed))
    }

    /// Takes the steps that are left and hands over the model.
    ///
    /// # Errors
    /// As [`Training::step`]; also where the run folder cannot be written.
    pub fn finish(mut self) -> Result<Model<F>> {
        let begin = std::time::Instant::now();
        let mut progress = self.progress();
        while self.epoch < self.settings.epochs {
            while !self.epoch_is_over() {
                self.advance()?;
                progress.step();
            }
            if let Some(device) = &mut self.device {
                for (index, learner) in self.learners.iter_mut().enumerate() {
                    learner.settle(device, index)?;
                }
            }
            let report = self.report(begin.elapsed().as_secs_f64())?;
            let parts = report.parts();
            let parts: Vec<(&str, f64)> = parts.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            let rows = self.learners.iter().map(|learner| learner.every * self.data.rows()).sum();
            progress.epoch(rows, &parts);
            if let Some(run) = &self.settings.record {
                run.metrics(report.step, report.epoch, &parts)?;
            }
            if let Some(then) = &mut self.settings.on_epoch {
                then(&report);
            }
            self.begin_epoch();
        }
        progress.finish();
        if let Some(device) = &self.device {
            device.read(&mut self.store.values).map_err(Failure::said)?;
        }
        Ok(Model::of(self.store, self.settings.seed))
    }

    fn progress(&self) -> Progress {
        if self.settings.quiet {
            return Progress::silent();
        }
        if self.fresh && !self.untrained.is_empty() {
            eprintln!("no loss trains {}: first values stay", self.untrained.join(", "));
        }
        let names: Vec<&str> = self.learners.iter().map(Learner::name).collect();
        Progress::new(&names.join(" + "), self.settings.epochs, self.steps_per_epoch())
    }

    fn report(&mut self, seconds: f64) -> Result<EpochReport> {
        let mut losses = Vec::with_capacity(self.learners.len());
        for (index, learner) in self.learners.iter_mut().enumerate() {
            let validation = match (&self.held_out, &mut self.device) {
                (None, _) => None,
                (Some(data), None) => Some(evaluate_means(&mut learner.evaluation, &self.store, data)?),
                (Some(_), Some(device)) => {
                    let values = device.evaluate(index, learner.hypers()).map_err(Failure::said)?;
                    values.map(|values| means(learner.session.spec, values.into_iter()))
                }
            };
            let train = means(learner.session.spec, learner.means());
            losses.push(LossReport { name: learner.name(), train, validation });
        }
        let (epoch, epochs, step) = (self.epoch + 1, self.settings.epochs, self.step);
        Ok(EpochReport { epoch, epochs, step, losses, seconds })
    }
}
