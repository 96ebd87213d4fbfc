//! Stores and sums.
//!
//! In: a value and where it goes. Out: the statements. Never: a sum whose order depends on anything but shapes.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::super::sizes::{literal, size};
use super::{Access, Position, Writer};
use crate::graph::Reduction;
use crate::size::Size;

impl Writer<'_> {
    /// An array that the elements write.
    pub(super) fn output(&mut self, at: usize, value: &TokenStream) -> Ident {
        let (width, out) = (literal(self.width), format_ident!("out{at}"));
        self.text.loads.extend(quote!(let mut #out = [F::ZERO; #width];));
        self.text.element.extend(quote!(#out[l] = #value;));
        out
    }

    pub(super) fn store(&mut self, at: usize, field: &Ident, position: &Position, value: &TokenStream) {
        let Position { start, block, stride, .. } = position;
        if self.scalar {
            return self.text.stores.extend(quote!(#field[#start] = #value;));
        }
        let (out, len) = (self.output(at, value), self.len());
        self.text.stores.extend(if stride.is_one() {
            quote!(block::store(#field, #block, #len, &#out);)
        } else {
            let stride = size(stride);
            quote!(for l in 0..#len { #field[#block + l * #stride] = #out[l]; })
        });
    }

    pub(super) fn reduce(
        &mut self,
        at: usize,
        reduction: Reduction,
        of: &Ident,
        (into, field): (&Access, &Ident),
        fresh: bool,
    ) {
        let (width, len) = (literal(self.width), self.len());
        let position = self.position(&into.place.offset, &into.strides);
        let start = &position.start;
        if position.stride != Size::default() {
            // Element by element onto what is there.
            let held = if self.scalar {
                quote!(#field[#start])
            } else {
                let held = format_ident!("in{at}");
                let load = self.block(field, &position.block, &position.stride);
                self.text.loads.extend(quote!(let #held #load;));
                quote!(#held[l])
            };
            let joined = match reduction {
                Reduction::Sum => quote!(#held + #of),
                Reduction::Max => quote!(math::max::<I, F>(#held, #of)),
            };
            return self.store(at, field, &position, &joined);
        }
        let total = if self.scalar { of.clone() } else { format_ident!("total{at}") };
        if !self.scalar {
            let out = self.output(at, &quote!(#of));
            match (reduction, self.single) {
                (Reduction::Sum, true) => {
                    self.text.stores.extend(quote!(let #total = block::sum(&#out, #width);));
                }
                (Reduction::Sum, false) => {
                    let lanes = format_ident!("sum{at}");
                    self.text.before.extend(quote!(let mut #lanes = [F::ZERO; #width];));
                    self.text.stores.extend(quote!(block::accumulate(&mut #lanes, &#out, #len);));
                    self.text.after.extend(quote!(let #total = block::sum(&#lanes, #width);));
                }
                (Reduction::Max, true) => {
                    self.text.stores.extend(quote!(let #total = block::max(&#out, #width);));
                }
                (Reduction::Max, false) => {
                    self.text.before.extend(quote!(let mut #total = F::from_f64(f64::NEG_INFINITY);));
                    self.text
                        .stores
                        .extend(quote!(#total = math::max::<I, F>(#total, block::max(&#out, #len));));
                }
            }
        }
        self.text.after.extend(match (fresh, reduction) {
            (true, _) => quote!(#field[#start] = #total;),
            (false, Reduction::Sum) => quote!(#field[#start] += #total;),
            (false, Reduction::Max) => quote!(#field[#start] = math::max::<I, F>(#field[#start], #total);),
        });
    }
}
