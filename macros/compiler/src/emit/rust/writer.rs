//! The statements of a loop's body.
//!
//! In: operations in order. Out: what stands before a run, in a block, for an element, after. Never: the loops
//! around them.

mod follow;
mod outputs;
mod position;

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{format_ident, quote};

use super::scope::Scope;
use super::sizes::{literal, size, times};
use crate::graph::Distribution;
use crate::ops::Row;
use crate::schedule::{Access, Extent, Follow, Loop, Op, Place};
use crate::size::Size;
use position::Position;

/// A slice that the body sees.
pub(super) struct Field {
    /// What the body calls it: by its position, so that equal loops have equal text.
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
    /// The slice of an index, and its bound, that tells beforehand which turns of the axis around the run may not.
    pub index: Option<(TokenStream, TokenStream)>,
    /// The sites of random numbers, which differ between layers that do the same.
    pub sites: Vec<(Ident, u32)>,
}

/// Writes a body, operation by operation. Of operation 3, `in3` is a block that was read, `v3` the value of an element,
/// `out3` a block to be written.
pub(super) struct Writer<'a> {
    pub scope: &'a Scope<'a>,
    /// The whole body.
    pub ops: &'a [Op],
    pub fields: Vec<Field>,
    pub text: Text,
    pub width: usize,
    /// The innermost axis.
    pub run: &'a Extent,
    /// Whether a run is exactly one block.
    pub single: bool,
    /// Whether that block is one element: then there are no blocks.
    pub scalar: bool,
    /// The first elements of runs: the expression, and its name.
    starts: Vec<(String, Ident)>,
}

impl<'a> Writer<'a> {
    /// Nothing yet, but all fields.
    pub fn new(scope: &'a Scope<'a>, l: &'a Loop, width: usize) -> Result<Self, String> {
        let run = l.space.last().ok_or("a loop without axes")?;
        let single = !run.rows && run.size.value() == Some(width);
        let by_blocks = |op: &Op| {
            matches!(
                op,
                Op::Choose(..) | Op::Count(_) | Op::Random { .. } | Op::Reduce { follow: Some(_), .. }
            )
        };
        let scalar = single && width == 1 && !l.body.iter().any(by_blocks);
        let (fields, text, starts) = (Vec::new(), Text::default(), Vec::new());
        let mut writer = Writer { scope, ops: &l.body, fields, text, width, run, single, scalar, starts };
        for op in &l.body {
            match op {
                Op::Load(access) | Op::Choose(access, _) => writer.declare(&access.place, false),
                Op::Store(access, _) | Op::Reduce { into: access, .. } => writer.declare(&access.place, true),
                Op::Count(_) | Op::Number(_) | Op::Extent(_) | Op::Random { .. } | Op::Map(..) => {}
            }
        }
        let (mut read, mut written) = (0.., 0..);
        for field in &mut writer.fields {
            let (what, number) = if field.mutable { ("output", &mut written) } else { ("input", &mut read) };
            let number: usize = number.next().unwrap_or_default();
            field.name = format_ident!("{what}{number}");
        }
        Ok(writer)
    }

    /// Whether all blocks of a run are full.
    pub fn even(&self) -> bool {
        self.single || !self.run.rows && self.run.size.value().is_some_and(|n| n % self.width == 0)
    }

    fn find(&mut self, place: &Place) -> Option<&mut Field> {
        let (local, base) = (self.scope.source(place.source), self.scope.base(place));
        let text = base.as_ref().map(ToString::to_string);
        self.fields
            .iter_mut()
            .find(|field| field.local == local && field.base.as_ref().map(ToString::to_string) == text)
    }

    fn declare(&mut self, place: &Place, mutable: bool) {
        if let Some(field) = self.find(place) {
            field.mutable |= mutable;
            return;
        }
        let (local, base) = (self.scope.source(place.source), self.scope.base(place));
        self.fields.push(Field { name: local.clone(), local, base, mutable });
    }

    /// The field for a place.
    pub fn field(&mut self, place: &Place) -> Result<Ident, String> {
        self.find(place).map(|field| field.name.clone()).ok_or_else(|| "a fill of what no loop sums".into())
    }

    pub fn op(&mut self, at: usize, op: &Op) -> Result<(), String> {
        let value = format_ident!("v{at}");
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
                let field = self.field(&access.place)?;
                self.load(at, access, &field);
            }
            Op::Choose(access, follow) => {
                let field = self.field(&access.place)?;
                self.choose(at, access, follow, &field);
            }
            Op::Count(strides) => {
                let Position { block: position, stride, .. } = self.position(&Size::default(), strides);
                let (block, element) = (format_ident!("in{at}"), times(quote!(l), &stride));
                self.text.loads.extend(quote!(let #block = #position;));
                self.text.element.extend(if stride == Size::default() {
                    quote!(let #value = F::from_usize(#block);)
                } else {
                    quote!(let #value = F::from_usize(#block + #element);)
                });
            }
            Op::Random { distribution, site, row, strides } => {
                self.random(at, *distribution, *site, row, strides);
            }
            Op::Map(row, args) => {
                let args: Vec<String> = args.iter().map(|arg| format!("v{arg}")).collect();
                let code = self::row(*row, &args)?;
                self.text.element.extend(quote!(let #value = #code;));
            }
            Op::Store(access, of) => {
                let of = format_ident!("v{of}");
                let field = self.field(&access.place)?;
                let position = self.position(&access.place.offset, &access.strides);
                self.store(at, &field, &position, &quote!(#of));
            }
            Op::Reduce { value, into, follow: Some(follow), .. } => {
                let field = self.field(&into.place)?;
                self.place(at, *value, into, follow, &field);
            }
            Op::Reduce { reduction, value, into, fresh, follow: None } => {
                let field = self.field(&into.place)?;
                self.reduce(at, *reduction, &format_ident!("v{value}"), (into, &field), *fresh);
            }
        }
        Ok(())
    }

    /// The elements of a block.
    fn len(&self) -> TokenStream {
        if self.even() { literal(self.width) } else { quote!(len) }
    }

    fn load(&mut self, at: usize, access: &Access, field: &Ident) {
        let (value, block) = (format_ident!("v{at}"), format_ident!("in{at}"));
        let Position { start, block: position, stride, .. } =
            self.position(&access.place.offset, &access.strides);
        if stride == Size::default() {
            self.text.before.extend(quote!(let #value = #field[#start];));
        } else if self.scalar {
            self.text.loads.extend(quote!(let #value = #field[#start];));
        } else {
            let load = self.block(field, &position, &stride);
            self.text.loads.extend(quote!(let #block #load;));
            self.text.element.extend(quote!(let #value = #block[l];));
        }
    }

    /// `: [F; …] = …`, a block from memory.
    fn block(&self, field: &Ident, position: &TokenStream, stride: &Size) -> TokenStream {
        let (width, len) = (literal(self.width), self.len());
        if stride.is_one() {
            quote!(: [F; #width] = block::load(#field, #position, #len))
        } else {
            let stride = size(stride);
            quote!(: [F; #width] = block::load_strided(#field, #position, #stride, #len))
        }
    }

    fn random(&mut self, at: usize, distribution: Distribution, site: u32, row: &Size, strides: &[Size]) {
        let (value, block) = (format_ident!("v{at}"), format_ident!("in{at}"));
        let draw = match distribution {
            Distribution::Normal => quote!(normal_block),
            Distribution::Uniform => quote!(uniform_block),
        };
        let Position { block: position, .. } = self.position(&Size::default(), strides);
        let number = if *row == Size::default() {
            quote!((#position) as u64)
        } else {
            let row = size(row);
            quote!(start * (#row) as u64 + (#position) as u64)
        };
        let name = format_ident!("site{at}");
        self.text.loads.extend(quote! {
            let #block = random::#draw::<I, F>(random::Stream { seed, step: time, site: #name }, #number);
        });
        self.text.element.extend(quote!(let #value = #block[l];));
        self.text.random = true;
        self.text.sites.push((name, site));
    }
}

/// The expression of a row over locals.
pub(super) fn row(row: Row, args: &[String]) -> Result<TokenStream, String> {
    let mut code = row.rust.to_owned();
    for (i, arg) in args.iter().enumerate() {
        code = code.replace(&format!("{{{i}}}"), arg);
    }
    let code: TokenStream =
        code.parse().map_err(|_| format!("the row `{}` is not Rust: {code}", row.name))?;
    // A row may stand in an expression, but here it never does.
    let mut tokens = code.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) => Ok(group.stream()),
        _ => Ok(code),
    }
}

/// A number.
pub(super) fn float(value: f64) -> TokenStream {
    match value {
        0.0 if value.is_sign_positive() => quote!(F::ZERO),
        1.0 => quote!(F::ONE),
        f64::INFINITY => quote!(F::from_f64(f64::INFINITY)),
        f64::NEG_INFINITY => quote!(F::from_f64(f64::NEG_INFINITY)),
        _ if value.is_nan() => quote!(F::from_f64(f64::NAN)),
        _ => {
            let digits = Literal::f64_unsuffixed(value.abs());
            if value.is_sign_negative() {
                quote!(F::from_f64(-#digits))
            } else {
                quote!(F::from_f64(#digits))
            }
        }
    }
}
