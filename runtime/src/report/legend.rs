//! Where a legend hides least. In: what is drawn, in pixels. Out: a corner. Never: one that depends on anything but the drawing.

use std::ops::Range;

use plotters::chart::SeriesLabelPosition;

/// Pixels between a legend and the end of the plot.
pub(super) const MARGIN: i32 = 12;
/// Pixels for the sample of a line.
pub(super) const SAMPLE: i32 = 28;

/// The pixels that a legend takes, to the end of the plot: letters are about 8 wide, and a line 20 high.
pub(super) fn size<'a>(names: impl Iterator<Item = &'a str> + Clone) -> (i32, i32) {
    let letters = names.clone().map(|name| name.chars().count()).max().unwrap_or(0);
    (MARGIN + SAMPLE + 20 + 8 * letters as i32, MARGIN + 10 + 20 * names.count() as i32)
}

/// The corner whose legend of so many pixels covers least of these lines; the upper right one where others are no better.
pub(super) fn corner(
    lines: &[Vec<(i32, i32)>],
    (across, down): (Range<i32>, Range<i32>),
    (width, height): (i32, i32),
) -> SeriesLabelPosition {
    let (left, right) = (across.start..across.start + width, across.end - width..across.end);
    let (upper, lower) = (down.start..down.start + height, down.end - height..down.end);
    let corners = [
        (SeriesLabelPosition::UpperRight, &right, &upper),
        (SeriesLabelPosition::UpperLeft, &left, &upper),
        (SeriesLabelPosition::LowerRight, &right, &lower),
        (SeriesLabelPosition::LowerLeft, &left, &lower),
    ];
    let hidden = |x: &Range<i32>, y: &Range<i32>| {
        lines
            .iter()
            .flat_map(|line| dots(line))
            .filter(|dot| x.contains(&dot.0) && y.contains(&dot.1))
            .count()
    };
    let best = corners.into_iter().min_by_key(|(_, x, y)| hidden(x, y));
    best.map_or(SeriesLabelPosition::UpperRight, |(corner, ..)| corner)
}

/// Dots along a line, a few pixels apart.
fn dots(line: &[(i32, i32)]) -> impl Iterator<Item = (i32, i32)> + '_ {
    let between = line.windows(2).flat_map(|ends| {
        let (from, to) = (ends[0], ends[1]);
        let steps = 1 + (to.0 - from.0).abs().max((to.1 - from.1).abs()) / 4;
        (0..steps).map(move |i| (from.0 + (to.0 - from.0) * i / steps, from.1 + (to.1 - from.1) * i / steps))
    });
    between.chain(line.last().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_goes_where_no_line_is() {
        let at = |lines: &[Vec<(i32, i32)>]| corner(lines, (0..900, 0..500), (200, 80));
        // Pixels count from the top. A line that falls from the upper left to the lower right leaves the usual corner.
        assert_eq!(at(&[vec![(0, 10), (900, 490)]]), SeriesLabelPosition::UpperRight);
        // One that rises does not, though both of its points lie outside of it.
        assert_eq!(at(&[vec![(0, 400), (900, 0)]]), SeriesLabelPosition::UpperLeft);
        assert_eq!(at(&[vec![(0, 0), (900, 0)], vec![(899, 499)]]), SeriesLabelPosition::LowerLeft);
        assert_eq!(at(&[vec![]]), SeriesLabelPosition::UpperRight);
    }
}
