//! Memory that a loop adds to, and that has to be set before.
//!
//! In: a loop. Out: fills. Never: one where a kernel writes every element, whatever was there.

use super::super::recording::Command;
use super::{Split, whole};
use crate::schedule::{Loop, Op, Source};
use crate::size::Size;

impl Split<'_> {
    /// Sets memory that no kernel of the loop writes as a whole.
    pub(super) fn fills(&self, l: &Loop, out: &mut Vec<Command>) {
        let first = |source: Source, count: Size, value: f64| Command::Fill {
            to: self.scope.place(source),
            count,
            value,
        };
        let mut filled: Vec<Source> = Vec::new();
        for (source, extent, value) in &l.fills {
            let count = whole(self.scope, extent);
            if !self.covers(*source, &count) && !filled.contains(source) {
                filled.push(*source);
                out.push(first(*source, count, *value));
            }
        }
        // An accumulator that only this loop writes, but not all of it, or not at once.
        for op in &l.body {
            if let Op::Reduce { into, .. } = op
                && let Source::Buffer(index) = into.place.source
                && self.scope.is_lane(into.place.source)
                && !self.scope.joins(into.place.source)
                && !filled.contains(&into.place.source)
            {
                let count = self.scope.schedule.buffers[index].elements.clone();
                if !self.covers(into.place.source, &count) {
                    filled.push(into.place.source);
                    out.push(first(into.place.source, count, 0.0));
                }
            }
        }
    }

    /// Whether one operation writes each of `count` elements, whatever was there.
    fn covers(&self, source: Source, count: &Size) -> bool {
        self.ops.iter().enumerate().any(|(at, op)| {
            let (Op::Reduce { into, follow: None, .. } | Op::Store(into, _)) = op else { return false };
            let kept = self.space.iter().zip(&into.strides).filter(|(_, s)| **s != Size::default());
            into.place.source == source
                && !self.joins.contains(&at)
                && self.is_distinct(into)
                && Size::product(kept.map(|(n, _)| n)) == *count
        })
    }
}
