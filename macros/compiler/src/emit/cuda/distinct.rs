//! Whether positions share places.
//!
//! In: axes with strides. Out: which of them have to follow each other so that no two positions of the others share a
//! place. Never: a guess; where sizes are symbols, what cannot be seen is taken for shared.

use crate::size::Size;

/// An extent and a stride.
pub(super) type Step = (Size, Size);

/// Whether every position has a place of its own.
pub(super) fn distinct(steps: &[Step]) -> bool {
    let mut steps: Vec<&Step> = steps.iter().filter(|(extent, _)| !extent.is_one()).collect();
    steps.sort_by(|(_, a), (_, b)| a.nominal().total_cmp(&b.nominal()));
    // The last place that the axes so far reach.
    let mut last = Size::default();
    for (extent, stride) in steps {
        if !exceeds(stride, &last) {
            return false;
        }
        last = &last + &(&(extent - &Size::known(1)) * stride);
    }
    true
}

/// Whether one size is above another for all symbols of 1 or more.
fn exceeds(size: &Size, other: &Size) -> bool {
    // With every symbol 1 + s, all factors of the difference being at least 0 is enough.
    let shifted = (size - other).substitute(&|name| Some(&Size::symbol(name) + &Size::known(1)));
    let at_ones = shifted.terms().find(|(symbols, _)| symbols.is_empty()).map_or(0, |(_, factor)| factor);
    at_ones > 0 && shifted.terms().all(|(_, factor)| factor >= 0)
}

/// Which axes to walk over in order, so that the others have distinct places: of all choices, the one with the fewest
/// turns; and how many of its positions each takes in one turn. `None` where only numbers known at run time could tell.
pub(super) fn in_order(steps: &[Step]) -> Option<Vec<(usize, usize)>> {
    if distinct(steps) {
        return Some(Vec::new());
    }
    let known: Vec<(usize, usize)> =
        steps.iter().enumerate().filter_map(|(axis, (extent, _))| Some((axis, extent.value()?))).collect();
    if known.len() > 10 {
        return None;
    }
    let mut best: Option<(usize, Vec<(usize, usize)>)> = None;
    for chosen in 1..1usize << known.len() {
        let list = (0..known.len()).filter(|bit| chosen >> bit & 1 == 1).map(|bit| known[bit]);
        let list: Vec<(usize, usize)> = list.collect();
        let alone = |at: &dyn Fn(usize, usize) -> usize| {
            let pieces = steps.iter().enumerate().map(|(axis, (extent, stride))| {
                let piece = list.iter().find(|(other, _)| *other == axis);
                (piece.map_or(extent.clone(), |(_, n)| Size::known(at(axis, *n))), stride.clone())
            });
            distinct(&pieces.collect::<Vec<_>>())
        };
        if !alone(&|_, _| 1) {
            continue;
        }
        // As many positions at a time as stay apart, axis by axis.
        let mut pieces: Vec<(usize, usize)> = list.iter().map(|(axis, _)| (*axis, 1)).collect();
        for place in 0..pieces.len() {
            let (axis, n) = list[place];
            let fits = |piece: usize| {
                alone(&|other, _| match other == axis {
                    true => piece,
                    false => pieces.iter().find(|(of, _)| *of == other).map_or(1, |(_, piece)| *piece),
                })
            };
            let piece = (1..=n).rev().find(|piece| fits(*piece)).unwrap_or(1);
            pieces[place].1 = piece;
        }
        let turns = list.iter().zip(&pieces).map(|((_, n), (_, piece))| n.div_ceil(*piece)).product();
        if best.as_ref().is_none_or(|(fewest, _)| turns < *fewest) {
            best = Some((turns, pieces));
        }
    }
    best.map(|(_, pieces)| pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(of: &[(usize, usize)]) -> Vec<Step> {
        of.iter().map(|(n, s)| (Size::known(*n), Size::known(*s))).collect()
    }

    #[test]
    fn places_are_shared_where_pieces_overlap() {
        assert!(distinct(&steps(&[(5, 12), (4, 3), (3, 1)])));
        assert!(!distinct(&steps(&[(14, 2), (3, 1)])));
        assert!(distinct(&steps(&[(14, 2), (2, 1)])));
        assert!(!distinct(&steps(&[(4, 0)])));
        let rows = (Size::batch(), &Size::symbol("T") * &Size::known(4));
        assert!(distinct(&[
            rows.clone(),
            (Size::symbol("T"), Size::known(4)),
            (Size::known(4), Size::known(1))
        ]));
        assert!(!distinct(&[rows, (Size::symbol("T"), Size::known(4)), (Size::known(5), Size::known(1))]));
    }

    #[test]
    fn the_fewest_turns_keep_places_apart() {
        assert_eq!(in_order(&steps(&[(14, 2), (4, 1)])), Some(vec![(1, 2)]));
        assert_eq!(in_order(&steps(&[(14, 2), (3, 1)])), Some(vec![(1, 2)]));
        assert_eq!(in_order(&steps(&[(9, 28), (14, 2), (2, 1)])), Some(vec![]));
        let free = [(Size::symbol("T"), Size::known(1)), (Size::symbol("K"), Size::known(1))];
        assert_eq!(in_order(&free), None);
    }
}
