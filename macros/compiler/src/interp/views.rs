//! What views move where.
//!
//! In: a view, the shape of its result, the values of its arguments. Out: its value. Never: arithmetic, but for
//! the sums of a `Fold`.

use super::{Inputs, Value, elements, indices, position};
use crate::graph::View;

pub(super) fn view(
    view: &View,
    shape: Vec<usize>,
    args: &[&Value],
    inputs: &Inputs,
) -> Result<Value, String> {
    let from = args[0];
    let first = match view {
        View::Slice { start: size, .. } | View::Pad { before: size, .. } => inputs.size(size)?,
        _ => 0,
    };
    // For each element of the result, the argument and the index there that it takes; zero for none.
    let source = |index: &[usize]| -> Option<(usize, Vec<usize>)> {
        let mut index = index.to_vec();
        match view {
            View::Identity | View::Number | View::Batch | View::Unbatch | View::Reshape => Some((0, index)),
            View::Fold { .. } => None, // a sum: see `fold`
            View::Permute(axes) => {
                let mut back = vec![0; axes.len()];
                axes.iter().zip(&index).for_each(|(axis, i)| back[*axis] = *i);
                Some((0, back))
            }
            View::Broadcast(axes) => {
                let mut back = vec![0; from.shape.len()];
                axes.iter()
                    .zip(&index)
                    .filter_map(|(a, i)| a.map(|a| (a, *i)))
                    .for_each(|(a, i)| back[a] = i);
                Some((0, back))
            }
            View::Slice { axis, .. } => {
                index[*axis] += first;
                Some((0, index))
            }
            View::Pad { axis, .. } => {
                index[*axis] = index[*axis].checked_sub(first).filter(|i| *i < from.shape[*axis])?;
                Some((0, index))
            }
            View::Window { axis, stride, dilation, .. } => {
                let k = index.remove(axis + 1);
                index[*axis] = index[*axis] * stride + k * dilation;
                Some((0, index))
            }
            View::Concat { axis } => {
                for (place, arg) in args.iter().enumerate() {
                    match index[*axis].checked_sub(arg.shape[*axis]) {
                        Some(rest) => index[*axis] = rest,
                        None => return Some((place, index)),
                    }
                }
                None
            }
        }
    };
    if matches!(view, View::Number | View::Reshape | View::Batch | View::Unbatch) {
        debug_assert_eq!(elements(&shape), from.data.len());
        return Ok(Value { shape, ..from.clone() });
    }
    if let View::Fold { axis, stride, dilation } = view {
        return Ok(fold(*axis, *stride, *dilation, shape, from));
    }
    let mut out = Value::default();
    for index in indices(&shape) {
        let element = source(&index).map(|(arg, at)| (args[arg], position(&at, &args[arg].shape)));
        out.data.push(element.map_or(0.0, |(arg, e)| arg.data[e]));
        out.scale.push(element.map_or(0.0, |(arg, e)| arg.scale[e]));
    }
    out.shape = shape;
    Ok(out)
}

/// Every element of the argument is added where it lands.
fn fold(axis: usize, stride: usize, dilation: usize, shape: Vec<usize>, from: &Value) -> Value {
    let count = elements(&shape);
    let mut out = Value { data: vec![0.0; count], scale: vec![0.0; count], shape };
    for (e, mut index) in indices(&from.shape).enumerate() {
        let k = index.remove(axis + 1);
        index[axis] = index[axis] * stride + k * dilation;
        let to = position(&index, &out.shape);
        out.data[to] += from.data[e];
        out.scale[to] += from.scale[e];
    }
    out
}
