//! A root bound to parameters, with the buffers that it needs.
//!
//! In: a root's functions, parameters, inputs. Out: results, means, gradients. Never: an allocation after
//! the largest batch was seen once.

use std::ops::Range;

use diabolo_kernels::Float;

use crate::data::{Array, Data};
use crate::error::{Error, Result};
use crate::inspect;
use crate::model::{Means, place};
use crate::program::{Axis, Env, Root, SlotSpec, Spec};
use crate::source::Source;
use crate::store::Store;
use crate::train::BoundLoss;

/// Rows that are evaluated at a time where rows never meet.
const PIECE: usize = 1024;

/// Scratch begins where a line of the cache does: registers as wide as one would else be read in two halves.
const LINE: usize = 64;

/// A bound root.
pub(crate) struct Session<F: Float> {
    pub spec: &'static Spec,
    program: fn(Env<'_, F>),
    workspace: fn(&[usize]) -> usize,
    offsets: Vec<usize>,
    pub hypers: Vec<F>,
    pub dims: Vec<usize>,
    pub inputs: Vec<F>,
    pub grads: Vec<F>,
    states: Vec<F>,
    outputs: Vec<F>,
    pub metrics: Vec<F>,
    work: Vec<F>,
    pub seed: u64,
    pub step: u64,
    pub inspects: bool,
}

impl<F: Float> Session<F> {
    /// In evaluation mode: results, or a loss without gradients.
    pub fn evaluate<R: Root>(store: &Store<F>, root: &R, seed: u64) -> Result<Self> {
        let (spec, program) = (root.spec()?, root.evaluate::<F>());
        Self::bind(store, spec, program, root.evaluate_workspace(), root.hypers(), seed)
    }

    /// A loss in evaluation mode.
    pub fn evaluation(store: &Store<F>, loss: &BoundLoss<F>, seed: u64) -> Result<Self> {
        Self::bind(store, loss.spec, loss.evaluate, loss.evaluate_workspace, loss.hypers.clone(), seed)
    }

    /// A loss in training mode, with gradients.
    pub fn training(store: &Store<F>, loss: &BoundLoss<F>, seed: u64) -> Result<Self> {
        let (spec, hypers) = (loss.spec, loss.hypers.clone());
        let mut session = Self::bind(store, spec, loss.train, loss.train_workspace, hypers, seed)?;
        session.grads = vec![F::ZERO; spec.elements(spec.trained)];
        session.states = vec![F::ZERO; spec.elements(spec.states)];
        Ok(session)
    }

    /// A program with the parameters of a model.
    pub fn bind(
        store: &Store<F>,
        spec: &'static Spec,
        program: fn(Env<'_, F>),
        workspace: fn(&[usize]) -> usize,
        hypers: Vec<f64>,
        seed: u64,
    ) -> Result<Self> {
        Ok(Session {
            spec,
            program,
            workspace,
            offsets: store.bind(spec)?,
            hypers: hypers.into_iter().map(F::from_f64).collect(),
            dims: vec![0; spec.symbols.len().max(1)],
            inputs: Vec::new(),
            grads: Vec::new(),
            states: Vec::new(),
            outputs: Vec::new(),
            metrics: vec![F::ZERO; spec.metrics.len() + 1],
            work: Vec::new(),
            seed,
            step: 0,
            inspects: true,
        })
    }

    /// Fixes the symbols other than the rows from the shapes that `source` has.
    pub fn fit_shapes(&mut self, source: &(impl Source<F> + ?Sized)) -> Result<()> {
        let only = self.spec.inputs.len() == 1;
        self.dims[1..].fill(0);
        for input in self.spec.inputs {
            let found = source.shape(input, only)?;
            let fits = found.len() == input.shape.len()
                && input.shape.iter().zip(&found).all(|(axis, &size)| match *axis {
                    Axis::Symbol(symbol) if self.dims[symbol] == 0 => {
                        // A size that the data fixes is 1 or more: programs take the last element of such an axis.
                        self.dims[symbol] = size;
                        symbol != 0 && size > 0
                    }
                    axis => axis.size(&self.dims) == size,
                });
            if !fits {
                return Err(Error::Shape {
                    thing: input.name.to_owned(),
                    expected: self.written(input),
                    found: format!("{}{found:?}", if input.rows { "rows of " } else { "" }),
                    place: place(self.spec),
                });
            }
        }
        let short = self.spec.least.iter().find(|(symbol, least)| self.dims[*symbol] < *least);
        if let Some(&(symbol, least)) = short {
            return Err(Error::Shape {
                thing: self.spec.symbols[symbol].to_owned(),
                expected: format!("{least} or more, so that a kernel fits"),
                found: self.dims[symbol].to_string(),
                place: place(self.spec),
            });
        }
        Ok(())
    }

    fn written(&self, slot: &SlotSpec) -> String {
        let axes: Vec<String> = slot.shape.iter().map(|axis| axis.written(self.spec.symbols)).collect();
        format!("{}[{}]", if slot.rows { "rows of " } else { "" }, axes.join(", "))
    }

    pub fn shape_error(&self, thing: &str, expected: &[usize], found: &[usize]) -> Error {
        Error::Shape {
            thing: thing.to_owned(),
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
            place: place(self.spec),
        }
    }

    /// Elements of one slot, without the batch's rows.
    pub fn width(&self, slot: &SlotSpec) -> usize {
        let axis = |axis: &Axis| axis.size(&self.dims);
        slot.shape.iter().map(axis).product()
    }

    fn slot_len(&self, slot: &SlotSpec) -> usize {
        self.width(slot) * if slot.rows { self.dims[0] } else { 1 }
    }

    /// Makes room for a batch of `rows`; after this, [`Session::input_mut`] and [`Session::run`] allocate nothing.
    pub fn resize(&mut self, rows: usize) {
        self.dims[0] = rows;
        let inputs = self.spec.inputs.iter().map(|slot| self.slot_len(slot)).sum();
        let outputs = self.spec.outputs.iter().map(|slot| self.slot_len(slot)).sum();
        let work = (self.workspace)(&self.dims) + LINE / size_of::<F>();
        for (buffer, len) in
            [(&mut self.inputs, inputs), (&mut self.outputs, outputs), (&mut self.work, work)]
        {
            if buffer.len() < len {
                buffer.resize(len, F::ZERO);
            }
        }
    }

    /// Copies rows of every input.
    pub fn fill(&mut self, source: &(impl Source<F> + ?Sized), rows: Range<usize>) -> Result<()> {
        let only = self.spec.inputs.len() == 1;
        let mut start = 0;
        for input in self.spec.inputs {
            let len = self.slot_len(input);
            source.fill(input, only, rows.clone(), &mut self.inputs[start..start + len])?;
            self.check_index(input, &self.inputs[start..start + len], |row| rows.start + row)?;
            start += len;
        }
        Ok(())
    }

    /// Copies chosen rows of every input from columns of data.
    pub fn gather(&mut self, data: &Data, rows: &[usize]) -> Result<()> {
        let mut start = 0;
        for input in self.spec.inputs {
            let len = self.slot_len(input);
            data.column(input.name)?.gather(rows, &mut self.inputs[start..start + len])?;
            self.check_index(input, &self.inputs[start..start + len], |row| rows[row])?;
            start += len;
        }
        Ok(())
    }

    /// Looks at every row of every index, for who copies columns to where nobody can look.
    pub fn check_indices(&self, data: &Data) -> Result<()> {
        for input in self.spec.inputs.iter().filter(|input| input.index.is_some()) {
            let column = data.column(input.name)?;
            let mut values = vec![F::ZERO; PIECE.min(data.rows()) * column.width()];
            for start in (0..data.rows()).step_by(PIECE) {
                let rows = start..(start + PIECE).min(data.rows());
                let piece = &mut values[..rows.len() * column.width()];
                column.copy_rows(rows, piece)?;
                self.check_index(input, piece, |row| start + row)?;
            }
        }
        Ok(())
    }

    /// Whether the values of an index are whole numbers inside every axis that it is followed along. `row` says which
    /// row of the data is which of these.
    fn check_index(&self, input: &SlotSpec, values: &[F], row: impl Fn(usize) -> usize) -> Result<()> {
        let Some(bounds) = input.index else { return Ok(()) };
        let bound = bounds.iter().map(|axis| axis.size(&self.dims)).min();
        let limit = bound.map_or(f64::INFINITY, |bound| bound as f64);
        let inside = |x: f64| x >= 0.0 && x < limit && x.trunc() == x;
        let Some(bad) = values.iter().position(|value| !inside(value.to_f64())) else { return Ok(()) };
        Err(Error::Index {
            column: input.name.to_owned(),
            row: if input.rows { row(bad / self.width(input).max(1)) } else { 0 },
            value: values[bad].to_f64(),
            range: match bound {
                None => "from 0 on".to_owned(),
                Some(0) => "below 0, which none is".to_owned(),
                Some(bound) => format!("from 0 to {}", bound - 1),
            },
            place: place(self.spec),
        })
    }

    /// Where each parameter of the root starts in the model.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Runs the program on what `resize` and `fill` prepared.
    pub fn run(&mut self, params: &[F], first_row: usize) {
        let input_len: usize = self.spec.inputs.iter().map(|slot| self.slot_len(slot)).sum();
        let output_len: usize = self.spec.outputs.iter().map(|slot| self.slot_len(slot)).sum();
        let work_len = (self.workspace)(&self.dims);
        let line = self.work.as_ptr().align_offset(LINE).min(self.work.len() - work_len);
        let (spec, shown) = (self.spec, self.inspects);
        let inspect = move |index: usize, values: &[F]| {
            if shown {
                inspect::print(spec, index, values);
            }
        };
        (self.program)(Env {
            dims: &self.dims,
            first_row,
            inputs: &self.inputs[..input_len],
            params,
            offsets: &self.offsets,
            hypers: &self.hypers,
            seed: self.seed,
            step: self.step,
            work: &mut self.work[line..][..work_len],
            grads: &mut self.grads,
            states: &mut self.states,
            outputs: &mut self.outputs[..output_len],
            metrics: &mut self.metrics,
            inspect: &inspect,
        });
    }

    /// Replaces a parameter by what a function of its shape makes of it; `rows` are those of its first axis.
    pub fn map(&mut self, params: &mut [F], offset: usize, len: usize, rows: usize) {
        self.resize(if self.spec.inputs.iter().any(|input| input.rows) { rows } else { 1 });
        self.inputs[..len].copy_from_slice(&params[offset..][..len]);
        self.run(params, 0);
        params[offset..][..len].copy_from_slice(&self.outputs[..len]);
    }

    /// Replaces states by what the last step made of them.
    pub fn write_states(&self, params: &mut [F]) {
        let mut start = 0;
        for &param in self.spec.states {
            let len = self.spec.elements(&[param]);
            params[self.offsets[param]..][..len].copy_from_slice(&self.states[start..start + len]);
            start += len;
        }
    }

    fn piece(&self) -> usize {
        if self.spec.crosses_rows { usize::MAX } else { PIECE }
    }

    /// The results for every row of `source`, in order.
    pub fn results(&mut self, store: &Store<F>, source: &(impl Source<F> + ?Sized)) -> Result<Vec<Array<F>>> {
        self.fit_shapes(source)?;
        let total = source.rows();
        let slots = self.spec.outputs;
        let widths: Vec<usize> = slots.iter().map(|slot| self.width(slot)).collect();
        let mut values: Vec<Vec<F>> = slots
            .iter()
            .zip(&widths)
            .map(|(slot, width)| Vec::with_capacity(width * if slot.rows { total } else { 1 }))
            .collect();
        for_pieces(total, self.piece(), |rows| {
            self.resize(rows.len());
            self.fill(source, rows.clone())?;
            self.run(&store.values, rows.start);
            let mut start = 0;
            for ((slot, width), out) in slots.iter().zip(&widths).zip(&mut values) {
                let len = width * if slot.rows { rows.len() } else { 1 };
                if slot.rows || rows.start == 0 {
                    out.extend_from_slice(&self.outputs[start..start + len]);
                }
                start += len;
            }
            Ok(())
        })?;
        let array = |(slot, values): (&SlotSpec, Vec<F>)| {
            let axis = |axis: &Axis| axis.size(&self.dims);
            let rows = slot.rows.then_some(total);
            let shape: Vec<usize> = rows.into_iter().chain(slot.shape.iter().map(axis)).collect();
            Array::new(&shape, values)
        };
        slots.iter().zip(values).map(array).collect()
    }
}

/// The mean loss over all rows, piece by piece.
pub(crate) fn evaluate_means<F: Float>(
    session: &mut Session<F>,
    store: &Store<F>,
    source: &(impl Source<F> + ?Sized),
) -> Result<Means> {
    let total = source.rows();
    if total == 0 {
        return Err(Error::Empty { what: "the data".to_owned() });
    }
    session.fit_shapes(source)?;
    let mut sums = vec![0.0; session.metrics.len()];
    for_pieces(total, session.piece(), |rows| {
        session.resize(rows.len());
        session.fill(source, rows.clone())?;
        session.run(&store.values, rows.start);
        for (sum, mean) in sums.iter_mut().zip(&session.metrics) {
            *sum += mean.to_f64() * rows.len() as f64;
        }
        Ok(())
    })?;
    Ok(means(session.spec, sums.iter().map(|sum| sum / total as f64)))
}

/// Names the values of a loss.
pub(crate) fn means(spec: &Spec, mut values: impl Iterator<Item = f64>) -> Means {
    let loss = values.next().unwrap_or(f64::NAN);
    Means { loss, parts: spec.metrics.iter().map(|name| (*name).to_owned()).zip(values).collect() }
}

/// The ranges that a program evaluates so many rows in.
pub(crate) fn pieces(spec: &Spec, total: usize) -> Vec<Range<usize>> {
    let piece = if spec.crosses_rows { total.max(1) } else { PIECE };
    (0..total).step_by(piece).map(|start| start..start.saturating_add(piece).min(total)).collect()
}

/// Calls `work` for consecutive ranges of at most `piece` rows.
fn for_pieces(total: usize, piece: usize, mut work: impl FnMut(Range<usize>) -> Result<()>) -> Result<()> {
    let mut start = 0usize;
    loop {
        let end = start.saturating_add(piece).min(total);
        work(start..end)?;
        start = end;
        if start >= total {
            return Ok(());
        }
    }
}
