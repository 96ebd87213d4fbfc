//! Steps inside a stage, or on the calling thread: calls of loops and of products.
//!
//! In: a step and the scope it stands in. Out: statements; the structs of loops join those of the root.
//! Never: an element.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::loops;
use super::scope::Scope;
use super::shared::Loops;
use super::sizes::{extent, size, sum, symbol, times};
use crate::schedule::{Axis, Factor, Loop, Panels, Place, Product, Rows, Select, Step, whole};
use crate::size::Size;

/// A step.
pub(super) fn step(scope: &Scope<'_>, step: &Step, loops: &mut Loops) -> Result<TokenStream, String> {
    match step {
        Step::Loop(l) => {
            if let Some(copy) = transposed(scope, l) {
                return Ok(copy);
            }
            match whole(l).filter(|_| scope.stage.is_some_and(|stage| stage.abreast)) {
                None => loops::fused(scope, l, loops),
                Some(whole) => {
                    let (whole, part) = (loops::fused(scope, &whole, loops)?, loops::fused(scope, l, loops)?);
                    Ok(quote!(if rows == kernels::ABREAST { #whole } else { #part }))
                }
            }
        }
        Step::Product(p) => Ok(product(scope, p)),
        Step::Select(s) => Ok(select(scope, s)),
        Step::Factor(f) => Ok(factor(scope, f)),
        Step::Scan(turns) => {
            let mut inside = scope.clone();
            inside.counters.push(turns.counter.clone());
            let mut body = TokenStream::new();
            for this in &turns.steps {
                body.extend(self::step(&inside, this, loops)?);
            }
            let (counter, count) = (symbol(&turns.counter), size(&turns.count));
            let range = if turns.reverse { quote!((0..#count).rev()) } else { quote!(0..#count) };
            let doc = scope.doc(&[turns.node]);
            Ok(quote!(#doc for #counter in #range { #body }))
        }
    }
}

/// A loop that copies a matrix which lies the other way, and does nothing else.
fn transposed(scope: &Scope<'_>, l: &Loop) -> Option<TokenStream> {
    let (from, into) = l.transposed()?;
    let ([outer, inner], [_, from_inner], [into_outer, _]) =
        (l.space.as_slice(), from.strides.as_slice(), into.strides.as_slice())
    else {
        return None;
    };
    // Strides that are known: an extent of 0 would make them 0.
    let known = |stride: &Size| stride.value().is_some_and(|n| n > 1);
    if !known(from_inner) || !known(into_outer) {
        return None;
    }
    let (to, source) = (scope.slice(&into.place, true), scope.slice(&from.place, false));
    let (rows, cols) = (extent(outer), extent(inner));
    let (to_row, from_row) = (size(into_outer), size(from_inner));
    let doc = scope.doc(&l.nodes);
    Some(quote!(#doc kernels::copy_transposed(#to, #to_row, #source, #from_row, #rows, #cols);))
}

/// The first of many, in order, run after run.
fn select(scope: &Scope<'_>, s: &Select) -> TokenStream {
    let (outer, n, k, largest) = (extent(&s.outer), size(&s.n), size(&s.k), s.largest);
    let part = |place: &Place, len: &TokenStream| {
        let local = scope.source(place.source);
        match scope.base(place) {
            Some(start) => quote!(#local[#start..][..#outer * #len]),
            None => quote!(#local[..#outer * #len]),
        }
    };
    let (from, into) = (part(&s.from, &n), part(&s.into, &k));
    let doc = scope.doc(&[s.node]);
    quote!(#doc kernels::top_k(&mut #into, &#from, #n, #k, #largest);)
}

/// Triangular factors, with the room that they need behind them.
fn factor(scope: &Scope<'_>, f: &Factor) -> TokenStream {
    let starts = |place: &Place| {
        let offset = (place.offset != Size::default()).then(|| size(&place.offset));
        let terms: Vec<TokenStream> = scope.base(place).into_iter().chain(offset).collect();
        (!terms.is_empty()).then(|| sum(terms))
    };
    let local = scope.source(f.from.source);
    let from = match starts(&f.from) {
        None => quote!(#local),
        Some(start) => scope.rest(&f.from, &start, false),
    };
    let into = scope.source(f.into.source);
    let (count, m, n) = (size(&f.count), size(&f.m), size(&f.n));
    let [outer, row, col] = f.strides.each_ref().map(size);
    let doc = scope.doc(&[f.node]);
    quote!(#doc kernels::triangular_factors(#into, #from, [#count, #m, #n], [#outer, #row, #col]);)
}

/// A product on this thread, inside its outer loops.
fn product(scope: &Scope<'_>, p: &Product) -> TokenStream {
    let counters: Vec<Ident> = (0..p.outer.len()).map(|i| format_ident!("i{i}")).collect();
    let at = |place: &Place, of: fn(&Axis) -> &Size| {
        let mut terms: Vec<TokenStream> = scope.base(place).into_iter().collect();
        if place.offset != Size::default() {
            terms.push(size(&place.offset));
        }
        for (axis, i) in p.outer.iter().zip(&counters) {
            if *of(axis) != Size::default() {
                terms.push(times(quote!(#i), of(axis)));
            }
        }
        (!terms.is_empty()).then(|| sum(terms))
    };
    let slice = |place: &Place, of: fn(&Axis) -> &Size, mutable: bool| {
        let local = scope.source(place.source);
        match at(place, of) {
            None => quote!(#local),
            Some(start) => scope.rest(place, &start, mutable),
        }
    };
    let (a, b, c) = (slice(&p.a, |x| &x.a, false), slice(&p.b, |x| &x.b, false), slice(&p.c, |x| &x.c, true));
    let mut call = match p.rows {
        Rows::Plain if p.is_plain() => plain(p, &a, &b, &c),
        Rows::Plain => sliding(p, &a, &b, &c),
        Rows::Each | Rows::Over => abreast(p, &a, &b, &c),
    };
    for (axis, i) in p.outer.iter().zip(&counters).rev() {
        let n = extent(&axis.extent);
        call = quote!(for #i in 0..#n { #call });
    }
    let clear = p.clear.as_ref().map(|whole| {
        let (local, len) = (scope.source(p.c.source), extent(whole));
        match scope.base(&p.c) {
            Some(base) => quote!(#local[#base..][..#len].fill(F::ZERO);),
            None => quote!(#local[..#len].fill(F::ZERO);),
        }
    });
    let doc = scope.doc(&[p.node]);
    match clear {
        // The comment is about both.
        Some(clear) => quote!(#doc #clear #call),
        None => quote!(#doc #call),
    }
}

/// A product of plain matrices.
fn plain(p: &Product, a: &TokenStream, b: &TokenStream, c: &TokenStream) -> TokenStream {
    let (m, n, k) = (count(&p.m), count(&p.n), count(&p.k));
    let [am, ak, bk, bn, cm, cn] = [
        stride(&p.m, |x| &x.a),
        stride(&p.k, |x| &x.a),
        stride(&p.k, |x| &x.b),
        stride(&p.n, |x| &x.b),
        stride(&p.m, |x| &x.c),
        stride(&p.n, |x| &x.c),
    ];
    let accumulate = p.accumulate;
    let (function, panels) = match p.panels.map(|number| format_ident!("q{number}")) {
        Some(panels) => (quote!(matmul_panels), Some(quote!(&#panels[..],))),
        None => (quote!(matmul), None),
    };
    quote! {
        kernels::#function(
            kernels::MatMut::new(#c, #m, #n, #cm, #cn),
            kernels::MatRef::new(#a, #m, #k, #am, #ak),
            kernels::MatRef::new(#b, #k, #n, #bk, #bn),
            #panels
            #accumulate,
        );
    }
}

/// The copies that a stage begins with.
pub(super) fn panels(scope: &Scope<'_>, numbers: &[usize]) -> TokenStream {
    if numbers.is_empty() {
        return TokenStream::new();
    }
    let list = numbers.iter().map(|number| {
        let Panels { node, b, n, k, .. } = &scope.schedule.panels[*number];
        let (to, from) = (format_ident!("q{number}"), scope.slice(b, false));
        let [(n, bn), (k, bk)] = [n, k].map(|(extent, stride)| (size(extent), size(stride)));
        let doc = scope.doc(&[*node]);
        quote! {
            #doc
            kernels::Panels { to: &mut #to[..], b: kernels::MatRef::new(#from, #k, #n, #bk, #bn) }
        }
    });
    quote! {
        /// Weights, in the order in which the products of many tiles read them.
        kernels::pack_panels([#(#list),*]);
    }
}

/// Axes with their strides.
fn axes(axes: &[Axis], of: fn(&Axis) -> &Size) -> TokenStream {
    let pairs = axes.iter().map(|axis| {
        let (n, stride) = (extent(&axis.extent), size(of(axis)));
        quote!((#n, #stride))
    });
    quote!(kernels::Axes::new(&[#(#pairs),*]))
}

/// A product of values whose rows lie side by side.
fn abreast(p: &Product, a: &TokenStream, b: &TokenStream, c: &TokenStream) -> TokenStream {
    let (am, ak) = (axes(&p.m, |x| &x.a), axes(&p.k, |x| &x.a));
    let (bk, bn) = (axes(&p.k, |x| &x.b), axes(&p.n, |x| &x.b));
    let (cm, cn) = (axes(&p.m, |x| &x.c), axes(&p.n, |x| &x.c));
    let accumulate = p.accumulate;
    let (function, rows) = match p.rows {
        Rows::Over => (quote!(matmul_over), Some(quote!(rows,))),
        _ => (quote!(matmul_each), None),
    };
    quote! {
        kernels::#function(
            kernels::SlideMut::new(#c, #cm, #cn),
            kernels::SlideRef::new(#a, #am, #ak),
            kernels::SlideRef::new(#b, #bk, #bn),
            #rows
            #accumulate,
        );
    }
}

/// A product that walks over several axes of its right factor and of its result.
fn sliding(p: &Product, a: &TokenStream, b: &TokenStream, c: &TokenStream) -> TokenStream {
    let (m, k) = (count(&p.m), count(&p.k));
    let (am, ak) = (stride(&p.m, |x| &x.a), stride(&p.k, |x| &x.a));
    let (bk, bn) = (axes(&p.k, |x| &x.b), axes(&p.n, |x| &x.b));
    let (cm, cn) = (axes(&p.m, |x| &x.c), axes(&p.n, |x| &x.c));
    let accumulate = p.accumulate;
    quote! {
        kernels::matmul_sliding(
            kernels::SlideMut::new(#c, #cm, #cn),
            kernels::MatRef::new(#a, #m, #k, #am, #ak),
            kernels::SlideRef::new(#b, #bk, #bn),
            #accumulate,
        );
    }
}

/// The elements of axes.
fn count(axes: &[Axis]) -> TokenStream {
    let all = axes.iter().map(|axis| extent(&axis.extent));
    all.reduce(|a, b| quote!(#a * #b)).unwrap_or(quote!(1))
}

/// The stride of the last of axes that lie one after the other.
fn stride(axes: &[Axis], of: fn(&Axis) -> &Size) -> TokenStream {
    axes.last().map_or(quote!(0), |axis| size(of(axis)))
}

/// Products that all threads share.
pub(super) fn wide(scope: &Scope<'_>, list: &[Product]) -> Result<TokenStream, String> {
    // In the order of the weights: who computes a gradient then updates these weights as well, or nearly so.
    let mut list: Vec<&Product> = list.iter().collect();
    list.sort_by_key(|p| scope.gradient(p.c.source));
    let products = list.iter().map(|p| {
        let (a, b, c) = (scope.slice(&p.a, false), scope.slice(&p.b, false), scope.source(p.c.source));
        let (m, n, k) = (count(&p.m), count(&p.n), count(&p.k));
        let [am, ak, bk, bn] =
            [stride(&p.m, |x| &x.a), stride(&p.k, |x| &x.a), stride(&p.k, |x| &x.b), stride(&p.n, |x| &x.b)];
        let accumulate = p.accumulate;
        let doc = scope.doc(&[p.node]);
        quote! {
            #doc
            kernels::Product {
                c: &mut #c[..#m * #n],
                a: kernels::MatRef::new(#a, #m, #k, #am, #ak),
                b: kernels::MatRef::new(#b, #k, #n, #bk, #bn),
                accumulate: #accumulate,
            }
        }
    });
    Ok(quote! {
        /// On all threads, over the whole batch.
        kernels::products([#(#products),*]);
    })
}
