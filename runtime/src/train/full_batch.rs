//! Training on all rows at once, by a method that evaluates a loss several times a step.
//!
//! In: one loss, data, a method. Out: a model, and how its minimum was reached. Never: noise that differs from one
//! evaluation to the next: they are all of step 0, so that there is one function to minimise.

use diabolo_kernels::Float;

use super::lbfgs::{Lbfgs, Minimum, minimise};
use super::learner::check_finite;
use super::losses::Losses;
use super::{Schedule, Settings, in_threads};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::program::{Loss, Spec};
use crate::session::Session;
use crate::store::Store;

/// Trains one loss on all rows at once; made by [`Trainer::full_batch`](super::Trainer::full_batch).
///
/// `batch` and `epochs` have no meaning here: an evaluation sees every row, and the method has limits of its own.
pub struct FullBatch<L, F: Float> {
    pub(super) loss: L,
    pub(super) method: Lbfgs,
    pub(super) settings: Settings,
    pub(super) precision: std::marker::PhantomData<F>,
}

impl<L: Loss, F: Float> FullBatch<L, F> {
    /// Trains a fresh model. Also returns how the minimum was reached.
    ///
    /// # Errors
    /// Settings that only steps can follow, data that does not fit the loss, a first loss that is not finite.
    pub fn fit(self, data: &Data) -> Result<(Model<F>, Minimum)> {
        in_threads(self.settings.threads, move || self.run(Store::default(), data))?
    }

    /// Trains a model further.
    ///
    /// # Errors
    /// As [`FullBatch::fit`], and where the model's parameters are those of other networks.
    pub fn resume(self, model: Model<F>, data: &Data) -> Result<(Model<F>, Minimum)> {
        in_threads(self.settings.threads, move || self.run(model.store, data))?
    }

    fn run(self, mut store: Store<F>, data: &Data) -> Result<(Model<F>, Minimum)> {
        let FullBatch { loss, method, settings, .. } = &self;
        let spec = loss.spec()?;
        check(spec, settings, method, data)?;
        store.initialise(spec, settings.seed)?;
        let Some(bound) = loss.bind::<F>()?.pop() else { return Err(Error::config("there is no loss")) };
        let mut session = Session::training(&store, &bound, settings.seed)?;
        session.fit_shapes(data)?;
        session.resize(data.rows());
        session.fill(data, 0..data.rows())?;
        let places: Vec<(usize, usize)> =
            spec.trained.iter().map(|&param| (session.offsets()[param], spec.elements(&[param]))).collect();
        let mut x: Vec<F> =
            places.iter().flat_map(|&(at, len)| store.values[at..at + len].to_vec()).collect();
        session.run(&store.values, 0);
        check_finite(&session, 0)?;
        session.inspects = false;
        let end = minimise(method, &mut x, |x, gradient| {
            scatter(x, &places, &mut store.values);
            session.run(&store.values, 0);
            gradient.copy_from_slice(&session.grads);
            session.metrics[0].to_f64()
        });
        scatter(&x, &places, &mut store.values);
        if !settings.quiet {
            eprintln!("{}  {end}", spec.name);
        }
        Ok((Model::of(store, settings.seed), end))
    }
}

/// Puts trained values, one parameter after the other, into their places in the model.
fn scatter<F: Float>(x: &[F], places: &[(usize, usize)], values: &mut [F]) {
    let mut rest = x;
    for &(at, len) in places {
        let (this, after) = rest.split_at(len);
        values[at..at + len].copy_from_slice(this);
        rest = after;
    }
}

/// What a minimisation cannot follow.
fn check(spec: &Spec, settings: &Settings, method: &Lbfgs, data: &Data) -> Result<()> {
    if data.rows() == 0 {
        return Err(Error::Empty { what: "the data".to_owned() });
    }
    let limits = [method.gradient, method.change];
    if method.memory == 0 || limits.iter().any(|limit| limit.is_nan()) {
        return Err(Error::config("Lbfgs takes a memory of 1 or more, and limits that are numbers"));
    }
    let set = [
        ("device", settings.device.shared.is_some()),
        ("anneal", !settings.anneal.is_empty()),
        ("clip_norm", settings.clip_norm.is_some()),
        ("schedule", settings.schedule != Schedule::Constant),
        ("project", !settings.projections.is_empty()),
        ("validation", settings.validation != 0.0),
        ("record", settings.record.is_some()),
        ("on_epoch", settings.on_epoch.is_some()),
    ];
    if let Some((name, _)) = set.iter().find(|(_, set)| *set) {
        return Err(Error::config(format!(
            "`{name}` follows steps and epochs, and full_batch has none: leave it out"
        )));
    }
    match spec.states.first() {
        Some(&state) => Err(Error::config(format!(
            "`{}` updates the state `{}` after each step, and full_batch has none",
            spec.name, spec.params[state].path
        ))),
        None => Ok(()),
    }
}
