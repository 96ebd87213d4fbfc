//! Loads and sums where an index says.
//!
//! In: an access and the index that it follows. Out: the statements. Never: a place outside: a position beyond the
//! end means the last one, and where there are no places, nothing is read or written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::sizes::{size, times};
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
    pub(super) fn choose(&mut self, at: usize, access: &Access, follow: &Follow) {
        let width = self.width;
        let (value, block) = (format_ident!("v{at}"), format_ident!("b{at}"));
        let field = self.field(&access.place, false);
        let (start, position) = self.position(at, &access.place.offset, &access.strides);
        let inner = access.strides.last().cloned().unwrap_or_default();
        let (stride, step, bound) = (size(&inner), size(&follow.step), size(&follow.bound));
        if self.is_fixed(follow.index) {
            let index = format_ident!("v{}", follow.index);
            let place = times(quote!(block::place(#index, #bound)), &follow.step);
            self.text.before.extend(quote!(let #start = #start + #place;));
            if inner == Size::default() {
                let one = quote!(#field.get(#start).copied().unwrap_or(F::ZERO));
                return self.text.before.extend(quote!(let #value = #one;));
            }
            self.text.loads.extend(quote! {
                let #block: [F; #width] = block::load_inside(&#field[..], #position, #stride, len);
            });
        } else {
            let index = format_ident!("b{}", follow.index);
            self.text.loads.extend(quote! {
                let #block: [F; #width] =
                    block::choose(&#field[..], (#position, #stride), &#index, (#step, #bound), len);
            });
        }
        self.text.element.extend(quote!(let #value = #block[l];));
    }

    /// A sum where an index says.
    pub(super) fn place(&mut self, at: usize, value: usize, into: &Access, follow: &Follow) {
        let width = self.width;
        let (of, out, place) =
            (format_ident!("v{value}"), format_ident!("o{at}"), format_ident!("place{at}"));
        let field = self.field(&into.place, true);
        let (start, position) = self.position(at, &into.place.offset, &into.strides);
        let inner = into.strides.last().cloned().unwrap_or_default();
        let (stride, step, bound) = (size(&inner), size(&follow.step), size(&follow.bound));
        self.text.window |= follow.window;
        self.output(&out, &quote!(#of));
        if !self.is_fixed(follow.index) {
            let index = format_ident!("b{}", follow.index);
            let places = if follow.window { quote!(first..first + rows) } else { quote!(0..#bound) };
            return self.text.stores.extend(quote! {
                block::place_each(&mut #field[..], (#position, #stride), &#index, (#step, #bound), #places, &#out, len);
            });
        }
        let index = format_ident!("v{}", follow.index);
        self.text.before.extend(quote!(let #place = block::place(#index, #bound);));
        self.text.before.extend(match follow.window {
            false => quote!(let #start = #start + #place * #step;),
            true => quote! {
                if #place < first || #place >= first + rows {
                    break 'run;
                }
                let #start = #start + (#place - first) * #step;
            },
        });
        if inner != Size::default() {
            let add: TokenStream =
                quote!(block::add_inside(&mut #field[..], #position, #stride, &#out, len););
            return self.text.stores.extend(add);
        }
        let (lanes, total) = (format_ident!("sum{at}"), format_ident!("total{at}"));
        self.text.before.extend(quote!(let mut #lanes = [F::ZERO; #width];));
        self.text.stores.extend(quote!(block::accumulate(&mut #lanes, &#out, len);));
        self.text.after.extend(quote! {
            let #total = block::sum(&#lanes, #width);
            if let Some(place) = #field.get_mut(#start) {
                *place += #total;
            }
        });
    }
}
