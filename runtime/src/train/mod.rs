//! Training: what to minimise, by which optimizer, for how long.
//!
//! In: a loss, data, settings. Out: a [`Model`]. Never: a step that allocates after warm-up, or a result
//! that depends on the number of threads.

mod checks;
mod full_batch;
mod lbfgs;
mod learner;
mod line_search;
mod losses;
mod order;
mod report;
mod schedule;
mod training;
mod updates;

pub use full_batch::FullBatch;
pub use lbfgs::{Lbfgs, Minimum, Stopped};
pub(crate) use losses::BoundLoss;
pub use losses::{IntoLosses, Losses, Optimizers};
pub use report::{EpochReport, LossReport};
pub use schedule::Schedule;
pub use training::Training;

use std::marker::PhantomData;

use diabolo_kernels::Float;

use crate::data::Data;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::model::{Model, inside_pool};
use crate::optimizers::Adam;
use crate::program::{IntoRoot, Loss, Optimizer};
use crate::projection::{IntoProjection, IntoTarget, Projection, Target};
use crate::report::Run;

/// A change of a hyperparameter over training: its name, and its value at a share of training in [0, 1].
type Anneal = (String, Box<dyn Fn(f64) -> f64 + Send>);

/// What is called after an epoch.
type Listener = Box<dyn FnMut(&EpochReport) + Send>;

/// How training ends, what it reports, and all else that is not the loss or the optimizer.
pub(crate) struct Settings {
    pub batch: usize,
    pub epochs: usize,
    pub seed: u64,
    pub threads: Option<usize>,
    pub schedule: Schedule,
    pub anneal: Vec<Anneal>,
    pub clip_norm: Option<f64>,
    pub validation: f64,
    pub quiet: bool,
    pub record: Option<Run>,
    pub on_epoch: Option<Listener>,
    /// Consecutive steps of each loss in a round; none stands for one each.
    pub every: Vec<usize>,
    pub projections: Vec<(Target, Projection)>,
    pub device: Device,
}

/// Trains the networks of a loss, or of several that take turns.
///
/// Defaults: Adam at 1e-3, batches of 128 rows, 20 epochs, seed 0, every processor, float32.
pub struct Trainer<L, O = Adam, F: Float = f32> {
    losses: L,
    optimizer: O,
    settings: Settings,
    precision: PhantomData<F>,
}

impl<L: Loss> Trainer<L> {
    /// A trainer for a loss: `Trainer::new(contractive)` or `Trainer::new(contractive { lambda: 0.2 })`.
    pub fn new<I: IntoRoot<Root = L>>(loss: I) -> Self {
        Trainer::of(loss.into_root())
    }
}

impl<L: Losses> Trainer<L> {
    /// A trainer for several losses, each a step in turn: `Trainer::alternate((reconstruct, discriminate))`.
    ///
    /// In a round every loss takes its [`every`](Trainer::every) steps, in the order of the tuple; an epoch has as
    /// many rounds as the data has batches. Each step has the next batch of its own loss's way through the data,
    /// in an order of its own: so in an epoch a loss sees every row `every` times. Each loss has its own noise, its
    /// own optimizer state and its own count of steps, which schedules and annealing follow; the parameters are
    /// one model's. Parts are logged as `reconstruct`, `reconstruct.recon`.
    pub fn alternate<I: IntoLosses<Losses = L>>(losses: I) -> Self {
        Trainer::of(losses.into_losses())
    }

    fn of(losses: L) -> Self {
        let settings = Settings {
            batch: 128,
            epochs: 20,
            seed: 0,
            threads: None,
            schedule: Schedule::Constant,
            anneal: Vec::new(),
            clip_norm: None,
            validation: 0.0,
            quiet: false,
            record: None,
            on_epoch: None,
            every: Vec::new(),
            projections: Vec::new(),
            device: Device::cpu(),
        };
        Trainer { losses, optimizer: Adam::new(1e-3), settings, precision: PhantomData }
    }
}

impl<L: Losses, O: Optimizers<L>, F: Float> Trainer<L, O, F> {
    /// The optimizer; see [`crate::nn`], or one of your own. Of several losses, each gets one of its own like it.
    pub fn optimizer<P: Optimizer>(self, optimizer: P) -> Trainer<L, P, F> {
        self.optimizers(optimizer)
    }

    /// An optimizer for each loss: `optimizers((Adam::new(1e-3), Sgd::new(1e-2)))`, or one for all.
    pub fn optimizers<P: Optimizers<L>>(self, optimizers: P) -> Trainer<L, P, F> {
        Trainer {
            losses: self.losses,
            optimizer: optimizers,
            settings: self.settings,
            precision: PhantomData,
        }
    }

    /// How many steps each loss takes in a round: `every((1, 5, 1))` gives the second five steps to one of the
    /// others.
    pub fn every(mut self, steps: L::Counts) -> Self {
        self.settings.every = L::counts(steps);
        self
    }

    /// Keeps parameters in a set, as by `project(basis, orthonormal_rows)`: first their first values, then after
    /// every step of a loss that trains them.
    ///
    /// The first argument is a network, all of whose parameters are meant (those of networks that it calls are
    /// not), or the path of one: `"encode.dense0.weight"`. The second is one of [`crate::projection`] or a
    /// `#[function]` from a matrix to a matrix, run in evaluation mode. Several are applied in their order.
    pub fn project<P: IntoRoot>(mut self, parameters: impl IntoTarget, onto: P) -> Self
    where
        P::Root: IntoProjection,
    {
        let projection = onto.into_root().into_projection();
        self.settings.projections.push((parameters.into_target(), projection));
        self
    }

    /// The precision of everything: `f32` (the default) or `f64`.
    pub fn precision<G: Float>(self) -> Trainer<L, O, G> {
        Trainer {
            losses: self.losses,
            optimizer: self.optimizer,
            settings: self.settings,
            precision: PhantomData,
        }
    }

    /// Rows a step. The last batch of an epoch has what is left.
    pub fn batch(mut self, rows: usize) -> Self {
        self.settings.batch = rows;
        self
    }

    /// Passes over the data.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.settings.epochs = epochs;
        self
    }

    /// The seed of initial values, of the order of rows, and of the noise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// How many threads; the result is the same for any number.
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.threads = Some(threads);
        self
    }

    /// Where training runs: `device(Device::cuda(0)?)`. On a GPU in f32 only; the data lie there while it trains, and the
    /// model comes back when it is asked for. Noise and the order of rows are the processor's to the bit. A projection is
    /// computed on the processor, which costs a wait and two copies of its parameters a step.
    pub fn device(mut self, device: Device) -> Self {
        self.settings.device = device;
        self
    }

    /// How the learning rate changes over training.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.settings.schedule = schedule;
        self
    }

    /// Changes a hyperparameter of the loss: its value at a share of training between 0 and 1. Of several losses
    /// it is named with its loss: `"discriminate.gp"`.
    pub fn anneal(mut self, name: &str, value: impl Fn(f64) -> f64 + Send + 'static) -> Self {
        self.settings.anneal.push((name.to_owned(), Box::new(value)));
        self
    }

    /// Scales gradients whose Euclidean norm (over all parameters of a step) is above `norm` down to it.
    pub fn clip_norm(mut self, norm: f64) -> Self {
        self.settings.clip_norm = Some(norm);
        self
    }

    /// Keeps this share of the rows out of training and reports the loss on them.
    pub fn validation(mut self, share: f64) -> Self {
        self.settings.validation = share;
        self
    }

    /// Prints nothing.
    pub fn quiet(mut self) -> Self {
        self.settings.quiet = true;
        self
    }

    /// Writes the metrics of every epoch into a run folder.
    pub fn record(mut self, run: &Run) -> Self {
        self.settings.record = Some(run.clone());
        self
    }

    /// Calls `then` after every epoch.
    pub fn on_epoch(mut self, then: impl FnMut(&EpochReport) + Send + 'static) -> Self {
        self.settings.on_epoch = Some(Box::new(then));
        self
    }

    /// Trains a fresh model.
    ///
    /// # Errors
    /// Settings that make no sense, data that does not fit the loss, a loss that is no longer finite.
    pub fn fit(self, data: &Data) -> Result<Model<F>> {
        let threads = self.settings.threads;
        in_threads(threads, move || self.start(data)?.finish())?
    }

    /// Trains a model further: its values are the first values; networks that it lacks start afresh.
    ///
    /// # Errors
    /// As [`Trainer::fit`], and where the model's parameters are those of other networks.
    pub fn resume(self, model: Model<F>, data: &Data) -> Result<Model<F>> {
        let threads = self.settings.threads;
        in_threads(threads, move || {
            Training::new(&self.losses, &self.optimizer, self.settings, Some(model), data)?.finish()
        })?
    }

    /// Prepares training without a step, for loops of one's own: [`Training::step`], [`Training::finish`].
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn start(self, data: &Data) -> Result<Training<'_, F>> {
        Training::new(&self.losses, &self.optimizer, self.settings, None, data)
    }

    /// The name of the loss, with its sizes: `vanilla<8>`; of several, one after the other.
    ///
    /// # Errors
    /// [`Error::Sizes`] where a loss was not compiled for its sizes.
    pub fn name(&self) -> Result<String> {
        let names: Vec<&str> = self.losses.specs()?.iter().map(|spec| spec.name).collect();
        Ok(names.join(", "))
    }

    /// The plan of the training step, of several losses one after the other: stages, loops, products, and the sizes
    /// its costs assumed. Of a loss that was not compiled for its sizes, nothing; [`Trainer::fit`] says so.
    pub fn plan(&self) -> String {
        let specs = self.losses.specs().unwrap_or_default();
        specs.iter().map(|spec| spec.plan).collect::<Vec<_>>().join("\n")
    }
}

impl<L: Loss, O, F: Float> Trainer<L, O, F> {
    /// All rows at once by a method that evaluates the loss several times a step, in the place of an optimizer:
    /// `Trainer::new(linear).precision::<f64>().full_batch(Lbfgs::new())`. Every evaluation draws the same noise.
    pub fn full_batch(self, method: Lbfgs) -> FullBatch<L, F> {
        FullBatch { loss: self.losses, method, settings: self.settings, precision: PhantomData }
    }
}

/// Runs `work` in a pool of so many threads, or in the current one.
fn in_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T> {
    match threads {
        None => Ok(inside_pool(work)),
        Some(0) => Err(Error::config("0 threads cannot train")),
        Some(threads) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool =
                pool.map_err(|e| Error::config(format!("{threads} threads cannot be started: {e}")))?;
            Ok(pool.install(work))
        }
    }
}
