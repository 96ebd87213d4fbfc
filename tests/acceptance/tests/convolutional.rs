//! Row 31: convolutions are the sums that their definition says, and their transposes are their adjoints.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | padding of lines of an image all in front, in `conv` | `convolutions_of_images…` | apart by 2.3 |
//! | the same | `the_transpose_is_the_adjoint` | 8.32 and 3.30 |
//! | half of the input, in `conv1d` | `convolutions_of_sequences…` | apart by 0.85 |
//! | tanh for the first rectifier of the example | `the_example_is_naive_loops…` | loss 9.32 for 9.34 |

use common as _;
use diabolo::Model;
use diabolo::data::{Array, Data, digits};
use diabolo::nn::{conv, conv_transpose, conv_transpose1d, conv1d};
use diabolo::prelude::*;
use diabolo_acceptance::slopes::gradient;
use diabolo_acceptance::statistics::normals;

#[allow(dead_code)]
#[path = "../../../examples/convolutional.rs"]
mod convolutional;

/// Every stride, padding and dilation that the tests go through: those of `#[values(…)]` below, where P is 1 more than the
/// padding, because a size is 1 or more. Elements in a line have others than lines: 4 − S, 1 less the padding, 3 − D.
fn settings() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..12).map(|i| (1 + i / 4, i / 2 % 2, 1 + i % 2))
}

#[network]
fn down<const S: usize, const P: usize, const D: usize>(x: Tensor<B, 2, 9, 10>) -> Tensor<B, 3, H, W> {
    conv(
        x,
        channels = 3,
        kernel = (3, 2),
        stride = (S, 4 - S),
        padding = (P - 1, 2 - P),
        dilation = (D, 3 - D),
    )
}

/// As many lines at the end as make 9 × 10 of what `down` makes of 9 × 10.
#[network]
fn up<const S: usize, const P: usize, const D: usize>(y: Tensor<B, 3, H, W>) -> Tensor<B, 2, 9, 10> {
    let ends = ((6 + 2 * P - 2 * D) % S, (10 - 2 * P + D) % (4 - S));
    conv_transpose(
        y,
        channels = 2,
        kernel = (3, 2),
        stride = (S, 4 - S),
        padding = (P - 1, 2 - P),
        dilation = (D, 3 - D),
        output_padding = ends,
    )
}

/// All that `down` makes, and zeros behind it: the type of a result has to be known, and divides only evenly.
#[function]
fn down_filled<
    #[values(1, 2, 3)] const S: usize,
    #[values(1, 2)] const P: usize,
    #[values(1, 2)] const D: usize,
>(
    x: Tensor<B, 2, 9, 10>,
) -> Tensor<B, 300> {
    let (high, wide) = (6 + 2 * P - 2 * D, 10 - 2 * P + D);
    let count = 3 * ((high - high % S) / S + 1) * ((wide - wide % (4 - S)) / (4 - S) + 1);
    pad(flatten(down::<S, P, D>(x)), axis = 1, before = 0, after = 300 - count)
}

#[function]
fn down1d_filled<
    #[values(1, 2, 3)] const S: usize,
    #[values(1, 2)] const P: usize,
    #[values(1, 2)] const D: usize,
>(
    x: Tensor<B, 2, 11>,
) -> Tensor<B, 40> {
    let long = 8 + 2 * P - 2 * D;
    pad(flatten(down1d::<S, P, D>(x)), axis = 1, before = 0, after = 40 - 3 * ((long - long % S) / S + 1))
}

#[function]
fn up_of_down<
    #[values(1, 2, 3)] const S: usize,
    #[values(1, 2)] const P: usize,
    #[values(1, 2)] const D: usize,
>(
    x: Tensor<B, 2, 9, 10>,
) -> Tensor<B, 2, 9, 10> {
    up::<S, P, D>(down::<S, P, D>(x))
}

/// ⟨Cx, y⟩ and ⟨x, Cᵀy⟩ for the bilinear parts: what their biases add is taken off.
#[function]
fn both_sides<
    #[values(1, 2, 3)] const S: usize,
    #[values(1, 2)] const P: usize,
    #[values(1, 2)] const D: usize,
>(
    x: Tensor<B, 2, 9, 10>,
) -> (Tensor<B>, Tensor<B>) {
    let forth = down::<S, P, D>(x) - down::<S, P, D>(0.0 * x);
    let y = normal_like(forth);
    (dot(forth, y), dot(x, up::<S, P, D>(y) - up::<S, P, D>(0.0 * y)))
}

#[network]
fn down1d<
    #[values(1, 2, 3)] const S: usize,
    #[values(1, 2)] const P: usize,
    #[values(1, 2)] const D: usize,
>(
    x: Tensor<B, 2, 11>,
) -> Tensor<B, 3, L> {
    conv1d(x, channels = 3, kernel = 3, stride = S, padding = P - 1, dilation = D)
}

#[network]
fn up1d<#[values(1, 2, 3)] const S: usize, #[values(1, 2)] const P: usize, #[values(1, 2)] const D: usize>(
    y: Tensor<B, 3, 5>,
) -> Tensor<B, 2, { 4 * S + 2 * D + 3 - 2 * P }> {
    conv_transpose1d(y, channels = 2, kernel = 3, stride = S, padding = P - 1, dilation = D)
}

/// Kernel, stride, padding and dilation: of lines, and of elements in a line.
#[derive(Clone, Copy)]
struct Geometry {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

impl Geometry {
    fn image(s: usize, p: usize, d: usize) -> Geometry {
        Geometry { kernel: [3, 2], stride: [s, 4 - s], padding: [p, 1 - p], dilation: [d, 3 - d] }
    }

    fn line(kernel: usize, s: usize, p: usize, d: usize) -> Geometry {
        Geometry { kernel: [1, kernel], stride: [1, s], padding: [0, p], dilation: [1, d] }
    }

    /// Positions of the convolution of an image of this size.
    fn positions(&self, size: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|a| {
            (size[a] + 2 * self.padding[a] - self.dilation[a] * (self.kernel[a] - 1) - 1) / self.stride[a] + 1
        })
    }

    /// Every place in the kernel, with the element of an image of this size that it covers from a position.
    fn covered(&self, at: [usize; 2], size: [usize; 2]) -> Vec<(usize, usize)> {
        let [high, wide] = self.kernel;
        let places = (0..high * wide).map(|place| (place, [place / wide, place % wide]));
        let found = places.filter_map(|(place, within)| {
            let seen = [0, 1].map(|a| {
                (at[a] * self.stride[a] + within[a] * self.dilation[a]).checked_sub(self.padding[a])
            });
            let (row, column) = (seen[0]?, seen[1]?);
            (row < size[0] && column < size[1]).then_some((place, row * size[1] + column))
        });
        found.collect()
    }

    /// b[o] + Σ W[o, c, place] x[c, covered], loop by loop.
    fn convolution(&self, x: &[f64], size: [usize; 2], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        let ([p, q], area, places) =
            (self.positions(size), size[0] * size[1], self.kernel[0] * self.kernel[1]);
        let channels = x.len() / area;
        let mut y = Vec::new();
        for (o, bias) in bias.iter().enumerate() {
            for at in 0..p * q {
                let mut sum = *bias;
                for c in 0..channels {
                    for (place, element) in self.covered([at / q, at % q], size) {
                        sum += weight[(o * channels + c) * places + place] * x[c * area + element];
                    }
                }
                y.push(sum);
            }
        }
        y
    }

    /// An image of this size, b[o] everywhere, to which each x[c, position] adds W[c, o, place] x where it would have looked.
    fn transposed(
        &self,
        x: &[f64],
        size: [usize; 2],
        weight: &[f64],
        bias: &[f64],
        from: [usize; 2],
    ) -> Vec<f64> {
        let (area, places, count) = (size[0] * size[1], self.kernel[0] * self.kernel[1], from[0] * from[1]);
        let outputs = bias.len();
        let mut y: Vec<f64> = bias.iter().flat_map(|b| std::iter::repeat_n(*b, area)).collect();
        for (i, x) in x.iter().enumerate() {
            let (c, at) = (i / count, i % count);
            for o in 0..outputs {
                for (place, element) in self.covered([at / from[1], at % from[1]], size) {
                    y[o * area + element] += weight[(c * outputs + o) * places + place] * x;
                }
            }
        }
        y
    }
}

/// Weight and bias of the only layer of a network.
fn layer(model: &Model<f64>, network: &str) -> (Vec<f64>, Vec<f64>) {
    let of = |end: &str| {
        let path = model
            .parameters()
            .map(|(path, _)| path)
            .find(|path| path.starts_with(network) && path.ends_with(end));
        model.parameter(path.expect("its own")).expect("its own").into_values()
    };
    (of("weight"), of("bias"))
}

fn images(shape: &[usize]) -> Array<f64> {
    Array::new(shape, normals(shape.iter().product(), 3)).unwrap()
}

/// Zeros behind the values.
fn filled(mut values: Vec<f64>, length: usize) -> Vec<f64> {
    assert!(values.len() <= length);
    values.resize(length, 0.0);
    values
}

/// The largest difference, row by row.
fn apart(found: &Array<f64>, x: &Array<f64>, naive: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    assert_eq!(found.rows(), x.rows());
    let mut worst = 0.0f64;
    for (found, x) in found.iter().zip(x) {
        let expected = naive(x);
        assert_eq!(found.len(), expected.len());
        worst = found.iter().zip(&expected).fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
    }
    worst
}

#[test]
fn convolutions_of_images_and_their_transposes_are_naive_loops() {
    let x = images(&[3, 2, 9, 10]);
    for (s, p, d) in settings() {
        let geometry = Geometry::image(s, p, d);
        let model = Model::<f64>::untrained(up_of_down { S: s, P: p + 1, D: d }, 5).unwrap();
        let y = model.run(down_filled { S: s, P: p + 1, D: d }, &x).unwrap();
        let (weight, bias) = layer(&model, "down");
        let forth = |x: &[f64]| geometry.convolution(x, [9, 10], &weight, &bias);
        let worst = apart(&y, &x, |x| filled(forth(x), 300));
        assert!(worst < 1e-13, "stride {s}, padding {p}, dilation {d}: {worst:e}");
        let (weight, bias) = layer(&model, "up");
        let back =
            |x: &[f64]| geometry.transposed(&forth(x), [9, 10], &weight, &bias, geometry.positions([9, 10]));
        let worst = apart(&model.run(up_of_down { S: s, P: p + 1, D: d }, &x).unwrap(), &x, back);
        assert!(worst < 1e-13, "the transpose of stride {s}, padding {p}, dilation {d}: {worst:e}");
    }
}

#[test]
fn convolutions_of_sequences_and_their_transposes_are_naive_loops() {
    let (x, y) = (images(&[3, 2, 11]), images(&[3, 3, 5]));
    for (s, p, d) in settings() {
        let geometry = Geometry::line(3, s, p, d);
        let model = Model::<f64>::untrained(down1d_filled { S: s, P: p + 1, D: d }, 5).unwrap();
        let (weight, bias) = layer(&model, "down1d");
        let worst = apart(&model.run(down1d_filled { S: s, P: p + 1, D: d }, &x).unwrap(), &x, |x| {
            filled(geometry.convolution(x, [1, 11], &weight, &bias), 40)
        });
        assert!(worst < 1e-13, "stride {s}, padding {p}, dilation {d}: {worst:e}");
        let model = Model::<f64>::untrained(up1d { S: s, P: p + 1, D: d }, 5).unwrap();
        let (weight, bias) = layer(&model, "up1d");
        let length = 4 * s + 2 * d + 1 - 2 * p;
        let worst = apart(&model.run(up1d { S: s, P: p + 1, D: d }, &y).unwrap(), &y, |y| {
            geometry.transposed(y, [1, length], &weight, &bias, [1, 5])
        });
        assert!(worst < 1e-13, "the transpose of stride {s}, padding {p}, dilation {d}: {worst:e}");
    }
}

#[test]
fn the_transpose_is_the_adjoint() {
    let x = images(&[20, 2, 9, 10]);
    for (s, p, d) in settings() {
        let pairing = both_sides { S: s, P: p + 1, D: d };
        let mut model = Model::<f64>::untrained(pairing, 5).unwrap();
        let path = |start: &str| {
            let found = model
                .parameters()
                .map(|(path, _)| path)
                .find(|path| path.starts_with(start) && path.ends_with("weight"));
            found.expect("a weight").to_owned()
        };
        let (down, up) = (path("down"), path("up"));
        let weight = model.parameter(&down).unwrap();
        model.set_parameter(&up, &weight).unwrap();
        let (left, right) = model.run(pairing, &x).unwrap();
        for (left, right) in left.values().iter().zip(right.values()) {
            assert!(
                (left - right).abs() < 1e-6 * left.abs().max(1.0),
                "{left} and {right}: stride {s}, padding {p}, dilation {d}"
            );
        }
    }
}

/// The loops through the example's own layers, to its loss.
fn naive_autoencoder(model: &Model<f64>, x: &[f64]) -> f64 {
    let parameter = |path: &str| model.parameter(path).expect("its own").into_values();
    let relu = |mut x: Vec<f64>| {
        x.iter_mut().for_each(|v| *v = v.max(0.0));
        x
    };
    let dense = |x: &[f64], weight: Vec<f64>, bias: Vec<f64>| -> Vec<f64> {
        let term = |j: usize| x.iter().enumerate().map(|(i, x)| x * weight[i * bias.len() + j]).sum::<f64>();
        (0..bias.len()).map(|j| bias[j] + term(j)).collect()
    };
    let halves = Geometry { kernel: [3; 2], stride: [2; 2], padding: [1; 2], dilation: [1; 2] };
    let (w, b) = (|p: &str| parameter(&format!("{p}.weight")), |p: &str| parameter(&format!("{p}.bias")));
    let h = relu(halves.convolution(x, [8, 8], &w("encode.conv0"), &b("encode.conv0")));
    let h = relu(halves.convolution(&h, [4, 4], &w("encode.conv1"), &b("encode.conv1")));
    let z = dense(&h, w("encode.dense0"), b("encode.dense0"));
    let h = relu(dense(&z, w("decode.dense0"), b("decode.dense0")));
    let (first, second) = ("decode.conv_transpose0", "decode.conv_transpose1");
    let h = relu(halves.transposed(&h, [4, 4], &w(first), &b(first), [2, 2]));
    let y = halves.transposed(&h, [8, 8], &w(second), &b(second), [4, 4]);
    y.iter().zip(x).map(|(y, x)| (y - x).powi(2)).sum()
}

/// The mean of the loops over some digits.
fn naive_loss(model: &Model<f64>, data: &Data) -> f64 {
    let x = data.array::<f64>("x").unwrap();
    x.iter().map(|x| naive_autoencoder(model, x)).sum::<f64>() / x.rows() as f64
}

#[test]
fn the_example_is_naive_loops_and_its_gradient_their_slope() {
    let data = digits().train.take(1).unwrap();
    let model = Model::<f64>::untrained(convolutional::convolutional, 1).unwrap();
    let (found, expected) =
        (model.mean(convolutional::convolutional, &data).unwrap().loss, naive_loss(&model, &data));
    assert!((found - expected).abs() < 1e-12 * expected, "{found} and {expected}");
    let mut worst = 0.0f64;
    for (path, slopes) in gradient(convolutional::convolutional, &model, &data) {
        for at in (0..slopes.len()).step_by(slopes.len().div_ceil(12)) {
            let beside = |by: f64| {
                let (mut moved, mut values) = (model.clone(), model.parameter(&path).unwrap());
                let mut changed = values.values().to_vec();
                changed[at] += by;
                values = Array::new(values.shape(), changed).unwrap();
                moved.set_parameter(&path, &values).unwrap();
                naive_loss(&moved, &data)
            };
            // Of fourth order, and so small a step that no rectifier turns within it.
            let h = 1e-5;
            let slope = (8.0 * (beside(h) - beside(-h)) - (beside(2.0 * h) - beside(-2.0 * h))) / (12.0 * h);
            worst = worst.max((slopes[at] - slope).abs() / slopes[at].abs().max(1e-2));
        }
    }
    assert!(worst < 1e-7, "{worst:e}");
}
