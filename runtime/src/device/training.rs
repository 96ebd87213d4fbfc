//! Training on a device: parameters, moments and data stay there; a step is one launch.
//!
//! In: bound losses and optimizers, data, steps. Out: metrics of steps, parameters and gradients when asked. Never: memory
//! asked for after the beginning; a step that waits for the host, but where something is shown.

use std::sync::Arc;

use diabolo_kernels::Float;
use diabolo_kernels::cuda::arena::{Arena, Layout, Range};
use diabolo_kernels::cuda::driver::{Precision, Shared};
use diabolo_kernels::cuda::play::{Action, Loaded, Places, actions};
use diabolo_kernels::cuda::training::{Control, PARTS, Place, SOURCE, clip, copy};
use diabolo_kernels::cuda::{Clock, Program, Recorder, prelude, product};

use super::Failure;
use super::runner::{Around, Common, Draft, Needs, Runner, load};
use crate::data::Data;
use crate::error::Error;
use crate::inspect;
use crate::program::Spec;
use crate::session::pieces;

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

struct OnLoss {
    spec: &'static Spec,
    train: Runner,
    evaluate: Option<(Runner, usize)>,
    seeds: [u64; 2],
    order: Range,
    hypers: Written,
    rates: Written,
    gradients: Range,
    /// Steps whose metrics were not read, and the slot for those of the next.
    pending: usize,
    slot: usize,
}

/// Values on the device, and what was last written.
struct Written {
    range: Range,
    values: Vec<f32>,
}

impl Written {
    fn write(&mut self, arena: &Arena, values: &[f32]) -> Result<()> {
        if self.values != values {
            arena.write(self.range, values)?;
            self.values = values.to_vec();
        }
        Ok(())
    }
}

/// A loss before there is memory.
struct Drafted {
    train: Draft,
    evaluate: Option<Draft>,
    order: Range,
    hypers: Range,
    rates: Range,
    moments: Range,
    gradients: Range,
    states: Range,
}

/// Columns of data on the device, by name.
struct Resident<'d> {
    data: &'d Data,
    columns: Vec<(&'static str, Range)>,
}

impl<'d> Resident<'d> {
    fn new(data: &'d Data, specs: impl Iterator<Item = &'static Spec>, layout: &mut Layout) -> Result<Self> {
        u32::try_from(data.rows())
            .map_err(|_| Error::config("a device takes data of fewer than 2³² rows"))?;
        let mut columns: Vec<(&'static str, Range)> = Vec::new();
        for input in specs.flat_map(|spec| spec.inputs) {
            if !columns.iter().any(|(name, _)| *name == input.name) {
                let width = data.column(input.name)?.width();
                let elements = width.saturating_mul(data.rows());
                columns.push((input.name, layout.add(elements)?));
            }
        }
        Ok(Resident { data, columns })
    }

    /// The columns of a program's inputs.
    fn of(&self, spec: &Spec) -> Vec<Range> {
        let range =
            |name: &str| self.columns.iter().find(|(known, _)| *known == name).map(|(_, range)| *range);
        spec.inputs.iter().filter_map(|input| range(input.name)).collect()
    }

    fn upload(&self, arena: &Arena) -> Result<()> {
        for (name, range) in &self.columns {
            let column = self.data.column(name)?;
            let width = column.width().max(1);
            let step = (PIECE / width).max(1);
            let mut values = vec![0.0f32; step.min(self.data.rows()) * width];
            for start in (0..self.data.rows()).step_by(step) {
                let rows = start..(start + step).min(self.data.rows());
                let piece = &mut values[..rows.len() * width];
                column.copy_rows(rows, piece)?;
                arena.write(range.part(start * width, piece.len())?, piece)?;
            }
        }
        Ok(())
    }
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
        let mut drafts = Vec::with_capacity(parts.len());
        for part in parts {
            drafts.push(Drafted::new(part, precision, &sizes, (count, held_rows), &mut layout)?);
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
        driver.lock().precision(precision);
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

fn singles<F: Float>(values: &[F]) -> Vec<f32> {
    values.iter().map(|value| value.to_f64() as f32).collect()
}

impl Drafted {
    fn new(
        part: &Part<'_>,
        precision: Precision,
        sizes: &[usize],
        (rows, held_rows): (usize, usize),
        layout: &mut Layout,
    ) -> Result<Self> {
        let Part { spec, dims, .. } = part;
        let pieces: Vec<usize> = pieces(spec, held_rows).into_iter().map(|rows| rows.len()).collect();
        let evaluate = match held_rows {
            0 => None,
            _ => Some(Draft::new(spec, (part.evaluate, precision), dims, &pieces, pieces.len(), layout)?),
        };
        let gradients = spec.elements(spec.trained);
        Ok(Drafted {
            train: Draft::new(spec, (part.train, precision), dims, sizes, SLOTS, layout)?,
            evaluate,
            order: layout.add(rows)?,
            hypers: layout.add(spec.hypers.len())?,
            rates: layout.add(part.rates)?,
            moments: layout.add(gradients * part.moments)?,
            gradients: layout.add(gradients)?,
            states: layout.add(spec.elements(spec.states))?,
        })
    }

    fn needs(&self) -> Needs {
        let evaluate = self.evaluate.as_ref().map(Draft::needs).unwrap_or_default();
        self.train.needs().most(evaluate)
    }
}

/// What all losses share.
struct Memory<'a> {
    arena: &'a Arc<Arena>,
    params: Range,
    common: Common,
    kernels: &'a Arc<Loaded>,
    scratch: Range,
    norm: Option<f64>,
}

impl OnLoss {
    fn new(
        part: &Part<'_>,
        draft: Drafted,
        memory: &Memory<'_>,
        columns: Vec<Range>,
        evaluated: Option<(Vec<Range>, Range)>,
    ) -> Result<Self> {
        let Memory { arena, params, common, kernels, .. } = memory;
        let Drafted { train, evaluate, order, hypers, rates, moments, gradients, states } = draft;
        let spec = part.spec;
        let own = spec
            .params
            .iter()
            .enumerate()
            .map(|(number, _)| Ok(params.part(part.offsets[number], spec.elements(&[number]))?));
        let places =
            Places { params: own.collect::<Result<_>>()?, hypers, gradients, states, ..Places::default() };
        let zeros = vec![0.0f32; moments.elements.min(PIECE)];
        for start in (0..moments.elements).step_by(PIECE) {
            let zeros = &zeros[..(moments.elements - start).min(PIECE)];
            arena.write(moments.part(start, zeros.len())?, zeros)?;
        }
        let launched = prelude::launched(&Recorder::record(&part.update, &[1]), Precision::Float32);
        let update = load(arena.driver(), part.update.source, launched)?;
        let after = |control: Control| -> Result<Vec<Action>> {
            let mut after = Vec::new();
            if let Some(norm) = memory.norm {
                after.extend(clip(kernels.module(), arena, gradients, memory.scratch, norm as f32)?);
            }
            for run in &part.runs {
                after.extend(updated(part, *run, &update, memory, (moments, gradients, rates), control)?);
            }
            let mut start = 0;
            for &state in spec.states {
                let to = places.params[state];
                after.push(copy(kernels.module(), arena, to, states.part(start, to.elements)?)?);
                start += to.elements;
            }
            Ok(after)
        };
        let around = |columns, order| Around {
            columns,
            order,
            places: places.clone(),
            common: *common,
            kernels: (*kernels).clone(),
        };
        let train = Runner::new(train, arena, &around(columns, order), std::slice::from_ref(&update), after)?;
        let evaluate = match (evaluate, evaluated) {
            (Some(draft), Some((columns, straight))) => {
                let around = around(columns, straight);
                let runner = Runner::new(draft, arena, &around, &[], |_| Ok(Vec::new()))?;
                Some((runner, straight.elements))
            }
            _ => None,
        };
        Ok(OnLoss {
            spec,
            train,
            evaluate,
            seeds: [part.seed, part.evaluation_seed],
            order,
            hypers: Written { range: hypers, values: Vec::new() },
            rates: Written { range: rates, values: Vec::new() },
            gradients,
            pending: 0,
            slot: 0,
        })
    }
}

/// The update of weights that lie side by side.
fn updated(
    part: &Part<'_>,
    [weights, start, len]: [usize; 3],
    update: &Loaded,
    memory: &Memory<'_>,
    (moments, gradients, rates): (Range, Range, Range),
    control: Control,
) -> Result<Vec<Action>> {
    let mut params = vec![memory.params.part(weights, len)?];
    for moment in 0..part.moments {
        params.push(moments.part(moment * gradients.elements + start, len)?);
    }
    let places = Places {
        params,
        gradients: gradients.part(start, len)?,
        hypers: rates,
        clock: control.updates()?,
        ..Places::default()
    };
    let tape = Recorder::record(&part.update, &[len]);
    Ok(actions(&tape, update.module(), &places, memory.arena, &product::plan)?)
}
