//! Sizes as expressions.
//!
//! In: polynomials over symbols. Out: integer expressions over the locals `dim_B`, `dim_T`, … Never: a value
//! that does not fit: literals are what the user wrote, multiplied out.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use crate::schedule::Extent;
use crate::size::Size;

/// The local that holds a symbol.
pub(crate) fn symbol(name: &str) -> Ident {
    format_ident!("dim_{}", name)
}

/// A number without the suffix that `quote` adds.
pub(crate) fn literal(n: usize) -> TokenStream {
    let n = Literal::usize_unsuffixed(n);
    quote!(#n)
}

/// Whether every value of the symbols makes it a multiple of 16.
pub(super) fn is_padded(size: &Size) -> bool {
    size.terms().all(|(_, factor)| factor % 16 == 0)
}

/// A size, to the next multiple of 16: slices of the arena begin where cache lines do.
pub(super) fn padded(size: &Size) -> TokenStream {
    match size.value() {
        Some(n) => literal(n.next_multiple_of(16)),
        None if is_padded(size) => self::size(size),
        None => {
            let size = self::size(size);
            quote!(usize::next_multiple_of(#size, 16))
        }
    }
}

/// A size.
pub(crate) fn size(size: &Size) -> TokenStream {
    if let Some(n) = size.value() {
        return literal(n);
    }
    // What is added first, so that nothing falls below 0 on the way.
    let mut terms: Vec<(&[String], i64)> = size.terms().collect();
    terms.sort_by_key(|(_, factor)| *factor < 0);
    let mut out = TokenStream::new();
    for (i, (symbols, factor)) in terms.iter().enumerate() {
        let n = Literal::u64_unsuffixed(factor.unsigned_abs());
        let mut factors: Vec<TokenStream> = Vec::new();
        if factor.unsigned_abs() != 1 || symbols.is_empty() {
            factors.push(quote!(#n));
        }
        factors.extend(symbols.iter().map(|name| {
            let local = symbol(name);
            quote!(#local)
        }));
        let mut term = TokenStream::new();
        for (i, factor) in factors.into_iter().enumerate() {
            term.extend(if i == 0 { factor } else { quote!(* #factor) });
        }
        // A difference below 0 is an axis without elements, as everywhere.
        out = match (i, *factor < 0) {
            (0, _) => term,
            (_, true) => quote!(usize::saturating_sub(#out, #term)),
            (_, false) => quote!(#out + #term),
        };
    }
    if terms.len() > 1 && terms.iter().all(|(_, factor)| *factor > 0) { quote!((#out)) } else { out }
}

/// An extent; the rows of the tile are `rows`.
pub(super) fn extent(extent: &Extent) -> TokenStream {
    let n = size(&extent.size);
    match (extent.rows, extent.size.is_one()) {
        (false, _) => n,
        (true, true) => quote!(rows),
        (true, false) => quote!(rows * #n),
    }
}

/// `a * b`, without what changes nothing.
pub(super) fn times(a: TokenStream, b: &Size) -> TokenStream {
    if b.is_one() {
        return a;
    }
    let b = size(b);
    quote!(#a * #b)
}

/// The sum of terms; 0 for none.
pub(super) fn sum(terms: Vec<TokenStream>) -> TokenStream {
    if terms.is_empty() { quote!(0) } else { quote!(#(#terms)+*) }
}
