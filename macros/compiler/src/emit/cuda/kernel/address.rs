//! Where elements lie: addresses, positions and sizes as expressions.
//!
//! In: strides, and the counters of a walk. Out: C expressions. Never: a division for an axis that no expression names.

use super::text::bare;
use super::{Memory, Shape, Writer};
use crate::schedule::{Access, Follow};
use crate::size::Size;

impl Writer<'_> {
    pub(super) fn sum_name(&self, at: usize) -> &str {
        self.memory.iter().find(|m| m.sum == Some(at)).map_or("", |m| &m.name)
    }

    /// The name of the memory that an access is of.
    pub(super) fn name(&self, access: &Access) -> String {
        let place = &access.place;
        let of = |m: &&Memory| m.source == place.source && m.offset == place.offset && m.sum.is_none();
        self.memory.iter().find(of).map_or(String::new(), |m| m.name.clone())
    }

    /// The elements of some axes.
    pub(super) fn count(&mut self, axes: &[usize]) -> String {
        let size = Size::product(axes.iter().map(|axis| &self.draft.space[*axis]));
        bare(&self.size(&size)).to_owned()
    }

    /// An address with an index that is followed.
    pub(super) fn chosen(&mut self, access: &Access, follow: &Follow, kept: &str, dropped: &str) -> String {
        let (address, bound) = (self.address(&access.strides, kept, dropped), self.size(&follow.bound));
        let mut place = format!("place(v{}, {bound})", follow.index);
        if !follow.step.is_one() {
            place = format!("{place} * {}", self.size(&follow.step));
        }
        if address == "0" { place } else { format!("{address} + {place}") }
    }

    /// The element that strides lead to, from the counters of the kept axes and of the others.
    pub(super) fn address(&mut self, strides: &[Size], kept: &str, dropped: &str) -> String {
        let draft = self.draft;
        if draft.shape == Shape::Turned {
            return self.by_positions(strides);
        }
        let mut terms = Vec::new();
        for (axes, flat) in [(&draft.kept, kept), (&draft.dropped, dropped)] {
            let Some((last, outer)) = axes.split_last() else { continue };
            // Axes that lie one after the other need no positions of their own.
            let mut next = &strides[*last] * &draft.space[*last];
            let even = outer.iter().rev().all(|axis| {
                let same = strides[*axis] == next;
                next = &next * &draft.space[*axis];
                same
            });
            let positions = match even {
                true => vec![(flat.to_owned(), &strides[*last])],
                false => axes.iter().map(|axis| (format!("i{axis}"), &strides[*axis])).collect(),
            };
            for (position, stride) in positions.into_iter().filter(|(_, stride)| **stride != Size::default())
            {
                terms.push(match stride.is_one() {
                    true => position,
                    false => format!("{position} * {}", self.size(stride)),
                });
            }
            if !even {
                let moving = axes.iter().filter(|axis| strides[**axis] != Size::default());
                self.named.extend(moving);
            }
        }
        if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
    }

    /// The positions along all axes.
    pub(super) fn positions(&mut self, flat: &str) -> String {
        self.decoded(&self.draft.kept, flat)
    }

    /// The positions that the text names, from the one counter of some axes.
    pub(super) fn decoded(&mut self, axes: &[usize], flat: &str) -> String {
        let mut text = String::new();
        let mut inner = Size::known(1);
        for (place, axis) in axes.iter().enumerate().rev() {
            let extent = self.draft.space[*axis].clone();
            if self.named.contains(axis) {
                let divided = match inner.is_one() {
                    true => flat.to_owned(),
                    false => format!("{flat} / {}", self.size(&inner)),
                };
                let rest = match place {
                    0 => divided,
                    _ => format!("{divided} % {}", self.size(&extent)),
                };
                text = format!("const long long i{axis} = {rest};\n{text}");
            }
            inner = &inner * &extent;
        }
        text
    }

    /// A size as an expression.
    pub(super) fn size(&mut self, size: &Size) -> String {
        self.symbols.extend(size.symbols().map(str::to_owned));
        let mut terms: Vec<(&[String], i64)> = size.terms().collect();
        terms.sort_by_key(|(_, factor)| *factor < 0);
        let mut text = String::new();
        for (i, (symbols, factor)) in terms.iter().enumerate() {
            let mut factors: Vec<String> = symbols.iter().map(|name| self.scope.symbol(name)).collect();
            if factor.unsigned_abs() != 1 || symbols.is_empty() {
                factors.push(factor.unsigned_abs().to_string());
            }
            let sign = match (i, *factor < 0) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            text += &format!("{sign}{}", factors.join(" * "));
        }
        match terms.len() {
            0 => "0".to_owned(),
            1 if terms[0].1 > 0 && terms[0].0.len() < 2 && (terms[0].0.is_empty() || terms[0].1 == 1) => text,
            _ => format!("({text})"),
        }
    }
}
