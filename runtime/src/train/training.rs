//! The training loop, a step at a time.
//!
//! In: a bound loss, data, settings. Out: a model, reports. Never: an allocation in a warm step.

use std::borrow::Cow;

use diabolo_kernels::Float;

use super::order::shuffle;
use super::updates::{Updates, clip};
use super::{Schedule, Settings};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::{Means, Model};
use crate::program::{Loss, Optimizer};
use crate::report::Progress;
use crate::session::{Session, evaluate_means, means};
use crate::store::Store;

/// What is known after an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Steps taken so far.
    pub step: u64,
    /// Means over the rows of the epoch, in training mode.
    pub train: Means,
    /// Means over the validation rows, in evaluation mode.
    pub validation: Option<Means>,
    /// Seconds since training began.
    pub seconds: f64,
}

impl EpochReport {
    /// Every value by name: `loss`, its parts, and the loss on the validation rows.
    pub fn parts(&self) -> Vec<(&str, f64)> {
        let parts = self.train.parts.iter().map(|(name, value)| (name.as_str(), *value));
        let validation = self.validation.iter().map(|means| ("validation", means.loss));
        std::iter::once(("loss", self.train.loss)).chain(parts).chain(validation).collect()
    }
}

/// Training under way.
pub struct Training<'d, O, F: Float = f32> {
    session: Session<F>,
    evaluation: Session<F>,
    store: Store<F>,
    updates: Updates<O, F>,
    settings: Settings,
    data: Cow<'d, Data>,
    held_out: Option<Data>,
    order: Vec<usize>,
    draws: Vec<f64>,
    cursor: usize,
    epoch: usize,
    step: u64,
    sums: Vec<f64>,
}

impl<'d, O: Optimizer, F: Float> Training<'d, O, F> {
    pub(super) fn new<L: Loss>(
        loss: L,
        optimizer: &O,
        settings: Settings,
        model: Option<Model<F>>,
        data: &'d Data,
    ) -> Result<Self> {
        check(&settings, data)?;
        let spec = loss.spec()?;
        let mut store = model.map(|model| model.store).unwrap_or_default();
        store.initialise(spec, settings.seed)?;
        let (data, held_out) = match settings.validation {
            0.0 => (Cow::Borrowed(data), None),
            share => {
                let (rest, held_out) = data.split(share, settings.seed)?;
                (Cow::Owned(rest), Some(held_out))
            }
        };
        let mut session = Session::train(&store, &loss, settings.seed)?;
        let evaluation = Session::evaluate(&store, &loss, settings.seed)?;
        for (name, _) in &settings.anneal {
            if !spec.hypers.iter().any(|hyper| hyper.name == name) {
                let known = spec.hypers.iter().map(|hyper| hyper.name.to_owned()).collect();
                return Err(Error::Unknown { kind: "hyperparameter", name: name.clone(), known });
            }
        }
        let updates = Updates::new(optimizer, spec, session.offsets());
        if settings.schedule != Schedule::Constant {
            updates.require_rate()?;
        }
        session.fit_shapes(data.as_ref())?;
        session.resize(settings.batch.min(data.rows()));
        let rows = data.rows();
        let mut training = Training {
            sums: vec![0.0; session.metrics.len()],
            session,
            evaluation,
            store,
            updates,
            settings,
            data,
            held_out,
            order: vec![0; rows],
            draws: vec![0.0; rows],
            cursor: 0,
            epoch: 0,
            step: 0,
        };
        training.begin_epoch();
        Ok(training)
    }

    fn begin_epoch(&mut self) {
        shuffle(&mut self.order, &mut self.draws, self.settings.seed, self.epoch as u64);
        self.cursor = 0;
        self.sums.fill(0.0);
    }

    /// Steps of one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.order.len().div_ceil(self.settings.batch)
    }

    /// The share of training that is done.
    fn share(&self) -> f64 {
        let steps = (self.settings.epochs * self.steps_per_epoch()).max(1);
        (self.step as f64 / steps as f64).min(1.0)
    }

    /// Sets a hyperparameter of the loss for the steps that follow.
    ///
    /// # Errors
    /// [`Error::Unknown`] where the loss has none of that name.
    pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
        let hypers = self.session.spec.hypers;
        match hypers.iter().position(|hyper| hyper.name == name) {
            Some(at) => {
                self.session.hypers[at] = F::from_f64(value);
                self.evaluation.hypers[at] = F::from_f64(value);
                Ok(())
            }
            None => Err(Error::Unknown {
                kind: "hyperparameter",
                name: name.to_owned(),
                known: hypers.iter().map(|hyper| hyper.name.to_owned()).collect(),
            }),
        }
    }

    /// One step on the next batch. Returns the loss before the update.
    ///
    /// # Errors
    /// [`Error::Diverged`] where the loss or a named part is no longer finite.
    pub fn step(&mut self) -> Result<f64> {
        if self.cursor >= self.order.len() {
            self.epoch += 1;
            self.begin_epoch();
        }
        let share = self.share();
        for (name, value) in &self.settings.anneal {
            if let Some(at) = self.session.spec.hypers.iter().position(|hyper| hyper.name == name) {
                let value = F::from_f64(value(share));
                (self.session.hypers[at], self.evaluation.hypers[at]) = (value, value);
            }
        }
        let end = (self.cursor + self.settings.batch).min(self.order.len());
        self.session.inspects = self.cursor == 0;
        self.session.resize(end - self.cursor);
        self.session.gather(&self.data, &self.order[self.cursor..end])?;
        self.session.step = self.step;
        self.session.run(&self.store.values, 0);
        self.step += 1;
        self.check_finite()?;
        for (sum, mean) in self.sums.iter_mut().zip(&self.session.metrics) {
            *sum += mean.to_f64() * (end - self.cursor) as f64;
        }
        if let Some(norm) = self.settings.clip_norm {
            clip(&mut self.session.grads, norm);
        }
        let factor = self.settings.schedule.factor(share);
        self.updates.apply(&mut self.store.values, &self.session.grads, factor, self.step);
        self.cursor = end;
        Ok(self.session.metrics[0].to_f64())
    }

    fn check_finite(&self) -> Result<()> {
        match self.session.metrics.iter().position(|value| !value.to_f64().is_finite()) {
            None => Ok(()),
            Some(at) => {
                let name = if at == 0 { self.session.spec.name } else { self.session.spec.metrics[at - 1] };
                Err(Error::Diverged {
                    step: self.step,
                    name: name.to_owned(),
                    value: self.session.metrics[at].to_f64(),
                })
            }
        }
    }

    /// The gradient of the last step, all trained parameters one after the other.
    pub fn gradient(&self) -> &[F] {
        &self.session.grads
    }

    /// The model as it is now.
    pub fn model(&self) -> Model<F> {
        Model { store: self.store.clone(), seed: self.settings.seed }
    }

    /// Takes the steps that are left and hands over the model.
    ///
    /// # Errors
    /// As [`Training::step`]; also where the run folder cannot be written.
    pub fn finish(mut self) -> Result<Model<F>> {
        let begin = std::time::Instant::now();
        let spec = self.session.spec;
        let mut progress = match self.settings.quiet {
            true => Progress::silent(),
            false => Progress::new(spec.name, self.settings.epochs, self.steps_per_epoch()),
        };
        while self.epoch < self.settings.epochs {
            while self.cursor < self.order.len() {
                self.step()?;
                progress.step();
            }
            let rows = self.order.len() as f64;
            let report = EpochReport {
                epoch: self.epoch + 1,
                epochs: self.settings.epochs,
                step: self.step,
                train: means(spec, self.sums.iter().map(|sum| sum / rows)),
                validation: match &self.held_out {
                    Some(data) => Some(evaluate_means(&mut self.evaluation, &self.store, data)?),
                    None => None,
                },
                seconds: begin.elapsed().as_secs_f64(),
            };
            let parts = report.parts();
            progress.epoch(self.order.len(), &parts);
            if let Some(run) = &self.settings.record {
                run.metrics(report.step, report.epoch, &parts)?;
            }
            if let Some(then) = &mut self.settings.on_epoch {
                then(&report);
            }
            self.epoch += 1;
            self.begin_epoch();
        }
        progress.finish();
        Ok(Model { store: self.store, seed: self.settings.seed })
    }
}

/// Settings that cannot train.
fn check(settings: &Settings, data: &Data) -> Result<()> {
    if data.rows() == 0 {
        return Err(Error::Empty { what: "the data".to_owned() });
    }
    if settings.batch == 0 {
        return Err(Error::config("a batch of 0 rows cannot train"));
    }
    if !(0.0..1.0).contains(&settings.validation) {
        return Err(Error::config(format!("validation takes a share in 0..1, not {}", settings.validation)));
    }
    if settings.clip_norm.is_some_and(|norm| norm.is_nan() || norm <= 0.0) {
        return Err(Error::config("clip_norm takes a positive norm"));
    }
    Ok(())
}
