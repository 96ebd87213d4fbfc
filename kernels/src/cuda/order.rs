//! Which actions of a step wait for which: where two touch the same memory and one of them writes, the later one does.
//!
//! In: what each action touches, in the order in which they were recorded. Out: for each the earlier ones that it follows. Never:
//! an action that is not named and yet has to come before; one that another of the named follows anyway.

use super::driver::Address;
use super::tape::{Argument, Launch, Pointer, Product, Space, Tape};

/// Actions beyond this number follow each other as they were recorded: long recurrences, whose turns do so anyway.
const MOST: usize = 4096;

/// Bytes in a row: the first, and the first behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: Address,
    end: Address,
}

impl Span {
    /// So many elements of four bytes.
    pub fn new(start: Address, elements: usize) -> Self {
        Span { start, end: start + 4 * elements as u64 }
    }

    /// Whether they share a byte.
    pub fn meets(self, other: Span) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }

    fn holds(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// What an action touches.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Touched {
    /// What it only reads.
    pub reads: Vec<Span>,
    /// What it may write, and read.
    pub writes: Vec<Span>,
}

/// Where the spaces of a tape lie.
pub(super) trait Memory {
    /// What is said of a pointer that leaves its space.
    type Error;

    /// The elements of a space.
    fn elements(&self, space: Space) -> Result<usize, Self::Error>;

    /// So many elements from a pointer on.
    fn span(&self, pointer: Pointer, elements: usize) -> Result<Span, Self::Error>;

    /// The clock.
    fn clock(&self) -> Result<Span, Self::Error>;
}

impl Touched {
    /// What a kernel is given: whole values, because what it touches of them is not known here.
    pub fn of_launch<M: Memory>(launch: &Launch, tape: &Tape, memory: &M) -> Result<Touched, M::Error> {
        let mut touched = Touched::default();
        for argument in &launch.arguments {
            match *argument {
                Argument::Pointer(pointer) => touched.reads.push(value(pointer, tape, memory)?),
                Argument::Output(pointer) => touched.writes.push(value(pointer, tape, memory)?),
                Argument::Clock => touched.reads.push(memory.clock()?),
                Argument::Size(_) | Argument::Number(_) | Argument::Site(_) => {}
            }
        }
        Ok(touched)
    }

    /// The factors and the result of a product.
    pub fn of_product<M: Memory>(product: &Product, memory: &M) -> Result<Touched, M::Error> {
        let [a, b, c] = product.ends();
        let span = |(pointer, elements)| memory.span(pointer, elements);
        Ok(Touched { reads: vec![span(a)?, span(b)?], writes: vec![span(c)?] })
    }
}

/// All of the value that a pointer points into.
fn value<M: Memory>(pointer: Pointer, tape: &Tape, memory: &M) -> Result<Span, M::Error> {
    let Pointer { space, start } = pointer;
    memory.span(pointer, 0)?;
    let all = memory.elements(space)?;
    let (starts, bounds) = match space {
        Space::Work if start < tape.work => (&*tape.slots, 0..tape.work),
        // Behind the values lies the scratch of products.
        Space::Work => (&[][..], tape.work..all),
        Space::Gradients => (&*tape.gradients, 0..all),
        _ => (&[][..], 0..all),
    };
    let next = starts.partition_point(|first| *first <= start);
    let first = next.checked_sub(1).map_or(bounds.start, |i| starts[i]);
    let end = starts.get(next).copied().unwrap_or(bounds.end);
    memory.span(Pointer { space, start: first }, end.saturating_sub(first))
}

/// Who has touched a piece of memory last.
struct Piece {
    span: Span,
    writer: Option<usize>,
    /// Since it was written.
    readers: Vec<usize>,
}

/// For each action the earlier ones that it has to wait for, ascending, of which none waits for another.
pub(super) fn waits<'a>(all: impl ExactSizeIterator<Item = &'a Touched>) -> Vec<Vec<usize>> {
    if all.len() > MOST {
        return (0..all.len()).map(|i| i.checked_sub(1).into_iter().collect()).collect();
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut before = Before::new(all.len());
    all.enumerate()
        .map(|(i, touched)| {
            let mut after = Vec::new();
            for piece in &pieces {
                let meets = |spans: &[Span]| spans.iter().any(|span| span.meets(piece.span));
                if meets(&touched.writes) {
                    after.extend(piece.writer.into_iter().chain(piece.readers.iter().copied()));
                } else if meets(&touched.reads) {
                    after.extend(piece.writer);
                }
            }
            for span in &touched.reads {
                match pieces.iter_mut().find(|piece| piece.span == *span) {
                    Some(piece) => piece.readers.push(i),
                    None => pieces.push(Piece { span: *span, writer: None, readers: vec![i] }),
                }
            }
            for span in &touched.writes {
                // What is written whole was waited for, and whoever touches it later waits for this one.
                pieces.retain(|piece| !span.holds(piece.span));
                pieces.push(Piece { span: *span, writer: Some(i), readers: Vec::new() });
            }
            before.only(i, after)
        })
        .collect()
}

/// An order that what waits for what allows, as far from theirs as can be: of those that may come, always the last one. What should
/// have waited and does not, shows so.
#[cfg(any(test, feature = "emulator"))]
pub(super) fn against(waits: &[Vec<usize>]) -> Vec<usize> {
    let mut done = vec![false; waits.len()];
    let mut order = Vec::with_capacity(waits.len());
    let may = |done: &[bool]| {
        (0..waits.len()).rev().find(|i| !done[*i] && waits[*i].iter().all(|other| done[*other]))
    };
    while let Some(next) = may(&done) {
        done[next] = true;
        order.push(next);
    }
    order
}

/// All that comes before each action, a bit for each.
struct Before {
    words: usize,
    bits: Vec<u64>,
}

impl Before {
    fn new(count: usize) -> Self {
        let words = count.div_ceil(64);
        Before { words, bits: vec![0; words * count] }
    }

    /// Of those that `i` follows, those that no other of them follows.
    fn only(&mut self, i: usize, mut after: Vec<usize>) -> Vec<usize> {
        after.sort_unstable();
        after.dedup();
        let (earlier, this) = self.bits.split_at_mut(i * self.words);
        let mut kept = Vec::new();
        for &j in after.iter().rev() {
            if this[j / 64] >> (j % 64) & 1 == 0 {
                kept.push(j);
                let theirs = &earlier[j * self.words..(j + 1) * self.words];
                this.iter_mut().zip(theirs).for_each(|(this, bits)| *this |= bits);
                this[j / 64] |= 1 << (j % 64);
            }
        }
        kept.reverse();
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(reads: &[(u64, usize)], writes: &[(u64, usize)]) -> Touched {
        let spans = |list: &[(u64, usize)]| list.iter().map(|(start, n)| Span::new(*start, *n)).collect();
        Touched { reads: spans(reads), writes: spans(writes) }
    }

    fn of(all: &[Touched]) -> Vec<Vec<usize>> {
        waits(all.iter())
    }

    #[test]
    fn readers_wait_for_who_wrote_and_writers_for_who_read() {
        let (x, y) = ((0, 4), (256, 4));
        let all = [
            touched(&[], &[x]),  // 0
            touched(&[x], &[y]), // 1 reads what 0 wrote
            touched(&[x], &[]),  // 2 as well, beside 1
            touched(&[], &[x]),  // 3 overwrites what 1 and 2 read
            touched(&[y], &[]),  // 4 reads what 1 wrote, beside 3
            touched(&[x, y], &[]),
        ];
        assert_eq!(of(&all), [vec![], vec![0], vec![0], vec![1, 2], vec![1], vec![3]]);
    }

    #[test]
    fn a_part_and_the_whole_meet_and_neighbours_do_not() {
        let whole = (0, 8);
        let parts = [(0, 4), (16, 4)];
        let all = [
            touched(&[], &parts[..1]),
            touched(&[], &parts[1..]),
            touched(&[whole], &[]),
            touched(&[], &parts[1..]),
            touched(&[], &[whole]),
            touched(&[parts[0]], &[]),
            touched(&[(32, 0)], &[(8, 0)]), // nothing at all
        ];
        assert_eq!(of(&all), [vec![], vec![], vec![0, 1], vec![2], vec![3], vec![4], vec![]]);
    }

    #[test]
    fn the_order_against_theirs_is_one_that_they_allow() {
        let waits = [vec![], vec![0], vec![0], vec![1], vec![]];
        assert_eq!(against(&waits), [4, 0, 2, 1, 3]);
    }

    #[test]
    fn so_many_actions_follow_each_other() {
        let all = vec![touched(&[(0, 1)], &[]); MOST + 1];
        let waits = of(&all);
        assert_eq!((&waits[0], &waits[MOST]), (&vec![], &vec![MOST - 1]));
        assert!(of(&all[..MOST]).iter().all(Vec::is_empty));
    }
}
