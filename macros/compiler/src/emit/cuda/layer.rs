//! Layers: a product whose result one loop alone reads, to add a bias and perhaps to cut what is below 0.
//!
//! In: a product and the loop behind it. Out: what a library would have to know to do both at once. Never: a product that
//! anything else reads, or that is shown; a loop that does anything else.

use super::loops::whole;
use super::memory::Scope;
use super::recording::Place;
use crate::schedule::{self, Access, Loop, Op, Product, Segment, Source};
use crate::size::Size;

/// What is made of the result of a product.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// A value for each column, which is added.
    pub bias: Place,
    /// Whether what is below 0 becomes 0 then.
    pub relu: bool,
    /// Where it goes.
    pub to: Place,
}

/// The layer that a product and the loop behind it are.
pub(super) fn layer(scope: &Scope<'_>, product: &Product, l: &Loop) -> Option<Layer> {
    let Source::Buffer(result) = product.c.source else { return None };
    let (bias, to, relu) = added(l, product)?;
    let space: Vec<Size> = l.space.iter().map(|extent| whole(scope, extent)).collect();
    let (columns, rows) = space.split_last()?;
    let [n] = product.n.as_slice() else { return None };
    let (along, down) = bias.strides.split_last()?;
    let is_bias = along.is_one() && down.iter().all(Size::is_zero);
    // All of the result, in its order, n the last axis.
    let in_order = |access: &Access| {
        let mut next = Size::known(1);
        access.strides.iter().zip(&space).rev().all(|(stride, extent)| {
            let is_next = *stride == next || extent.is_one();
            next = &next * extent;
            is_next
        })
    };
    let wide = whole(scope, &n.extent) == *columns && n.c.is_one() && !columns.is_one();
    let axes = product.outer.iter().chain(&product.m).map(|axis| whole(scope, &axis.extent));
    let all = Size::product(axes.collect::<Vec<_>>().iter()) == Size::product(rows);
    let reads = |op: &Op| match op {
        Op::Load(access) if access.place.source == product.c.source => in_order(access),
        _ => true,
    };
    let fits = is_bias && wide && all && in_order(to) && l.body.iter().all(reads);
    (fits && is_alone(scope, result)).then(|| {
        let place = |place: &schedule::Place| scope.place(place.source).at(&place.offset);
        Layer { bias: place(&bias.place), relu, to: place(&to.place) }
    })
}

/// The bias that a loop adds to a result, and nothing else; where it writes; whether it is rectified.
fn added<'l>(l: &'l Loop, product: &Product) -> Option<(&'l Access, &'l Access, bool)> {
    let is = |at: usize, name: &str| matches!(&l.body[at], Op::Map(row, _) if row.name == name);
    let [Op::Load(first), Op::Load(second), Op::Map(_, operands), end @ ..] = l.body.as_slice() else {
        return None;
    };
    let (relu, to) = match end {
        [Op::Store(to, 2)] => (false, to),
        [Op::Map(_, of), Op::Store(to, 3)] if is(3, "relu") && of == &[2] => (true, to),
        _ => return None,
    };
    if !is(2, "add") || !matches!(operands.as_slice(), [0, 1] | [1, 0]) {
        return None;
    }
    let is_result = |access: &Access| access.place == product.c;
    match (is_result(first), is_result(second)) {
        (true, false) => Some((second, to, relu)),
        (false, true) => Some((first, to, relu)),
        _ => None,
    }
}

/// Whether one step writes a value, one reads it, and nobody is shown it.
fn is_alone(scope: &Scope<'_>, value: usize) -> bool {
    let mut count = [0, 0];
    scope.schedule.walk(&mut |step, inside| {
        for (count, touched) in count.iter_mut().zip(step.touched()) {
            *count += touched.iter().filter(|of| **of == value).count() * if inside { 2 } else { 1 };
        }
    });
    let shown = |segment: &Segment| matches!(segment, Segment::Inspect(_, buffer) if *buffer == value);
    count == [1, 1] && !scope.schedule.segments.iter().any(shown)
}
