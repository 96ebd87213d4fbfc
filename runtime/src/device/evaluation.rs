//! A program in evaluation mode on a device: batches that come from the processor, and go back there.
//!
//! In: parameters, once; then batches of the sizes that were named. Out: results and means of each. Never: data that stay on
//! the device, a gradient.

use std::sync::Arc;

use diabolo_kernels::Float;
use diabolo_kernels::cuda::arena::{Arena, Layout, Range};
use diabolo_kernels::cuda::copies::Copies;
use diabolo_kernels::cuda::driver::{Precision, Products, Shared};
use diabolo_kernels::cuda::play::{Action, Loaded, Places, actions, play};
use diabolo_kernels::cuda::{Clock, Program, Recorder, prelude};

use super::runner::{load, work};
use super::{Device, Failure, singles};
use crate::error::Error;
use crate::program::Spec;

type Result<T> = std::result::Result<T, Failure>;

/// A program bound to a device.
pub(crate) struct Evaluation {
    spec: &'static Spec,
    program: Program,
    driver: Shared,
    precision: Precision,
    ready: Option<Ready>,
}

/// How many elements a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// Memory for some sizes of batch, and what each does.
struct Ready {
    dims: Vec<usize>,
    arena: Arc<Arena>,
    loaded: Arc<Loaded>,
    places: Places,
    batches: Vec<(Batch, Vec<Action>)>,
}

impl Evaluation {
    /// None where the device is the processor.
    pub fn new<F: Float>(
        device: &Device,
        spec: &'static Spec,
        program: Option<&'static Program>,
    ) -> Result<Option<Self>> {
        let remedy = "take a model of f32, or leave out `device`";
        let Some((driver, precision)) = device.computes::<F>(remedy)? else { return Ok(None) };
        let program = *program.ok_or_else(|| super::without_kernels(&format!("`{}`", spec.name)))?;
        Ok(Some(Evaluation { spec, program, driver: driver.clone(), precision, ready: None }))
    }

    /// Brings parameters (the model's values, and where each starts there) and hyperparameters to the device, with room for
    /// batches of these sizes; `dims` are the values of the program's symbols but for the rows. Does nothing where the same
    /// is there already.
    pub fn prepare<F: Float>(
        &mut self,
        dims: &[usize],
        sizes: &[Batch],
        (values, offsets): (&[F], &[usize]),
        hypers: &[F],
    ) -> Result<()> {
        let same = |ready: &Ready| {
            ready.dims[1..] == dims[1..] && ready.batches.iter().map(|(batch, _)| batch).eq(sizes)
        };
        if self.ready.as_ref().is_some_and(same) {
            return Ok(());
        }
        // The old memory goes before the new is asked for.
        self.ready = None;
        let Evaluation { spec, program, driver, precision, .. } = self;
        let products = Products::on(driver, *precision);
        let tapes = sizes.iter().map(|batch| {
            let mut dims = dims.to_vec();
            dims[0] = batch.rows;
            let tape = Recorder::record(program, &dims);
            let copies = Copies::of(&tape, products);
            (tape, copies)
        });
        let tapes: Vec<_> = tapes.collect();
        let mut layout = Layout::default();
        let own = (0..spec.params.len()).map(|param| layout.add(spec.elements(&[param])));
        let params = own.collect::<std::result::Result<Vec<Range>, _>>()?;
        let most = |of: fn(&Batch) -> usize| sizes.iter().map(of).max().unwrap_or(0);
        let places = Places {
            params,
            hypers: layout.add(hypers.len())?,
            inputs: layout.add(most(|batch| batch.inputs))?,
            outputs: layout.add(most(|batch| batch.outputs))?,
            metrics: layout.add(spec.metrics.len() + 1)?,
            clock: layout.add(6)?,
            work: layout.add(tapes.iter().map(|(tape, _)| work(tape, *precision)).max().unwrap_or(0))?,
            copies: layout.add(tapes.iter().map(|(_, copies)| copies.elements()).max().unwrap_or(0))?,
            ..Places::default()
        };
        let arena = Arc::new(Arena::new(driver, &layout)?);
        for (range, offset) in places.params.iter().zip(offsets) {
            arena.write(*range, &singles(&values[*offset..][..range.elements]))?;
        }
        arena.write(places.hypers, &singles(hypers))?;
        let launched = tapes.iter().flat_map(|(tape, _)| prelude::launched(tape, *precision));
        let loaded = load(driver, program.source, launched)?;
        let batches = sizes.iter().zip(&tapes).map(|(batch, (tape, copies))| {
            // Results and metrics of a batch lie where its own sizes say.
            let places = Places {
                inputs: places.inputs.part(0, batch.inputs)?,
                outputs: places.outputs.part(0, batch.outputs)?,
                ..places.clone()
            };
            Ok((*batch, actions(tape, loaded.module(), &places, &arena, (*precision, copies))?))
        });
        let batches = batches.collect::<Result<_>>()?;
        self.ready = Some(Ready { dims: dims.to_vec(), arena, loaded, places, batches });
        Ok(())
    }

    /// Runs a batch, and waits for its results.
    pub fn run<F: Float>(
        &self,
        (rows, clock): (usize, Clock),
        inputs: &[F],
        outputs: &mut [F],
        metrics: &mut [F],
        show: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let unknown = || Error::config(format!("a batch of {rows} rows was not prepared"));
        let Ready { arena, loaded, places, batches, .. } = self.ready.as_ref().ok_or_else(unknown)?;
        let found = batches.iter().find(|(batch, _)| batch.rows == rows);
        let (_, actions) = found.ok_or_else(unknown)?;
        arena.write(places.inputs.part(0, inputs.len())?, &singles(inputs))?;
        let words = [clock.seed, clock.step, clock.first_row];
        arena.write(places.clock, words.map(|word| [word as u32, (word >> 32) as u32]).as_flattened())?;
        play(arena, &[loaded], actions, show)?;
        read(arena, places.outputs, outputs)?;
        read(arena, places.metrics, metrics)
    }
}

/// The first elements of a range.
fn read<F: Float>(arena: &Arena, range: Range, to: &mut [F]) -> Result<()> {
    let mut values = vec![0.0f32; to.len()];
    arena.read(range.part(0, values.len())?, &mut values)?;
    to.iter_mut().zip(values).for_each(|(to, value)| *to = F::from_f64(f64::from(value)));
    Ok(())
}
