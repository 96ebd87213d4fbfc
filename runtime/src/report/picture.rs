//! Images side by side: samples in a grid, inputs above their reconstructions.
//!
//! In: flat images with values from 0 (black) to 1 (white). Out: a PNG file, enlarged so that single pixels of
//! small images can be seen. Never: smoothing, or a contrast stretched behind the reader's back.

use std::path::Path;

use diabolo_kernels::Float;

use super::canvas::{Canvas, Rgb, WHITE};
use crate::error::{Error, Result};

/// The side an image is enlarged to, about.
const SIDE: usize = 64;
/// Between images that belong together, and around the page.
const GAP: usize = 3;
const MARGIN: usize = 12;
/// Images in one line of a strip.
const LINE: usize = 12;
/// What is drawn where a value is NaN: no grey can be mistaken for it.
const NOT_A_NUMBER: Rgb = [204, 0, 119];

/// Draws images in lines of `columns`.
///
/// `shape` is the height and width of one. Values outside of 0 to 1 are drawn as black and white, NaN in magenta.
pub fn grid<'a, F: Float>(
    path: impl AsRef<Path>,
    images: impl IntoIterator<Item = &'a [F]>,
    shape: [usize; 2],
    columns: usize,
) -> Result<()> {
    let images: Vec<&[F]> = images.into_iter().collect();
    let lines: Vec<&[&[F]]> = images.chunks(columns.max(1)).collect();
    page(path.as_ref(), &lines, 1, shape)
}

/// Draws inputs above outputs, pair by pair, as many as both have.
pub fn reconstructions<'a, F: Float>(
    path: impl AsRef<Path>,
    inputs: impl IntoIterator<Item = &'a [F]>,
    outputs: impl IntoIterator<Item = &'a [F]>,
    shape: [usize; 2],
) -> Result<()> {
    strips(path, &[inputs.into_iter().collect(), outputs.into_iter().collect()], shape)
}

/// Draws several versions of the same images under one another: original, corrupted, rebuilt.
///
/// As many columns are drawn as the shortest strip has.
pub fn strips<F: Float>(path: impl AsRef<Path>, strips: &[Vec<&[F]>], shape: [usize; 2]) -> Result<()> {
    let count = strips.iter().map(Vec::len).min().unwrap_or(0);
    let mut lines = Vec::new();
    for start in (0..count).step_by(LINE) {
        lines.extend(strips.iter().map(|strip| &strip[start..count.min(start + LINE)]));
    }
    page(path.as_ref(), &lines, strips.len(), shape)
}

/// Lines of images; every `group` of them stand close together.
fn page<F: Float>(path: &Path, lines: &[&[&[F]]], group: usize, shape: [usize; 2]) -> Result<()> {
    let [height, width] = shape;
    let columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    if columns == 0 {
        return Err(Error::Empty { what: format!("the picture {}", path.display()) });
    }
    let pixels = height.checked_mul(width).filter(|pixels| *pixels > 0);
    if let Some(image) = lines.iter().flat_map(|line| line.iter()).find(|image| Some(image.len()) != pixels) {
        return Err(Error::Shape {
            thing: "image".into(),
            expected: format!("{height} × {width} pixels"),
            found: format!("{} values", image.len()),
            place: format!("picture {}", path.display()),
        });
    }

    let scale = (SIDE / height.max(width).max(1)).max(1);
    let (tall, wide) = (height * scale, width * scale);
    let between = if group > 1 { 4 * GAP } else { GAP };
    let top = |line: usize| MARGIN + line * (tall + GAP) + line / group * (between - GAP);
    let bottom = top(lines.len() - 1) + tall + MARGIN;
    let mut canvas = Canvas::new(path, 2 * MARGIN + columns * (wide + GAP) - GAP, bottom)?;
    for (i, line) in lines.iter().enumerate() {
        for (j, image) in line.iter().enumerate() {
            let (x, y) = (MARGIN + j * (wide + GAP), top(i));
            for (p, value) in image.iter().enumerate() {
                canvas.fill(x + p % width * scale, y + p / width * scale, scale, scale, grey(value.to_f64()));
            }
        }
    }
    canvas.save(path)
}

fn grey(value: f64) -> Rgb {
    if value.is_nan() {
        return NOT_A_NUMBER;
    }
    [(value.clamp(0.0, 1.0) * f64::from(WHITE[0])).round() as u8; 3]
}
