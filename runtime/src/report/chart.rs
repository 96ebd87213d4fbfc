//! Charts: curves of losses, maps of two-dimensional codes.
//!
//! In: points. Out: a PNG file with axes, in colours that colour-blind readers can tell apart. Never: a font of
//! the system (so that charts look alike everywhere), a point invented where a value is not finite.

use std::ops::Range;
use std::path::Path;
use std::sync::Once;

use diabolo_kernels::Float;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::canvas::Canvas;
use super::legend;
use crate::error::{Error, Result};

/// The colours of Okabe and Ito (2008), the yellow left out: it is too light for a line on white.
pub(super) const LINES: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 60, 60),
];
/// The "muted" scheme of Tol (2021), and grey: ten classes that stay apart.
const CLASSES: [RGBColor; 10] = [
    RGBColor(51, 34, 136),
    RGBColor(136, 204, 238),
    RGBColor(68, 170, 153),
    RGBColor(17, 119, 51),
    RGBColor(153, 153, 51),
    RGBColor(221, 204, 119),
    RGBColor(204, 102, 119),
    RGBColor(136, 34, 85),
    RGBColor(170, 68, 153),
    RGBColor(130, 130, 130),
];
pub(super) const INK: RGBColor = RGBColor(51, 51, 51);
pub(super) const FAINT: RGBColor = RGBColor(229, 229, 229);
pub(super) const FONT: &str = "diabolo";
/// From here on, a linear axis would show one large value and a flat line.
const LOG_FROM: f64 = 300.0;
/// Sizes beyond these are left out, or not drawn on a logarithmic axis: the arithmetic of the axes ends there.
const LARGEST: f64 = 1e300;
const SMALLEST: f64 = 1e-12;

/// Draws one line a series, over labelled axes (`["epoch", "loss"]`).
///
/// Positive values that span more than a factor of 300 are drawn on a logarithmic axis, which says so. Points that are
/// not finite are left out.
pub fn curve(
    path: impl AsRef<Path>,
    title: &str,
    axes: [&str; 2],
    series: &[(&str, Vec<(f64, f64)>)],
) -> Result<()> {
    let finite =
        |points: &[(f64, f64)]| -> Vec<(f64, f64)> { points.iter().copied().filter(drawable).collect() };
    let series: Vec<(&str, Vec<(f64, f64)>)> =
        series.iter().map(|(name, points)| (*name, finite(points))).collect();
    let all = || series.iter().flat_map(|(_, points)| points);
    let x = span(all().map(|p| p.0));
    let y = span(all().map(|p| p.1));
    let (Some((left, right)), Some((low, high))) = (x, y) else {
        return Err(Error::Empty { what: format!("the chart {}", path.as_ref().display()) });
    };
    let x = if left == right { widened(left, right, 0.05) } else { left..right };
    draw(path.as_ref(), 960, 560, |area| {
        if low > SMALLEST && (LOG_FROM..LARGEST).contains(&(high / low)) {
            let y = (low / 1.2..high * 1.2).log_scale();
            let axes = [axes[0], &format!("{}, log scale", axes[1])];
            lines(area, title, axes, x, (y, &tick), &series)
        } else {
            let y = widened(low, high, 0.05);
            let linear = ticks(&y);
            lines(area, title, axes, x, (y, &linear), &series)
        }
    })
}

/// Draws points of the plane, coloured by label: codes of two values a row.
pub fn scatter<'a, F: Float>(
    path: impl AsRef<Path>,
    title: &str,
    points: impl IntoIterator<Item = &'a [F]>,
    labels: &[F],
) -> Result<()> {
    let path = path.as_ref();
    let mut plane = Vec::new();
    for point in points {
        let [x, y] = point else {
            return Err(mismatch(path, "point", "2 values", format!("{} values", point.len())));
        };
        plane.push((x.to_f64(), y.to_f64()));
    }
    if plane.len() != labels.len() {
        return Err(mismatch(path, "labels", &format!("{}", plane.len()), format!("{}", labels.len())));
    }
    let mut classes: Vec<f64> = labels.iter().map(|label| label.to_f64()).collect();
    classes.sort_by(f64::total_cmp);
    classes.dedup();
    let dots: Vec<_> = plane
        .into_iter()
        .zip(labels)
        .filter(|(point, _)| drawable(point))
        .map(|(point, label)| (point, classes.partition_point(|class| *class < label.to_f64())))
        .collect();
    let x = span(dots.iter().map(|(point, _)| point.0));
    let y = span(dots.iter().map(|(point, _)| point.1));
    let (Some((left, right)), Some((low, high))) = (x, y) else {
        return Err(Error::Empty { what: format!("the chart {}", path.display()) });
    };

    draw(path, 800, 720, |area| {
        let (plot, key) = area.split_horizontally(720);
        let (x, y) = (widened(left, right, 0.03), widened(low, high, 0.03));
        let (along, up) = (ticks(&x), ticks(&y));
        let mut chart = ChartBuilder::on(&plot)
            .caption(title, (FONT, 22).into_font().color(&INK))
            .margin(16)
            .x_label_area_size(32)
            .y_label_area_size(48)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(FAINT)
            .label_style((FONT, 14).into_font().color(&INK))
            .x_label_formatter(&along)
            .y_label_formatter(&up)
            .draw()?;
        let radius = if dots.len() > 5000 { 1 } else { 3 };
        chart
            .draw_series(dots.iter().map(|(at, class)| {
                Circle::new(*at, radius, shade(*class, classes.len()).mix(0.75).filled())
            }))?;
        // A key for classes that can be told apart; more of them are shades of one scale.
        let shown = if classes.len() <= CLASSES.len() {
            (0..classes.len()).collect()
        } else {
            vec![0, classes.len() - 1]
        };
        for (line, class) in shown.into_iter().enumerate() {
            let y = 64 + 24 * line as i32;
            key.draw(&Circle::new((10, y), 5, shade(class, classes.len()).filled()))?;
            let style = (FONT, 15).into_font().color(&INK);
            key.draw(&Text::new(format!("{}", classes[class]), (22, y - 8), style))?;
        }
        Ok(())
    })
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

fn lines<Y>(
    area: &Area,
    title: &str,
    axes: [&str; 2],
    x: Range<f64>,
    (y, up): (impl AsRangedCoord<CoordDescType = Y, Value = f64>, &dyn Fn(&f64) -> String),
    series: &[(&str, Vec<(f64, f64)>)],
) -> Drawn
where
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let along = ticks(&x);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 22).into_font().color(&INK))
        .margin(20)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(FAINT)
        .label_style((FONT, 14).into_font().color(&INK))
        .axis_desc_style((FONT, 16).into_font().color(&INK))
        .x_label_formatter(&along)
        .y_label_formatter(&up)
        .x_desc(axes[0])
        .y_desc(axes[1])
        .draw()?;
    for (i, (name, points)) in series.iter().enumerate() {
        let style = LINES[i % LINES.len()].stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
        // A line needs two points; one is drawn as a dot.
        if let [point] = points[..] {
            chart.draw_series([Circle::new(point, 4, style.filled())])?;
        }
    }
    let pixels = |points: &[(f64, f64)]| points.iter().map(|point| chart.backend_coord(point)).collect();
    let drawn: Vec<Vec<_>> = series.iter().map(|(_, points)| pixels(points)).collect();
    let size = legend::size(series.iter().map(|(name, _)| *name));
    let place = legend::place(&drawn, chart.plotting_area().get_pixel_range(), size);
    chart
        .configure_series_labels()
        .position(place)
        .margin(legend::MARGIN)
        .legend_area_size(legend::SAMPLE)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT)
        .label_font((FONT, 15).into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// [`tick`] on a linear axis, where what rounding leaves of a zero in the middle is one.
pub(super) fn ticks(axis: &Range<f64>) -> impl Fn(&f64) -> String + use<> {
    let rounding = 1e-13 * (axis.end - axis.start);
    move |value| tick(if value.abs() < rounding { &0.0 } else { value })
}

/// `5`, `0.3`, `2.5e9`: the shortest text of four digits.
pub(super) fn tick(value: &f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".into(),
        _ if !(1e-4..1e6).contains(&size) => {
            format!("{:e}", format!("{value:.3e}").parse::<f64>().unwrap_or(*value))
        }
        // Rounded as a decimal, so that 0.1 + 0.2 is 0.3.
        _ => format!("{}", (value * 1e7).round() / 1e7),
    }
}

/// Lets `paint` draw on a white page, and saves it.
pub(super) fn draw(
    path: &Path,
    width: usize,
    height: usize,
    paint: impl FnOnce(&Area) -> Drawn,
) -> Result<()> {
    static LETTERS: Once = Once::new();
    LETTERS.call_once(|| {
        // A font that does not parse shows up as an error of every chart, with the name of the font.
        let _ = plotters::style::register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
    });
    let mut canvas = Canvas::new(path, width, height)?;
    let painted = {
        let area =
            BitMapBackend::with_buffer(&mut canvas.bytes, (width as u32, height as u32)).into_drawing_area();
        paint(&area).and_then(|()| Ok(area.present()?))
    };
    painted.map_err(|e| Error::Picture { path: path.into(), what: e.to_string() })?;
    canvas.save(path)
}

/// The colour of class `i` of `n`.
fn shade(i: usize, n: usize) -> RGBColor {
    if n <= CLASSES.len() {
        return CLASSES[i];
    }
    // From dark blue to light yellow, even in lightness.
    let t = i as f64 / (n - 1) as f64;
    let mix = |from: f64, to: f64| (from + t * (to - from)) as u8;
    RGBColor(mix(40.0, 250.0), mix(30.0, 220.0), mix(120.0, 90.0))
}

/// NaN compares as false.
fn drawable((x, y): &(f64, f64)) -> bool {
    x.abs() < LARGEST && y.abs() < LARGEST
}

pub(super) fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |span, v| match span {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// The range with room around it; never empty.
pub(super) fn widened(low: f64, high: f64, share: f64) -> Range<f64> {
    let room = match (high - low) * share {
        room if room > 0.0 => room,
        _ => (low.abs() * share).max(0.5 * share),
    };
    low - room..high + room
}

fn mismatch(path: &Path, thing: &str, expected: &str, found: String) -> Error {
    Error::Shape {
        thing: thing.into(),
        expected: expected.into(),
        found,
        place: format!("chart {}", path.display()),
    }
}
