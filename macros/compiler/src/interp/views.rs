//! What views move where.
//!
//! In: a view, the shape of its result, the values of its arguments. Out: its value. Never: arithmetic.

use super::{Value, elements, indices, position};
use crate::graph::View;

pub(super) fn view(view: &View, shape: Vec<usize>, args: &[&Value]) -> Value {
    let from = args[0];
    // For each element of the result, the argument and the index there that it takes; zero for none.
    let source = |index: &[usize]| -> Option<(usize, Vec<usize>)> {
        let mut index = index.to_vec();
        match view {
            View::Identity | View::Number | View::Batch | View::Unbatch | View::Reshape => Some((0, index)),
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
            View::Slice { axis, start } => {
                index[*axis] += start;
                Some((0, index))
            }
            View::Pad { axis, before } => {
                index[*axis] = index[*axis].checked_sub(*before).filter(|i| *i < from.shape[*axis])?;
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
        return Value { shape, ..from.clone() };
    }
    let mut out = Value::default();
    for index in indices(&shape) {
        let element = source(&index).map(|(arg, at)| (args[arg], position(&at, &args[arg].shape)));
        out.data.push(element.map_or(0.0, |(arg, e)| arg.data[e]));
        out.scale.push(element.map_or(0.0, |(arg, e)| arg.scale[e]));
    }
    out.shape = shape;
    out
}
