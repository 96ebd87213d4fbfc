//! Training: what to minimise, by which optimizer, for how long.
//!
//! In: a loss, data, settings. Out: a [`Model`]. Never: a step that allocates after warm-up, or a result
//! that depends on the number of threads.

mod order;
mod schedule;
mod training;
mod updates;

pub use schedule::Schedule;
pub use training::{EpochReport, Training};

use std::marker::PhantomData;

use diabolo_kernels::Float;

use crate::data::Data;
use crate::error::{Error, Result};
use crate::model::{Model, inside_pool};
use crate::optimizers::Adam;
use crate::program::{IntoRoot, Loss, Optimizer};
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
}

/// Trains the networks of a loss.
///
/// Defaults: Adam at 1e-3, batches of 128 rows, 20 epochs, seed 0, every processor, float32.
pub struct Trainer<L, O = Adam, F: Float = f32> {
    loss: L,
    optimizer: O,
    settings: Settings,
    precision: PhantomData<F>,
}

impl<L: Loss> Trainer<L> {
    /// A trainer for a loss: `Trainer::new(contractive)` or `Trainer::new(contractive { lambda: 0.2 })`.
    pub fn new<I: IntoRoot<Root = L>>(loss: I) -> Self {
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
        };
        Trainer { loss: loss.into_root(), optimizer: Adam::new(1e-3), settings, precision: PhantomData }
    }
}

impl<L: Loss, O: Optimizer, F: Float> Trainer<L, O, F> {
    /// The optimizer; see [`crate::nn`], or one of your own.
    pub fn optimizer<P: Optimizer>(self, optimizer: P) -> Trainer<L, P, F> {
        Trainer { loss: self.loss, optimizer, settings: self.settings, precision: PhantomData }
    }

    /// The precision of everything: `f32` (the default) or `f64`.
    pub fn precision<G: Float>(self) -> Trainer<L, O, G> {
        Trainer {
            loss: self.loss,
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

    /// How the learning rate changes over training.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.settings.schedule = schedule;
        self
    }

    /// Changes a hyperparameter of the loss: its value at a share of training between 0 and 1.
    pub fn anneal(mut self, name: &str, value: impl Fn(f64) -> f64 + Send + 'static) -> Self {
        self.settings.anneal.push((name.to_owned(), Box::new(value)));
        self
    }

    /// Scales gradients whose Euclidean norm (over all parameters) is above `norm` down to it.
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
            Training::new(self.loss, &self.optimizer, self.settings, Some(model), data)?.finish()
        })?
    }

    /// Prepares training without a step, for loops of one's own: [`Training::step`], [`Training::finish`].
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn start(self, data: &Data) -> Result<Training<'_, O, F>> {
        Training::new(self.loss, &self.optimizer, self.settings, None, data)
    }

    /// The name of the loss, with its sizes: `vanilla<8>`.
    ///
    /// # Errors
    /// [`Error::Sizes`] where the loss was not compiled for its sizes.
    pub fn name(&self) -> Result<&'static str> {
        Ok(self.loss.spec()?.name)
    }

    /// The plan of the training step: stages, loops, products, and the sizes its costs assumed. Of a loss that was
    /// not compiled for its sizes, nothing; [`Trainer::fit`] says so.
    pub fn plan(&self) -> &'static str {
        self.loss.spec().map_or("", |spec| spec.plan)
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
