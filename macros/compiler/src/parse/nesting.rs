//! How deep tokens nest, measured before anything recurses over them.
//!
//! In: tokens. Out: an error at the place where they nest too deep; the same tokens without invisible
//! groups. Never: recursion deeper than the limit.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

use crate::error::{Error, Result};

/// The recursion that an item may ask for: a bracket costs [`BRACKET`], any other token of a chain 1. It
/// keeps parser and compiler within the 2 MB stack of a thread, unoptimised.
const LIMIT: usize = 640;
const BRACKET: usize = 10;

/// Refuses tokens that nest deeper than any program written by hand.
pub fn check(tokens: &TokenStream) -> Result<()> {
    measure(tokens.clone(), 0).map_err(|span| {
        let message = "this nests too deep, or is too long a chain; give parts of it a name with `let`";
        Error::new(span, message).into()
    })
}

/// Walks tokens that start at a depth. A chain such as `a + b + …` or `----x` nests by one a token, and
/// ends at `;` and `,`, except that `|a, b|` and `<A, B>` nest on through a comma.
fn measure(tokens: TokenStream, start: usize) -> std::result::Result<(), Span> {
    let (mut chain, mut through_commas) = (0, 0);
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        chain += 1;
        if start + chain + through_commas > LIMIT {
            return Err(token.span());
        }
        match &token {
            TokenTree::Punct(p) => match p.as_char() {
                ';' => (chain, through_commas) = (0, 0),
                ',' => chain = 0,
                '|' | '<' if p.spacing() == Spacing::Alone => through_commas += 1,
                _ => {}
            },
            TokenTree::Group(group) => {
                measure(group.stream(), start + chain + through_commas + BRACKET)?;
                // A block that ends a statement ends the chain; `else` and operators carry it on.
                let next = tokens.peek().map(ToString::to_string);
                let ends = next.is_some_and(|next| {
                    next.starts_with(char::is_alphabetic) && !matches!(next.as_str(), "else" | "as")
                });
                if group.delimiter() == Delimiter::Brace && ends {
                    (chain, through_commas) = (0, 0);
                }
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
    }
    Ok(())
}

/// The same tokens without invisible groups, unless they nest too deep.
pub fn flattened(tokens: TokenStream) -> Result<TokenStream> {
    check(&tokens)?;
    Ok(flatten_groups(tokens))
}

/// Removes the invisible groups that `$x:expr` and the like of a user's macro leave: an expression becomes
/// a parenthesis, anything else its contents.
fn flatten_groups(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => {
                let inner = flatten_groups(group.stream());
                match group.delimiter() {
                    Delimiter::None if is_spliced(&inner) => inner,
                    delimiter => {
                        let delimiter =
                            if delimiter == Delimiter::None { Delimiter::Parenthesis } else { delimiter };
                        let mut flat = Group::new(delimiter, inner);
                        flat.set_span(group.span());
                        TokenTree::from(flat).into()
                    }
                }
            }
            other => TokenStream::from(other),
        })
        .collect()
}

/// Whether an invisible group may lose its brackets: one token or none, or the start of an item or `let`.
fn is_spliced(inner: &TokenStream) -> bool {
    let mut tokens = inner.clone().into_iter();
    let first = tokens.next();
    let is_item = first.as_ref().is_some_and(|token| {
        matches!(token.to_string().as_str(), "#" | "pub" | "fn" | "const" | "let" | "mod" | "use" | "struct")
    });
    is_item || tokens.next().is_none()
}
