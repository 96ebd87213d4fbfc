//! Who computes the products of a tape, and with what at once.
//!
//! In: products, with the layers that they begin and the copies of their factors. Out: actions. Never: a question to the library while a
//! graph is captured; a copy that no product reads.

use super::super::arena::{Arena, Range};
use super::super::copies::{Copies, Copy};
use super::super::driver::{Call, Finish, Module, Placed, Precision, Value};
use super::super::error::Result;
use super::super::order::Touched;
use super::super::plain::Plain;
use super::super::product;
use super::super::tape::{Layer, Pointer, Product, Space, Tape};
use super::{Action, Kind, Places, There, call, span};

/// What the products of a tape have in common.
pub(super) struct Products<'a> {
    tape: &'a Tape,
    module: Module,
    places: &'a Places,
    arena: &'a Arena,
    precision: Precision,
    copies: &'a Copies,
    /// The copies that are made by now.
    copied: Vec<usize>,
}

/// The copies of both factors of a product, with their numbers.
type Factors = [(usize, Copy); 2];

impl<'a> Products<'a> {
    pub fn new(
        tape: &'a Tape,
        module: Module,
        (places, arena): (&'a Places, &'a Arena),
        (precision, copies): (Precision, &'a Copies),
    ) -> Self {
        Products { tape, module, places, arena, precision, copies, copied: Vec::new() }
    }

    /// Adds a product by whoever takes it, with the copies that it is the first to need; says whether it is a whole layer.
    pub fn add(&mut self, number: usize, product: &Product, to: &mut Vec<Action>) -> Result<bool> {
        let factors = self.copies.factors(number);
        let layer = self.layer(number, product);
        // As much at once as the library takes.
        for factors in std::iter::once(factors).chain(factors.map(|_| None)) {
            for layer in std::iter::once(layer).chain(layer.map(|_| None)) {
                let (placed, touched) = self.placed(product, factors, layer)?;
                if self.arena.driver().lock().takes(&placed)? {
                    self.copy(factors, to)?;
                    to.push(Action { kind: Kind::Multiply(Box::new(placed)), touched });
                    return Ok(layer.is_some());
                }
            }
        }
        let &mut Products { tape, module, places, arena, precision, .. } = self;
        let scratch = Pointer { space: Space::Work, start: tape.work };
        let launches = product::plan_in(product, scratch, precision);
        let calls = launches.iter().map(|launch| call(launch, module, places, arena));
        let calls = calls.collect::<Result<Vec<_>>>()?;
        let mut touched = Touched::of_product(product, &There(places, arena))?;
        // One kernel writes to the result; where there are more, parts of sums as well.
        if calls.len() > 1 {
            let parts = places.work.part(tape.work, places.work.elements.saturating_sub(tape.work))?;
            touched.writes.push(span(parts, arena)?);
        }
        to.push(Action { kind: Kind::Calls(calls), touched });
        Ok(false)
    }

    /// The layer that a product begins. Not in float32: NaN stays NaN there.
    fn layer(&self, number: usize, product: &Product) -> Option<(Layer, usize)> {
        let found = self.tape.layers.binary_search_by_key(&number, |layer| layer.product).ok()?;
        let plain = Plain::of(product).filter(|_| self.precision != Precision::Float32)?;
        plain.takes_bias().then_some((self.tape.layers[found], plain.result.rows))
    }

    /// A product where it lies, with copies of its factors, and as a layer with so many columns; and what it touches.
    fn placed(
        &self,
        product: &Product,
        factors: Option<Factors>,
        layer: Option<(Layer, usize)>,
    ) -> Result<(Placed, Touched)> {
        let Products { places, arena, precision, .. } = *self;
        let range = |(pointer, elements)| places.find(pointer)?.part(0, elements);
        let [a, b, c] = product.ends();
        let [a, b] = match factors {
            Some(factors) => factors.map(|(_, copy)| places.copies.part(copy.to, copy.words())),
            None => [range(a), range(b)],
        };
        let c = range((layer.map_or(c.0, |(layer, _)| layer.to), c.1))?;
        let mut reads = vec![a?, b?];
        let [a, b] = [arena.address(reads[0])?, arena.address(reads[1])?];
        let finish = match layer {
            Some((Layer { bias, relu, .. }, columns)) => {
                reads.push(range((bias, columns))?);
                Some(Finish { bias: arena.address(reads[2])?, relu })
            }
            None => None,
        };
        let reads = reads.into_iter().map(|range| span(range, arena)).collect::<Result<_>>()?;
        let (product, copied) = (product.clone(), factors.is_some());
        let placed = Placed { product, a, b, c: arena.address(c)?, precision, copied, finish };
        Ok((placed, Touched { reads, writes: vec![span(c, arena)?] }))
    }

    /// Makes those of the copies that are not there yet.
    fn copy(&mut self, factors: Option<Factors>, to: &mut Vec<Action>) -> Result<()> {
        let Products { module, places, arena, .. } = *self;
        for (number, copy) in factors.into_iter().flatten() {
            if !self.copied.contains(&number) {
                self.copied.push(number);
                let from = places.find(copy.from)?.part(0, copy.elements)?;
                to.push(copied(module, arena, places.copies.part(copy.to, copy.words())?, from)?);
            }
        }
        Ok(())
    }
}

/// Copies values as bfloat16.
fn copied(module: Module, arena: &Arena, to: Range, from: Range) -> Result<Action> {
    let [to_at, from_at] = [arena.address(to)?, arena.address(from)?].map(Value::Address);
    let arguments = vec![to_at, from_at, Value::Size(from.elements as i64)];
    // Each thread has four words under way at once; more blocks than these come one after the other on any device.
    let blocks = [to.elements.div_ceil(4 * 256).clamp(1, 2048) as u32, 1, 1];
    Action::call(
        Call { module, kernel: "to_bfloat16", blocks, threads: 256, arguments },
        arena,
        &[from],
        &[to],
    )
}
