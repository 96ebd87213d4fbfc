//! One program on a device: batches of resident data through its tape, as one graph a size of batch.
//!
//! In: a program, where its data lie, what follows it. Out: metrics, kept on the device until they are asked for. Never: a
//! copy in a warm step, a size of batch that was not prepared.

use std::sync::Arc;

use diabolo_kernels::cuda::arena::{Arena, Layout, Range};
use diabolo_kernels::cuda::copies::Copies;
use diabolo_kernels::cuda::driver::{Module, Precision, Products, Shared};
use diabolo_kernels::cuda::play::{Action, Captured, Loaded, Places, actions, play};
use diabolo_kernels::cuda::training::{Control, Place, end, gather};
use diabolo_kernels::cuda::{Command, Program, Recorder, Tape, prelude, product};

use super::Failure;
use crate::error::Error;
use crate::program::Spec;

type Result<T> = std::result::Result<T, Failure>;

/// What a program needs of the memory that all programs of a training use in turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    pub work: usize,
    pub copies: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub metrics: usize,
}

/// The same as memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    work: Range,
    copies: Range,
    inputs: Range,
    outputs: Range,
    metrics: Range,
}

impl Needs {
    pub fn most(self, other: Needs) -> Needs {
        Needs {
            work: self.work.max(other.work),
            copies: self.copies.max(other.copies),
            inputs: self.inputs.max(other.inputs),
            outputs: self.outputs.max(other.outputs),
            metrics: self.metrics.max(other.metrics),
        }
    }

    pub fn room(self, layout: &mut Layout) -> Result<Common> {
        Ok(Common {
            work: layout.add(self.work)?,
            copies: layout.add(self.copies)?,
            inputs: layout.add(self.inputs)?,
            outputs: layout.add(self.outputs)?,
            metrics: layout.add(self.metrics)?,
        })
    }
}

/// A program before there is memory.
pub(super) struct Draft {
    pub spec: &'static Spec,
    program: Program,
    /// The elements of a row of each input.
    pub widths: Vec<usize>,
    /// Elements of outputs, of a row and of all rows together.
    outputs: (usize, usize),
    /// For each size of batch, its commands and the copies of their factors.
    tapes: Vec<(usize, Tape, Copies)>,
    precision: Precision,
    control: Control,
    kept: Range,
}

impl Draft {
    /// Records a program for batches of these sizes; `dims` are its symbols but for the rows, `slots` the steps whose metrics
    /// are kept.
    pub fn new(
        spec: &'static Spec,
        (program, products): (Program, Products),
        dims: &[usize],
        rows: &[usize],
        slots: usize,
        layout: &mut Layout,
    ) -> Result<Self> {
        let mut tapes: Vec<(usize, Tape, Copies)> = Vec::new();
        for &rows in rows {
            if !tapes.iter().any(|(known, ..)| *known == rows) {
                let mut dims = dims.to_vec();
                dims[0] = rows;
                let tape = Recorder::record(&program, &dims);
                let copies = Copies::of(&tape, products);
                tapes.push((rows, tape, copies));
            }
        }
        let width = |slot: &crate::program::SlotSpec| -> usize {
            slot.shape.iter().map(|axis| axis.size(dims)).product()
        };
        let outputs = |with_rows| spec.outputs.iter().filter(|slot| slot.rows == with_rows).map(width).sum();
        Ok(Draft {
            spec,
            program,
            widths: spec.inputs.iter().map(width).collect(),
            outputs: (outputs(true), outputs(false)),
            tapes,
            precision: products.precision,
            control: Control(layout.add(Control::ELEMENTS)?),
            kept: layout.add(slots * (spec.metrics.len() + 1))?,
        })
    }

    fn output_elements(&self, rows: usize) -> usize {
        self.outputs.0 * rows + self.outputs.1
    }

    pub fn needs(&self) -> Needs {
        let needs = |(rows, tape, copies): &(usize, Tape, Copies)| Needs {
            work: work(tape, self.precision),
            copies: copies.elements(),
            inputs: rows * self.widths.iter().sum::<usize>(),
            outputs: self.output_elements(*rows),
            metrics: self.spec.metrics.len() + 1,
        };
        self.tapes.iter().map(needs).fold(Needs::default(), Needs::most)
    }
}

/// Scratch of a tape, with that of its products.
pub(super) fn work(tape: &Tape, precision: Precision) -> usize {
    let scratch = tape.commands.iter().map(|command| match command {
        Command::Product(product) => product::scratch_in(product, precision),
        Command::Launch(_) | Command::Inspect(..) => 0,
    });
    tape.work + scratch.max().unwrap_or(0)
}

/// Where what a program reads and writes lies, beside its batch.
pub(super) struct Around {
    /// The columns of its inputs.
    pub columns: Vec<Range>,
    /// The order of rows.
    pub order: Range,
    /// Parameters, hyperparameters, gradients, states.
    pub places: Places,
    pub common: Common,
    /// The training kernels.
    pub kernels: Arc<Loaded>,
}

/// Shows a value: the index of its word, all elements.
pub(super) type Show<'s> = &'s mut dyn FnMut(usize, &[f32]);

/// A program on a device.
pub(super) struct Runner {
    arena: Arc<Arena>,
    modules: Vec<Arc<Loaded>>,
    batches: Vec<Batch>,
    control: Control,
    kept: Range,
    /// Metrics of a step.
    metrics: usize,
    /// What the device has for `control`, where it is known.
    place: Option<Place>,
}

struct Batch {
    rows: usize,
    actions: Vec<Action>,
    captured: Captured,
    inspects: bool,
}

impl Runner {
    /// Captures a graph for each size of batch. `after` makes what follows the program in a step.
    pub fn new(
        draft: Draft,
        arena: &Arc<Arena>,
        around: &Around,
        more: &[Arc<Loaded>],
        after: impl Fn(Control) -> Result<Vec<Action>>,
    ) -> Result<Self> {
        let driver = arena.driver();
        let launched = draft.tapes.iter().flat_map(|(_, tape, _)| prelude::launched(tape, draft.precision));
        let loaded = load(driver, draft.program.source, launched)?;
        let mut modules = vec![around.kernels.clone(), loaded.clone()];
        modules.extend(more.iter().cloned());
        let mut batches = Vec::with_capacity(draft.tapes.len());
        for (rows, tape, copies) in &draft.tapes {
            let actions = batch(&draft, *rows, (tape, copies), loaded.module(), arena, around, &after)?;
            let captured = Captured::new(arena, &modules, &actions)?;
            let inspects = tape.commands.iter().any(|command| matches!(command, Command::Inspect(..)));
            // The actions themselves are for steps that show something.
            let actions = if inspects { actions } else { Vec::new() };
            batches.push(Batch { rows: *rows, actions, captured, inspects });
        }
        Ok(Runner {
            arena: arena.clone(),
            modules,
            batches,
            control: draft.control,
            kept: draft.kept,
            metrics: draft.spec.metrics.len() + 1,
            place: None,
        })
    }

    /// Steps whose metrics are kept.
    pub fn slots(&self) -> usize {
        self.kept.elements / self.metrics
    }

    /// Takes a step from a place; `inspect` shows values, and waits for them.
    pub fn run(&mut self, rows: usize, place: Place, inspect: Option<Show<'_>>) -> Result<()> {
        if self.place != Some(place) {
            self.arena.write(self.control.0, &place.words())?;
        }
        self.place = None;
        let batch = self.batches.iter().find(|batch| batch.rows == rows);
        let batch = batch.ok_or_else(|| Error::config(format!("a batch of {rows} rows was not prepared")))?;
        match inspect {
            Some(inspect) if batch.inspects => {
                let modules: Vec<&Loaded> = self.modules.iter().map(|module| &**module).collect();
                play(&self.arena, &modules, &batch.actions, inspect)?;
            }
            _ => batch.captured.run()?,
        }
        self.place = Some(place.next(rows, self.slots()));
        Ok(())
    }

    /// The metrics of so many slots from the first on, after all steps so far.
    pub fn metrics(&self, first: usize, slots: usize) -> Result<Vec<f32>> {
        let mut values = vec![0.0; slots * self.metrics];
        self.arena.read(self.kept.part(first * self.metrics, values.len())?, &mut values)?;
        Ok(values)
    }
}

/// The text of a program behind what it launches of the prelude.
pub(super) fn load(
    driver: &Shared,
    source: &str,
    launched: impl IntoIterator<Item = &'static str>,
) -> Result<Arc<Loaded>> {
    Ok(Arc::new(Loaded::new(driver, &prelude::module(source, launched))?))
}

/// All that a step of so many rows does.
fn batch(
    draft: &Draft,
    rows: usize,
    (tape, copies): (&Tape, &Copies),
    module: Module,
    arena: &Arena,
    around: &Around,
    after: &impl Fn(Control) -> Result<Vec<Action>>,
) -> Result<Vec<Action>> {
    let Around { columns, order, common, kernels, .. } = around;
    let control = draft.control;
    let mut all = Vec::new();
    let mut start = 0;
    for (width, column) in draft.widths.iter().zip(columns) {
        let to = common.inputs.part(start, rows * width)?;
        all.push(gather(kernels.module(), arena, to, *column, (*order, control), rows)?);
        start += rows * width;
    }
    let metrics = common.metrics.part(0, draft.spec.metrics.len() + 1)?;
    let places = Places {
        work: common.work.part(0, work(tape, draft.precision))?,
        copies: common.copies,
        inputs: common.inputs.part(0, start)?,
        outputs: common.outputs.part(0, draft.output_elements(rows))?,
        metrics,
        clock: control.clock()?,
        ..around.places.clone()
    };
    all.extend(actions(tape, module, &places, arena, (draft.precision, copies))?);
    all.extend(after(control)?);
    all.push(end(kernels.module(), arena, control, (draft.kept, metrics), rows)?);
    Ok(all)
}
