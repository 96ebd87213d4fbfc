//! What a `Contract` is: one loop a label.
//!
//! In: labels and the values of the arguments. Out: the einsum. Never: an order of its own; results before
//! sums, sums in the order of the labels' first use.

use super::{Value, elements};

pub(super) fn contract(inputs: &[Vec<u32>], output: &[u32], shape: Vec<usize>, args: &[&Value]) -> Value {
    let mut labels: Vec<u32> = output.to_vec();
    let mut sizes = shape.clone();
    for (label, size) in inputs.iter().zip(args).flat_map(|(labels, arg)| labels.iter().zip(&arg.shape)) {
        if !labels.contains(label) {
            labels.push(*label);
            sizes.push(*size);
        }
    }
    // How far each argument, and at last the result, moves along each label: a label that it has not moves it nowhere.
    let along = |axes: &[u32], shape: &[usize]| -> Vec<usize> {
        let stride = |axis: usize| elements(&shape[axis + 1..]);
        let of = |label: &u32| (0..axes.len()).filter(|axis| axes[*axis] == *label).map(stride).sum();
        labels.iter().map(of).collect()
    };
    let mut strides: Vec<Vec<usize>> =
        inputs.iter().zip(args).map(|(axes, arg)| along(axes, &arg.shape)).collect();
    strides.push(along(output, &shape));
    let count = elements(&shape);
    let mut out = Value { data: vec![0.0; count], scale: vec![0.0; count], shape };
    // The last label is a plain loop: this is where tests spend their time, and the compiler's own code is not optimised for
    // them.
    let last = sizes.pop().unwrap_or(1);
    let steps: Vec<usize> = strides.iter_mut().map(|strides| strides.pop().unwrap_or(0)).collect();
    let (mut index, mut at) = (vec![0; sizes.len()], vec![0; strides.len()]);
    for _ in 0..if last == 0 { 0 } else { elements(&sizes) } {
        match args {
            [a, b] => of_two([a, b], &at, &steps, last, &mut out),
            _ => (0..last).for_each(|turn| of_many(args, &at, &steps, turn, &mut out)),
        }
        count_on(&sizes, &mut index, &strides, &mut at);
    }
    out
}

/// The terms along the last label, one after the other.
fn of_two([a, b]: [&Value; 2], at: &[usize], steps: &[usize], count: usize, out: &mut Value) {
    let (mut i, mut j, mut to) = (at[0], at[1], at[2]);
    let (mut sum, mut scale) = (out.data[to], out.scale[to]);
    let mut turn = 0;
    while turn < count {
        if steps[2] > 0 {
            to = at[2] + turn * steps[2];
            (sum, scale) = (out.data[to], out.scale[to]);
        }
        let (x, y) = (a.data[i], b.data[j]);
        sum += x * y;
        scale += y.abs() * a.scale[i];
        scale += x.abs() * b.scale[j];
        if steps[2] > 0 {
            (out.data[to], out.scale[to]) = (sum, scale);
        }
        (i, j, turn) = (i + steps[0], j + steps[1], turn + 1);
    }
    (out.data[to], out.scale[to]) = (sum, scale);
}

/// One term of any number of factors: d(abc) = |bc| da + |ac| db + |ab| dc.
fn of_many(args: &[&Value], at: &[usize], steps: &[usize], turn: usize, out: &mut Value) {
    let place = |i: usize| at[i] + turn * steps[i];
    let factor = |i: usize| args[i].data[place(i)];
    let to = place(args.len());
    out.data[to] += (0..args.len()).map(factor).product::<f64>();
    for (i, arg) in args.iter().enumerate() {
        let others: f64 = (0..args.len()).filter(|j| *j != i).map(factor).product();
        out.scale[to] += others.abs() * arg.scale[place(i)];
    }
}

/// The next index tuple, the last label fastest, and where it lies.
fn count_on(sizes: &[usize], index: &mut [usize], strides: &[Vec<usize>], at: &mut [usize]) {
    let mut label = sizes.len();
    while label > 0 {
        label -= 1;
        index[label] += 1;
        let mut back = 0;
        if index[label] == sizes[label] {
            index[label] = 0;
            back = sizes[label];
        }
        let mut i = 0;
        while i < at.len() {
            at[i] = at[i] + strides[i][label] - back * strides[i][label];
            i += 1;
        }
        if back == 0 {
            return;
        }
    }
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
