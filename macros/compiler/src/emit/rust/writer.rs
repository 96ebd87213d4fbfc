//! The statements of a loop's body.
//!
//! In: operations in order. Out: what stands before a run, in a block, for an element, after. Never: the loops
//! around them.

mod follow;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::sizes::{size, sum, times};
use super::steps::Scope;
use crate::graph::{Distribution, Reduction};
use crate::ops::Row;
use crate::schedule::{Access, Follow, Op, Place};
use crate::size::Size;

/// A slice that the body sees.
pub(super) struct Field {
    pub name: Ident,
    /// What it is cut from, and where.
    pub local: Ident,
    pub base: Option<TokenStream>,
    pub mutable: bool,
}

/// The pieces of a body, as it is written.
#[derive(Default)]
pub(super) struct Text {
    /// Before all loops.
    pub fills: TokenStream,
    /// Before the blocks of a run.
    pub before: TokenStream,
    /// At the start of a block.
    pub loads: TokenStream,
    /// For each element of a block.
    pub element: TokenStream,
    /// At the end of a block.
    pub stores: TokenStream,
    /// After the blocks of a run.
    pub after: TokenStream,
    /// Whether it draws random numbers.
    pub random: bool,
    /// Whether a run may end before it begins, because it belongs to another tile.
    pub window: bool,
}

/// Writes a body, operation by operation.
pub(super) struct Writer<'a> {
    pub scope: &'a Scope<'a>,
    /// The whole body.
    pub ops: &'a [Op],
    pub fields: Vec<Field>,
    pub text: Text,
    pub width: usize,
    /// Whether a run is exactly one block.
    pub single: bool,
}

impl Writer<'_> {
    /// The field for a place.
    pub fn field(&mut self, place: &Place, mutable: bool) -> Ident {
        let (local, base) = (self.scope.source(place.source), self.scope.base(place));
        let same = |field: &Field| {
            field.local == local
                && field.base.as_ref().map(|b| b.to_string()) == base.as_ref().map(|b| b.to_string())
        };
        if let Some(field) = self.fields.iter_mut().find(|field| same(field)) {
            field.mutable |= mutable;
            return field.name.clone();
        }
        let others = self.fields.iter().filter(|field| field.local == local).count();
        let name = if others == 0 { local.clone() } else { format_ident!("{local}_{others}") };
        self.fields.push(Field { name: name.clone(), local, base, mutable });
        name
    }

    /// Declares `at<op>`, the first element in a run; returns it, and the position of the block.
    fn position(&mut self, op: usize, offset: &Size, strides: &[Size]) -> (Ident, TokenStream) {
        let start = format_ident!("at{op}");
        let mut terms = Vec::new();
        if *offset != Size::default() {
            terms.push(size(offset));
        }
        let (inner, outer) = match strides.split_last() {
            Some((inner, outer)) => (inner.clone(), outer),
            None => (Size::default(), &[][..]),
        };
        for (i, stride) in outer.iter().enumerate().filter(|(_, stride)| **stride != Size::default()) {
            let counter = format_ident!("i{i}");
            terms.push(times(quote!(#counter), stride));
        }
        let value = sum(terms);
        self.text.before.extend(quote!(let #start = #value;));
        let block = if inner == Size::default() {
            quote!(#start)
        } else {
            let step = times(quote!(at), &inner);
            quote!(#start + #step)
        };
        (start, block)
    }

    pub fn op(&mut self, at: usize, op: &Op) -> Result<(), String> {
        let krate = self.scope.names.krate;
        let width = self.width;
        let (value, block, out) = (format_ident!("v{at}"), format_ident!("b{at}"), format_ident!("o{at}"));
        match op {
            Op::Number(number) => {
                let number = float(*number);
                self.text.before.extend(quote!(let #value = #number;));
            }
            Op::Extent(of) => {
                let of = size(of);
                self.text.before.extend(quote!(let #value = F::from_usize(#of);));
            }
            Op::Load(access) => {
                let field = self.field(&access.place, false);
                let (start, position) = self.position(at, &access.place.offset, &access.strides);
                let inner = access.strides.last().cloned().unwrap_or_default();
                if inner == Size::default() {
                    self.text.before.extend(quote!(let #value = #field[#start];));
                } else {
                    let load = if inner.is_one() {
                        quote!(block::load(&#field[..], #position, len))
                    } else {
                        let inner = size(&inner);
                        quote!(block::load_strided(&#field[..], #position, #inner, len))
                    };
                    self.text.loads.extend(quote!(let #block: [F; #width] = #load;));
                    self.text.element.extend(quote!(let #value = #block[l];));
                }
            }
            Op::Choose(access, follow) => self.choose(at, access, follow),
            Op::Count(strides) => {
                let (_, position) = self.position(at, &Size::default(), strides);
                let inner = size(&strides.last().cloned().unwrap_or_default());
                self.text.loads.extend(quote!(let #block = #position;));
                self.text.element.extend(quote!(let #value = F::from_usize(#block + l * #inner);));
            }
            Op::Random { distribution, site, row, strides } => {
                self.text.random = true;
                let draw = match distribution {
                    Distribution::Normal => quote!(normal_block),
                    Distribution::Uniform => quote!(uniform_block),
                };
                let (_, position) = self.position(at, &Size::default(), strides);
                let row = size(row);
                self.text.loads.extend(quote! {
                    let #block = #krate::kernels::random::#draw::<I, F>(
                        #krate::kernels::random::Stream { seed, step: time, site: #site },
                        start * (#row) as u64 + (#position) as u64,
                    );
                });
                self.text.element.extend(quote!(let #value = #block[l];));
            }
            Op::Map(row, args) => {
                let args: Vec<String> = args.iter().map(|arg| format!("v{arg}")).collect();
                let code = self::row(*row, &args)?;
                self.text.element.extend(quote!(let #value = #code;));
            }
            Op::Store(access, of) => {
                let of = format_ident!("v{of}");
                let field = self.field(&access.place, true);
                let (_, position) = self.position(at, &access.place.offset, &access.strides);
                self.output(&out, &quote!(#of));
                self.store(&field, &position, access, &out);
            }
            Op::Reduce { value, into, follow: Some(follow), .. } => self.place(at, *value, into, follow),
            Op::Reduce { reduction, value, into, fresh, follow: None } => {
                self.reduce(at, *reduction, *value, into, *fresh);
            }
        }
        Ok(())
    }

    /// An array that the elements write.
    fn output(&mut self, out: &Ident, value: &TokenStream) {
        let width = self.width;
        self.text.loads.extend(quote!(let mut #out = [F::ZERO; #width];));
        self.text.element.extend(quote!(#out[l] = #value;));
    }

    fn store(&mut self, field: &Ident, position: &TokenStream, access: &Access, out: &Ident) {
        let inner = access.strides.last().cloned().unwrap_or_default();
        self.text.stores.extend(if inner.is_one() {
            quote!(block::store(&mut #field[..], #position, len, &#out);)
        } else {
            let inner = size(&inner);
            quote!(for l in 0..len { #field[#position + l * #inner] = #out[l]; })
        });
    }

    fn reduce(&mut self, at: usize, reduction: Reduction, value: usize, into: &Access, fresh: bool) {
        let width = self.width;
        let (of, out) = (format_ident!("v{value}"), format_ident!("o{at}"));
        let (field, total) = (self.field(&into.place, true), format_ident!("total{at}"));
        let (start, position) = self.position(at, &into.place.offset, &into.strides);
        let inner = into.strides.last().cloned().unwrap_or_default();
        if inner != Size::default() {
            // Element by element onto what is there.
            let held = format_ident!("b{at}");
            let inner_size = size(&inner);
            self.text.loads.extend(quote! {
                let #held: [F; #width] = block::load_strided(&#field[..], #position, #inner_size, len);
            });
            self.output(
                &out,
                &match reduction {
                    Reduction::Sum => quote!(#held[l] + #of),
                    Reduction::Max => quote!(math::max::<I, F>(#held[l], #of)),
                },
            );
            return self.store(&field, &position, into, &out);
        }
        self.output(&out, &quote!(#of));
        match (reduction, self.single) {
            (Reduction::Sum, true) => {
                self.text.stores.extend(quote!(let #total = block::sum(&#out, #width);));
            }
            (Reduction::Sum, false) => {
                let lanes = format_ident!("sum{at}");
                self.text.before.extend(quote!(let mut #lanes = [F::ZERO; #width];));
                self.text.stores.extend(quote!(block::accumulate(&mut #lanes, &#out, len);));
                self.text.after.extend(quote!(let #total = block::sum(&#lanes, #width);));
            }
            (Reduction::Max, true) => {
                self.text.stores.extend(quote!(let #total = block::max(&#out, #width);));
            }
            (Reduction::Max, false) => {
                self.text.before.extend(quote!(let mut #total = F::from_f64(f64::NEG_INFINITY);));
                self.text.stores.extend(quote!(#total = math::max::<I, F>(#total, block::max(&#out, len));));
            }
        }
        self.text.after.extend(match (fresh, reduction) {
            (true, _) => quote!(#field[#start] = #total;),
            (false, Reduction::Sum) => quote!(#field[#start] = #field[#start] + #total;),
            (false, Reduction::Max) => quote!(#field[#start] = math::max::<I, F>(#field[#start], #total);),
        });
    }
}

/// The expression of a row over locals.
pub(super) fn row(row: Row, args: &[String]) -> Result<TokenStream, String> {
    let mut code = row.rust.to_owned();
    for (i, arg) in args.iter().enumerate() {
        code = code.replace(&format!("{{{i}}}"), arg);
    }
    code.parse().map_err(|_| format!("the row `{}` is not Rust: {code}", row.name))
}

/// A number.
pub(super) fn float(value: f64) -> TokenStream {
    match value {
        0.0 if value.is_sign_positive() => quote!(F::ZERO),
        1.0 => quote!(F::ONE),
        f64::INFINITY => quote!(F::from_f64(f64::INFINITY)),
        f64::NEG_INFINITY => quote!(F::from_f64(f64::NEG_INFINITY)),
        _ if value.is_nan() => quote!(F::from_f64(f64::NAN)),
        _ => quote!(F::from_f64(#value)),
    }
}
