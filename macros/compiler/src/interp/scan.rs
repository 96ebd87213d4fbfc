//! What a loop is: its step, over and over.
//!
//! In: a scan and the values of its arguments. Out: its results. Never: a shortcut; each step evaluates the whole
//! body.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Run, Value, elements};
use crate::graph::{NodeId, Scan, ScanResult};

/// A loop that has run: it, its arguments, its results.
pub(super) type Loop = (Rc<Scan>, Vec<NodeId>, BTreeMap<ScanResult, Value>);

impl Run<'_> {
    pub(super) fn scan(
        &mut self,
        scan: &Rc<Scan>,
        result: ScanResult,
        args: &[NodeId],
        values: &[Value],
    ) -> Result<Value, String> {
        let known = self.loops.iter().find(|(other, of, _)| of == args && other == scan);
        let known = known.and_then(|(_, _, results)| results.get(&result));
        if let Some(value) = known {
            return Ok(value.clone());
        }
        let results = self.turns(scan, args, values)?;
        let value = results.get(&result).ok_or("the loop has no such result")?.clone();
        self.loops.push((scan.clone(), args.to_vec(), results));
        Ok(value)
    }

    fn turns(
        &mut self,
        scan: &Scan,
        args: &[NodeId],
        values: &[Value],
    ) -> Result<BTreeMap<ScanResult, Value>, String> {
        let length = self.inputs.size(&scan.length)?;
        let given = scan.carries + scan.sequences;
        let value = |at: usize| &values[args[at].index()];
        let rows = |at: usize| scan.body.inputs[at].ty.rows.len();
        let mut carries: Vec<Value> = (0..scan.carries).map(|at| value(at).clone()).collect();
        let mut stacks: BTreeMap<ScanResult, Value> = BTreeMap::new();
        for carry in 0..scan.carries {
            let ty = &scan.body.inputs[carry].ty;
            stacks.insert(ScanResult::Previous(carry), self.empty(&scan.stacked(ty))?);
        }
        for (at, output) in scan.body.outputs.iter().enumerate() {
            let ty = scan.stacked(scan.body.ty(output.node));
            stacks.insert(ScanResult::Stacked(at), self.empty(&ty)?);
        }
        for turn in 0..length {
            let time = if scan.reverse { length - 1 - turn } else { turn };
            let slices = (scan.carries..given).map(|at| slice(value(at), rows(at), time));
            let constants = (given..args.len()).map(|at| value(at).clone());
            let inputs: Vec<Value> = carries.iter().cloned().chain(slices).chain(constants).collect();
            let mut step =
                Run { inputs: self.inputs, slopes: self.slopes, given: Some(&inputs), loops: Vec::new() };
            let inside = step.all(&scan.body)?;
            for (carry, before) in carries.iter().enumerate() {
                put(&mut stacks, ScanResult::Previous(carry), before, rows(carry), time);
            }
            for (at, output) in scan.body.outputs.iter().enumerate() {
                let rows = scan.body.ty(output.node).rows.len();
                put(&mut stacks, ScanResult::Stacked(at), &inside[output.node.index()], rows, time);
            }
            for (carry, output) in carries.iter_mut().zip(&scan.body.outputs) {
                *carry = inside[output.node.index()].clone();
            }
        }
        stacks.extend(carries.into_iter().enumerate().map(|(at, carry)| (ScanResult::Last(at), carry)));
        Ok(stacks)
    }

    fn empty(&self, ty: &crate::graph::Type) -> Result<Value, String> {
        let shape = ty.shape().iter().map(|size| self.inputs.size(size)).collect::<Result<Vec<_>, _>>()?;
        let count = elements(&shape);
        Ok(Value { shape, data: vec![0.0; count], scale: vec![0.0; count] })
    }
}

/// The elements at one time, where time is axis `rows`.
fn slice(whole: &Value, rows: usize, time: usize) -> Value {
    let inner = elements(&whole.shape[rows + 1..]);
    let mut shape = whole.shape.clone();
    let length = shape.remove(rows);
    let take = |list: &[f64]| -> Vec<f64> {
        list.chunks(inner.max(1)).skip(time).step_by(length).flatten().copied().collect()
    };
    Value { data: take(&whole.data), scale: take(&whole.scale), shape }
}

/// The reverse of `slice`.
fn put(stacks: &mut BTreeMap<ScanResult, Value>, result: ScanResult, step: &Value, rows: usize, time: usize) {
    let Some(stack) = stacks.get_mut(&result) else { return };
    let (inner, length) = (elements(&stack.shape[rows + 1..]), stack.shape[rows]);
    for (at, (data, scale)) in step.data.iter().zip(&step.scale).enumerate() {
        let to = (at / inner * length + time) * inner + at % inner;
        (stack.data[to], stack.scale[to]) = (*data, *scale);
    }
}
