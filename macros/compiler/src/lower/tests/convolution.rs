//! Convolution, its transpose, pooling and upsampling against loops over positions.

use super::*;
use crate::testing::Rng;

/// The settings of one axis.
#[derive(Clone, Copy, Debug)]
struct Slide {
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Slide {
    fn span(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    fn fits(&self) -> bool {
        self.size + 2 * self.padding >= self.span()
    }

    fn positions(&self) -> usize {
        (self.size + 2 * self.padding - self.span()) / self.stride + 1
    }

    /// What no piece reaches: the `output_padding` of the way back.
    fn rest(&self) -> usize {
        (self.size + 2 * self.padding - self.span()) % self.stride
    }

    /// The element that element `k` of piece `p` takes.
    fn at(&self, p: usize, k: usize) -> Option<usize> {
        (p * self.stride + k * self.dilation).checked_sub(self.padding).filter(|i| *i < self.size)
    }

    /// All (position, element of the kernel, element of the axis).
    fn all(self) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..self.positions())
            .flat_map(move |p| (0..self.kernel).filter_map(move |k| Some((p, k, self.at(p, k)?))))
    }
}

const ROWS: usize = 2;
const FROM: usize = 2;
const TO: usize = 3;

/// Calls `each` with the places in x, W and y of every product that a convolution adds up.
fn products([h, w]: [Slide; 2], mut each: impl FnMut(usize, usize, usize)) {
    for (b, o, c) in (0..ROWS).flat_map(|b| (0..TO).flat_map(move |o| (0..FROM).map(move |c| (b, o, c)))) {
        for (p, k, i) in h.all() {
            for (q, l, j) in w.all() {
                let x = ((b * FROM + c) * h.size + i) * w.size + j;
                let weight = ((o * FROM + c) * h.kernel + k) * w.kernel + l;
                each(x, weight, ((b * TO + o) * h.positions() + p) * w.positions() + q);
            }
        }
    }
}

/// A grid of settings: each kernel, stride, padding and dilation on two sizes, and pairs of them.
fn settings() -> Vec<[Slide; 2]> {
    let mut one = Vec::new();
    for (kernel, stride) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (4, 2)] {
        for (padding, dilation, size) in [(0, 1, 7), (1, 1, 6), (1, 2, 7), (2, 3, 6)] {
            one.push(Slide { size, kernel, stride, padding, dilation });
        }
    }
    one.retain(Slide::fits);
    let other = one.iter().cycle().skip(5);
    let pairs: Vec<_> = one.iter().zip(other).map(|(a, b)| [*a, *b]).collect();
    assert!(pairs.len() > 25, "{}", pairs.len());
    pairs
}

fn draw(rng: &mut Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| rng.between(-1.0, 1.0)).collect()
}

/// `kernel = (3, 2), stride = …`, as the library's functions take them.
fn written([h, w]: [Slide; 2]) -> String {
    let pair = |name: &str, of: fn(&Slide) -> usize| format!("{name} = ({}, {})", of(&h), of(&w));
    [
        pair("kernel", |s| s.kernel),
        pair("stride", |s| s.stride),
        pair("padding", |s| s.padding),
        pair("dilation", |s| s.dilation),
    ]
    .join(", ")
}

/// The adjoint of a convolution is its `grad`, and `conv_transpose` with the same weights; all agree with loops.
#[test]
fn convolutions_of_images() {
    for [h, w] in settings() {
        let (p, q) = (h.positions(), w.positions());
        let (image, map) =
            (format!("Tensor<B, {FROM}, {}, {}>", h.size, w.size), format!("Tensor<B, {TO}, {p}, {q}>"));
        let with = written([h, w]);
        let rest = format!("output_padding = ({}, {})", h.rest(), w.rest());
        let text = format!(
            "#[network] fn there(x: {image}) -> {map} {{ conv(x, channels = {TO}, {with}, bias = false) }}
             #[network] fn back(y: {map}) -> {image} {{ conv_transpose(y, channels = {FROM}, {with}, {rest}, bias = false) }}
             #[function] fn f(x: {image}, y: {map}) -> ({map}, {image}, {image}) {{
                 (there(x), grad(|v| dot(there(v), y), x), back(y))
             }}
             #[loss] fn slopes(x: {image}, y: {map}) -> Tensor<B> {{ dot(there(x), y) + dot(x, back(y)) }}"
        );
        let mut rng = Rng(17);
        let x = draw(&mut rng, ROWS * FROM * h.size * w.size);
        let y = draw(&mut rng, ROWS * TO * p * q);
        let weight = draw(&mut rng, TO * FROM * h.kernel * w.kernel);
        let (mut to, mut from, mut slope) = (vec![0.0; y.len()], vec![0.0; x.len()], vec![0.0; weight.len()]);
        products([h, w], |i, k, o| {
            to[o] += weight[k] * x[i];
            from[i] += weight[k] * y[o];
            slope[k] += x[i] * y[o] / ROWS as f64;
        });
        let given = Given { rows: ROWS, inputs: &[&x, &y], params: &[&weight, &weight], ..Given::default() };
        let program = graph(&text, "f");
        near(&given.run(&program, &Role::Result(0)), &to);
        near(&given.run(&program, &Role::Result(1)), &from);
        near(&given.run(&program, &Role::Result(2)), &from);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        near(
            &[dot(&given.run(&program, &Role::Result(0)), &y)],
            &[dot(&x, &given.run(&program, &Role::Result(2)))],
        );

        let mut program = graph(&text, "slopes");
        crate::autodiff::differentiate_loss(&mut program);
        near(&given.run(&program, &Role::Gradient(0)), &slope);
        near(&given.run(&program, &Role::Gradient(1)), &slope);
    }
}

#[test]
fn convolutions_of_sequences() {
    let line = Slide { size: 1, kernel: 1, stride: 1, padding: 0, dilation: 1 };
    for [s, _] in settings() {
        let (l, p) = (s.size, s.positions());
        let with = format!(
            "kernel = {}, stride = {}, padding = {}, dilation = {}",
            s.kernel, s.stride, s.padding, s.dilation
        );
        let text = format!(
            "#[network] fn there(x: Tensor<B, {FROM}, {l}>) -> Tensor<B, {TO}, {p}> {{ conv1d(x, channels = {TO}, {with}) }}
             #[network] fn back(y: Tensor<B, {TO}, {p}>) -> Tensor<B, {FROM}, {l}> {{
                 conv_transpose1d(y, channels = {FROM}, {with}, output_padding = {})
             }}
             #[function] fn f(x: Tensor<B, {FROM}, {l}>, y: Tensor<B, {TO}, {p}>) -> (Tensor<B, {TO}, {p}>, Tensor<B, {FROM}, {l}>) {{
                 (there(x), back(y))
             }}",
            s.rest()
        );
        let mut rng = Rng(23);
        let (x, y) = (draw(&mut rng, ROWS * FROM * l), draw(&mut rng, ROWS * TO * p));
        let weight = draw(&mut rng, TO * FROM * s.kernel);
        let (there, back) = ([0.5, -1.0, 2.0], [0.25, -3.0]);
        let mut to: Vec<f64> = (0..y.len()).map(|e| there[e / p % TO]).collect();
        let mut from: Vec<f64> = (0..x.len()).map(|e| back[e / l % FROM]).collect();
        products([line, s], |i, k, o| {
            to[o] += weight[k] * x[i];
            from[i] += weight[k] * y[o];
        });
        let params: &[&[f64]] = &[&weight, &there, &weight, &back];
        let given = Given { rows: ROWS, inputs: &[&x, &y], params, ..Given::default() };
        let program = graph(&text, "f");
        near(&given.run(&program, &Role::Result(0)), &to);
        near(&given.run(&program, &Role::Result(1)), &from);
    }
}

#[test]
fn a_length_that_a_run_knows() {
    let text = "#[network] fn net(x: Tensor<B, 1, T>) -> Tensor<B, 1, T> { conv1d(x, channels = 1, kernel = 3, padding = 1) }
        #[function] fn f(x: Tensor<B, 1, T>) -> Tensor<B, 1, T> { net(x) }
        #[function] fn halves(x: Tensor<B, 1, T>) -> Tensor<B, 1, T> { max_pool1d(upsample1d(x, 2), kernel = 2, stride = 2) }";
    let x = [1.0, 2.0, 3.0, 4.0, 5.0];
    let given = Given {
        rows: 1,
        inputs: &[&x],
        params: &[&[1.0, 10.0, 100.0], &[0.5]],
        symbols: &[("T", 5)],
        ..Given::default()
    };
    check(text, &given, &[210.5, 321.5, 432.5, 543.5, 54.5]);
    near(&given.run(&graph(text, "halves"), &Role::Result(0)), &x);
}

#[test]
fn the_jacobian_of_a_convolution_is_its_matrix() {
    let text = "#[network] fn net(x: Tensor<B, 1, 4>) -> Tensor<B, 1, 2> { conv1d(x, channels = 1, kernel = 3, stride = 2, padding = 1) }
        #[function] fn f(x: Tensor<B, 1, 4>) -> Tensor<B, 1, 2, 1, 4> { jacobian(net, x) }";
    let given =
        Given { rows: 1, inputs: &[&[0.0; 4]], params: &[&[1.0, 2.0, 3.0], &[7.0]], ..Given::default() };
    check(text, &given, &[2.0, 3.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn pools() {
    // A tie of two, and a tie of pieces that overlap.
    let x = [1.0, 4.0, 4.0, 0.0, 2.0, 2.0];
    let given = Given { rows: 1, inputs: &[&x], ..Given::default() };
    let of =
        |body: &str, output: &str| format!("#[function] fn f(x: Tensor<B, 1, 6>) -> {output} {{ {body} }}");
    check(&of("max_pool1d(x, kernel = 3, stride = 1)", "Tensor<B, 1, 4>"), &given, &[4.0, 4.0, 4.0, 2.0]);
    let slope = "grad(|v| sum(max_pool1d(v, kernel = 3, stride = 1)), x)";
    check(&of(slope, "Tensor<B, 1, 6>"), &given, &[0.0, 1.0, 2.0, 0.0, 0.5, 0.5]);
    check(&of("average_pool1d(x, kernel = 4, stride = 2)", "Tensor<B, 1, 2>"), &given, &[2.25, 2.0]);

    let images = |body: &str, output: &str| {
        format!("#[function] fn f(x: Tensor<B, 1, 2, 3>) -> {output} {{ {body} }}")
    };
    check(&images("max_pool(x, kernel = 2, stride = 1)", "Tensor<B, 1, 1, 2>"), &given, &[4.0, 4.0]);
    check(
        &images("average_pool(x, kernel = (1, 2), stride = 1)", "Tensor<B, 1, 2, 2>"),
        &given,
        &[2.5, 4.0, 1.0, 2.0],
    );
    check(
        &images("max_pool(x, kernel = (2, 1), stride = (1, 2))", "Tensor<B, 1, 1, 2>"),
        &given,
        &[1.0, 4.0],
    );
    let twice = [1.0, 1.0, 4.0, 4.0, 4.0, 4.0, 1.0, 1.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0];
    let twice: Vec<f64> = twice.iter().chain(&twice[12..]).copied().collect();
    check(&images("upsample(x, 2)", "Tensor<B, 1, 4, 6>"), &given, &twice);
    let each: Vec<f64> = x.iter().flat_map(|x| [*x; 3]).collect();
    check(&of("upsample1d(x, 3)", "Tensor<B, 1, 18>"), &given, &each);
}

/// The words themselves, along an axis that is not the last.
#[test]
fn windows_and_folds_are_transposes() {
    let text = "#[function] fn f(x: Tensor<B, 5, 2>, y: Tensor<B, 2, 2, 2>) -> (Tensor<B, 2, 2, 2>, Tensor<B, 5, 2>, Tensor<B, 5, 2>) {
        let there = |v| window(v, axis = 1, kernel = 2, stride = 2, dilation = 2);
        (there(x), fold(y, axis = 1, stride = 2, dilation = 2), grad(|v| dot(there(v), y), x))
    }";
    let x: Vec<f64> = (0..10).map(f64::from).collect();
    let y: Vec<f64> = (1..9).map(f64::from).collect();
    let given = Given { rows: 1, inputs: &[&x, &y], ..Given::default() };
    let program = graph(text, "f");
    near(&given.run(&program, &Role::Result(0)), &[0.0, 1.0, 4.0, 5.0, 4.0, 5.0, 8.0, 9.0]);
    let folded = [1.0, 2.0, 0.0, 0.0, 8.0, 10.0, 0.0, 0.0, 7.0, 8.0];
    near(&given.run(&program, &Role::Result(1)), &folded);
    near(&given.run(&program, &Role::Result(2)), &folded);
}
