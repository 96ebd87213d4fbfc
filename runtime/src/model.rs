//! A trained model: named parameters, and any annotated function run on them.
//!
//! In: roots, data, checkpoints. Out: results, means of losses, checkpoints. Never: a parameter matched by
//! name alone where its network is known to be another one.

use std::collections::BTreeMap;
use std::path::Path;

use diabolo_kernels::Float;

use crate::checkpoint::{self, Values};
use crate::data::Array;
use crate::device::{Device, Evaluation, Failure};
use crate::error::{Error, Result};
use crate::program::{IntoRoot, Loss, Results, Root, Spec};
use crate::session::{Session, evaluate_means};
use crate::source::Source;
use crate::store::Store;

/// The loss and its named parts: means over the rows of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// The loss.
    pub loss: f64,
    /// Its named parts, in the order of the function.
    pub parts: Vec<(String, f64)>,
}

impl Means {
    /// A named part.
    pub fn part(&self, name: &str) -> Option<f64> {
        self.parts.iter().find(|(part, _)| part == name).map(|(_, value)| *value)
    }
}

impl std::fmt::Display for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.4}", self.loss)?;
        self.parts.iter().try_for_each(|(name, value)| write!(f, "  {name} {value:.4}"))
    }
}

/// The parameters of one or more networks.
#[derive(Clone)]
pub struct Model<F: Float = f32> {
    pub(crate) store: Store<F>,
    pub(crate) seed: u64,
    device: Device,
}

impl<F: Float> Model<F> {
    /// A model that runs on the processor.
    pub(crate) fn of(store: Store<F>, seed: u64) -> Self {
        Model { store, seed, device: Device::cpu() }
    }

    /// The networks that `root` uses, with their initial values: each parameter is drawn by a stream of
    /// `seed` and its name.
    ///
    /// # Errors
    /// [`Error::Identity`] where two different networks share a name.
    pub fn untrained<I: IntoRoot>(root: I, seed: u64) -> Result<Self>
    where
        I::Root: Root,
    {
        let mut store = Store::default();
        store.initialise(root.into_root().spec()?, seed)?;
        Ok(Model::of(store, seed))
    }

    /// The seed of the functions that draw random numbers; the same seed gives the same numbers.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Where [`run`](Model::run), [`mean`](Model::mean) and [`iterate`](Model::iterate) compute: on the processor, unless this
    /// says otherwise, also after training on a GPU. Each of them brings the parameters to the device once and the rows in
    /// batches, and takes the results back: it pays for many rows of a wide network. What they say is that of the processor
    /// to rounding, random numbers to the bit.
    ///
    /// ```no_run
    /// # use diabolo::prelude::*;
    /// use diabolo::device::Device;
    /// # #[encoder] fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> { diabolo::nn::dense(x, 8) }
    ///
    /// # fn main() -> diabolo::Result<()> {
    /// let model: Model = Model::load("model.safetensors")?.device(Device::cuda(0)?);
    /// let codes = model.run(encode, &diabolo::data::digits().test)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// A root with the parameters of this model, where it is to run.
    fn session<R: Root>(&self, root: &R) -> Result<Session<F>> {
        let mut session = Session::evaluate(&self.store, root, self.seed)?;
        session.device =
            Evaluation::new::<F>(&self.device, session.spec, root.evaluate_cuda()).map_err(Failure::said)?;
        Ok(session)
    }

    /// Runs an annotated function on every row of `input`, in evaluation mode.
    ///
    /// # Errors
    /// Where the data has no such column, a shape differs, the model lacks a network of `root`, or a device fails.
    pub fn run<I: IntoRoot>(
        &self,
        root: I,
        input: &(impl Source<F> + ?Sized),
    ) -> Result<<I::Root as Root>::Results<F>>
    where
        I::Root: Root,
    {
        let root = root.into_root();
        let mut session = self.session(&root)?;
        let arrays = inside_pool(|| session.results(&self.store, input))?;
        Results::collect(arrays.into_iter())
            .ok_or_else(|| Error::config(format!("`{}` returns nothing to hand out", session.spec.name)))
    }

    /// The mean of a loss and of its named parts over every row of `data`, in evaluation mode.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn mean<I: IntoRoot>(&self, loss: I, data: &(impl Source<F> + ?Sized)) -> Result<Means>
    where
        I::Root: Loss,
    {
        let loss = loss.into_root();
        let mut session = self.session(&loss)?;
        inside_pool(|| evaluate_means(&mut session, &self.store, data))
    }

    /// Steps a function that maps an array to one of the same shape: `count` times, with fresh numbers at
    /// every turn.
    ///
    /// # Errors
    /// As [`Model::run`], and where the result's shape is not the input's.
    pub fn iterate<I: IntoRoot>(&self, root: I, start: Array<F>, count: usize) -> Result<Array<F>>
    where
        I::Root: Root<Results<F> = Array<F>>,
    {
        let root = root.into_root();
        let mut session = self.session(&root)?;
        inside_pool(|| {
            let mut current = start;
            for turn in 0..count {
                session.step = turn as u64;
                let next = session.results(&self.store, &current)?.into_iter().next();
                let next = next.ok_or_else(|| Error::config("the function returns nothing".to_owned()))?;
                if next.shape() != current.shape() {
                    return Err(session.shape_error("the result", current.shape(), next.shape()));
                }
                current = next;
            }
            Ok(current)
        })
    }

    /// The names and shapes of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.store.entries.iter().map(|e| (e.path.as_str(), e.shape.as_slice()))
    }

    /// The number of weights.
    pub fn weights(&self) -> usize {
        self.store.values.len()
    }

    /// The values of one parameter.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is none of that name.
    pub fn parameter(&self, path: &str) -> Result<Array<F>> {
        let entry = self.store.entry(path)?;
        let values = self.store.values[entry.offset..][..entry.len()].to_vec();
        Array::new(&entry.shape, values)
    }

    /// Replaces the values of one parameter.
    ///
    /// # Errors
    /// [`Error::Missing`], or [`Error::Shape`] where the shapes differ.
    pub fn set_parameter(&mut self, path: &str, value: &Array<F>) -> Result<()> {
        let entry = self.store.entry(path)?;
        if entry.shape != value.shape() {
            return Err(Error::Shape {
                thing: path.to_owned(),
                expected: format!("{:?}", entry.shape),
                found: format!("{:?}", value.shape()),
                place: "set_parameter".to_owned(),
            });
        }
        let (offset, len) = (entry.offset, entry.len());
        self.store.values[offset..][..len].copy_from_slice(value.values());
        Ok(())
    }

    /// Writes the parameters as safetensors: first beside the file, then in its place, so that an older
    /// file survives a failure.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let entries = self.store.entries.iter().map(|e| {
            let values = &self.store.values[e.offset..][..e.len()];
            (e.path.as_str(), e.shape.as_slice(), stored(values))
        });
        let metadata = BTreeMap::from([
            ("diabolo".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("seed".to_owned(), self.seed.to_string()),
        ]);
        checkpoint::save(path, entries, &metadata)
    }

    /// Reads the parameters of a model; values of another precision are converted.
    ///
    /// # Errors
    /// Where the file cannot be read or is damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let checkpoint = checkpoint::load(path)?;
        let seed = checkpoint.metadata.get("seed").and_then(|s| s.parse().ok()).unwrap_or(0);
        let mut store = Store::default();
        for (path, parameter) in checkpoint.parameters {
            store.append(path, parameter.shape, None, read(&parameter.values));
        }
        Ok(Model::of(store, seed))
    }
}

/// In the precision of the model.
fn stored<F: Float>(values: &[F]) -> Values<'static> {
    let values = values.iter().map(|v| v.to_f64());
    match size_of::<F>() {
        4 => Values::F32(values.map(|v| v as f32).collect()),
        _ => Values::F64(values.collect()),
    }
}

fn read<F: Float>(values: &Values<'_>) -> Vec<F> {
    match values {
        Values::F32(values) => values.iter().map(|&v| F::from_f64(f64::from(v))).collect(),
        Values::F64(values) => values.iter().map(|&v| F::from_f64(v)).collect(),
    }
}

/// Runs `work` on a thread of the current pool, where forking is cheap and allocates nothing.
pub(crate) fn inside_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// Where a root stands, for messages: `encode (examples/vae.rs:12)`.
pub(crate) fn place(spec: &Spec) -> String {
    format!("{} ({}:{})", spec.name, spec.file, spec.line)
}
