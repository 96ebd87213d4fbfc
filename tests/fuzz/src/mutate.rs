//! Random changes of tokens and of bytes.
//!
//! In: tokens or bytes, a generator. Out: others. Never: sense.

use diabolo_compiler::testing::Rng;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// Words that mean something somewhere in the language.
const WORDS: &[&str] = &[
    "B",
    "T",
    "I",
    "K",
    "N",
    "x",
    "z",
    "fn",
    "let",
    "mut",
    "for",
    "in",
    "if",
    "else",
    "const",
    "Tensor",
    "Rows",
    "Scalar",
    "Index",
    "f32",
    "usize",
    "rows",
    "axis",
    "grad",
    "jacobian",
    "scan",
    "einsum",
    "sum",
    "mean",
    "max",
    "param",
    "zeros",
    "normal",
    "reshape",
    "concat",
    "slice",
    "batch",
    "repeat",
    "top_k",
    "gather",
    "window",
    "state",
    "update",
    "training",
    "relu",
    "select",
    "dense",
    "encode",
    "decode",
    "encoder",
    "decoder",
    "loss",
    "layer",
    "network",
    "function",
    "constant",
    "optimizer",
    "trains",
    "backward",
    "default",
    "pub",
    "self",
    "_",
    "return",
    "match",
    "as",
    "where",
    "impl",
    "dyn",
    "async",
    "unsafe",
    "poison",
    "link",
    "crate",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "64",
    "65",
    "1000",
    "1_000_000",
    "0.0",
    "0.5",
    "1e300",
    "1e-300",
    "1e999",
    "9007199254740993",
    "18446744073709551615",
    "340282366920938463463374607431768211456",
    "0x7fff_ffff",
    "2usize",
    "1.5f32",
    "'a'",
    "\"bk,kd->bd\"",
    "\"\"",
    "b\"bytes\"",
    "\"é∂→\"",
];
const SIGNS: &[char] = &[
    '+', '-', '*', '/', '%', '<', '>', '=', '!', '&', '|', '^', ',', ';', ':', '.', '#', '?', '@', '$', '~',
];

/// A token that stands alone.
pub fn token(rng: &mut Rng) -> TokenTree {
    match rng.below(3) {
        0 => word(rng.pick::<&str>(WORDS)),
        1 => number(rng),
        _ => {
            let spacing = if rng.chance(0.5) { Spacing::Joint } else { Spacing::Alone };
            TokenTree::Punct(Punct::new(*rng.pick(SIGNS), spacing))
        }
    }
}

fn word(name: &str) -> TokenTree {
    TokenTree::Ident(Ident::new(name, Span::call_site()))
}

fn number(rng: &mut Rng) -> TokenTree {
    match rng.pick(NUMBERS).parse::<Literal>() {
        Ok(literal) => TokenTree::Literal(literal),
        Err(_) => TokenTree::Literal(Literal::usize_unsuffixed(7)),
    }
}

/// Brackets of some kind around tokens.
pub fn group(rng: &mut Rng, inner: TokenStream) -> TokenTree {
    let all = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
    TokenTree::Group(Group::new(*rng.pick(&all), inner))
}

/// The same tokens with about `count` changes, anywhere in them.
pub fn tokens(rng: &mut Rng, stream: TokenStream, count: usize) -> TokenStream {
    let size = length(&stream).max(1);
    let mut places: Vec<usize> = (0..count).map(|_| rng.below(size)).collect();
    places.sort_unstable();
    let mut walk = Walk { rng, places, at: 0 };
    walk.stream(stream)
}

fn length(stream: &TokenStream) -> usize {
    stream
        .clone()
        .into_iter()
        .map(|t| if let TokenTree::Group(g) = t { 1 + length(&g.stream()) } else { 1 })
        .sum()
}

struct Walk<'r> {
    rng: &'r mut Rng,
    places: Vec<usize>,
    at: usize,
}

impl Walk<'_> {
    fn stream(&mut self, stream: TokenStream) -> TokenStream {
        let mut out: Vec<TokenTree> = Vec::new();
        for token in stream {
            let hit = self.places.binary_search(&self.at).is_ok();
            self.at += 1;
            let token = match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.stream(group.stream()));
                    inner.set_span(group.span());
                    TokenTree::Group(inner)
                }
                other => other,
            };
            if hit { self.change(&mut out, token) } else { out.push(token) }
        }
        out.into_iter().collect()
    }

    fn change(&mut self, out: &mut Vec<TokenTree>, token: TokenTree) {
        let rng = &mut *self.rng;
        match rng.below(8) {
            // Gone.
            0 => {}
            // Twice.
            1 => out.extend([token.clone(), token]),
            // Exchanged with the one before.
            2 => {
                let before = out.pop();
                out.push(token);
                out.extend(before);
            }
            // Another of its kind.
            3..=5 => out.push(match token {
                TokenTree::Literal(_) => number(rng),
                TokenTree::Ident(_) => word(rng.pick::<&str>(WORDS)),
                TokenTree::Punct(p) => TokenTree::Punct(Punct::new(*rng.pick(SIGNS), p.spacing())),
                TokenTree::Group(g) => group(rng, g.stream()),
            }),
            // In brackets, up to very many of them.
            6 => {
                let mut wrapped = token;
                let depth = if rng.chance(0.02) { 600 } else { 1 + rng.below(3) };
                let kind = *rng.pick(&[Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket]);
                for _ in 0..depth {
                    wrapped = TokenTree::Group(Group::new(kind, wrapped.into()));
                }
                out.push(wrapped);
            }
            _ => out.extend([token, self::token(rng)]),
        }
    }
}

/// The same bytes with some of them changed, moved, lost or repeated.
pub fn bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..=rng.below(4) {
        let len = bytes.len();
        if len == 0 {
            bytes.push(rng.bits() as u8);
            continue;
        }
        let at = if rng.chance(0.5) { rng.below(len.min(64)) } else { rng.below(len) };
        match rng.below(8) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = rng.bits() as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, rng.bits() as u8),
            4 => drop(bytes.drain(at..(at + 1 + rng.below(16)).min(len))),
            5 => {
                let part = bytes[at..(at + 1 + rng.below(64)).min(len)].to_vec();
                let to = rng.below(len);
                bytes.splice(to..to, part);
            }
            // Numbers that a header may hold.
            6 => {
                const SIZES: [u64; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];
                let (value, width) = (rng.pick(&SIZES).to_le_bytes(), [1, 2, 4, 8][rng.below(4)]);
                for (to, byte) in bytes[at..].iter_mut().zip(&value[..width]) {
                    *to = *byte;
                }
            }
            _ => bytes.extend_from_within(at..),
        }
    }
}
