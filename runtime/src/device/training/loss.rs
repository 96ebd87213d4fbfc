//! One loss on a device: its step, its evaluation, its optimizer's moments.
//!
//! In: a loss as the trainer has it, memory that all losses share. Out: runners whose steps are captured. Never: memory of its own
//! after the beginning.

use std::sync::Arc;

use diabolo_kernels::cuda::arena::{Arena, Layout, Range};
use diabolo_kernels::cuda::copies::Copies;
use diabolo_kernels::cuda::driver::{Precision, Products};
use diabolo_kernels::cuda::play::{Action, Loaded, Places, actions};
use diabolo_kernels::cuda::training::{Control, clip, copy};
use diabolo_kernels::cuda::{Recorder, prelude};

use super::super::runner::{Around, Common, Draft, Needs, Runner, load};
use super::{PIECE, Part, Result, SLOTS};
use crate::program::Spec;
use crate::session::pieces;

/// A loss on a device.
pub(super) struct OnLoss {
    pub spec: &'static Spec,
    pub train: Runner,
    pub evaluate: Option<(Runner, usize)>,
    pub seeds: [u64; 2],
    pub order: Range,
    pub hypers: Written,
    pub rates: Written,
    pub gradients: Range,
    /// Steps whose metrics were not read, and the slot for those of the next.
    pub pending: usize,
    pub slot: usize,
}

/// Values on the device, and what was last written.
pub(super) struct Written {
    pub range: Range,
    pub values: Vec<f32>,
}

impl Written {
    pub fn write(&mut self, arena: &Arena, values: &[f32]) -> Result<()> {
        if self.values != values {
            arena.write(self.range, values)?;
            self.values = values.to_vec();
        }
        Ok(())
    }
}

/// A loss before there is memory.
pub(super) struct Drafted {
    pub train: Draft,
    pub evaluate: Option<Draft>,
    pub order: Range,
    pub hypers: Range,
    pub rates: Range,
    pub moments: Range,
    pub gradients: Range,
    pub states: Range,
}

impl Drafted {
    pub fn new(
        part: &Part<'_>,
        products: Products,
        sizes: &[usize],
        (rows, held_rows): (usize, usize),
        layout: &mut Layout,
    ) -> Result<Self> {
        let Part { spec, dims, .. } = part;
        let pieces: Vec<usize> = pieces(spec, held_rows).into_iter().map(|rows| rows.len()).collect();
        let evaluate = match held_rows {
            0 => None,
            _ => Some(Draft::new(spec, (part.evaluate, products), dims, &pieces, pieces.len(), layout)?),
        };
        let gradients = spec.elements(spec.trained);
        Ok(Drafted {
            train: Draft::new(spec, (part.train, products), dims, sizes, SLOTS, layout)?,
            evaluate,
            order: layout.add(rows)?,
            hypers: layout.add(spec.hypers.len())?,
            rates: layout.add(part.rates)?,
            moments: layout.add(gradients * part.moments)?,
            gradients: layout.add(gradients)?,
            states: layout.add(spec.elements(spec.states))?,
        })
    }

    pub fn needs(&self) -> Needs {
        let evaluate = self.evaluate.as_ref().map(Draft::needs).unwrap_or_default();
        self.train.needs().most(evaluate)
    }
}

/// What all losses share.
pub(super) struct Memory<'a> {
    pub arena: &'a Arc<Arena>,
    pub params: Range,
    pub common: Common,
    pub kernels: &'a Arc<Loaded>,
    pub scratch: Range,
    pub norm: Option<f64>,
}

impl OnLoss {
    pub fn new(
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
    Ok(actions(&tape, update.module(), &places, memory.arena, (Precision::Float32, &Copies::default()))?)
}
