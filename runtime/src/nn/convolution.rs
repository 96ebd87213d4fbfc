//! Convolution, its transpose, pooling and upsampling, of images and of sequences: windows, products and folds.
//!
//! In: channels, then one or two axes of positions. Out: the same with other channels or positions. Never: an
//! activation; padding but zeros. The `1d` forms are for `Tensor<B, C, L>`. For images, a kernel, stride, padding or
//! dilation is one number for both axes, or a pair: `kernel = (3, 5)`.

use crate::prelude::*;

/// A convolution of images (a cross-correlation, as everywhere in machine learning):
/// `y[o, p, q] = b[o] + Σ W[o, c, k, l] x[c, p·stride + k·dilation − padding, q·stride + l·dilation − padding]`.
///
/// There are `⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1` positions along H, and so along W.
/// `W: Tensor<channels, C, kernel, kernel>` and `b: Tensor<channels>` start uniform on ±1/√(C·kernel²), as those of
/// [`dense`](super::dense). `bias = false` leaves out b.
#[layer]
pub fn conv(
    x: Tensor<B, C, H, W>,
    channels: usize,
    kernel: (usize, usize),
    #[default(1)] stride: (usize, usize),
    #[default(0)] padding: (usize, usize),
    #[default(1)] dilation: (usize, usize),
    #[default(true)] bias: bool,
) -> Tensor<B, channels, P, Q> {
    let ((kh, kw), (sh, sw), (ph, pw), (dh, dw)) = (kernel, stride, padding, dilation);
    let weight: Tensor<channels, C, kh, kw> = param(fan_in(C * kh * kw));
    let padded = pad(pad(x, axis = 3, before = pw, after = pw), axis = 2, before = ph, after = ph);
    let lines = window(padded, axis = 2, kernel = kh, stride = sh, dilation = dh);
    let pieces = window(lines, axis = 4, kernel = kw, stride = sw, dilation = dw);
    let y = einsum("bcpkql,ockl->bopq", pieces, weight);
    if bias {
        let bias: Tensor<channels> = param(fan_in(C * kh * kw));
        y + reshape(bias, channels, 1, 1)
    } else {
        y
    }
}

/// [`conv`] of sequences: `y[o, p] = b[o] + Σ W[o, c, k] x[c, p·stride + k·dilation − padding]`. With `stride = 1`, the
/// length may be one that only a run knows.
#[layer]
pub fn conv1d(
    x: Tensor<B, C, L>,
    channels: usize,
    kernel: usize,
    #[default(1)] stride: usize,
    #[default(0)] padding: usize,
    #[default(1)] dilation: usize,
    #[default(true)] bias: bool,
) -> Tensor<B, channels, P> {
    let weight: Tensor<channels, C, kernel> = param(fan_in(C * kernel));
    let padded = pad(x, axis = 2, before = padding, after = padding);
    let pieces = window(padded, axis = 2, kernel = kernel, stride = stride, dilation = dilation);
    let y = einsum("bcpk,ock->bop", pieces, weight);
    if bias {
        let bias: Tensor<channels> = param(fan_in(C * kernel));
        y + reshape(bias, channels, 1)
    } else {
        y
    }
}

/// The transpose of [`conv`], with a bias: what a convolution with these settings does to adjoints, so that it undoes
/// the change of shape (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, §4).
///
/// `(H − 1)·stride + dilation·(kernel − 1) + 1 − 2·padding + output_padding` rows come out of H. Several sizes of an
/// image give one size of its convolution; `output_padding`, below the stride, adds lines at the end to meet the right
/// one. `W: Tensor<C, channels, kernel, kernel>` is that of the convolution from `channels` to C. W and b start uniform on
/// ±√(stride² / (C·kernel²)): about C·kernel²/stride² terms make an element.
#[layer]
pub fn conv_transpose(
    x: Tensor<B, C, H, W>,
    channels: usize,
    kernel: (usize, usize),
    #[default(1)] stride: (usize, usize),
    #[default(0)] padding: (usize, usize),
    #[default(0)] output_padding: (usize, usize),
    #[default(1)] dilation: (usize, usize),
    #[default(true)] bias: bool,
) -> Tensor<B, channels, P, Q> {
    let ((kh, kw), (sh, sw), (ph, pw), (dh, dw)) = (kernel, stride, padding, dilation);
    let (mh, mw) = output_padding;
    let spread = sqrt(1.0 * sh * sw / (C * kh * kw));
    let weight: Tensor<C, channels, kh, kw> = param(uniform_init(spread));
    let pieces = einsum("bchw,cokl->bohkwl", x, weight);
    let lines = fold(pieces, axis = 4, stride = sw, dilation = dw, output_padding = mw);
    let whole = fold(lines, axis = 2, stride = sh, dilation = dh, output_padding = mh);
    let high = (H - 1) * sh + dh * (kh - 1) + 1 + mh;
    let wide = (W - 1) * sw + dw * (kw - 1) + 1 + mw;
    let y = slice(slice(whole, axis = 2, start = ph, end = high - ph), axis = 3, start = pw, end = wide - pw);
    if bias {
        let bias: Tensor<channels> = param(uniform_init(spread));
        y + reshape(bias, channels, 1, 1)
    } else {
        y
    }
}

/// [`conv_transpose`] of sequences; `W: Tensor<C, channels, kernel>`.
#[layer]
pub fn conv_transpose1d(
    x: Tensor<B, C, L>,
    channels: usize,
    kernel: usize,
    #[default(1)] stride: usize,
    #[default(0)] padding: usize,
    #[default(0)] output_padding: usize,
    #[default(1)] dilation: usize,
    #[default(true)] bias: bool,
) -> Tensor<B, channels, P> {
    let spread = sqrt(1.0 * stride / (C * kernel));
    let weight: Tensor<C, channels, kernel> = param(uniform_init(spread));
    let pieces = einsum("bcl,cok->bolk", x, weight);
    let whole = fold(pieces, axis = 2, stride = stride, dilation = dilation, output_padding = output_padding);
    let long = (L - 1) * stride + dilation * (kernel - 1) + 1 + output_padding;
    let y = slice(whole, axis = 2, start = padding, end = long - padding);
    if bias {
        let bias: Tensor<channels> = param(uniform_init(spread));
        y + reshape(bias, channels, 1)
    } else {
        y
    }
}

/// The largest element of each piece of an image, channel by channel; the derivative is shared equally by all that
/// are the largest. Positions are counted as in [`conv`]; what no piece reaches is left out.
#[function]
pub fn max_pool(x: Tensor<B, C, H, W>, kernel: (usize, usize), stride: (usize, usize)) -> Tensor<B, C, P, Q> {
    let ((kh, kw), (sh, sw)) = (kernel, stride);
    let pieces = window(window(x, axis = 2, kernel = kh, stride = sh), axis = 4, kernel = kw, stride = sw);
    max(pieces, axis = (3, 5))
}

/// [`max_pool`] of sequences.
#[function]
pub fn max_pool1d(x: Tensor<B, C, L>, kernel: usize, stride: usize) -> Tensor<B, C, P> {
    max(window(x, axis = 2, kernel = kernel, stride = stride), axis = 3)
}

/// The mean of each piece of an image, channel by channel. Positions are counted as in [`conv`].
#[function]
pub fn average_pool(
    x: Tensor<B, C, H, W>,
    kernel: (usize, usize),
    stride: (usize, usize),
) -> Tensor<B, C, P, Q> {
    let ((kh, kw), (sh, sw)) = (kernel, stride);
    let pieces = window(window(x, axis = 2, kernel = kh, stride = sh), axis = 4, kernel = kw, stride = sw);
    mean(pieces, axis = (3, 5))
}

/// [`average_pool`] of sequences.
#[function]
pub fn average_pool1d(x: Tensor<B, C, L>, kernel: usize, stride: usize) -> Tensor<B, C, P> {
    mean(window(x, axis = 2, kernel = kernel, stride = stride), axis = 3)
}

/// Every pixel of an image `factor` times along both axes: the nearest neighbour.
#[function]
pub fn upsample(x: Tensor<B, C, H, W>, factor: usize) -> Tensor<B, C, { H * factor }, { W * factor }> {
    let blocks: Tensor<C, H, factor, W, factor> = zeros();
    reshape(unsqueeze(unsqueeze(x, 3), 5) + blocks, C, H * factor, W * factor)
}

/// [`upsample`] of sequences.
#[function]
pub fn upsample1d(x: Tensor<B, C, L>, factor: usize) -> Tensor<B, C, { L * factor }> {
    let blocks: Tensor<C, L, factor> = zeros();
    reshape(unsqueeze(x, 3) + blocks, C, L * factor)
}
