//! A fused loop as a struct with a body that `kernels::dispatch` compiles for every instruction set.
//!
//! In: a loop. Out: the struct with its `Body`, and the call. The body copies blocks into local arrays,
//! computes there element by element, and copies out: slices inside a struct have lost the fact that they do
//! not overlap. Never: a slice bound that a block could miss unnoticed; every copy is checked.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::sizes::{extent, size, sum, symbol, times};
use super::steps::Scope;
use crate::graph::{Distribution, Reduction};
use crate::ops::Row;
use crate::schedule::{Access, Loop, Op, Place};
use crate::size::Size;

/// A slice that the body sees.
struct Field {
    name: Ident,
    /// What it is cut from, and where.
    local: Ident,
    base: Option<TokenStream>,
    mutable: bool,
}

/// The pieces of a body, as it is written.
#[derive(Default)]
struct Text {
    /// Before all loops.
    fills: TokenStream,
    /// Before the blocks of a run.
    before: TokenStream,
    /// At the start of a block.
    loads: TokenStream,
    /// For each element of a block.
    element: TokenStream,
    /// At the end of a block.
    stores: TokenStream,
    /// After the blocks of a run.
    after: TokenStream,
    /// Whether it draws random numbers.
    random: bool,
}

/// The item and the call.
pub(super) fn fused(scope: &Scope<'_>, l: &Loop, name: &Ident) -> Result<(TokenStream, TokenStream), String> {
    let krate = scope.names.krate;
    let (outer, run) = match l.space.split_last() {
        Some((run, outer)) => (outer, run),
        None => return Err("a loop without axes".into()),
    };
    let width = width(l);
    let mut writer = Writer { scope, fields: Vec::new(), text: Text::default(), width, single: false };
    writer.single = !run.rows && run.size.value() == Some(width);
    for (source, whole, value) in &l.fills {
        let place = Place { source: *source, row: fill_row(l, *source), offset: Size::default() };
        let (field, len) = (writer.field(&place, true), extent(whole));
        let value = float(*value);
        writer.text.fills.extend(quote!(#field[..#len].fill(#value);));
    }
    for (at, op) in l.body.iter().enumerate() {
        writer.op(at, op)?;
    }
    let Writer { fields, text, single, .. } = writer;
    let Text { fills, before, loads, element, stores, after, random } = text;
    let n = extent(run);
    let even = single || !run.rows && run.size.value().is_some_and(|n| n % width == 0);
    let len = if even { quote!(let len = #width;) } else { quote!(let len = #width.min(#n - at);) };
    let block = quote! {
        #loads
        for l in 0..#width {
            #element
        }
        #stores
    };
    let blocks = if single {
        quote!(let (at, len) = (0, #width); #block)
    } else {
        quote! {
            let mut at = 0;
            while at < #n {
                #len
                #block
                at += #width;
            }
        }
    };
    let mut nest = quote!(#before #blocks #after);
    for (i, axis) in outer.iter().enumerate().rev() {
        let (counter, n) = (format_ident!("i{i}"), extent(axis));
        nest = quote!(for #counter in 0..#n { #nest });
    }
    let body = quote!(#fills #nest);

    // Run-time sizes that the body reads.
    let text = body.to_string();
    let mut sizes: Vec<Ident> = scope.names.symbols.iter().map(|s| symbol(s)).collect();
    sizes.retain(|local| text.contains(&local.to_string()));
    if scope.stage.is_some() {
        sizes.push(format_ident!("rows"));
    }
    let streams = random.then(|| quote!(seed: u64, time: u64, start: u64,));
    let stream_names = random.then(|| quote!(seed, time, start,));
    let first = if scope.stage.is_some() { quote!(first_row + first) } else { quote!(0) };
    let stream_values = random.then(|| quote!(seed, time: step, start: (#first) as u64,));
    let declared = fields.iter().map(|field| {
        let name = &field.name;
        if field.mutable { quote!(#name: &'a mut [F]) } else { quote!(#name: &'a [F]) }
    });
    let given = fields.iter().map(|Field { name, local, base, mutable }| {
        let start = base.as_ref().map_or(quote!(..), |base| quote!(#base..));
        if *mutable { quote!(#name: &mut #local[#start]) } else { quote!(#name: &#local[#start]) }
    });
    let names: Vec<&Ident> = fields.iter().map(|field| &field.name).collect();
    let doc = format!(" {}", scope.comment(&l.nodes));
    let item = quote! {
        #[doc = #doc]
        #[allow(non_snake_case, dead_code)]
        struct #name<'a, F> {
            #(#declared,)*
            #(#sizes: usize,)*
            #streams
            of: ::core::marker::PhantomData<&'a F>,
        }
        #[allow(unused_variables, unused_mut, unused_parens, unused_imports, non_snake_case, clippy::all)]
        impl<F: #krate::kernels::Float> #krate::kernels::Body for #name<'_, F> {
            type Output = ();
            #[inline(always)]
            fn run<I: #krate::kernels::Isa>(self) {
                use #krate::kernels::{block, math};
                let #name { #(#names,)* #(#sizes,)* #stream_names .. } = self;
                #body
            }
        }
    };
    let call = quote! {
        #krate::kernels::dispatch(#name {
            #(#given,)*
            #(#sizes,)*
            #stream_values
            of: ::core::marker::PhantomData,
        });
    };
    Ok((item, call))
}

/// The values of a block: what divides a run evenly, or a full block.
fn width(l: &Loop) -> usize {
    let random = l.body.iter().any(|op| matches!(op, Op::Random { .. }));
    let run = l.space.last().filter(|run| !run.rows).and_then(|run| run.size.value());
    match run {
        _ if random => 64,
        Some(n @ 1..=64) => n,
        Some(n) => [64, 112, 96, 80, 48, 32, 56, 40].into_iter().find(|width| n % width == 0).unwrap_or(64),
        None => 64,
    }
}

/// The stride along the batch of what a fill sets.
fn fill_row(l: &Loop, source: crate::schedule::Source) -> Size {
    let rows = l.body.iter().find_map(|op| match op {
        Op::Reduce { into, .. } if into.place.source == source => Some(into.place.row.clone()),
        _ => None,
    });
    rows.unwrap_or_default()
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

struct Writer<'a> {
    scope: &'a Scope<'a>,
    fields: Vec<Field>,
    text: Text,
    width: usize,
    /// Whether a run is exactly one block.
    single: bool,
}

impl Writer<'_> {
    /// The field for a place.
    fn field(&mut self, place: &Place, mutable: bool) -> Ident {
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

    /// Declares `at<op>`, the access's first element in a run; returns the position of the block.
    fn position(&mut self, op: usize, access: &Access) -> (Ident, TokenStream) {
        let start = format_ident!("at{op}");
        let mut terms = Vec::new();
        if access.place.offset != Size::default() {
            terms.push(size(&access.place.offset));
        }
        let (inner, outer) = match access.strides.split_last() {
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

    fn op(&mut self, at: usize, op: &Op) -> Result<(), String> {
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
                let (start, position) = self.position(at, access);
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
            Op::Random { distribution, site, row, strides } => {
                self.text.random = true;
                let draw = match distribution {
                    Distribution::Normal => quote!(normal_block),
                    Distribution::Uniform => quote!(uniform_block),
                };
                let place = Place {
                    source: crate::schedule::Source::Hyper(0),
                    row: Size::default(),
                    offset: Size::default(),
                };
                let (_, position) = self.position(at, &Access { place, strides: strides.clone() });
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
                let (_, position) = self.position(at, access);
                self.output(&out, &quote!(#of));
                self.store(&field, &position, access, &out);
            }
            Op::Reduce { reduction, value, into, fresh } => {
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
        let (start, position) = self.position(at, into);
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
