//! What a `Contract` is: one loop a label.
//!
//! In: labels and the values of the arguments. Out: the einsum. Never: an order of its own; results before
//! sums, sums in the order of the labels' first use.

use super::{Value, elements, indices, position};

pub(super) fn contract(inputs: &[Vec<u32>], output: &[u32], shape: Vec<usize>, args: &[&Value]) -> Value {
    let mut labels: Vec<u32> = output.to_vec();
    let mut sizes = shape.clone();
    for (label, size) in inputs.iter().zip(args).flat_map(|(labels, arg)| labels.iter().zip(&arg.shape)) {
        if !labels.contains(label) {
            labels.push(*label);
            sizes.push(*size);
        }
    }
    let places: Vec<Vec<usize>> = inputs
        .iter()
        .map(|input| input.iter().filter_map(|l| labels.iter().position(|m| m == l)).collect())
        .collect();
    let count = elements(&shape);
    let mut out = Value { data: vec![0.0; count], scale: vec![0.0; count], shape };
    for index in indices(&sizes) {
        let to = position(&index[..output.len()], &out.shape);
        let at: Vec<usize> = places
            .iter()
            .zip(args)
            .map(|(axes, arg)| position(&axes.iter().map(|a| index[*a]).collect::<Vec<_>>(), &arg.shape))
            .collect();
        let factor = |i: usize| args[i].data[at[i]];
        out.data[to] += (0..args.len()).map(factor).product::<f64>();
        // d(abc) = |bc| da + |ac| db + |ab| dc
        for i in 0..args.len() {
            let others: f64 = (0..args.len()).filter(|j| *j != i).map(factor).product();
            out.scale[to] += others.abs() * args[i].scale[at[i]];
        }
    }
    out
}
