//! A rectangle of colours, and how it becomes a PNG file.
//!
//! In: pixels. Out: a file. Never: a decision about what is drawn.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

pub(super) const WHITE: Rgb = [255; 3];

/// More pixels than this along a side is a mistake, not a picture.
const MAX_SIDE: usize = 1 << 15;

/// A picture in memory, three bytes a pixel, row by row from the top.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) bytes: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(path: &Path, width: usize, height: usize) -> Result<Canvas> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            let what = format!("{width} × {height} pixels is outside of 1 to {MAX_SIDE}");
            return Err(Error::Picture { path: path.into(), what });
        }
        Ok(Canvas { width, height, bytes: WHITE.repeat(width * height) })
    }

    /// Fills a rectangle; what lies outside of the canvas is left out.
    pub(super) fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, colour: Rgb) {
        let (right, bottom) = ((x + width).min(self.width), (y + height).min(self.height));
        for y in y..bottom {
            if x < right {
                let line = &mut self.bytes[3 * (y * self.width + x)..3 * (y * self.width + right)];
                line.as_chunks_mut::<3>().0.fill(colour);
            }
        }
    }

    /// Writes the picture, over one that may be there.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let fault = |e: png::EncodingError| Error::Picture { path: path.into(), what: e.to_string() };
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(fault)?;
        writer.write_image_data(&self.bytes).map_err(fault)?;
        writer.finish().map_err(fault)?;
        fs::write(path, file).map_err(Error::io(path, "write"))
    }
}
