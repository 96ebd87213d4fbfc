//! Training on a device: parameters, moments and data stay there; a step is one launch.
//!
//! In: bound losses and optimizers, data, steps. Out: metrics of steps, parameters and gradients when asked. Never: memory
//! asked for after the beginning; a step that waits for the host, but where something is shown.

mod loss;
mod resident;

use std::sync::Arc;

use diabolo_kernels::Float;
use diabolo_kernels::cuda::arena::{Arena, Layout, Range};
use diabolo_kernels::cuda::driver::{Precision, Products, Shared};
use diabolo_kernels::cuda::training::{PARTS, Place, SOURCE};
use diabolo_kernels::cuda::{Clock, Program};

use super::runner::{Needs, load};
use super::{Failure, singles};
use crate::data::Data;
use crate::inspect;
use crate::program::Spec;
use crate::session::pieces;
use loss::{Drafted, Memory, OnLoss};
use resident::Resident;

type Result<T> = std::result::Result<T, Failure>;

/// Steps whose metrics lie on the device before they are read.
const SLOTS: usize = 256;

/// Elements that are copied at a time.
const PIECE: usize = 1 << 22;

/// A loss with its optimizer, as a device needs it.
pub(crate) struct Part<'a> {
    pub spec: &'static Spec,
    pub train: Program,
    pub evaluate: Program,
    pub update: Program,
    /// Moments of a weight, hyperparameters of the optimizer.
    pub moments: usize,
    pub rates: usize,
    /// Symbols but for the rows.
    pub dims: &'a [usize],
    /// Where each parameter starts in the model.
    pub offsets: &'a [usize],
    /// Weights that lie side by side: where in the model, where in the gradients, how many.
    pub runs: Vec<[usize; 3]>,
    pub seed: u64,
    /// The seed of evaluation.
    pub evaluation_seed: u64,
}

/// What a step wants.
pub(crate) struct Step<'a> {
    pub rows: usize,
    /// The first row of the order.
    pub first: usize,
    /// Steps taken.
    pub steps: u64,
    pub hypers: &'a [f32],
    pub rates: &'a [f32],
    pub inspect: bool,
}

/// Training on a device.
pub(crate) struct OnDevice {
    arena: Arc<Arena>,
    params: Range,
    losses: Vec<OnLoss>,
}

impl OnDevice {
    /// Brings data and parameters to a device, and captures every step.
    pub fn new<F: Float>(
        (driver, precision): (&Shared, Precision),
        parts: &[Part<'_>],
        values: &[F],
        data: &Data,
        held_out: Option<&Data>,
        (batch, norm): (usize, Option<f64>),
    ) -> Result<Self> {
        let mut layout = Layout::default();
        let params = layout.add(values.len())?;
        let specs = || parts.iter().map(|part| part.spec);
        let resident = Resident::new(data, specs(), &mut layout)?;
        let held_out = held_out.map(|data| Resident::new(data, specs(), &mut layout)).transpose()?;
        let count = data.rows();
        let sizes: Vec<usize> =
            [batch.min(count), count % batch].into_iter().filter(|rows| *rows > 0).collect();
        let held_rows = held_out.as_ref().map_or(0, |resident| resident.data.rows());
        let straight = layout.add(held_rows)?;
        let scratch = layout.add(PARTS)?;
        let products = Products::on(driver, precision);
        let mut drafts = Vec::with_capacity(parts.len());
        for part in parts {
            drafts.push(Drafted::new(part, products, &sizes, (count, held_rows), &mut layout)?);
        }
        let needs = drafts.iter().map(Drafted::needs).fold(Needs::default(), Needs::most);
        let common = needs.room(&mut layout)?;
        let arena = Arc::new(Arena::new(driver, &layout)?);
        for (start, values) in pieces_of(values) {
            arena.write(params.part(start, values.len())?, &singles(values))?;
        }
        resident.upload(&arena)?;
        if let Some(resident) = &held_out {
            resident.upload(&arena)?;
            arena.write(straight, &(0..held_rows as u32).collect::<Vec<_>>())?;
        }
        let kernels = load(driver, SOURCE, [])?;
        let memory = Memory { arena: &arena, params, common, kernels: &kernels, scratch, norm };
        let losses = parts.iter().zip(drafts);
        let losses = losses.map(|(part, draft)| {
            let evaluated = held_out.as_ref().map(|resident| (resident.of(part.spec), straight));
            OnLoss::new(part, draft, &memory, resident.of(part.spec), evaluated)
        });
        Ok(OnDevice { params, losses: losses.collect::<Result<_>>()?, arena })
    }

    /// The order of rows of a loss's next pass over the data.
    pub fn order(&mut self, loss: usize, order: &[usize]) -> Result<()> {
        let order: Vec<u32> = order.iter().map(|row| *row as u32).collect();
        Ok(self.arena.write(self.losses[loss].order, &order)?)
    }

    /// Whether the metrics of another step can be kept.
    pub fn is_full(&self, loss: usize) -> bool {
        self.losses[loss].pending == self.losses[loss].train.slots()
    }

    /// Takes a step of a loss, and does not wait for it.
    pub fn step(&mut self, loss: usize, step: &Step<'_>) -> Result<()> {
        let this = &mut self.losses[loss];
        this.hypers.write(&self.arena, step.hypers)?;
        this.rates.write(&self.arena, step.rates)?;
        let place = Place {
            clock: Clock { seed: this.seeds[0], step: step.steps, first_row: 0 },
            update: step.steps + 1,
            row: step.first as u64,
            slot: this.slot as u64,
        };
        let spec = this.spec;
        let mut show = |index: usize, values: &[f32]| inspect::print(spec, index, values);
        this.train.run(step.rows, place, if step.inspect { Some(&mut show) } else { None })?;
        this.pending += 1;
        this.slot = (this.slot + 1) % this.train.slots();
        Ok(())
    }

    /// The metrics of all steps of a loss since they were last asked for, one step after the other.
    pub fn metrics(&mut self, loss: usize) -> Result<Vec<f32>> {
        let this = &mut self.losses[loss];
        let slots = this.train.slots();
        let first = (this.slot + slots - this.pending) % slots;
        let before = this.pending.min(slots - first);
        let mut values = this.train.metrics(first, before)?;
        if before < this.pending {
            values.extend(this.train.metrics(0, this.pending - before)?);
        }
        this.pending = 0;
        Ok(values)
    }

    /// The parameters as they are now.
    pub fn read<F: Float>(&self, values: &mut [F]) -> Result<()> {
        self.read_part(0, values)
    }

    /// Some of the parameters, from a place in the model on.
    pub fn read_part<F: Float>(&self, start: usize, values: &mut [F]) -> Result<()> {
        let mut singles = vec![0.0f32; values.len().min(PIECE)];
        for (piece, values) in values.chunks_mut(PIECE).enumerate() {
            let singles = &mut singles[..values.len()];
            self.arena.read(self.params.part(start + piece * PIECE, values.len())?, singles)?;
            values
                .iter_mut()
                .zip(singles)
                .for_each(|(value, single)| *value = F::from_f64(f64::from(*single)));
        }
        Ok(())
    }

    /// Replaces some of the parameters.
    pub fn write_part<F: Float>(&self, start: usize, values: &[F]) -> Result<()> {
        Ok(self.arena.write(self.params.part(start, values.len())?, &singles(values))?)
    }

    /// The gradients of the last step of a loss.
    pub fn gradients<F: Float>(&self, loss: usize) -> Result<Vec<F>> {
        let range = self.losses[loss].gradients;
        let mut values = vec![0.0f32; range.elements];
        self.arena.read(range, &mut values)?;
        Ok(values.into_iter().map(|value| F::from_f64(f64::from(value))).collect())
    }

    /// The mean of a loss and its parts over the rows that are held out, if any are.
    pub fn evaluate(&mut self, loss: usize, hypers: &[f32]) -> Result<Option<Vec<f64>>> {
        let this = &mut self.losses[loss];
        let Some((runner, total)) = &mut this.evaluate else { return Ok(None) };
        this.hypers.write(&self.arena, hypers)?;
        let (spec, total) = (this.spec, *total);
        let mut show = |index: usize, values: &[f32]| inspect::print(spec, index, values);
        let all = pieces(this.spec, total);
        for (slot, rows) in all.iter().enumerate() {
            let first = rows.start as u64;
            let clock = Clock { seed: this.seeds[1], step: 0, first_row: first };
            let place = Place { clock, update: 0, row: first, slot: slot as u64 };
            runner.run(rows.len(), place, Some(&mut show))?;
        }
        let metrics = this.spec.metrics.len() + 1;
        let values = runner.metrics(0, all.len())?;
        let mut sums = vec![0.0; metrics];
        for (rows, means) in all.iter().zip(values.chunks_exact(metrics)) {
            sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += f64::from(*mean) * rows.len() as f64);
        }
        Ok(Some(sums.into_iter().map(|sum| sum / total as f64).collect()))
    }
}

/// Values in pieces that are no burden, with where each starts.
fn pieces_of<F>(values: &[F]) -> impl Iterator<Item = (usize, &[F])> {
    values.chunks(PIECE).enumerate().map(|(piece, values)| (piece * PIECE, values))
}
