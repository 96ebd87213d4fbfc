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

/// The R of a QR decomposition by the modified Gram-Schmidt method, whose R is as good as any (Higham 2002, theorem 19.13), with a
/// diagonal of no negative numbers. Its rounding errors are measured by the lengths of A's columns.
pub(super) fn triangular_factor(shape: Vec<usize>, arg: &Value) -> Value {
    let [.., m, n] = arg.shape[..] else { return Value::default() };
    let mut out = Value { data: vec![0.0; elements(&shape)], scale: vec![0.0; elements(&shape)], shape };
    for start in 0..elements(&arg.shape[..arg.shape.len() - 2]) {
        let (from, to) = (start * m * n, start * n * n);
        let column = |of: &[f64], j: usize| -> Vec<f64> { (0..m).map(|i| of[from + i * n + j]).collect() };
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let mut columns: Vec<Vec<f64>> = (0..n).map(|j| column(&arg.data, j)).collect();
        for i in 0..n {
            let length = dot(&columns[i], &columns[i]).sqrt();
            let part = if length == 0.0 { 0.0 } else { 1.0 / length };
            let direction: Vec<f64> = columns[i].iter().map(|x| x * part).collect();
            out.data[to + i * n + i] = length;
            for (j, column) in columns.iter_mut().enumerate().skip(i + 1) {
                let along = dot(&direction, column);
                out.data[to + i * n + j] = along;
                column.iter_mut().zip(&direction).for_each(|(x, d)| *x -= along * d);
            }
        }
        for j in 0..n {
            let lengths = column(&arg.scale, j);
            let scale = dot(&lengths, &lengths).sqrt();
            (0..=j).for_each(|i| out.scale[to + i * n + j] = scale);
        }
    }
    out
}
