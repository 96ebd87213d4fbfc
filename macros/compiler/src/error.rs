//! Errors of a user's program: collected, then reported together.
//!
//! In: a span and a few lines of text. Out: `compile_error!` items. Never: a panic, a backtrace, an
//! internal name.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

/// One mistake: where the user can act, and what to read there.
#[derive(Clone, Debug)]
pub struct Error {
    /// The place where the caret lands; always inside the user's own item.
    pub span: Span,
    /// One or a few lines of text, complete in themselves.
    pub message: String,
}

impl Error {
    /// A mistake at a span.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Error { span, message: message.into() }
    }
}

impl From<syn::Error> for Error {
    fn from(error: syn::Error) -> Self {
        Error::new(error.span(), error.to_string())
    }
}

/// The mistakes found so far.
#[derive(Clone, Debug, Default)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// Notes a mistake and goes on. The same text at the same line is noted once.
    pub fn push(&mut self, error: Error) {
        let line = |span: Span| (span.start().line, span.start().column);
        if !self.0.iter().any(|e| e.message == error.message && line(e.span) == line(error.span)) {
            self.0.push(error);
        }
    }

    /// Whether there was no mistake.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err` with all of them, if there are any.
    pub fn finish<T>(self, value: T) -> Result<T, Errors> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The errors as items, each at its span.
    pub fn to_compile_errors(&self) -> TokenStream {
        self.0
            .iter()
            .map(|Error { span, message }| quote_spanned!(*span=> ::core::compile_error! { #message }))
            .collect()
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Errors(vec![error])
    }
}

/// The result of a phase.
pub type Result<T, E = Errors> = std::result::Result<T, E>;
