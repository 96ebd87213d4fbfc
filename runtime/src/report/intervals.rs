//! A chart of figures that have a spread: a dot and its deviation a line, beside what has to be beaten.
//!
//! In: names, means, deviations, references. Out: a PNG file. Never: a value left out without a word; one that is not
//! finite has its name and no dot.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{FAINT, FONT, INK, LINES, draw, span, tick, widened};
use crate::error::{Error, Result};

/// The height of a line, in pixels, and the width of the names.
const LINE: usize = 26;
const NAMES: u32 = 260;

/// A line of [`intervals`].
#[derive(Clone, Debug)]
pub struct Interval {
    /// What was measured.
    pub name: String,
    /// The mean over runs.
    pub mean: f64,
    /// The standard deviation over runs.
    pub deviation: f64,
    /// What it is measured against.
    pub reference: f64,
}

/// Draws a line for each: its mean as a dot, one deviation to both sides, its reference as a bar.
///
/// # Errors
/// [`Error::Empty`] where there are no lines; where the file cannot be written.
pub fn intervals(path: impl AsRef<Path>, title: &str, axis: &str, lines: &[Interval]) -> Result<()> {
    let path = path.as_ref();
    let ends =
        |line: &Interval| [line.mean - line.deviation, line.mean + line.deviation, line.reference, 0.0];
    let Some((low, high)) = span(lines.iter().flat_map(ends).filter(|v| v.is_finite())) else {
        return Err(Error::Empty { what: format!("the chart {}", path.display()) });
    };
    let height = 130 + LINE * lines.len();
    draw(path, 960, height, |area| {
        let mut chart = ChartBuilder::on(area)
            .caption(title, (FONT, 22).into_font().color(&INK))
            .margin(20)
            .x_label_area_size(44)
            .y_label_area_size(NAMES)
            .build_cartesian_2d(widened(low, high, 0.03), lines.len() as f64 - 0.5..-0.5)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(FAINT)
            .label_style((FONT, 14).into_font().color(&INK))
            .axis_desc_style((FONT, 16).into_font().color(&INK))
            .y_labels(0)
            .x_label_formatter(&tick)
            .x_desc(axis)
            .draw()?;
        let left = chart.plotting_area().get_pixel_range().0.start;
        for (i, line) in lines.iter().enumerate() {
            let y = i as f64;
            let style = (FONT, 15).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
            let (_, middle) = chart.backend_coord(&(low, y));
            area.draw(&Text::new(line.name.as_str(), (left - 12, middle + 2), style))?;
            if line.reference.is_finite() {
                let bar = vec![(line.reference, y - 0.35), (line.reference, y + 0.35)];
                chart.draw_series([PathElement::new(bar, LINES[6].stroke_width(2))])?;
            }
            if line.mean.is_finite() && line.deviation.is_finite() {
                let ends = vec![(line.mean - line.deviation, y), (line.mean + line.deviation, y)];
                chart.draw_series([PathElement::new(ends, LINES[0].stroke_width(2))])?;
                chart.draw_series([Circle::new((line.mean, y), 5, LINES[0].filled())])?;
            }
        }
        Ok(())
    })
}
