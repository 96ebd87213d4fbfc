//! Where a legend hides least. In: what is drawn, in pixels. Out: a place. Never: one that depends on anything but the drawing.

use std::ops::Range;

use plotters::chart::SeriesLabelPosition::{self, *};

/// Pixels between a legend's border and its text.
pub(super) const MARGIN: i32 = 12;
/// Pixels for the sample of a line.
pub(super) const SAMPLE: i32 = 28;
/// Pixels between a legend and the end of the plot.
const APART: i32 = 5;
/// Places, those that a reader expects first.
const PLACES: [SeriesLabelPosition; 9] = [
    UpperRight,
    UpperLeft,
    LowerRight,
    LowerLeft,
    MiddleRight,
    MiddleLeft,
    UpperMiddle,
    LowerMiddle,
    MiddleMiddle,
];

/// The pixels that a legend takes: letters are about 7 wide, and a line 17 high.
pub(super) fn size<'a>(names: impl Iterator<Item = &'a str> + Clone) -> (i32, i32) {
    let letters = names.clone().map(|name| name.chars().count()).max().unwrap_or(0);
    (2 * MARGIN + SAMPLE + 7 * letters as i32, 2 * MARGIN + 17 * names.count() as i32)
}

/// The place whose legend of so many pixels covers least of these lines; the upper right one where others are no better.
pub(super) fn place(
    lines: &[Vec<(i32, i32)>],
    (across, down): (Range<i32>, Range<i32>),
    (width, height): (i32, i32),
) -> SeriesLabelPosition {
    let hidden = |place: &SeriesLabelPosition| {
        let x = match place {
            UpperLeft | MiddleLeft | LowerLeft => across.start + APART,
            UpperMiddle | MiddleMiddle | LowerMiddle => i32::midpoint(across.start, across.end - width),
            _ => across.end - width - APART,
        };
        let y = match place {
            UpperLeft | UpperMiddle | UpperRight => down.start + APART,
            MiddleLeft | MiddleMiddle | MiddleRight => i32::midpoint(down.start, down.end - height),
            _ => down.end - height - APART,
        };
        let (x, y) = (x..x + width, y..y + height);
        lines
            .iter()
            .flat_map(|line| dots(line))
            .filter(|dot| x.contains(&dot.0) && y.contains(&dot.1))
            .count()
    };
    PLACES.into_iter().min_by_key(hidden).unwrap_or(UpperRight)
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
        let at = |lines: &[Vec<(i32, i32)>]| place(lines, (0..900, 0..500), (200, 80));
        // Pixels count from the top. A line that falls from the upper left to the lower right leaves the usual place.
        assert_eq!(at(&[vec![(0, 10), (900, 490)]]), UpperRight);
        // One that rises does not, though both of its points lie outside of it.
        assert_eq!(at(&[vec![(0, 400), (900, 0)]]), UpperLeft);
        assert_eq!(at(&[vec![(0, 10), (900, 10)], vec![(880, 490)]]), LowerLeft);
        // An arch over a line leaves the middle.
        let wide = |lines: &[Vec<(i32, i32)>]| place(lines, (0..900, 0..500), (500, 80));
        assert_eq!(
            wide(&[vec![(0, 490), (150, 20), (750, 20), (900, 490)], vec![(0, 480), (900, 480)]]),
            MiddleMiddle
        );
        assert_eq!(at(&[vec![]]), UpperRight);
    }
}
