//! Loads and sums where an index says.
//!
//! In: an access and the index that it follows. Out: the statements. Never: a place outside: a position beyond the
//! end means the last one, and where there are no places, nothing is read or written.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::super::sizes::{literal, size, sum, times};
use super::position::terms;
use super::{Access, Follow, Op, Writer};
use crate::size::Size;

impl Writer<'_> {
    /// Whether an operation that gives an index has one value for a run.
    fn is_fixed(&self, op: usize) -> bool {
        let still = |access: &Access| access.strides.last().is_none_or(|inner| *inner == Size::default());
        match self.ops.get(op) {
            Some(Op::Load(access)) => still(access),
            Some(Op::Choose(access, follow)) => still(access) && self.is_fixed(follow.index),
            _ => false,
        }
    }

    /// A value where an index says.
    pub(super) fn choose(&mut self, at: usize, access: &Access, follow: &Follow, field: &Ident) {
        let (width, len) = (literal(self.width), self.len());
        let (value, block) = (format_ident!("v{at}"), format_ident!("in{at}"));
        let position = self.position(&access.place.offset, &access.strides);
        let (stride, step, bound) = (size(&position.stride), size(&follow.step), size(&follow.bound));
        if self.is_fixed(follow.index) {
            let index = format_ident!("v{}", follow.index);
            let (first, from) = (format_ident!("chosen{at}"), position.behind());
            let place = times(quote!(block::place(#index, #bound)), &follow.step);
            self.text.before.extend(quote!(let #first = #from #place;));
            if position.stride == Size::default() {
                let one = quote!(#field.get(#first).copied().unwrap_or(F::ZERO));
                return self.text.before.extend(quote!(let #value = #one;));
            }
            let position = position.from(&first);
            self.text.loads.extend(quote! {
                let #block: [F; #width] = block::load_inside(#field, #position, #stride, #len);
            });
        } else {
            let (index, position) = (format_ident!("in{}", follow.index), &position.block);
            self.text.loads.extend(quote! {
                let #block: [F; #width] =
                    block::choose(#field, (#position, #stride), &#index, (#step, #bound), #len);
            });
        }
        self.text.element.extend(quote!(let #value = #block[l];));
    }

    /// The slice of an index, and its bound, whose elements lie side by side along the axis around the run.
    fn beside(&mut self, follow: &Follow) -> Option<(TokenStream, TokenStream)> {
        let Some(Op::Load(Access { place, strides })) = self.ops.get(follow.index) else { return None };
        let [outer @ .., beside, _] = &strides[..] else { return None };
        if !beside.is_one() {
            return None;
        }
        let (field, start) = (self.field(place).ok()?, sum(terms(&place.offset, outer)));
        Some((quote!(#field[#start..]), size(&follow.bound)))
    }

    /// A sum where an index says.
    pub(super) fn place(&mut self, at: usize, value: usize, into: &Access, follow: &Follow, field: &Ident) {
        let (width, len) = (literal(self.width), self.len());
        let (of, place) = (format_ident!("v{value}"), format_ident!("place{at}"));
        let position = self.position(&into.place.offset, &into.strides);
        let (stride, step, bound) = (size(&position.stride), size(&follow.step), size(&follow.bound));
        let out = self.output(at, &quote!(#of));
        if !self.is_fixed(follow.index) {
            let (index, position) = (format_ident!("in{}", follow.index), &position.block);
            let places = if follow.window { quote!(first..first + rows) } else { quote!(0..#bound) };
            return self.text.stores.extend(quote! {
                block::place_each(#field, (#position, #stride), &#index, (#step, #bound), #places, &#out, #len);
            });
        }
        let index = format_ident!("v{}", follow.index);
        let (first, from) = (format_ident!("chosen{at}"), position.behind());
        self.text.before.extend(quote!(let #place = block::place(#index, #bound);));
        if follow.window {
            self.text.window = true;
            self.text.index = self.beside(follow);
        }
        self.text.before.extend(if follow.window {
            let moved = times(quote!((#place - first)), &follow.step);
            quote! {
                if #place < first || #place >= first + rows {
                    break 'run;
                }
                let #first = #from #moved;
            }
        } else {
            let moved = times(quote!(#place), &follow.step);
            quote!(let #first = #from #moved;)
        });
        if position.stride != Size::default() {
            let position = position.from(&first);
            let add: TokenStream = quote!(block::add_inside(#field, #position, #stride, &#out, #len););
            return self.text.stores.extend(add);
        }
        let (lanes, total) = (format_ident!("sum{at}"), format_ident!("total{at}"));
        self.text.before.extend(quote!(let mut #lanes = [F::ZERO; #width];));
        self.text.stores.extend(quote!(block::accumulate(&mut #lanes, &#out, #len);));
        self.text.after.extend(quote! {
            let #total = block::sum(&#lanes, #width);
            if let Some(place) = #field.get_mut(#first) {
                *place += #total;
            }
        });
    }
}
